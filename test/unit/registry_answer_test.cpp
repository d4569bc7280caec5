#include "registry/answer.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string wrong(std::string_view json) {
    const auto answer = read_schema_answer(json);
    if (answer) return "accepted";
    EXPECT_EQ(answer.error().kind, ErrorKind::Transient);
    EXPECT_EQ(answer.error().sqlstate, "08P01");
    EXPECT_EQ(answer.error().message, "its answer cannot be read");
    return answer.error().detail;
}

TEST(RegistryAnswer, KindsAndReferences) {
    const auto avro = read_schema_answer(R"({"schema": "\"string\""})");
    ASSERT_TRUE(avro);
    EXPECT_EQ(avro.value().kind, SchemaKind::Avro) << "which is left out";
    EXPECT_EQ(avro.value().body, "\"string\"");
    EXPECT_TRUE(avro.value().references.empty());
    const auto protobuf = read_schema_answer(
        R"({"subject": "s", "version": 3, "id": 9, "schemaType": "PROTOBUF", "schema": "import \"a.proto\";",)"
        R"( "references": [{"name": "a.proto", "subject": "a/b", "version": 2}], "more": [1]})");
    ASSERT_TRUE(protobuf);
    EXPECT_EQ(protobuf.value().kind, SchemaKind::Protobuf);
    EXPECT_EQ(protobuf.value().references, (std::vector<SubjectVersion>{{"a.proto", "a/b", 2}}));
    const auto json = read_schema_answer(R"({"schemaType": "JSON", "schema": "{}", "references": null})");
    ASSERT_TRUE(json);
    EXPECT_EQ(json.value().kind, SchemaKind::JsonSchema);
}

TEST(RegistryAnswer, WhatIsNone) {
    for (const char* bad : {"", "<html>", "[]", "{\"schema\": \"a\"", "\"a\""})
        EXPECT_EQ(wrong(bad).rfind("It is not a JSON object: ", 0), 0u) << bad;
    for (const char* bad : {"{}", R"({"schema": {}})", R"({"schema": ""})", R"({"schema": null})"})
        EXPECT_EQ(wrong(bad), "It has no field \"schema\".") << bad;
    for (const std::string bad : {R"({})", R"([{}])", R"([{"name": "a", "subject": "b"}])",
                                  R"([{"name": "a", "subject": "b", "version": 0}])",
                                  R"([{"name": "a", "subject": "b", "version": 2147483648}])",
                                  R"([{"name": 1, "subject": "b", "version": 1}])", R"(["a"])", R"("a")"})
        EXPECT_EQ(wrong(R"({"schema": "a", "references": )" + bad + "}"),
                  "Its field \"references\" is not a list of names, subjects and versions.")
            << bad;
    const auto unknown = read_schema_answer(R"({"schema": "a", "schemaType": "XML\n"})");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::Data);
    EXPECT_EQ(unknown.error().message, "the schema is of a type that is not supported: XML?");
}

TEST(RegistryAnswer, Refusals) {
    const RefusalAnswer refusal = read_refusal(R"({"error_code": 40403, "message": "Schema 7 not found"})");
    EXPECT_EQ(refusal.code, 40403);
    EXPECT_EQ(refusal.message, "Schema 7 not found");
    EXPECT_EQ(read_refusal(R"({"error_code": "40403", "message": "a\u0000\u00e4\n"})").message, "a????");
    for (const char* none : {"", "<html>", "[]", R"({"error_code": -1})", R"({"error_code": 1e9})", "{}"})
        EXPECT_EQ(read_refusal(none).code, 0) << none;
    EXPECT_EQ(read_refusal(R"({"message": ")" + std::string(5000, 'x') + "\"}").message.size(), 200u);
}

TEST(RegistryAnswer, ProtobufFilesInBase64) {
    // A FileDescriptorProto with the name a.proto.
    EXPECT_EQ(protobuf_body("CgdhLnByb3Rv"),
              "\x0A\x09\x0A\x07"
              "a.proto");
    EXPECT_EQ(protobuf_body("CgZhLnByb3RvEg=="),
              "\x0A\x0A\x0A\x06"
              "a.proto\x12");
    for (const char* text : {"syntax = \"proto3\";", "", "abc", "AAAA", "CgdhLnByb3R=v", "message A {}"})
        EXPECT_EQ(protobuf_body(text), text);
    std::string letters = "Cg";
    while (letters.size() < 400) letters += 'A';
    const std::string set = protobuf_body(letters);
    EXPECT_EQ(set.substr(0, 4), "\x0A\xAC\x02\x0A") << "300 bytes";
    EXPECT_EQ(set.size(), 303u);
}

}  // namespace
}  // namespace sluice
