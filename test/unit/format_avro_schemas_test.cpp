// Which schema reads a message, and how two of them are matched.
#include "format/avro_canonical.hpp"
#include "format_avro_helpers.hpp"

namespace sluice::avro {
namespace {

constexpr auto Json = ColumnShape::Json;

// What becomes of a value of one type for a reader of another.
std::string resolved(const std::string& writer, const std::string& reader, const std::string& value) {
    const RecordSpec spec = read_by(source(one(writer), {column("a", {}, Json)}), one(reader));
    const Result<RecordDecoder> made = RecordDecoder::make(spec, nullptr);
    if (!made) return made.error().message + "; " + made.error().detail;
    return cells_of(spec, value)[0];
}

TEST(AvroResolution, NumbersArePromoted) {
    EXPECT_EQ(resolved("\"int\"", "\"long\"", number(5)), "5");
    EXPECT_EQ(resolved("\"int\"", "\"float\"", number(5)), "5");
    EXPECT_EQ(resolved("\"int\"", "\"double\"", number(5)), "5");
    EXPECT_EQ(resolved("\"long\"", "\"double\"", number(1)), "1");
    EXPECT_EQ(resolved("\"float\"", "\"double\"", raw(0.5f)), "0.5");
    EXPECT_EQ(resolved("\"string\"", "\"bytes\"", text("a")), "\"YQ==\"");
    EXPECT_EQ(resolved("\"bytes\"", "\"string\"", text("a")), "\"a\"");
    EXPECT_EQ(resolved("\"int\"", R"({"type":"long","logicalType":"timestamp-millis"})", number(1)),
              "\"1970-01-01T00:00:00.001Z\"");
    EXPECT_EQ(
        resolved("\"long\"", "\"int\"", number(1)),
        "schema \"s\" cannot be read by schema \"r\"; In field \"a\": \"long\" cannot be read as \"int\".");
}

TEST(AvroResolution, UnionsAreMatchedByTheirBranches) {
    EXPECT_EQ(resolved("\"int\"", R"(["null","long","int"])", number(5)), "5");
    EXPECT_EQ(resolved("\"int\"", R"(["null","string","double"])", number(5)), "5");
    EXPECT_EQ(resolved(R"(["null","int"])", "\"long\"", number(1) + number(5)), "5");
    EXPECT_EQ(
        resolved(R"(["null","int"])", "\"long\"", number(0)),
        "avro value cannot be read at byte 1 of the value: \"null\" cannot be read as \"long\"; In field "
        "\"a\". It was read by schema \"s\".");
    EXPECT_EQ(resolved(R"(["null","int"])", R"(["string","null"])", number(0)), "null");
    // It can be skipped all the same.
    const RecordSpec skipped = read_by(
        source(record(R"({"name":"a","type":["null","string"]},{"name":"b","type":"int"})"), {column("b")}),
        record(R"({"name":"a","type":"int","default":0},{"name":"b","type":"int"})"));
    EXPECT_EQ(cells_of(skipped, number(1) + text("x") + number(3)), (Cells{"int 3"}));
}

TEST(AvroResolution, FieldsAreFoundByNameAliasAndDefault) {
    const RecordSpec spec = read_by(
        source(
            record(
                R"({"name":"old","type":"int"},{"name":"gone","type":"string"},{"name":"b","type":"int"})"),
            {column("a"), column("b"), column("c"), column("d", {}, Json), column("doc", "$", Json),
             column("gone"), column("x", "e.x")}),
        record(R"({"name":"b","type":"long"},{"name":"a","type":"int","aliases":["older","old"]},
                  {"name":"c","type":"string","default":"none"},
                  {"name":"d","type":{"type":"array","items":"int"},"default":[1,2]},
                  {"name":"e","type":{"type":"record","name":"E","fields":[{"name":"x","type":"int"}]},
                   "default":{"x":9}})"));
    EXPECT_EQ(cells_of(spec, number(1) + text("g") + number(2)),
              (Cells{"int 1", "int 2", "none", "[1,2]", R"({"a":1,"b":2,"c":"none","d":[1,2],"e":{"x":9}})",
                     "null", "int 9"}));
    EXPECT_EQ(refusal_of(read_by(source(one("\"int\""), {column("a")}),
                                 record(R"({"name":"a","type":"int"},{"name":"b","type":"int"})")))
                  .detail,
              "In field \"b\": it is not written and has no default.");
    EXPECT_EQ(
        refusal_of(read_by(source(one("\"int\""), {column("a")}),
                           record(R"({"name":"a","type":"int"},{"name":"b","type":"int","default":"x"})")))
            .detail,
        "In field \"b\": it is not written, and its default is no value of its type.");
}

TEST(AvroResolution, NamesMustFit) {
    EXPECT_EQ(refusal_of(read_by(source(one("\"int\""), {column("a")}),
                                 record(R"({"name":"a","type":"int"})", "Other")))
                  .detail,
              "record \"R\" cannot be read as record \"Other\".");
    const std::string renamed =
        R"({"type":"record","name":"x.Other","aliases":["R"],"fields":[{"name":"a","type":"int"}]})";
    EXPECT_EQ(cells_of(read_by(source(one("\"int\""), {column("a")}), renamed), number(1)), (Cells{"int 1"}));
    EXPECT_EQ(
        resolved(R"({"type":"fixed","name":"F","size":2})", R"({"type":"fixed","name":"F","size":3})", "ab")
            .substr(0, 42),
        "schema \"s\" cannot be read by schema \"r\"; I");
}

TEST(AvroResolution, SymbolsMayHaveADefault) {
    const std::string writer = R"({"type":"enum","name":"E","symbols":["A","B","C"]})";
    const std::string with = R"({"type":"enum","name":"E","symbols":["C","Z","A"],"default":"Z"})";
    EXPECT_EQ(resolved(writer, with, number(0)), "\"A\"");
    EXPECT_EQ(resolved(writer, with, number(1)), "\"Z\"");
    EXPECT_EQ(
        resolved(writer, R"({"type":"enum","name":"E","symbols":["A"]})", number(1)),
        "avro value cannot be read at byte 0 of the value: the reader's enum has no symbol for number 1, and "
        "no default; In field \"a\". It was read by schema \"s\".");
}

TEST(AvroResolution, RecursiveTypes) {
    const std::string writer =
        R"({"type":"record","name":"N","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","N"]}]})";
    const std::string reader = R"({"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]},
        {"name":"v","type":"long"},{"name":"w","type":"string","default":"w"}]})";
    const RecordSpec spec =
        read_by(source(writer, {column("doc", "$", Json), column("x", "next.next.v"), column("w", "next.w")}),
                reader);
    EXPECT_EQ(cells_of(spec, number(1) + number(1) + number(2) + number(0)),
              (Cells{R"({"v":1,"next":{"v":2,"next":null,"w":"w"},"w":"w"})", "null", "w"}));
}

