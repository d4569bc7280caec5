#include "format/connect_types.hpp"
#include "format_helpers.hpp"

namespace sluice {
namespace {

SourceColumn field(std::string name, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name), .shape = shape};
}

SourceColumn told(std::string name, std::string path, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name),
            .origin = Origin::Metadata,
            .metadata = Metadata::Change,
            .field = std::move(path),
            .shape = shape};
}

RecordSpec source(Format format, std::vector<SourceColumn> columns, JsonOptions options = {}) {
    RecordSpec spec;
    spec.value = FormatSpec{format, {}, options};
    spec.columns = std::move(columns);
    return spec;
}

RecordSpec debezium(std::vector<SourceColumn> columns) {
    return source(Format::DebeziumJson, std::move(columns));
}

Decoded decode_exact(RecordSpec spec, std::string_view value, std::optional<std::string_view> key = {}) {
    const std::vector<char> exact(value.begin(), value.end());
    return decode(decoder_of(std::move(spec)),
                  message_of(Bytes::of({exact.data(), exact.size()}), key ? Bytes::of(*key) : Bytes{}));
}

Texts texts_of(RecordSpec spec, std::string_view value, std::optional<std::string_view> key = {}) {
    const Decoded decoded = decode_exact(std::move(spec), value, key);
    if (decoded.error) throw std::runtime_error(decoded.error->message + " " + decoded.error->detail);
    return decoded.texts;
}

const std::vector<SourceColumn> kRow = {field("id"), field("v"), told("op", "op"), told("lsn", "source.lsn")};

TEST(Debezium, TheRowIsTheImageThatTheOperationMakes) {
    const RecordSpec spec = debezium(kRow);
    EXPECT_EQ(
        texts_of(spec, R"({"before":null,"after":{"id":1,"v":"a"},"source":{"lsn":7},"op":"c","ts_ms":5})"),
        (Texts{"1", "a", "c", "7"}));
    EXPECT_EQ(
        texts_of(spec, R"({"before":{"id":1,"v":"a"},"after":{"id":1,"v":"b"},"source":{"lsn":8},"op":"u"})"),
        (Texts{"1", "b", "u", "8"}));
    EXPECT_EQ(texts_of(spec, R"({"op":"d","before":{"id":1,"v":"b"},"after":null,"source":null})"),
              (Texts{"1", "b", "d", kNull}));
    EXPECT_EQ(texts_of(spec, R"({"after":{"id":2},"op":"r"})"), (Texts{"2", kNull, "r", kNull}));
    EXPECT_EQ(texts_of(spec, R"({"source":{"lsn":9},"op":"t"})"), (Texts{kNull, kNull, "t", "9"}));
    EXPECT_EQ(texts_of(spec, R"({"op":"m","message":{"content":""}})"), (Texts{kNull, kNull, "m", kNull}));
    EXPECT_EQ(decode(decoder_of(spec), message_of({})).texts, (Texts{kNull, kNull, kNull, kNull}));
}

TEST(Debezium, TheSchemaPartMayBeThere) {
    const std::string schema =
        R"({"type":"struct","fields":[{"type":"struct","fields":[],"field":"before"}]})";
    const std::string payload = R"({"before":null,"after":{"id":1,"v":"a"},"source":{"lsn":7},"op":"c"})";
    EXPECT_EQ(texts_of(debezium(kRow), "{\"schema\":" + schema + ",\"payload\":" + payload + "}"),
              (Texts{"1", "a", "c", "7"}));
    EXPECT_EQ(texts_of(debezium(kRow), "{\"schema\":null,\"payload\":" + payload + "}"),
              (Texts{"1", "a", "c", "7"}));
    EXPECT_EQ(texts_of(debezium(kRow), "{\"payload\":" + payload + "}"), (Texts{"1", "a", "c", "7"}));
}

