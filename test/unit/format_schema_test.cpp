#include "format/schema_check.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string refusal(SchemaKind kind, std::string body) {
    const auto checked = check_schema({kind, "schema \"x\"", std::move(body)});
    if (checked) return "accepted";
    EXPECT_EQ(checked.error().kind, ErrorKind::Config);
    return checked.error().sqlstate + " " + checked.error().message + ": " + checked.error().detail;
}

TEST(SchemaCheck, TellsWhatIsNoSchema) {
    for (const char* good : {"\"string\"", "{\"type\": \"long\"}", "[\"null\", \"long\"]"})
        EXPECT_EQ(refusal(SchemaKind::Avro, good), "accepted") << good;
    for (const char* good : {"{}", "true", "false", " {\"type\": [\"object\"]}\n"})
        EXPECT_EQ(refusal(SchemaKind::JsonSchema, good), "accepted") << good;
    EXPECT_EQ(
        refusal(SchemaKind::Avro, "17"),
        "22P02 schema \"x\" cannot be read: An Avro schema is an object, an array or the name of a type.");
    EXPECT_EQ(refusal(SchemaKind::JsonSchema, "[]"),
              "22P02 schema \"x\" cannot be read: A JSON Schema is an object, true or false.");
    for (const char* bad : {"{", "{\"a\": }", "\"a\" 1", "\xff"})
        EXPECT_EQ(refusal(SchemaKind::Avro, bad)
                      .rfind("22P02 schema \"x\" cannot be read: It is not valid JSON: ", 0),
                  0u)
            << bad;
    EXPECT_EQ(refusal(SchemaKind::Avro, std::string(100'000, '[')).rfind("22P02 ", 0), 0u);
    for (const SchemaKind kind : {SchemaKind::Avro, SchemaKind::Protobuf, SchemaKind::JsonSchema})
        EXPECT_EQ(refusal(kind, ""), "22P02 schema \"x\" cannot be read: It is empty.");
}

}  // namespace
}  // namespace sluice
