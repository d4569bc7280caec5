#include "format_helpers.hpp"

#include <simdjson.h>

namespace sluice {
namespace {

class FixedHeaders : public HeaderReader {
  public:
    explicit FixedHeaders(std::vector<Header> headers) : headers_(std::move(headers)) {}
    void read(const MessageView&, std::vector<Header>& headers) const override { headers = headers_; }

  private:
    std::vector<Header> headers_;
};

RecordSpec metadata_source(std::vector<Metadata> all) {
    RecordSpec spec;
    for (Metadata what : all) {
        spec.columns.push_back(metadata_column("m" + std::to_string(spec.columns.size()), what));
    }
    return spec;
}

// The one cell of a source that shows `what`, which must be valid JSON.
std::string json_of(Metadata what, const MessageView& message, std::vector<Header> headers = {},
                    bool utf8 = true) {
    const FixedHeaders reader(std::move(headers));
    RecordSpec spec = metadata_source({what});
    spec.validate_utf8 = utf8;
    const Decoded decoded = decode(decoder_of(spec, &reader), message);
    EXPECT_EQ(decoded.kinds, (std::vector{CellKind::Text}));
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(*decoded.texts[0]).error(), simdjson::SUCCESS) << *decoded.texts[0];
    return *decoded.texts[0];
}

TEST(Metadata, Scalars) {
    MessageView message = message_of(Bytes::of("v"), Bytes::of(std::string_view("k\0", 2)));
    message.leader_epoch = 7;
    message.timestamp_type = TimestampType::CreateTime;
    message.timestamp_ms = 1'700'000'000'123;
    const RecordDecoder decoder = decoder_of(
        metadata_source({Metadata::Topic, Metadata::Partition, Metadata::Offset, Metadata::Timestamp,
                         Metadata::TimestampType, Metadata::LeaderEpoch, Metadata::Key, Metadata::Value}));
    const Decoded decoded = decode(decoder, message);
    EXPECT_EQ(decoded.kinds,
              (std::vector{CellKind::Text, CellKind::Int, CellKind::Int, CellKind::TimestampMs,
                           CellKind::Text, CellKind::Int, CellKind::Binary, CellKind::Binary}));
    EXPECT_EQ(decoded.texts,
              (Texts{"orders", kNull, kNull, kNull, "CreateTime", kNull, std::string("k\0", 2), "v"}));
    EXPECT_EQ(decoded.numbers, (std::vector<int64_t>{0, 3, 42, 1'700'000'000'123, 0, 7, 0, 0}));
}

TEST(Metadata, OneHeaderIsTheLastOfItsName) {
    const FixedHeaders reader({{"a", Bytes::of("1")},
                               {"b", {}},
                               {"a", Bytes::of(std::string_view("2\0", 2))},
                               {"c", Bytes::of("")}});
    RecordSpec spec;
    for (const char* name : {"a", "b", "c", "d"}) {
        SourceColumn column = metadata_column(name, Metadata::Header);
        column.field = name;
        spec.columns.push_back(column);
    }
    const Decoded decoded = decode(decoder_of(spec, &reader), message_of({}));
    EXPECT_EQ(decoded.kinds,
              (std::vector{CellKind::Binary, CellKind::Null, CellKind::Binary, CellKind::Null}));
    EXPECT_EQ(decoded.texts, (Texts{std::string("2\0", 2), kNull, "", kNull}));
    EXPECT_NE(refusal_of(spec).message, "");
}

TEST(Metadata, WhatIsNotKnownIsNull) {
    const RecordDecoder decoder =
        decoder_of(metadata_source({Metadata::Timestamp, Metadata::TimestampType, Metadata::LeaderEpoch,
                                    Metadata::Key, Metadata::Value}));
    EXPECT_EQ(decode(decoder, message_of({})).kinds, std::vector(5, CellKind::Null));
}

TEST(Metadata, LogAppendTimeAndTheEpochItself) {
    MessageView message = message_of({});
    message.timestamp_type = TimestampType::LogAppendTime;
    message.timestamp_ms = 0;
    const Decoded decoded =
        decode(decoder_of(metadata_source({Metadata::Timestamp, Metadata::TimestampType})), message);
    EXPECT_EQ(decoded.kinds, (std::vector{CellKind::TimestampMs, CellKind::Text}));
    EXPECT_EQ(decoded.texts[1], "LogAppendTime");
}

TEST(Metadata, EmptyKeyAndValueAreNotNull) {
    const Decoded decoded = decode(decoder_of(metadata_source({Metadata::Key, Metadata::Value})),
                                   message_of(Bytes::of(""), Bytes::of("")));
    EXPECT_EQ(decoded.texts, (Texts{"", ""}));
}

TEST(Metadata, ValueMetadataIsShownForBytesThatDoNotDecode) {
    RecordSpec spec = csv_source(1);
    spec.columns[0].wanted = false;
    spec.columns.push_back(metadata_column("raw", Metadata::Value));
    EXPECT_EQ(decode(decoder_of(spec), message_of(Bytes::of("\"\xff"))).texts, (Texts{kNull, "\"\xff"}));
}

TEST(Metadata, HeadersKeepOrderAndDuplicates) {
    EXPECT_EQ(
        json_of(
            Metadata::Headers, message_of({}),
            {{"trace", Bytes::of("a")}, {"trace", Bytes::of("")}, {"none", Bytes{}}, {"", Bytes::of("é")}}),
        R"([{"name": "trace", "value": "a"}, {"name": "trace", "value": ""}, )"
        R"({"name": "none", "value": null}, {"name": "", "value": "é"}])");
    EXPECT_EQ(json_of(Metadata::Headers, message_of({})), "[]");
}

TEST(Metadata, BytesThatAreNoTextAreBase64) {
    EXPECT_EQ(json_of(Metadata::Headers, message_of({}),
                      {{"a", Bytes::of("\xff\xfe")},
                       {"b", Bytes::of(std::string_view("\0", 1))},
                       {"\xc3", Bytes::of("x")}}),
              R"([{"name": "a", "base64": "//4="}, {"name": "b", "base64": "AA=="}, )"
              R"({"name_base64": "ww==", "value": "x"}])");
}

TEST(Metadata, JsonRecord) {
    MessageView message = message_of(Bytes::of("v"), Bytes::of("k\"1\n"));
    EXPECT_EQ(
        json_of(Metadata::Json, message),
        R"({"topic": "orders", "partition": 3, "offset": 42, "timestamp": null, "key": "k\"1\n", "headers": []})");
    message.timestamp_type = TimestampType::CreateTime;
    message.timestamp_ms = 1'700'000'000'123;
    message.key = Bytes::of("\x80");
    EXPECT_EQ(json_of(Metadata::Json, message, {{"h", Bytes::of("1")}}),
              R"({"topic": "orders", "partition": 3, "offset": 42, "timestamp": 1700000000123, )"
              R"("key_base64": "gA==", "headers": [{"name": "h", "value": "1"}]})");
    message.key = {};
    EXPECT_NE(json_of(Metadata::Json, message).find(R"("key": null)"), std::string::npos);
}

TEST(Metadata, OtherEncodingsGetAsciiJson) {
    EXPECT_EQ(
        json_of(Metadata::Headers, message_of({}), {{"a", Bytes::of("é")}, {"b", Bytes::of("e")}}, false),
        R"([{"name": "a", "base64": "w6k="}, {"name": "b", "value": "e"}])");
}

TEST(Metadata, UnwantedOnesAreNullAndNeedNoReader) {
    RecordSpec spec = metadata_source({Metadata::Headers, Metadata::Offset});
    spec.columns[0].wanted = false;
    EXPECT_EQ(decode(decoder_of(spec), message_of({})).kinds, (std::vector{CellKind::Null, CellKind::Int}));
}

TEST(Metadata, HeadersWithoutAReaderAreABug) {
    for (Metadata what : {Metadata::Headers, Metadata::Json}) {
        const Error error = refusal_of(metadata_source({what}));
        EXPECT_EQ(error.kind, ErrorKind::Bug);
        EXPECT_EQ(error.message, "column \"m0\" shows headers, but there is nothing to read them with");
    }
}

}  // namespace
}  // namespace sluice
