// JSON behind the frame of a schema registry's serializer: the id is skipped, in values and in keys.
#include "format_helpers.hpp"

namespace sluice {
namespace {

using namespace std::string_literals;

const std::string kFrame = "\0\0\0\0\x11"s;

FormatSpec framed(Format format) {
    FormatSpec spec{.format = format};
    spec.schema.framing = Framing::Confluent;
    return spec;
}

RecordSpec source(Format format) {
    RecordSpec spec;
    spec.value = framed(format);
    spec.columns = {value_column("id"), value_column("name")};
    return spec;
}

TEST(FramedJson, TheIdIsSkipped) {
    EXPECT_EQ(cells(source(Format::Json), kFrame + R"({"id": 7, "name": "x"})"), (Texts{"7", "x"}));
    EXPECT_EQ(cells(source(Format::ConnectJson), kFrame + R"({"schema": null, "payload": {"id": 7}})"),
              (Texts{"7", kNull}));
    EXPECT_EQ(cells(source(Format::DebeziumJson), kFrame + R"({"op": "c", "after": {"id": 7, "name": "x"}})"),
              (Texts{"7", "x"}));
    FormatSpec none = framed(Format::Json);
    none.schema.framing = Framing::None;
    RecordSpec plain = source(Format::Json);
    plain.value = none;
    EXPECT_EQ(cells(plain, R"({"id": 7})"), (Texts{"7", kNull}));
}

TEST(FramedJson, WithoutAFrameItIsAnError) {
    for (const std::string& bad : {R"({"id": 7})"s, ""s, "\0\0\0\0"s, "\1\0\0\0\1{}"s}) {
        const Error error = error_of(source(Format::Json), bad);
        EXPECT_EQ(error.kind, ErrorKind::Data);
        EXPECT_EQ(error.sqlstate, "22P03");
        EXPECT_EQ(error.message, "value has no schema id of a registry before it");
    }
    EXPECT_EQ(error_of(source(Format::Json), kFrame).sqlstate, "22P02");
}

TEST(FramedJson, KeysAndTombstones) {
    RecordSpec spec;
    spec.key = framed(Format::Json);
    spec.columns = {key_column("id")};
    const RecordDecoder decoder = decoder_of(spec);
    const std::string key = kFrame + R"({"id": 7})";
    EXPECT_EQ(decode(decoder, message_of({}, Bytes::of(key))).texts, (Texts{"7"}));
    EXPECT_EQ(decode(decoder, message_of({}, {})).texts, (Texts{kNull}));
    const Decoded bare = decode(decoder, message_of({}, Bytes::of(R"({"id": 7})")));
    ASSERT_TRUE(bare.error);
    EXPECT_EQ(bare.error->message, "key has no schema id of a registry before it");
}

TEST(FramedJson, ADeletedRowIsToldByAFramedKey) {
    RecordSpec spec = source(Format::DebeziumJson);
    spec.key = framed(Format::ConnectJson);
    const RecordDecoder decoder = decoder_of(spec);
    const std::string value = kFrame + R"({"op": "d", "before": null})", key = kFrame + R"({"id": 7})";
    EXPECT_EQ(decode(decoder, message_of(Bytes::of(value), Bytes::of(key))).texts[0], "7");
    const Decoded bare = decode(decoder, message_of(Bytes::of(value), Bytes::of(R"({"id": 7})")));
    ASSERT_TRUE(bare.error);
    EXPECT_EQ(bare.error->message, "key has no schema id of a registry before it");
}

TEST(FramedJson, RowsOfAnArray) {
    RecordSpec spec = source(Format::Json);
    spec.value->json.rows_path = "$";
    const RecordDecoder decoder = decoder_of(spec);
    Arena arena;
    RowBuffer rows(2);
    const std::string value = kFrame + R"([{"id": 1}, {"id": 2}])", bare = R"([{"id": 1}])";
    EXPECT_FALSE(decoder.decode(message_of(Bytes::of(value)), arena, rows));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[1][0].view(), "2");
    EXPECT_TRUE(decoder.decode(message_of(Bytes::of(bare)), arena, rows));
    EXPECT_EQ(rows.size(), 2u);
}

TEST(FramedJson, SingleObjectEncodingIsAvros) {
    RecordSpec spec = source(Format::Json);
    spec.value->schema.framing = Framing::SingleObject;
    EXPECT_EQ(refusal_of(spec).message, "option \"framing\" cannot be single-object for format \"json\"");
}

}  // namespace
}  // namespace sluice