TEST(Debezium, ADeletionWithoutBeforeIsToldByTheKey) {
    const RecordSpec spec = debezium(kRow);
    const char* const value = R"({"before":null,"after":null,"source":{"lsn":7},"op":"d"})";
    EXPECT_EQ(texts_of(spec, value, R"({"id":3})"), (Texts{"3", kNull, "d", "7"}));
    EXPECT_EQ(texts_of(spec, value, R"({"schema":{"type":"struct","fields":[]},"payload":{"id":4}})"),
              (Texts{"4", kNull, "d", "7"}));
    const Error none = *decode_exact(spec, value).error;
    EXPECT_EQ(none.kind, ErrorKind::Data);
    EXPECT_EQ(none.sqlstate, "22004");
    EXPECT_EQ(none.message, "change event deletes a row and does not say which");
    EXPECT_NE(none.hint.find("REPLICA IDENTITY"), std::string::npos);
    const Error avro = *decode_exact(spec, value, std::string_view("\0\0\0\0\1\2", 6)).error;
    EXPECT_EQ(avro.sqlstate, "22P02");
    EXPECT_NE(avro.hint.find("REPLICA IDENTITY"), std::string::npos);
    EXPECT_EQ(decode_exact(spec, value, "7").error->message, "json key is not an object");
}

TEST(Debezium, WhatIsNoEventIsAnError) {
    const auto error = [](std::string_view value) { return *decode_exact(debezium(kRow), value).error; };
    EXPECT_EQ(error(R"({"id":1})").message, "change event has no field \"op\"");
    EXPECT_EQ(error(R"({"op":"x","after":{}})").sqlstate, "22023");
    EXPECT_EQ(error(R"({"op":"c","after":null})").message, "change event has no row in field \"after\"");
    EXPECT_EQ(error(R"({"op":"u","after":[]})").sqlstate, "2203C");
    EXPECT_EQ(error(R"({"op":"c","after":{"id":1})").sqlstate, "22P02");
    EXPECT_EQ(error(R"({"op":"c","after":{"id":1}}})").sqlstate, "22P02");
    EXPECT_EQ(error("[]").message, "json value is not an object");
    EXPECT_EQ(error("").sqlstate, "22P02");
}

TEST(Debezium, UnavailableValuesComeFromBeforeOrAreAbsent) {
    const RecordSpec spec = debezium({field("id"), field("v"), field("b", ColumnShape::Bytes),
                                      field("a", ColumnShape::Nested), field("gone")});
    const std::string after =
        R"("after":{"id":1,"v":"__debezium_unavailable_value","b":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==","a":["__debezium_unavailable_value"]},"op":"u"})";
    EXPECT_EQ(texts_of(spec, R"({"before":{"id":1,"v":"old","b":"AA==","a":["x"]},)" + after),
              (Texts{"1", "old", std::string(1, '\0'), "[\"x\"]", kNull}));
    const std::vector<CellKind> absent{CellKind::Text, CellKind::Absent, CellKind::Absent, CellKind::Absent,
                                       CellKind::Null};
    for (const char* before : {"null", R"({"id":1})", R"({"id":1,"v":null,"b":null,"a":null})",
                               R"({"id":1,"v":"__debezium_unavailable_value"})"})
        EXPECT_EQ(decode_exact(spec, "{\"before\":" + std::string(before) + "," + after).kinds, absent)
            << before;
    EXPECT_EQ(decode_exact(spec, R"({"before":{"id":1,"b":"AA=="},)" + after).kinds,
              (std::vector<CellKind>{CellKind::Text, CellKind::Absent, CellKind::Binary, CellKind::Absent,
                                     CellKind::Null}));
    EXPECT_EQ(decode_exact(spec, R"({"before":{"b":"no base64!"},)" + after).error->sqlstate, "22P02");
    RecordSpec unused = spec;
    for (size_t i : {1, 2, 3}) unused.columns[i].wanted = false;
    EXPECT_EQ(texts_of(unused, "{\"before\":null," + after), (Texts{"1", kNull, kNull, kNull, kNull}));
}

TEST(Debezium, UnavailableIsNotMissing) {
    RecordSpec spec = debezium({field("id"), field("v")});
    spec.value->json.missing_field = MissingField::Error;
    const std::string v = R"("v":"__debezium_unavailable_value")";
    EXPECT_EQ(decode_exact(spec, R"({"op":"u","before":{"id":1},"after":{"id":1,)" + v + "}}").kinds,
              (std::vector<CellKind>{CellKind::Text, CellKind::Absent}));
    EXPECT_EQ(decode_exact(spec, R"({"op":"u","before":null,"after":{)" + v + "}}").error->sqlstate, "2203A");
}

