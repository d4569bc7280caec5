#include "format/avro_canonical.hpp"
#include "format/avro_schema.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

Result<SharedAvroSchema> parse(std::string body, std::vector<SchemaText::Reference> references = {}) {
    SchemaText text;
    text.name = "schema \"s\"";
    text.body = std::move(body);
    text.references = std::move(references);
    return AvroSchema::parse(text);
}

SharedAvroSchema schema(std::string body, std::vector<SchemaText::Reference> references = {}) {
    Result<SharedAvroSchema> parsed = parse(std::move(body), std::move(references));
    if (!parsed) throw std::runtime_error(parsed.error().message + " " + parsed.error().detail);
    return parsed.value();
}

Error refused(std::string body) {
    const Result<SharedAvroSchema> parsed = parse(std::move(body));
    if (parsed) throw std::runtime_error("accepted");
    return parsed.error();
}

std::string canonical(std::string body) { return avro_canonical_form(*schema(std::move(body))); }

TEST(AvroSchema, CanonicalFormIsWhatParsingNeeds) {
    EXPECT_EQ(canonical(R"({"type": "long", "logicalType": "timestamp-millis"})"), "\"long\"");
    EXPECT_EQ(canonical("\"bytes\""), "\"bytes\"");
    EXPECT_EQ(canonical("int"), "\"int\"");
    EXPECT_EQ(canonical(R"({"type":"record","name":"R","namespace":"a.b","doc":"x","aliases":["Q"],"fields":[
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"],"default":"A"},"default":"B"},
        {"name":"f","type":{"type":"fixed","name":"c.F","size":4}},
        {"name":"n","type":["null","R"],"default":null},
        {"name":"m","type":{"type":"map","values":{"type":"array","items":"E"}}}]})"),
              R"({"name":"a.b.R","type":"record","fields":[{"name":"e","type":{"name":"a.b.E","type":"enum",)"
              R"("symbols":["A","B"]}},{"name":"f","type":{"name":"c.F","type":"fixed","size":4}},)"
              R"({"name":"n","type":["null","a.b.R"]},)"
              R"({"name":"m","type":{"type":"map","values":{"type":"array","items":"a.b.E"}}}]})");
}

TEST(AvroSchema, FingerprintsAreThoseOfTheSpecification) {
    EXPECT_EQ(avro_fingerprint("\"int\""), 0x7275d51a3f395c8fu);
    EXPECT_EQ(avro_fingerprint("\"string\""), 0x8f014872634503c7u);
    EXPECT_EQ(avro_fingerprint(""), 0xc15d213aa4d7a795u);
}

TEST(AvroSchema, NamesAreFoundInTheirNamespace) {
    const auto parsed = schema(R"({"type":"record","name":"n.R","fields":[
        {"name":"a","type":{"type":"record","name":"Inner","fields":[]}},
        {"name":"b","type":"Inner"},{"name":"c","type":"n.Inner"},
        {"name":"d","type":{"type":"record","name":"O","namespace":"","fields":[]}},{"name":"e","type":"O"}]})");
    const AvroNode& root = parsed->node(parsed->root());
    EXPECT_EQ(root.fields[0].type, root.fields[1].type);
    EXPECT_EQ(root.fields[0].type, root.fields[2].type);
    EXPECT_EQ(parsed->node(root.fields[0].type).name, "n.Inner");
    EXPECT_EQ(root.fields[3].type, root.fields[4].type);
}

TEST(AvroSchema, ReferencesAreKnownBefore) {
    const auto parsed =
        schema(R"(["null","x.B"])",
               {{"x.A", R"({"type":"fixed","name":"x.A","size":2})"},
                {"x.B", R"({"type":"record","name":"x.B","fields":[{"name":"a","type":"A"}]})"}});
    EXPECT_EQ(avro_canonical_form(*parsed),
              R"(["null",{"name":"x.B","type":"record","fields":[{"name":"a","type":)"
              R"({"name":"x.A","type":"fixed","size":2}}]}])");
}

