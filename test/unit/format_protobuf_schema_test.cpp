#include "format/schema_check.hpp"
#include "protobuf_helpers.hpp"

#include <fstream>
#include <sstream>

namespace sluice {
namespace {

std::string refused(const std::string& body, std::vector<SchemaText::Reference> references = {}) {
    const Result<void> checked = check_schema(*protobuf_text(body, std::move(references)));
    if (checked) return "accepted";
    EXPECT_EQ(checked.error().kind, ErrorKind::Config);
    EXPECT_FALSE(checked.error().sqlstate.empty());
    return checked.error().message;
}

std::string in_base64(std::string_view bytes) {
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; ++j)
            bits = bits << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
        for (size_t j = 0; j < 4; ++j)
            text += i + j <= bytes.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
        if (i % 57 == 54) text += '\n';
    }
    return text;
}

const SchemaText::Reference kMoney{"shop/money.proto",
                                   "syntax = \"proto3\"; package shop; message Money { int64 cents = 1; }"};
const SchemaText::Reference kPrices{
    "shop/prices.proto",
    "syntax = \"proto3\"; package shop; import \"shop/money.proto\"; message Price { Money net = 1; }"};
const char* const kOrder =
    "syntax = \"proto3\"; package shop; import \"shop/prices.proto\"; import "
    "\"google/protobuf/timestamp.proto\";\n"
    "message Order { Price price = 1; google.protobuf.Timestamp at = 2; }";

TEST(ProtobufSchema, ImportsAreReferences) {
    const SharedSchema schema = protobuf_text(kOrder, {kMoney, kPrices});
    const std::string bytes = ProtobufTestSchema(*schema).bytes("shop.Order", "price {net {cents: 7}}");
    EXPECT_EQ(shown(protobuf_source({shaped("c", "price.net.cents")}, {schema}), bytes), (Texts{"7"}));
}

TEST(ProtobufSchema, OtherSchemasOfTheOptionCanBeImportedByTheirNames) {
    const auto named = [](const std::string& name, const std::string& body) {
        return std::make_shared<SchemaText>(
            SchemaText{SchemaKind::Protobuf, "schema \"" + name + "\"", body, {}});
    };
    const std::string bytes = ProtobufTestSchema(*protobuf_text(kOrder, {kMoney, kPrices}))
                                  .bytes("shop.Order", "price {net {cents: 7}}");
    EXPECT_EQ(shown(protobuf_source({shaped("c", "price.net.cents")},
                                    {named("order", kOrder), named("shop/prices.proto", kPrices.body),
                                     named("shop/money.proto", kMoney.body)}),
                    bytes),
              (Texts{"7"}));
}

