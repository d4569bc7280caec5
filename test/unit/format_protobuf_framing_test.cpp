#include "protobuf_helpers.hpp"

#include <map>

namespace sluice {
namespace {

// A registry that counts how often it is asked.
class Registry : public SchemaFinder {
  public:
    std::map<int32_t, SharedSchema> schemas;
    int asked = 0;
    bool away = false;

    Result<SharedSchema> find(int32_t id) override {
        ++asked;
        if (away) return Error::transient("08006", "away");
        const auto found = schemas.find(id);
        if (found == schemas.end()) return Error::data("42704", "no schema " + std::to_string(id));
        return found->second;
    }
};

RecordSpec framed(std::vector<SourceColumn> columns, std::vector<SharedSchema> schemas = {},
                  std::string message = {}) {
    RecordSpec spec = protobuf_source(std::move(columns), std::move(schemas), std::move(message));
    spec.value->schema.framing = Framing::Confluent;
    return spec;
}

std::string frame(char id, std::string_view indexes, std::string_view body) {
    return std::string("\0\0\0\0", 4) + id + std::string(indexes) + std::string(body);
}

const char* const kTwo =
    "package shop; message A { optional int32 x = 1; map<string, string> m = 3; message In { optional int32 "
    "x = 2; } } message B { optional string x = 1; }";

TEST(ProtobufFraming, TheIndexesTellTheType) {
    Registry registry;
    registry.schemas[1] = protobuf_text(kTwo);
    registry.schemas[2] = protobuf_text("message C { optional int64 y = 1; }");
    const RecordDecoder decoder = decoder_of(framed({shaped("x"), shaped("y")}), nullptr, &registry);
    using namespace std::string_view_literals;
    EXPECT_EQ(shown(decoder, frame(1, "\0"sv, "\x08\x05")), (Texts{"5", kNull}));
    EXPECT_EQ(shown(decoder, frame(1, "\x02\x00"sv, "\x08\x05")), (Texts{"5", kNull}));
    EXPECT_EQ(shown(decoder, frame(1, "\x02\x02"sv, "\x0a\x01w")), (Texts{"w", kNull}));
    // The entries of maps are no types of their own.
    EXPECT_EQ(shown(decoder, frame(1, "\x04\x00\x00"sv, "\x10\x07")), (Texts{"7", kNull}));
    EXPECT_EQ(shown(decoder, frame(2, "\0"sv, "\x08\x09")), (Texts{kNull, "9"}));
    EXPECT_EQ(registry.asked, 2);
    const auto fault = [&](std::string_view bytes) {
        const Decoded decoded = decode(decoder, message_of(Bytes::of(bytes)));
        EXPECT_TRUE(decoded.error && decoded.error->kind == ErrorKind::Data);
        return decoded.error ? decoded.error->message : std::string();
    };
    EXPECT_EQ(fault(frame(1, "\x02\x04"sv, "")), "schema \"shop\" has no message type with the index [2]");
    EXPECT_EQ(fault(frame(1, "\x04\x00\x01"sv, "")),
              "schema \"shop\" has no message type with the index [0, -1]");
    EXPECT_EQ(fault(frame(1, ""sv, "")),
              "value does not tell its message type at byte 5: the number of indexes is no number");
    EXPECT_EQ(fault(frame(1, "\xfe\xff\xff\xff\x0f"sv, "")),
              "value does not tell its message type at byte 10: it has no such number of indexes");
    EXPECT_EQ(fault(frame(1, "\x01"sv, "")),
              "value does not tell its message type at byte 6: it has no such number of indexes");
    EXPECT_EQ(fault(frame(1, "\x04\x00"sv, "")),
              "value does not tell its message type at byte 7: an index is no number");
    EXPECT_EQ(fault(frame(3, "\0"sv, "")), "no schema 3");
    // Bytes count from the beginning of the value.
    EXPECT_EQ(fault(frame(1, "\0"sv, "\x08")),
              "protobuf value is no message of type \"shop.A\" at byte 7 of the value: the message ends "
              "inside a number");
    EXPECT_EQ(fault("\0\0"sv), "value has no schema id of a registry before it");
}

TEST(ProtobufFraming, SchemasOfTheRegistryMayBeAnything) {
    Registry registry;
    registry.schemas[1] = protobuf_text("message A {");
    registry.schemas[2] =
        std::make_shared<SchemaText>(SchemaText{SchemaKind::Avro, "schema 2", "\"int\"", {}});
    registry.schemas[3] = protobuf_text("message A { optional int32 x = 1; }");
    const RecordDecoder decoder = decoder_of(framed({shaped("x", "x.y")}), nullptr, &registry);
    for (char id : {1, 2, 3}) {
        for (int i = 0; i < 3; ++i) {
            const std::string bytes = frame(id, std::string_view("\0", 1), "");
            const Decoded decoded = decode(decoder, message_of(Bytes::of(bytes)));
            ASSERT_TRUE(decoded.error) << int{id};
            EXPECT_EQ(decoded.error->kind, ErrorKind::Data) << int{id};
        }
    }
    EXPECT_EQ(registry.asked, 3);
    // Nobody can be asked: that is not remembered.
    registry.away = true;
    const std::string bytes = frame(4, std::string_view("\0", 1), "");
    EXPECT_EQ(decode(decoder, message_of(Bytes::of(bytes))).error->kind, ErrorKind::Transient);
    registry.away = false;
    registry.schemas[4] = protobuf_text("message A { optional group X = 1 { optional int32 y = 1; } }");
    EXPECT_EQ(shown(decoder, bytes), (Texts{kNull}));
}

TEST(ProtobufFraming, ManyTypesAreForgottenAgain) {
    Registry registry;
    std::string body;
    for (int i = 0; i < 100; ++i)
        body += "message M" + std::to_string(i) + " { optional int32 x = " + std::to_string(i + 1) + "; }";
    registry.schemas[1] = protobuf_text(body);
    const RecordDecoder decoder = decoder_of(framed({shaped("x")}), nullptr, &registry);
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i) {
            std::string indexes = "\x02";
            const int zigzag = 2 * i;
            if (zigzag >= 0x80) indexes += static_cast<char>(zigzag | 0x80);
            indexes += static_cast<char>(zigzag >= 0x80 ? zigzag >> 7 : zigzag);
            std::string value =
                ProtobufTestSchema(*registry.schemas[1]).bytes("M" + std::to_string(i), "x: 9");
            EXPECT_EQ(shown(decoder, frame(1, indexes, value)), (Texts{"9"})) << i;
        }
    }
    EXPECT_EQ(registry.asked, 1);
}