TEST(AvroSchema, DefaultsBecomeBytes) {
    const auto parsed = schema(R"({"type":"record","name":"R","fields":[
        {"name":"a","type":"int","default":-1},
        {"name":"b","type":["null","string"],"default":null},
        {"name":"c","type":["string","null"],"default":"hé"},
        {"name":"d","type":"bytes","default":"\u00ff\u0000"},
        {"name":"e","type":{"type":"array","items":"long"},"default":[1,2]},
        {"name":"f","type":{"type":"map","values":"boolean"},"default":{"k":true}},
        {"name":"g","type":{"type":"record","name":"G","fields":[{"name":"x","type":"int","default":7},
            {"name":"y","type":"int"}]},"default":{"y":8}},
        {"name":"h","type":"double","default":1},
        {"name":"i","type":"int","default":"no"},
        {"name":"j","type":{"type":"enum","name":"J","symbols":["P","Q"]},"default":"Q"},
        {"name":"k","type":["null","int"],"default":5},
        {"name":"l","type":"int"}]})");
    const auto& fields = parsed->node(parsed->root()).fields;
    using std::string_literals::operator""s;
    EXPECT_EQ(fields[0].initial, "\x01");
    EXPECT_EQ(fields[1].initial, "\0"s);
    EXPECT_EQ(fields[2].initial, "\0\x06h\xc3\xa9"s);
    EXPECT_EQ(fields[3].initial, "\x04\xff\0"s);
    EXPECT_EQ(fields[4].initial, "\x04\x02\x04\0"s);
    EXPECT_EQ(fields[5].initial, "\x02\x02k\x01\0"s);
    EXPECT_EQ(fields[6].initial, "\x0e\x10");
    EXPECT_EQ(fields[7].initial, "\0\0\0\0\0\0\xf0\x3f"s);
    EXPECT_TRUE(fields[8].has_default);
    EXPECT_EQ(fields[8].initial, std::nullopt);
    EXPECT_EQ(fields[9].initial, "\x02");
    EXPECT_EQ(fields[10].initial, "\x02\x0a");
    EXPECT_FALSE(fields[11].has_default);
}

AvroMeaning meaning(const std::string& type) {
    const auto parsed = schema(type);
    return parsed->node(parsed->root()).meaning;
}

TEST(AvroSchema, LogicalTypesMeanSomethingWhereTheyFit) {
    EXPECT_EQ(meaning(R"({"type":"int","logicalType":"date"})").kind, AvroMeaning::Days);
    EXPECT_EQ(meaning(R"({"type":"long","logicalType":"date"})").kind, AvroMeaning::Plain);
    const AvroMeaning micros = meaning(R"({"type":"long","logicalType":"local-timestamp-micros"})");
    EXPECT_EQ(micros.kind, AvroMeaning::LocalEpoch);
    EXPECT_EQ(micros.unit, TimestampUnit::Microseconds);
    EXPECT_EQ(meaning(R"({"type":"bytes","logicalType":"decimal","precision":5,"scale":2})").parameter, 2);
    EXPECT_EQ(meaning(R"({"type":"bytes","logicalType":"decimal","precision":5})").kind,
              AvroMeaning::Decimal);
    for (const char* wrong : {R"("precision":2,"scale":3)", R"("precision":0)", R"("scale":1)",
                              R"("precision":2,"scale":-1)", R"("precision":2,"scale":"1")"})
        EXPECT_EQ(meaning(std::string(R"({"type":"bytes","logicalType":"decimal",)") + wrong + "}").kind,
                  AvroMeaning::Plain)
            << wrong;
    EXPECT_EQ(meaning(R"({"type":"fixed","name":"D","size":12,"logicalType":"duration"})").kind,
              AvroMeaning::Duration);
    EXPECT_EQ(meaning(R"({"type":"fixed","name":"D","size":11,"logicalType":"duration"})").kind,
              AvroMeaning::Plain);
    EXPECT_EQ(meaning(R"({"type":"string","connect.name":"io.debezium.data.Json"})").kind,
              AvroMeaning::JsonText);
    const AvroMeaning bits = meaning(
        R"({"type":"bytes","connect.name":"io.debezium.data.Bits","connect.parameters":{"length":"5"}})");
    EXPECT_EQ(bits.kind, AvroMeaning::Bits);
    EXPECT_EQ(bits.parameter, 5);
}