TEST(Debezium, WithoutItsEnvelopeAnEventMayHaveUnavailableValuesToo) {
    const RecordSpec spec = source(Format::ConnectJson, {field("id"), field("v")});
    EXPECT_TRUE(decoder_of(spec).may_leave_absent());
    EXPECT_EQ(decode_exact(spec, R"({"id":1,"v":"__debezium_unavailable_value"})").kinds,
              (std::vector<CellKind>{CellKind::Text, CellKind::Absent}));
    EXPECT_FALSE(decoder_of(csv_source(1)).may_leave_absent());
}

std::string with_schema(const std::string& type, const std::string& value) {
    const std::string fields = "[{\"field\":\"x\"," + type + "}]";
    return R"({"schema":{"type":"struct","fields":[{"type":"struct","field":"before","fields":)" + fields +
           R"(},{"type":"struct","field":"after","fields":)" + fields +
           R"(}]},"payload":{"op":"c","after":{"x":)" + value + "}}}";
}

std::string typed(const std::string& type, const std::string& value, ColumnShape shape) {
    const Decoded decoded = decode_exact(debezium({field("x", shape)}), with_schema(type, value));
    if (decoded.error) return decoded.error->sqlstate;
    switch (decoded.kinds[0]) {
        case CellKind::EpochUs:
            return "us " + std::to_string(decoded.numbers[0]);
        case CellKind::Null:
            return "NULL";
        default:
            return *decoded.texts[0];
    }
}