RecordSpec framed_source(Framing framing, std::vector<SourceColumn> columns) {
    RecordSpec spec = source(one("\"int\""), std::move(columns));
    spec.value->schema.framing = framing;
    spec.value->schema.schema.clear();
    spec.value->schema.writers.clear();
    return spec;
}

TEST(AvroSchemas, SingleObjectSaysWhichOfThem) {
    const std::string first = one("\"int\""),
                      second = record(R"({"name":"b","type":"string"},{"name":"a","type":"long"})");
    RecordSpec spec = framed_source(Framing::SingleObject, {column("a"), column("b")});
    spec.value->schema.schema = {"1", "2"};
    spec.value->schema.writers = {schema_of(first, "schema \"1\""), schema_of(second, "schema \"2\"")};
    const auto message = [](const std::string& schema, const std::string& body) {
        const auto parsed = AvroSchema::parse(*schema_of(schema));
        return "\xC3\x01" + raw(avro_fingerprint(avro_canonical_form(*parsed.value()))) + body;
    };
    EXPECT_EQ(cells_of(spec, message(first, number(3))), (Cells{"int 3", "null"}));
    EXPECT_EQ(cells_of(spec, message(second, text("x") + number(4))), (Cells{"int 4", "x"}));
    const Error unknown = fault(spec, message(one("\"string\""), text("x")));
    EXPECT_EQ(unknown.sqlstate, "42704");
    EXPECT_EQ(unknown.message, "avro value was written by a schema that is not known");
    const Error bad = fault(spec, message(second, number(900)));
    EXPECT_EQ(bad.message,
              "avro value is not valid Avro at byte 10 of the value: a length is 900, and 0 bytes are left");
    EXPECT_EQ(bad.detail, "In field \"b\". It was read by schema \"2\".");
    EXPECT_EQ(fault(spec, number(3)).sqlstate, "22P03");
}