TEST(AvroSchema, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(refused("{").kind, ErrorKind::Config);
    EXPECT_EQ(refused("{").message, "schema \"s\" cannot be read");
    EXPECT_EQ(refused("{").detail.substr(0, 22), "It is not valid JSON: ");
    const Error unknown = refused(
        R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"strnig"}}]})");
    EXPECT_EQ(unknown.sqlstate, "22P02");
    EXPECT_EQ(unknown.detail, "In \"R.a\": type \"strnig\" is not known.");
    EXPECT_EQ(unknown.hint, "Perhaps you meant \"string\".");
    const std::pair<const char*, const char*> wrong[] = {
        {"[]", "A union has no branches."},
        {R"([["int"]])", "A union stands in a union directly."},
        {R"({"type":"array"})", "Array has no \"items\""},
        {R"({"name":"R"})", "A type's object has no \"type\""},
        {"5", "An Avro schema is an object, an array or the name of a type."},
        {R"({"type":"record","fields":[]})", "A record has no \"name\""},
        {R"({"type":"record","name":"R"})", "a record has no \"fields\""},
        {R"({"type":"enum","name":"R"})", "an enum has no \"symbols\""},
        {R"({"type":"fixed","name":"R","size":-1})", "a fixed has no \"size\" from 0 to 2147483647"},
        {R"({"type":"record","name":"R","fields":[{"name":"a","type":"R"}]})",
         "Record \"R\" contains itself."},
        {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]})",
         "field \"a\" is there twice"},
        {R"([{"type":"fixed","name":"R","size":1},{"type":"fixed","name":"R","size":1}])",
         "Type \"R\" is defined twice."},
    };
    for (const auto& [body, what] : wrong)
        EXPECT_NE(refused(body).detail.find(what), std::string::npos) << refused(body).detail;
}

TEST(AvroSchema, HasLimits) {
    std::string deep = "\"int\"";
    for (int i = 0; i < 150; ++i) deep = R"({"type":"array","items":)" + deep + "}";
    EXPECT_EQ(refused(deep).detail, "It is nested deeper than 100 levels.");
    EXPECT_EQ(refused(std::string(100'000, '[')).detail.substr(0, 22), "It is not valid JSON: ");
    EXPECT_EQ(refused(std::string(AvroSchema::kMostBytes + 1, ' ')).sqlstate, "54000");
    std::string wide = "[\"null\"", fields;
    for (size_t i = 0; i <= AvroSchema::kMostBranches; ++i) wide += ",\"int\"";
    EXPECT_EQ(refused(wide + "]").detail, "A union has more than 4096 branches.");
    for (size_t i = 0; i <= AvroSchema::kMostNodes; ++i)
        fields += std::string(i ? "," : "") + R"({"name":"f)" + std::to_string(i) + R"(","type":"int"})";
    EXPECT_EQ(refused(R"({"type":"record","name":"R","fields":[)" + fields + "]}").detail,
              "In \"R.f99999\": it has more than 100000 types.");
}

TEST(AvroSchema, NamesDoNotLeadDeeper) {
    std::string types = R"([{"type":"record","name":"R0","fields":[]})";
    for (int i = 1; i < 1600; ++i)
        types += R"(,{"type":"record","name":"R)" + std::to_string(i) +
                 R"(","fields":[{"name":"f","type":"R)" + std::to_string(i - 1) + R"("}]})";
    EXPECT_TRUE(parse(types + "]"));
    EXPECT_EQ(parse("\"R1500\"", {{"R", types + "]"}}).error().detail,
              "Its types lead deeper than 1000 levels.");
}

TEST(AvroSchema, DefaultsOfDefaultsAreBounded) {
    // Each record holds the one before twice: 2^40 values, if they were written out.
    std::string fields;
    for (int i = 0; i < 40; ++i) {
        const std::string inner = "R" + std::to_string(i);
        const std::string type =
            i == 0 ? R"({"type":"record","name":"R0","fields":[{"name":"x","type":"int","default":1}]})"
                   : R"({"type":"record","name":")" + inner + R"(","fields":[{"name":"a","type":"R)" +
                         std::to_string(i - 1) + R"(","default":{}},{"name":"b","type":"R)" +
                         std::to_string(i - 1) + R"(","default":{}}]})";
        fields += std::string(i ? "," : "") + R"({"name":"f)" + std::to_string(i) + R"(","type":)" + type +
                  R"(,"default":{}})";
    }
    const auto parsed = schema(R"({"type":"record","name":"Top","fields":[)" + fields + "]}");
    EXPECT_TRUE(parsed->node(parsed->root()).fields[3].initial.has_value());
    EXPECT_FALSE(parsed->node(parsed->root()).fields[39].initial.has_value());
}

}  // namespace
}  // namespace sluice
