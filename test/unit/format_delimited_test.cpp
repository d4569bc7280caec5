#include "format_helpers.hpp"

namespace sluice {
namespace {

TEST(Delimited, DefaultsAreTabAndBackslashN) {
    EXPECT_EQ(cells(delimited_source(3), "a\t\\N\t"), (Texts{"a", kNull, ""}));
}

TEST(Delimited, EmptyMessageIsOneEmptyText) {
    EXPECT_EQ(cells(delimited_source(1), ""), (Texts{""}));
    EXPECT_EQ(cells(delimited_source(1, {.null_string = ""}), ""), (Texts{kNull}));
    EXPECT_EQ(error_of(delimited_source(2), "").message, "delimited value has 1 column, 2 expected");
}

TEST(Delimited, NamedSequences) {
    EXPECT_EQ(cells(delimited_source(1), R"(\b\f\n\r\t\v)"), (Texts{"\b\f\n\r\t\v"}));
}

TEST(Delimited, NumberSequences) {
    EXPECT_EQ(cells(delimited_source(1), R"(\101\7\18\0601)"), (Texts{"A\a\0018"
                                                                      "01"}));
    EXPECT_EQ(cells(delimited_source(1), R"(\x41\x4g\x424)"), (Texts{"A\x04gB4"}));
    EXPECT_EQ(cells(delimited_source(1), R"(\xg\x)"), (Texts{"xgx"}));
    EXPECT_EQ(cells(delimited_source(1), R"(\xc3\xA9 \303\251)"), (Texts{"é é"}));
}

TEST(Delimited, OtherEscapedCharactersStandForThemselves) {
    EXPECT_EQ(cells(delimited_source(2), "a\\\tb\t\\\\c\\d\\é"), (Texts{"a\tb", "\\cdé"}));
    EXPECT_EQ(cells(delimited_source(1), R"(\.)"), (Texts{"."}));
}

TEST(Delimited, BackslashAtTheEndIsDropped) {
    EXPECT_EQ(cells(delimited_source(2), "a\tb\\"), (Texts{"a", "b"}));
    EXPECT_EQ(cells(delimited_source(1), "\\"), (Texts{""}));
    EXPECT_EQ(cells(delimited_source(1, {.null_string = ""}), "\\"), (Texts{kNull}));
}

TEST(Delimited, NullStringIsComparedBeforeEscapesAreDecoded) {
    EXPECT_EQ(cells(delimited_source(3, {.null_string = "nil"}), "nil\tn\\il\t\\N"),
              (Texts{kNull, "nil", "N"}));
    EXPECT_EQ(cells(delimited_source(2), "\\\\N\tx\\N"), (Texts{"\\N", "xN"}));
}

TEST(Delimited, QuotesAreData) { EXPECT_EQ(cells(delimited_source(2), "\"a\tb\""), (Texts{"\"a", "b\""})); }

TEST(Delimited, OneLineEndAtTheEndIsDroppedUnlessItIsEscaped) {
    EXPECT_EQ(cells(delimited_source(1), "a\n"), (Texts{"a"}));
    EXPECT_EQ(cells(delimited_source(1), "a\r\n"), (Texts{"a"}));
    EXPECT_EQ(cells(delimited_source(1), "a\\\n"), (Texts{"a\n"}));
    EXPECT_EQ(cells(delimited_source(1), "a\\\r\n"), (Texts{"a\r"}));
    EXPECT_EQ(cells(delimited_source(1), "a\\\\\n"), (Texts{"a\\"}));
    EXPECT_EQ(cells(delimited_source(1), "a\nb"), (Texts{"a\nb"}));
}

TEST(Delimited, LongDelimiter) {
    EXPECT_EQ(cells(delimited_source(3, {.delimiter = "||"}), "a|b||c|||d"), (Texts{"a|b", "c", "|d"}));
    EXPECT_EQ(cells(delimited_source(3, {.delimiter = "||"}), "||||"), (Texts{"", "", ""}));
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "→"}), "é→漢"), (Texts{"é", "漢"}));
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "→"}), "é\\→a→漢"), (Texts{"é→a", "漢"}));
    EXPECT_EQ(cells(delimited_source(1, {.delimiter = "||"}), "a|"), (Texts{"a|"}));
}