TEST(ProtobufSchema, DescriptorSetsInBytesAndInBase64) {
    const SharedSchema text = protobuf_text(kOrder, {kMoney, kPrices});
    ProtobufTestSchema schema(*text);
    const std::string bytes = schema.bytes("shop.Order", "price {net {cents: 7}} at {seconds: 1}");
    for (const std::string& body : {schema.descriptor_set(), in_base64(schema.descriptor_set())})
        EXPECT_EQ(shown(protobuf_source({shaped("c", "price.net.cents"), shaped("at", {}, ColumnShape::Time)},
                                        {protobuf_text(body)}),
                        bytes),
                  (Texts{"7", "us 1000000"}));
    EXPECT_EQ(refused(std::string("\n\x05\x12\x01", 4)),
              "schema \"shop\" is not a FileDescriptorSet, though it begins like one");
    // libprotobuf would parse the text of options, as deep as it goes.
    google::protobuf::FileDescriptorSet set;
    set.ParseFromString(schema.descriptor_set());
    auto* option = set.mutable_file(0)->mutable_options()->add_uninterpreted_option();
    option->add_name()->set_name_part("x");
    option->mutable_name(0)->set_is_extension(false);
    option->set_aggregate_value(std::string(100'000, '{'));
    EXPECT_EQ(refused(set.SerializeAsString()),
              "schema \"shop\" is not a FileDescriptorSet, though it begins like one");
}

TEST(ProtobufSchema, ErrorsSayWhere) {
    EXPECT_EQ(refused("syntax = \"proto3\";\nmessage Order {\n  int32 id 1;\n}"),
              "schema \"shop\" is not valid Protobuf at line 3, column 12: Missing field number");
    EXPECT_EQ(refused("syntax = \"proto3\";\nmessage Order { Monney m = 1; }"),
              "schema \"shop\" is not valid Protobuf at line 2, column 17: \"Monney\" is not defined");
    EXPECT_EQ(refused(kOrder, {kMoney}),
              "schema \"shop\" is not valid Protobuf at line 1, column 34: Import \"shop/prices.proto\" was "
              "not found or had errors");
    EXPECT_EQ(refused(kOrder, {kMoney, {"shop/prices.proto", "syntax = \"proto3\";\nmessage {"}}),
              "schema \"shop\" is not valid Protobuf at line 2, column 9 in file \"shop/prices.proto\": "
              "Expected message name");
    EXPECT_EQ(refused("import \"shop\"; message A {}"),
              "schema \"shop\" is not valid Protobuf at line 1, column 1: File recursively imports itself: "
              "shop -> shop");
    EXPECT_EQ(refused(""), "schema \"shop\" cannot be read");
    EXPECT_EQ(refused("message A {\x01}"),
              "schema \"shop\" is not valid Protobuf: it has control characters");
    EXPECT_EQ(refused("message A {optional int32 a = 1; optional int32 b = 1;}"),
              "schema \"shop\" is not valid Protobuf at line 1, column 53: Field number 1 has already been "
              "used in \"A\" by field \"a\"");
    EXPECT_EQ(refused("message A {}"), "accepted");
}

TEST(ProtobufSchema, DeepNestingIsRefusedBeforeALibrarySeesIt) {
    const auto many = [](const std::string& text, size_t count) {
        std::string all;
        for (size_t i = 0; i < count; ++i) all += text;
        return all;
    };
    const std::string why = "schema \"shop\" is nested more than 32 brackets deep";
    EXPECT_EQ(refused(many("message A {", 100'000)), why);
    EXPECT_EQ(refused(many("message A { /* } */ // }\n option o = '}';", 100'000)), why);
    EXPECT_EQ(refused(many("message A { option o = '\\'}';", 100'000)), why);
    // A string ends with its line.
    EXPECT_EQ(refused(many("message A { '\n", 100'000)), why);
    const std::string option =
        "import \"google/protobuf/descriptor.proto\"; message M { optional M m = 1; } extend "
        "google.protobuf.FileOptions { optional M o = 50000; } option (o) = {";
    EXPECT_EQ(refused(option + many("m {", 100'000)), why);
    EXPECT_EQ(refused(option + many("m <", 100'000)), why);
    EXPECT_EQ(refused(option + many("m: [", 100'000)), why);
    // Comments and strings do not count.
    EXPECT_EQ(refused("message A {} // " + many("{", 1000) + "\n/* " + many("{", 1000) + " */"), "accepted");
}

TEST(ProtobufSchema, HugeSchemasAreRefused) {
    EXPECT_EQ(refused("// " + std::string(size_t{5} << 20, 'x')), "schema \"shop\" has 5242883 bytes");
    std::vector<SchemaText::Reference> chain;
    for (int i = 0; i < 600; ++i)
        chain.push_back({"f" + std::to_string(i), "import \"f" + std::to_string(i + 1) + "\";"});
    EXPECT_EQ(refused("import \"f0\"; message A {}", chain), "schema \"shop\" has more than 500 files");
}

TEST(ProtobufSchema, LibprotobufStaysSilent) {
    testing::internal::CaptureStderr();
    (void)refused("message A {}");
    (void)refused("syntax = \"proto3\"; import \"google/protobuf/any.proto\"; message A {}");
    (void)refused("message A { optional B b = 1; }");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(ProtobufSchema, TheMessageTypeIsNamedOrTheOnlyOne) {
    const SharedSchema schema = protobuf_text(
        "package shop; message A { optional int32 x = 1; message In { optional int32 y = 1; } } message B { "
        "message In {} optional int32 y = 1; }");
    const auto refusal = [&](const std::string& message) {
        const Error error = refusal_of(protobuf_source({shaped("x")}, {schema}, message));
        return error.message + " | " + error.detail + " | " + error.hint;
    };
    EXPECT_EQ(refusal(""),
              "schema \"shop\" declares several message types | They are \"shop.A\", \"shop.B\". | Set "
              "option \"message\" to one of them.");
    EXPECT_EQ(refusal("shop.AA"),
              "schema \"shop\" has no message type \"shop.AA\" |  | Perhaps you meant \"shop.A\".");
    EXPECT_EQ(refusal("In"),
              "schema \"shop\" has several message types \"In\" |  | Name one in full: \"shop.A.In\", "
              "\"shop.B.In\".");
    EXPECT_EQ(shown(protobuf_source({shaped("x")}, {schema}, "shop.A"), "\x08\x05"), (Texts{"5"}));
    EXPECT_EQ(shown(protobuf_source({shaped("x")}, {schema}, "A"), "\x08\x05"), (Texts{"5"}));
    EXPECT_EQ(shown(protobuf_source({shaped("y")}, {schema}, "A.In"), "\x08\x05"), (Texts{"5"}));
    EXPECT_EQ(refusal_of(protobuf_source({shaped("x")}, {protobuf_text("enum E { Z = 0; }")})).message,
              "schema \"shop\" declares no message type");
    auto avro = std::make_shared<SchemaText>(SchemaText{SchemaKind::Avro, "schema \"a\"", "\"int\"", {}});
    EXPECT_EQ(refusal_of(protobuf_source({shaped("x")}, {avro})).message, "schema \"a\" is not of Protobuf");
}

TEST(ProtobufSchema, Proto2HasDefaultsGroupsAndExtensions) {
    const SharedSchema schema = protobuf_text(R"(
package shop;
enum Color { RED = 3; BLUE = 5; }
message Order {
  required int32 id = 1;
  optional int32 plain = 2;
  optional int32 seven = 3 [default = 7];
  optional string word = 4 [default = "w\"x"];
  optional Color color = 5 [default = BLUE];
  optional sint64 low = 6 [default = -9223372036854775808];
  optional double pi = 7 [default = 3.14];
  optional bytes raw = 8 [default = "\x01\xff"];
  optional group Part = 9 { optional string name = 1; optional int32 n = 2 [default = 4]; }
  repeated group Item = 10 { optional int32 n = 1; }
  optional bool yes = 11 [default = true];
  extensions 100 to max;
  message Inner { extend Order { optional string remark = 102; } }
}
extend Order { optional int32 discount = 100; repeated string labels = 536870911; }
)");
    ProtobufTestSchema real(*schema);
    const auto bytes = [&](const std::string& text) { return real.bytes("shop.Order", text); };
    const auto source = [&](std::vector<SourceColumn> columns) {
        return protobuf_source(std::move(columns), {schema}, "shop.Order");
    };
    const RecordSpec scalars =
        source({shaped("id"), shaped("plain"), shaped("seven"), shaped("word"), shaped("color"),
                shaped("low"), shaped("pi"), shaped("raw", {}, ColumnShape::Bytes), shaped("yes")});
    EXPECT_EQ(shown(scalars, ""), (Texts{kNull, kNull, "7", "w\"x", "BLUE", "-9223372036854775808", "3.14",
                                         "bytes \x01\xff", "true"}));
    EXPECT_EQ(
        shown(scalars, bytes("id: 1 plain: 0 seven: 0 word: '' color: RED low: 0 pi: 0 raw: '' yes: false")),
        (Texts{"1", "0", "0", "", "RED", "0", "0", "bytes ", "false"}));
    const RecordSpec groups =
        source({shaped("name", "part.name"), shaped("n", "part.n"), shaped("part", {}, ColumnShape::Json),
                shaped("item", {}, ColumnShape::Json), shaped("second", "item[1].n")});
    EXPECT_EQ(shown(groups, bytes("Part {name: 'a'} Item {n: 1} Item {n: 2}")),
              (Texts{"a", "4", R"({"name":"a","n":4})", R"([{"n":1},{"n":2}])", "2"}));
    EXPECT_EQ(shown(groups, ""), (Texts{kNull, kNull, kNull, "[]", kNull}));
    const RecordSpec extensions =
        source({shaped("discount", "\"[shop.discount]\""), shaped("remark", "\"[shop.Order.Inner.remark]\""),
                shaped("first", "\"[shop.labels]\"[0]"), shaped("all", "$", ColumnShape::Json)});
    EXPECT_EQ(
        shown(extensions,
              bytes("id: 1 [shop.discount]: 5 [shop.Order.Inner.remark]: 'r' [shop.labels]: 'l'")),
        (Texts{
            "5", "r", "l",
            R"({"id":1,"seven":7,"word":"w\"x","color":"BLUE","low":-9223372036854775808,"pi":3.14,"raw":"Af8=","item":[],"yes":true,"[shop.discount]":5,"[shop.labels]":["l"],"[shop.Order.Inner.remark]":"r"})"}));
}

TEST(ProtobufSchema, FilesMayNameTheirTypesLikeGoogles) {
    const SharedSchema schema = protobuf_text(
        "syntax = \"proto3\"; package google.protobuf; message Timestamp { string text = 1; } message A { "
        "Timestamp t = 1; }");
    EXPECT_EQ(
        shown(protobuf_source({shaped("t", {}, ColumnShape::Time)}, {schema}, "A"), "\x0a\x03\x0a\x01x"),
        (Texts{R"({"text":"x"})"}));
}

// The bytes that docs/formats.md shows.
TEST(ProtobufSchema, TheManualsExample) {
    std::ifstream file(SLUICE_SOURCE_DIR "/docs/formats.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const auto between = [&](const std::string& begin, const std::string& end) {
        const size_t at = page.find(begin) + begin.size();
        return page.substr(at, page.find(end, at) - at);
    };
    const SharedSchema schema =
        protobuf_text(between("create_schema('order_message', 'protobuf', $$", "$$);"));
    std::istringstream hex(between("The 28 bytes `", "` give"));
    std::string bytes;
    for (int byte; hex >> std::hex >> byte;) bytes += static_cast<char>(byte);
    ASSERT_EQ(bytes.size(), 28u);
    EXPECT_EQ(
        shown(protobuf_source({shaped("id"), shaped("price"), shaped("ordered_at", {}, ColumnShape::Time),
                               shaped("sku", "lines[0].sku"), shaped("lines", {}, ColumnShape::Json),
                               shaped("color", "labels.color"), shaped("note")},
                              {schema}, "shop.Order"),
              bytes),
        (Texts{"7", "9.50", "us 1709210096789000", "x1", R"([{"sku":"x1","quantity":0}])", kNull, kNull}));
}

}  // namespace
}  // namespace sluice
