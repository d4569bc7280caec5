#include "format_helpers.hpp"

namespace sluice {
namespace {

TEST(Csv, CutsAtDelimiters) {
    EXPECT_EQ(cells(csv_source(3), "1,two,3.5"), (Texts{"1", "two", "3.5"}));
    EXPECT_EQ(cells(csv_source(2, {.delimiter = ";"}), "a,b;c"), (Texts{"a,b", "c"}));
}

TEST(Csv, KeepsBlanksAndBackslashes) {
    EXPECT_EQ(cells(csv_source(2), R"( a , \N)"), (Texts{" a ", R"( \N)"}));
    EXPECT_EQ(cells(csv_source(1), R"(\.)"), (Texts{R"(\.)"}));
}

TEST(Csv, UnquotedEmptyIsNullAndQuotedEmptyIsText) {
    EXPECT_EQ(cells(csv_source(3), R"(,"",x)"), (Texts{kNull, "", "x"}));
    EXPECT_EQ(cells(csv_source(2), ","), (Texts{kNull, kNull}));
}

TEST(Csv, EmptyMessageIsOneEmptyColumn) {
    EXPECT_EQ(cells(csv_source(1), ""), (Texts{kNull}));
    EXPECT_EQ(cells(csv_source(1, {.null_string = "-"}), ""), (Texts{""}));
    EXPECT_EQ(error_of(csv_source(2), "").sqlstate, "22P04");
}

TEST(Csv, QuotesProtectDelimitersAndLineEnds) {
    EXPECT_EQ(cells(csv_source(2), "\"a,b\",\"c\r\nd\""), (Texts{"a,b", "c\r\nd"}));
}

TEST(Csv, LineEndsInsideAMessageAreData) {
    EXPECT_EQ(cells(csv_source(2), "a\nb,c\rd"), (Texts{"a\nb", "c\rd"}));
}

TEST(Csv, OneLineEndAtTheEndIsDropped) {
    EXPECT_EQ(cells(csv_source(2), "a,b\n"), (Texts{"a", "b"}));
    EXPECT_EQ(cells(csv_source(2), "a,b\r\n"), (Texts{"a", "b"}));
    EXPECT_EQ(cells(csv_source(2), "a,b\n\n"), (Texts{"a", "b\n"}));
    EXPECT_EQ(cells(csv_source(2), "a,b\r"), (Texts{"a", "b\r"}));
    EXPECT_EQ(cells(csv_source(2), "a,\"b\"\n"), (Texts{"a", "b"}));
    EXPECT_EQ(cells(csv_source(1), "\n"), (Texts{kNull}));
}

TEST(Csv, DoubledQuoteIsAQuote) {
    EXPECT_EQ(cells(csv_source(2), R"("say ""hi""","""")"), (Texts{R"(say "hi")", "\""}));
}

TEST(Csv, QuoteInsideAColumnToggles) {
    EXPECT_EQ(cells(csv_source(2), R"(a"b,c"d,e)"), (Texts{"ab,cd", "e"}));
    EXPECT_EQ(cells(csv_source(2), R"("a"b,x)"), (Texts{"ab", "x"}));
    EXPECT_EQ(cells(csv_source(2), R"("a"b"c",x)"), (Texts{"abc", "x"}));
    EXPECT_EQ(cells(csv_source(1), R"(a""b)"), (Texts{"ab"}));
}

TEST(Csv, EscapeWorksOnlyInsideQuotesBeforeQuoteOrEscape) {
    const DelimitedOptions options{.escape = "\\"};
    EXPECT_EQ(cells(csv_source(1, options), R"("a\"b\\c\d")"), (Texts{R"(a"b\c\d)"}));
    EXPECT_EQ(cells(csv_source(2, options), R"(a\,b)"), (Texts{"a\\", "b"}));
    EXPECT_EQ(cells(csv_source(1, options), R"("a""b")"), (Texts{"ab"}));
    EXPECT_EQ(cells(csv_source(1, options), R"(\"a")"), (Texts{"\\a"}));
}

TEST(Csv, NullStringIsComparedWithTheRawText) {
    const DelimitedOptions options{.null_string = "nil"};
    EXPECT_EQ(cells(csv_source(4, options), R"(nil,"nil",n"il",)"), (Texts{kNull, "nil", "nil", ""}));
}

TEST(Csv, ForceNotNullReadsTheNullStringAsText) {
    EXPECT_EQ(cells(csv_source(2, {.force_not_null = {"c2"}}), ","), (Texts{kNull, ""}));
    EXPECT_EQ(cells(csv_source(2, {.null_string = "nil", .force_not_null = {"c1"}}), "nil,nil"),
              (Texts{"nil", kNull}));
}

TEST(Csv, ForceNullReadsAQuotedNullStringAsNull) {
    EXPECT_EQ(cells(csv_source(2, {.force_null = {"c2"}}), R"("","")"), (Texts{"", kNull}));
    EXPECT_EQ(cells(csv_source(2, {.null_string = "nil", .force_null = {"c1"}}), R"("n"il,"nil")"),
              (Texts{kNull, "nil"}));
}

TEST(Csv, BothForcesOnOneColumnSwapQuotedAndUnquoted) {
    const DelimitedOptions options{.force_not_null = {"c1", "c2"}, .force_null = {"c1", "c2"}};
    EXPECT_EQ(cells(csv_source(2, options), R"(,"")"), (Texts{"", kNull}));
}

TEST(Csv, MissingColumnsAreCountedAndNamed) {
    const Error error = error_of(csv_source(4), "1,2");
    EXPECT_EQ(error.kind, ErrorKind::Data);
    EXPECT_EQ(error.stage, Stage::Decode);
    EXPECT_EQ(error.sqlstate, "22P04");
    EXPECT_EQ(error.message, "csv value has 2 columns, 4 expected");
    EXPECT_EQ(error.detail, "Data is missing for column \"c3\".");
    EXPECT_EQ(error.column_name, "c3");
}

TEST(Csv, ExtraColumnsAreCounted) {
    const Error error = error_of(csv_source(1), R"(1,"2,3",4)");
    EXPECT_EQ(error.sqlstate, "22P04");
    EXPECT_EQ(error.message, "csv value has 3 columns, 1 expected");
    EXPECT_EQ(error.detail, "There is data after the last column, \"c1\".");
    EXPECT_EQ(error.hint, "A delimiter that is data must stand inside quotes.");
    EXPECT_EQ(error.column_name, "");
}

TEST(Csv, UnterminatedQuoteIsAnError) {
    const Error error = error_of(csv_source(2), R"(1,"2)");
    EXPECT_EQ(error.sqlstate, "22P04");
    EXPECT_EQ(error.message, "csv value has a quote that is never closed");
    EXPECT_EQ(error.detail, "It opens in column 2.");
    EXPECT_EQ(error.column_name, "c2");
    EXPECT_EQ(error_of(csv_source(1, {.escape = "\\"}), R"("a\")").sqlstate, "22P04");
    EXPECT_EQ(error_of(csv_source(1), "\"").sqlstate, "22P04");
    EXPECT_EQ(error_of(csv_source(1), R"(a,"b)").column_name, "");
}

TEST(Csv, UnquotedTextIsNotCopied) {
    const std::string value = R"(plain,"wrapped","re""built")";
    const RecordDecoder decoder = decoder_of(csv_source(3));
    Arena arena;
    std::vector<Cell> row(3);
    ASSERT_FALSE(decoder.decode(message_of(Bytes::of(value)), arena, row));
    EXPECT_EQ(row[0].data, value.data());
    EXPECT_EQ(row[1].data, value.data() + 7);
    EXPECT_EQ(row[1].view(), "wrapped");
    EXPECT_FALSE(row[2].data >= value.data() && row[2].data < value.data() + value.size());
    EXPECT_EQ(row[2].view(), R"(re"built)");
}

// Columns of every length, so that delimiters, quotes and ends fall on every place of a scanned block.
TEST(Csv, ColumnsOfEveryLength) {
    for (size_t first = 0; first < 140; ++first) {
        for (size_t second : {0, 1, 63, 64, 65}) {
            const std::string a(first, 'a'), b(second, 'b');
            const auto text = [](const std::string& s) {
                return s.empty() ? std::optional<std::string>() : s;
            };
            EXPECT_EQ(cells(csv_source(3), a + "," + b + ",c"), (Texts{text(a), text(b), "c"}));
            EXPECT_EQ(cells(csv_source(2), "\"" + a + "\"\"" + "\",\"" + b + "\""), (Texts{a + "\"", b}));
        }
    }
}

}  // namespace
}  // namespace sluice