TEST(Delimited, EscapedPartOfALongDelimiterDoesNotDelimit) {
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "||"}), R"(a\||b||c)"), (Texts{"a||b", "c"}));
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "||"}), R"(a\|||b)"), (Texts{"a|", "b"}));
}

TEST(Delimited, HexDigitsOfASequenceAreNoDelimiter) {
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "A"}), R"(\x4AxAy)"), (Texts{"Jx", "y"}));
}

TEST(Delimited, LongDelimiterAcrossBlocks) {
    for (size_t first = 0; first < 140; ++first) {
        const std::string a(first, '=');
        EXPECT_EQ(cells(delimited_source(2, {.delimiter = "<=>"}), a + "<<=>b"), (Texts{a + "<", "b"}));
        EXPECT_EQ(cells(delimited_source(2, {.delimiter = "<=>"}), a + "\\<=>c<=>b"),
                  (Texts{a + "<=>c", "b"}));
    }
}

TEST(Delimited, DelimiterLongerThanABlock) {
    const std::string delimiter(150, '-');
    EXPECT_EQ(cells(delimited_source(3, {.delimiter = delimiter}), "a" + delimiter + "b-" + delimiter + "-c"),
              (Texts{"a", "b", "--c"}));
}

TEST(Delimited, WithAQuoteItReadsLikeCsv) {
    const DelimitedOptions options{.delimiter = "||", .quote = "'"};
    EXPECT_EQ(cells(delimited_source(4, options), R"(a|b||'c||''d'||||\N)"),
              (Texts{"a|b", "c||'d", kNull, "\\N"}));
    EXPECT_EQ(cells(delimited_source(2, {.quote = "\""}), "\"\t\"\tb"), (Texts{"\t", "b"}));
    EXPECT_EQ(error_of(delimited_source(1, options), "'a").message,
              "delimited value has a quote that is never closed");
    const DelimitedOptions forced{
        .quote = "'", .null_string = "nil", .force_not_null = {"c1"}, .force_null = {"c2"}};
    EXPECT_EQ(cells(delimited_source(2, forced), "nil\t'nil'"), (Texts{"nil", kNull}));
}

TEST(Delimited, DelimiterMayRepeatItselfBehindAQuote) {
    const DelimitedOptions options{.delimiter = "--", .quote = "'"};
    EXPECT_EQ(cells(delimited_source(3, options), "'a'---b--c"), (Texts{"a", "-b", "c"}));
}

TEST(Delimited, ExtraColumnsHintAtBackslash) {
    const Error error = error_of(delimited_source(1), "a\tb");
    EXPECT_EQ(error.message, "delimited value has 2 columns, 1 expected");
    EXPECT_EQ(error.hint, "A delimiter that is data must have a backslash before it.");
}

TEST(Delimited, SequencesThatMakeInvalidTextAreRefused) {
    const Error invalid = error_of(delimited_source(2), R"(a	b\xff)");
    EXPECT_EQ(invalid.sqlstate, "22021");
    EXPECT_EQ(
        invalid.message,
        "column \"c2\" is not valid UTF-8: 0xff at byte 1 of the column, after its escapes are decoded");
    EXPECT_EQ(invalid.column_name, "c2");
    EXPECT_EQ(error_of(delimited_source(1), R"(\0)").sqlstate, "22021");
    EXPECT_EQ(error_of(delimited_source(1), R"(\x00)").sqlstate, "22021");
    EXPECT_EQ(error_of(delimited_source(1), R"(\400)").sqlstate, "22021");
    EXPECT_EQ(error_of(delimited_source(1), "\\xc3é").sqlstate, "22021");
}

TEST(Delimited, OtherEncodingsAllowAnySequenceButNul) {
    RecordSpec spec = delimited_source(1);
    spec.validate_utf8 = false;
    EXPECT_EQ(cells(spec, R"(\xff)"), (Texts{"\xff"}));
    EXPECT_EQ(error_of(spec, R"(a\0)").message,
              "column \"c1\" contains a NUL byte at byte 1 of the column, after its escapes are decoded");
}

}  // namespace
}  // namespace sluice