TEST(Debezium, LogicalTypes) {
    const auto name = [](const std::string& text) { return "\"type\":\"any\",\"name\":\"" + text + "\""; };
    EXPECT_EQ(typed(name("io.debezium.time.Date"), "19782", ColumnShape::Date), "us 1709164800000000");
    EXPECT_EQ(typed(name("io.debezium.time.Date"), "-1", ColumnShape::Time), "us -86400000000");
    EXPECT_EQ(typed(name("io.debezium.time.Date"), "19782", ColumnShape::Scalar), "19782");
    EXPECT_EQ(typed(name("org.apache.kafka.connect.data.Date"), "1e30", ColumnShape::Date), "22008");
    EXPECT_EQ(typed(name("io.debezium.time.Timestamp"), "1709210096789", ColumnShape::Time),
              "us 1709210096789000");
    EXPECT_EQ(typed(name("io.debezium.time.MicroTimestamp"), "1709210096789123", ColumnShape::Time),
              "us 1709210096789123");
    EXPECT_EQ(typed(name("io.debezium.time.NanoTimestamp"), "1709210096789123500", ColumnShape::Time),
              "us 1709210096789124");
    EXPECT_EQ(typed(name("io.debezium.time.MicroTimestamp"), "5", ColumnShape::Integer), "5");
    EXPECT_EQ(typed(name("io.debezium.time.ZonedTimestamp"), "\"2024-02-29T12:34:56Z\"", ColumnShape::Time),
              "2024-02-29T12:34:56Z");
    EXPECT_EQ(typed(name("io.debezium.time.Time"), "45296789", ColumnShape::Clock), "12:34:56.789000");
    EXPECT_EQ(typed(name("io.debezium.time.MicroTime"), "86400000000", ColumnShape::Clock),
              "24:00:00.000000");
    EXPECT_EQ(typed(name("io.debezium.time.NanoTime"), "1000", ColumnShape::Clock), "00:00:00.000001");
    EXPECT_EQ(typed(name("io.debezium.time.MicroTime"), "-1", ColumnShape::Clock), "22008");
    EXPECT_EQ(typed(name("io.debezium.data.Json"), R"("{\"a\": 1}")", ColumnShape::Json), R"({"a": 1})");
    EXPECT_EQ(typed(name("io.debezium.data.Json"), R"("{\"a\": 1}")", ColumnShape::Scalar), R"({"a": 1})");
    EXPECT_EQ(typed("\"type\":\"string\"", R"("a")", ColumnShape::Json), R"("a")");
    EXPECT_EQ(typed(name("io.debezium.data.Uuid"), R"("0190163d")", ColumnShape::Scalar), "0190163d");
    EXPECT_EQ(
        typed(name("io.debezium.data.geometry.Geometry"), R"({"wkb":"AQ==","srid":null})", ColumnShape::Json),
        R"({"wkb":"AQ==","srid":null})");
    EXPECT_EQ(typed(name("io.debezium.data.Bits") + R"(,"parameters":{"length":"10"})", R"("AQI=")",
                    ColumnShape::Scalar),
              "1000000001");
    EXPECT_EQ(typed(name("io.debezium.data.Bits"), R"("AQ==")", ColumnShape::Scalar), "00000001");
    EXPECT_EQ(typed(name("io.debezium.data.Bits") + R"(,"parameters":{"length":"80000000"})", R"("AQ==")",
                    ColumnShape::Scalar),
              "22003");
    const auto decimal = [&](const std::string& scale, const std::string& value) {
        return typed(
            name("org.apache.kafka.connect.data.Decimal") + ",\"parameters\":{\"scale\":\"" + scale + "\"}",
            "\"" + value + "\"", ColumnShape::Numeric);
    };
    EXPECT_EQ(decimal("2", "A7Y="), "9.50");
    EXPECT_EQ(decimal("2", "/w=="), "-0.01");
    EXPECT_EQ(decimal("0", "gA=="), "-128");
    EXPECT_EQ(decimal("3", ""), "0.000");
    EXPECT_EQ(decimal("0", "gAAAAAAAAAA="), "-9223372036854775808");
    EXPECT_EQ(decimal("4", "AP///////////////////w=="), "132922799578491587290380706028034.4575");
    EXPECT_EQ(decimal("0", "/wAAAAAAAAAAAAAAAAAAAAA="), "-340282366920938463463374607431768211456");
    EXPECT_EQ(decimal("0", "A"), "22P02");
    EXPECT_EQ(typed(name("io.debezium.data.VariableScaleDecimal"), R"({"scale":1,"value":"ew=="})",
                    ColumnShape::Numeric),
              "12.3");
    EXPECT_EQ(typed(name("io.debezium.data.VariableScaleDecimal"), R"({"value":"ew==","scale":-1})",
                    ColumnShape::Numeric),
              "22003");
    EXPECT_EQ(typed(name("x") + ",\"optional\":true", "null", ColumnShape::Numeric), "NULL");
}

TEST(Debezium, WithoutASchemaTheColumnsTypesTell) {
    const auto read = [](const std::string& value, ColumnShape shape) {
        return decode_exact(debezium({field("x", shape)}), R"({"op":"c","after":{"x":)" + value + "}}");
    };
    EXPECT_EQ(read("19782", ColumnShape::Date).numbers, (std::vector<int64_t>{1709164800000000}));
    EXPECT_EQ(read(R"("{\"a\":1}")", ColumnShape::Json).texts, (Texts{"{\"a\":1}"}));
    EXPECT_EQ(read(R"({"a":1})", ColumnShape::Json).texts, (Texts{"{\"a\":1}"}));
    EXPECT_EQ(read(R"({"scale":1,"value":"ew=="})", ColumnShape::Numeric).texts, (Texts{"12.3"}));
    EXPECT_EQ(read("1709210096789", ColumnShape::Time).error->sqlstate, "22007");
    EXPECT_EQ(read("1", ColumnShape::Clock).error->sqlstate, "22007");
}

TEST(Debezium, MetadataOfTheEventHasItsOwnUnits) {
    const RecordSpec spec =
        debezium({told("ms", "ts_ms", ColumnShape::Time), told("at", "source.ts_us", ColumnShape::Time),
                  told("raw", "source", ColumnShape::Json), told("was", "before.id")});
    const Decoded decoded =
        decode_exact(spec, R"({"op":"c","after":{},"before":{"id":5},"ts_ms":1000,"source":{"ts_us":7}})");
    EXPECT_FALSE(decoded.error);
    EXPECT_EQ(decoded.numbers, (std::vector<int64_t>{1000000, 7, 0, 0}));
    EXPECT_EQ(decoded.texts[2], R"({"ts_us":7})");
    EXPECT_EQ(decoded.texts[3], "5");
}

TEST(Connect, PayloadsAndBareRows) {
    const RecordSpec spec = source(Format::ConnectJson, {field("id"), field("d", ColumnShape::Numeric)});
    EXPECT_EQ(texts_of(spec, R"({"id":1,"d":2.5})"), (Texts{"1", "2.5"}));
    EXPECT_EQ(
        texts_of(
            spec,
            R"({"schema":{"type":"struct","fields":[{"field":"d","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"1"}}]},"payload":{"id":1,"d":"ew=="}})"),
        (Texts{"1", "12.3"}));
    EXPECT_EQ(decode_exact(spec, R"({"schema":null,"payload":null})").error->sqlstate, "22004");
    const RecordSpec odd = source(Format::ConnectJson, {field("schema"), field("id")});
    EXPECT_EQ(texts_of(odd, R"({"schema":"s","id":1})"), (Texts{"s", "1"}));
    EXPECT_TRUE(decode_exact(odd, R"({"schema":"s","id":1} x)").error);
    RecordSpec key = source(Format::ConnectJson, {field("v")});
    key.key = FormatSpec{Format::ConnectJson, {}, {}};
    key.columns.push_back({.name = "id", .origin = Origin::Key});
    EXPECT_EQ(texts_of(key, R"({"v":1})", R"({"schema":{},"payload":{"id":7}})"), (Texts{"1", "7"}));
    key.key->format = Format::DebeziumJson;
    EXPECT_EQ(texts_of(key, R"({"v":1})", R"({"id":8})"), (Texts{"1", "8"}));
}

