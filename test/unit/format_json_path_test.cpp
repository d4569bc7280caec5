#include "format/json_path.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

JsonPath path_of(std::string_view text) {
    Result<JsonPath> path = parse_json_path(text);
    if (!path) throw std::runtime_error("refused: " + path.error().message);
    return std::move(path).value();
}

std::string refusal(std::string_view text) {
    const Result<JsonPath> path = parse_json_path(text);
    if (path) throw std::runtime_error("accepted");
    EXPECT_EQ(path.error().sqlstate, "22023");
    EXPECT_NE(path.error().hint, "");
    return path.error().message;
}

TEST(JsonPath, NamesAndItems) {
    EXPECT_EQ(path_of("a"), (JsonPath{JsonStep::member("a")}));
    EXPECT_EQ(path_of("details.items[0].sku"),
              (JsonPath{JsonStep::member("details"), JsonStep::member("items"), JsonStep::item(0),
                        JsonStep::member("sku")}));
    EXPECT_EQ(path_of("[2][0]"), (JsonPath{JsonStep::item(2), JsonStep::item(0)}));
    EXPECT_EQ(path_of("größe.x y-z$"), (JsonPath{JsonStep::member("größe"), JsonStep::member("x y-z$")}));
}

TEST(JsonPath, QuotesProtectWhatMeansSomething) {
    EXPECT_EQ(path_of("\"a.b\".c"), (JsonPath{JsonStep::member("a.b"), JsonStep::member("c")}));
    EXPECT_EQ(path_of("a.\"[0]\""), (JsonPath{JsonStep::member("a"), JsonStep::member("[0]")}));
    EXPECT_EQ(path_of("\"say \"\"x\"\"\""), (JsonPath{JsonStep::member("say \"x\"")}));
    EXPECT_EQ(path_of("\"\""), (JsonPath{JsonStep::member("")}));
    EXPECT_EQ(path_of("\"$\""), (JsonPath{JsonStep::member("$")}));
}

TEST(JsonPath, DollarIsTheWholeMessageAndAtTheWholeRow) {
    const JsonPath steps{JsonStep::member("a"), JsonStep::item(1)};
    for (const char* word : {"$", "@"}) {
        EXPECT_EQ(path_of(word), JsonPath());
        EXPECT_EQ(path_of(word + std::string(".a[1]")), steps);
        EXPECT_EQ(path_of(word + std::string("[1]")), JsonPath{JsonStep::item(1)});
        EXPECT_EQ(path_of("\"" + std::string(word) + "\".a"),
                  (JsonPath{JsonStep::member(word), JsonStep::member("a")}));
    }
    EXPECT_EQ(path_of("$oid.@type"), (JsonPath{JsonStep::member("$oid"), JsonStep::member("@type")}));
    EXPECT_TRUE(is_of_message("$") && is_of_message("$.a") && is_of_message("$[0]"));
    EXPECT_FALSE(is_of_message("@.a") || is_of_message("a.$") || is_of_message("$oid") ||
                 is_of_message("\"$\".a"));
}

TEST(JsonPath, WhatCannotBeRead) {
    EXPECT_EQ(refusal(""), "path has an empty name; write \"\" in quotes if you mean one");
    EXPECT_EQ(refusal("a..b"), "path has an empty name; write \"\" in quotes if you mean one");
    EXPECT_EQ(refusal("a."), "path has an empty name; write \"\" in quotes if you mean one");
    EXPECT_EQ(refusal("a[x]"), "path has a bracket that does not hold the number of an item, as in [0]");
    EXPECT_EQ(refusal("a[-1]"), "path has a bracket that does not hold the number of an item, as in [0]");
    EXPECT_EQ(refusal("a[1"), "path has a bracket that does not hold the number of an item, as in [0]");
    EXPECT_EQ(refusal("a[9999999999]"),
              "path has a bracket that does not hold the number of an item, as in [0]");
    EXPECT_EQ(refusal("\"a"), "path has a quote that is never closed");
    EXPECT_EQ(refusal("\"a\"b"), "path has something between two steps that is neither a dot nor \"[\"");
    EXPECT_EQ(refusal("a]"), "path has something between two steps that is neither a dot nor \"[\"");
    EXPECT_EQ(refusal("$."), "path has an empty name; write \"\" in quotes if you mean one");
    EXPECT_EQ(refusal("$]"), "path has something between two steps that is neither a dot nor \"[\"");
    std::string deep = "a";
    for (int i = 0; i < 100; ++i) deep += "[0]";
    EXPECT_EQ(refusal(deep), "path has more than 100 steps");
}

TEST(JsonPath, TextReadsAsTheSamePath) {
    for (const char* text :
         {"a", "a.b[0].c", "[0]", "\"a.b\"[1]", "\"\"", "\"$\"", "$", "\"$\".a", "a.$.@", "\"x\"\"y\""})
        EXPECT_EQ(to_text(path_of(text)), text);
}

}  // namespace
}  // namespace sluice