TEST(AvroSchemas, WithoutFramingThereIsOne) {
    RecordSpec spec = source(one("\"int\""), {column("a")});
    spec.value->schema.schema = {"1", "2"};
    spec.value->schema.writers.push_back(spec.value->schema.writers[0]);
    EXPECT_EQ(refusal_of(spec).message,
              "option \"schema\" must name one schema, because messages do not say which one wrote them");
}

TEST(AvroSchemas, ARegistryIsAskedOnceForEach) {
    FakeFinder finder;
    finder.schemas[1] = schema_of(one("\"int\""), "schema 1 of the registry");
    finder.schemas[2] =
        schema_of(record(R"({"name":"z","type":"string"},{"name":"a","type":"string"})"), "schema 2");
    finder.schemas[3] = schema_of("{", "schema 3");
    finder.schemas[4] = schema_of("\"bytes\"", "schema 4");
    const RecordSpec spec = framed_source(Framing::Confluent, {column("a")});
    const RecordDecoder decoder = RecordDecoder::make(spec, nullptr, &finder).value();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(decode_exact(decoder, framed(1, number(5))).numbers[0], 5);
        EXPECT_EQ(decode_exact(decoder, framed(2, text("z") + text("a"))).texts[0], "a");
        const Error bad = *decode_exact(decoder, framed(3, "")).error;
        EXPECT_EQ(bad.kind, ErrorKind::Data);
        EXPECT_EQ(bad.message, "schema 3 cannot be read");
    }
    EXPECT_EQ(finder.asked, 3);
    EXPECT_EQ(decode_exact(decoder, framed(9, "")).error->message, "there is no schema 9");
    finder.schemas[9] = finder.schemas[1];
    EXPECT_EQ(decode_exact(decoder, framed(9, number(6))).numbers[0], 6);
    EXPECT_EQ(decode_exact(decoder, framed(1, number(5) + "x")).error->message,
              "avro value is not valid Avro at byte 6 of the value: 1 byte is left behind it");
    EXPECT_EQ(decode_exact(decoder, "x").error->message, "value has no schema id of a registry before it");
    for (int id = 100; id < 1200; ++id) {
        finder.schemas[id] = finder.schemas[1];
        EXPECT_EQ(decode_exact(decoder, framed(id, number(id))).numbers[0], id);
    }
}

// The registry's serializers write bytes without their length.
TEST(AvroSchemas, BytesOfARegistryAreAsTheyAre) {
    FakeFinder finder;
    finder.schemas[4] = schema_of("\"bytes\"", "schema 4");
    const RecordSpec spec = framed_source(Framing::Confluent, {column("a", "$", ColumnShape::Bytes)});
    const RecordDecoder decoder = RecordDecoder::make(spec, nullptr, &finder).value();
    EXPECT_EQ(decode_exact(decoder, framed(4, "raw")).texts[0], "raw");
    EXPECT_EQ(decode_exact(decoder, framed(4, "")).texts[0], "");
    EXPECT_EQ(decode_exact(decoder, framed(4, std::string(300, 'x'))).texts[0], std::string(300, 'x'));
}

TEST(AvroSchemas, TransientTroubleStaysTransient) {
    struct Down : SchemaFinder {
        Result<SharedSchema> find(int32_t) override { return Error::transient("08006", "registry is down"); }
    } down;
    const RecordDecoder decoder =
        RecordDecoder::make(framed_source(Framing::Confluent, {column("a")}), nullptr, &down).value();
    EXPECT_EQ(decode_exact(decoder, framed(1, "")).error->kind, ErrorKind::Transient);
}

TEST(AvroSchemas, KeysHaveTheirOwn) {
    RecordSpec spec = source(one("\"int\""), {column("a"), key_column("id")});
    spec.key = FormatSpec{Format::Avro, {}, {}};
    spec.key->schema.schema = {"k"};
    spec.key->schema.writers = {schema_of(record(R"({"name":"id","type":"string"})"))};
    const RecordDecoder decoder = decoder_of(spec);
    EXPECT_EQ(decode_exact(decoder, number(1), text("k1")).texts[1], "k1");
    EXPECT_EQ(decode_exact(decoder, number(1), "\x05").error->message,
              "avro key is not valid Avro at byte 0 of the key: a length is -3, and 0 bytes are left");
    EXPECT_EQ(decode(decoder, message_of({}, Bytes::of("\x02k"))).texts, (Texts{kNull, "k"}));
}

}  // namespace
}  // namespace sluice::avro