TEST(Canal, Events) {
    const RecordSpec spec = source(Format::CanalJson, {field("id"), told("op", "op"), told("table", "table"),
                                                       told("at", "es", ColumnShape::Time)});
    const auto event = [](const std::string& type, const std::string& data) {
        return R"({"data":)" + data +
               R"(,"database":"d","es":1000,"id":1,"isDdl":false,"old":null,"table":"t","ts":2,"type":")" +
               type + "\"}";
    };
    EXPECT_EQ(texts_of(spec, event("INSERT", R"([{"id":"1"}])")), (Texts{"1", "c", "t", kNull}));
    EXPECT_EQ(texts_of(spec, event("UPDATE", R"([{"id":"1"}])")), (Texts{"1", "u", "t", kNull}));
    EXPECT_EQ(texts_of(spec, event("DELETE", R"([{"id":"1"}])")), (Texts{"1", "d", "t", kNull}));
    EXPECT_EQ(texts_of(spec, event("CREATE", "null")), (Texts{kNull, kNull, "t", kNull}));
    EXPECT_EQ(decode_exact(spec, event("INSERT", R"([{"id":"1"}])")).numbers[3], 1000000);
    EXPECT_EQ(decode_exact(spec, event("INSERT", R"([{"id":"1"},{"id":"2"}])")).error->message,
              "change event has several rows");
    EXPECT_EQ(decode_exact(spec, event("INSERT", "[]")).error->sqlstate, "2203C");
}

TEST(Maxwell, Events) {
    const RecordSpec spec = source(Format::MaxwellJson, {field("id"), told("op", "op"), told("xid", "xid"),
                                                         told("at", "ts", ColumnShape::Time)});
    const auto event = [](const std::string& type) {
        return R"({"database":"d","table":"t","type":")" + type +
               R"(","ts":2,"xid":9,"data":{"id":1},"old":{}})";
    };
    EXPECT_EQ(texts_of(spec, event("insert")), (Texts{"1", "c", "9", kNull}));
    EXPECT_EQ(texts_of(spec, event("bootstrap-insert")), (Texts{"1", "r", "9", kNull}));
    EXPECT_EQ(texts_of(spec, event("update")), (Texts{"1", "u", "9", kNull}));
    EXPECT_EQ(texts_of(spec, event("delete")), (Texts{"1", "d", "9", kNull}));
    EXPECT_EQ(texts_of(spec, event("bootstrap-start")), (Texts{kNull, kNull, "9", kNull}));
    EXPECT_EQ(decode_exact(spec, event("insert")).numbers[3], 2000000);
}

TEST(Change, MetadataBelongsToFormatsOfChanges) {
    Error error = refusal_of(source(Format::Json, {field("id"), told("op", "op")}));
    EXPECT_EQ(error.message, "column \"op\": only a format of changes has metadata \"op\"");
    EXPECT_EQ(error.column_name, "op");
    error = refusal_of(source(Format::MaxwellJson, {field("id"), told("x", "source.lsn")}));
    EXPECT_EQ(error.message, "column \"x\": the format has no metadata \"source.lsn\"");
}

TEST(Change, TruncatedEventsNeverDecode) {
    const std::string good =
        with_schema(R"("type":"int32","name":"io.debezium.time.Date")", "[{\"a\":\"\\u00e4\"}]");
    for (size_t length = 0; length < good.size(); ++length)
        EXPECT_TRUE(decode_exact(debezium({field("x")}), good.substr(0, length)).error) << length;
}

}  // namespace
}  // namespace sluice
