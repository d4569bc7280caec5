#include "format_helpers.hpp"

namespace sluice {
namespace {

TEST(Record, TextAndBinaryAreTheWholeValue) {
    const std::string payload = "a,\"b\n\\N\n";
    EXPECT_EQ(cells(value_source({Format::Text, {}}, 1), payload), (Texts{payload}));
    EXPECT_EQ(cells(value_source({Format::Text, {}}, 1), ""), (Texts{""}));

    const RecordDecoder binary = decoder_of(value_source({Format::Binary, {}}, 1));
    const std::string any("\0\xff\n", 3);
    const Decoded decoded = decode(binary, message_of(Bytes::of(any)));
    EXPECT_EQ(decoded.kinds, (std::vector{CellKind::Binary}));
    EXPECT_EQ(decoded.texts, (Texts{any}));
}

TEST(Record, NullValueIsNullInEveryColumnAndNoError) {
    RecordSpec spec = csv_source(2, {.force_not_null = {"c1"}});
    spec.columns.push_back(metadata_column("o", Metadata::Offset));
    EXPECT_EQ(decode(decoder_of(spec), message_of({})).kinds,
              (std::vector{CellKind::Null, CellKind::Null, CellKind::Int}));
    for (Format format : {Format::Text, Format::Binary, Format::Delimited}) {
        EXPECT_EQ(decode(decoder_of(value_source({format, {}}, 1)), message_of({})).kinds,
                  (std::vector{CellKind::Null}));
    }
}

TEST(Record, KeyAndValueAreDecodedEachInItsFormat) {
    RecordSpec spec;
    spec.value = FormatSpec{Format::Csv, {}};
    spec.key = FormatSpec{Format::Delimited, {.delimiter = "|"}};
    spec.columns = {value_column("a"), key_column("k1"), value_column("b"), key_column("k2")};
    const RecordDecoder decoder = decoder_of(spec);
    EXPECT_EQ(decoder.column_count(), 4u);
    EXPECT_EQ(decode(decoder, message_of(Bytes::of("1,2"), Bytes::of("x|\\N"))).texts,
              (Texts{"1", "x", "2", kNull}));
    EXPECT_EQ(decode(decoder, message_of(Bytes::of("1,2"), {})).texts, (Texts{"1", kNull, "2", kNull}));
    EXPECT_EQ(decode(decoder, message_of({}, Bytes::of("x|y"))).texts, (Texts{kNull, "x", kNull, "y"}));
    const std::optional<Error> error = decode(decoder, message_of(Bytes::of("1,2"), Bytes::of("x"))).error;
    ASSERT_TRUE(error);
    EXPECT_EQ(error->message, "delimited key has 1 column, 2 expected");
    EXPECT_EQ(error->column_name, "k2");
}

TEST(Record, UnwantedColumnsAreNullAndUnchecked) {
    RecordSpec spec = csv_source(4);
    spec.columns[0].wanted = spec.columns[2].wanted = spec.columns[3].wanted = false;
    EXPECT_EQ(cells(spec, "\xff,b,\"c\"\"\",d"), (Texts{kNull, "b", kNull, kNull}));
    EXPECT_EQ(cells(spec, std::string_view("\0,b,c,\xff", 8)), (Texts{kNull, "b", kNull, kNull}));
    // Their number still is a promise of the producer.
    EXPECT_EQ(error_of(spec, "a,b,c").message, "csv value has 3 columns, 4 expected");
    EXPECT_EQ(error_of(spec, "a,b,c,d,e").message, "csv value has 5 columns, 4 expected");
    EXPECT_EQ(error_of(spec, "a,b,c,\"").sqlstate, "22P04");
}

TEST(Record, UnwantedEscapesAreUnchecked) {
    RecordSpec spec = delimited_source(2);
    spec.columns[0].wanted = false;
    EXPECT_EQ(cells(spec, "\\xff\tb"), (Texts{kNull, "b"}));
}

TEST(Record, APartThatNobodyWantsIsNotLookedAt) {
    RecordSpec spec = csv_source(2);
    spec.columns[0].wanted = spec.columns[1].wanted = false;
    EXPECT_EQ(cells(spec, "\"\xff"), (Texts{kNull, kNull}));
    spec = value_source({Format::Text, {}}, 1);
    spec.columns[0].wanted = false;
    EXPECT_EQ(cells(spec, "\xff"), (Texts{kNull}));
}

TEST(Record, InvalidUtf8IsNamedWithBytesAndPlace) {
    const Error error = error_of(csv_source(3), "a,b\xc3(,c");
    EXPECT_EQ(error.kind, ErrorKind::Data);
    EXPECT_EQ(error.sqlstate, "22021");
    EXPECT_EQ(error.message, "column \"c2\" is not valid UTF-8: 0xc3 0x28 at byte 3 of the value");
    EXPECT_EQ(error.column_name, "c2");
    EXPECT_EQ(error_of(csv_source(2), "a,\xf0\x9f").message,
              "column \"c2\" is not valid UTF-8: 0xf0 0x9f at byte 2 of the value");
    EXPECT_EQ(error_of(value_source({Format::Text, {}}, 1), "abc\x80").message,
              "column \"c1\" is not valid UTF-8: 0x80 at byte 3 of the value");
    // Taking the quotes away would make it valid: the message's bytes count.
    EXPECT_EQ(error_of(csv_source(1), "\"\xc3\"\xa9").sqlstate, "22021");
}

TEST(Record, NulBytesAreRefusedInText) {
    const Error error = error_of(csv_source(2), std::string_view("ab,c\0d", 6));
    EXPECT_EQ(error.sqlstate, "22021");
    EXPECT_EQ(error.message, "column \"c2\" contains a NUL byte at byte 4 of the value");
    RecordSpec spec = csv_source(2);
    spec.validate_utf8 = false;
    EXPECT_EQ(error_of(spec, std::string_view("ab,\0", 4)).sqlstate, "22021");
    EXPECT_EQ(error_of(value_source({Format::Text, {}}, 1), std::string_view("\0", 1)).sqlstate, "22021");
}

TEST(Record, OtherEncodingsTakeAnyByteButNul) {
    RecordSpec spec = csv_source(2);
    spec.validate_utf8 = false;
    EXPECT_EQ(cells(spec, "\xe9,\"\xff\""), (Texts{"\xe9", "\xff"}));
}

TEST(Record, NoColumnsAtAll) {
    const RecordDecoder decoder = decoder_of(RecordSpec{});
    EXPECT_EQ(decoder.column_count(), 0u);
    EXPECT_FALSE(decode(decoder, message_of(Bytes::of("x"))).error);
}

TEST(Record, LargeValues) {
    const std::string big(10'000'000, 'x');
    EXPECT_EQ(cells(csv_source(2), "\"" + big + "\"\"\"," + big), (Texts{big + "\"", big}));
    const std::string commas(1'000'000, ',');
    EXPECT_EQ(error_of(csv_source(2), commas).message, "csv value has 1000001 columns, 2 expected");
}

}  // namespace
}  // namespace sluice