TEST(ProtobufFraming, AGivenSchemaOrTypeIsThatOfEveryMessage) {
    using namespace std::string_view_literals;
    Registry registry;
    registry.schemas[1] = protobuf_text(kTwo);
    const RecordDecoder wants_b = decoder_of(framed({shaped("x")}, {}, "shop.B"), nullptr, &registry);
    EXPECT_EQ(shown(wants_b, frame(1, "\x02\x02"sv, "\x0a\x01w")), (Texts{"w"}));
    const std::string other = frame(1, "\0"sv, "");
    EXPECT_EQ(decode(wants_b, message_of(Bytes::of(other))).error->message,
              "value is a message of type \"shop.A\", not \"shop.B\"");
    // The schema is known whatever the id is.
    const RecordDecoder given = decoder_of(framed({shaped("x")}, {protobuf_text(kTwo)}), nullptr, &registry);
    EXPECT_EQ(shown(given, frame(99, "\x02\x02"sv, "\x0a\x01w")), (Texts{"w"}));
    EXPECT_EQ(shown(given, frame(98, "\0"sv, "\x08\x05")), (Texts{"5"}));
    EXPECT_EQ(registry.asked, 1);
}

TEST(ProtobufKey, KeysHaveTheirOwnOptions) {
    RecordSpec spec;
    spec.key = FormatSpec{.format = Format::Protobuf};
    spec.key->schema.schema.push_back("k");
    spec.key->schema.writers.push_back(protobuf_text("message K { optional int32 id = 1; }"));
    spec.columns = {key_column("id")};
    EXPECT_EQ(decode(decoder_of(spec), message_of({}, Bytes::of("\x08\x05"))).numbers,
              std::vector<int64_t>{5});
    const Decoded bad = decode(decoder_of(spec), message_of({}, Bytes::of("\x08")));
    EXPECT_EQ(
        bad.error->message,
        "protobuf key is no message of type \"K\" at byte 1 of the key: the message ends inside a number");
    EXPECT_NE(bad.error->hint.find("\"key_framing\""), std::string::npos);
}

}  // namespace
}  // namespace sluice
