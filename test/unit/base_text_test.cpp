#include "base/json_text.hpp"
#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 5> kOptions = {"topic", "format", "key_format", "delimiter", "quote"};

TEST(Nearest, FindsTypingErrors) {
    EXPECT_EQ(nearest("formt", kOptions), "format");
    EXPECT_EQ(nearest("fromat", kOptions), "format");
    EXPECT_EQ(nearest("FORMAT", kOptions), "format");
    EXPECT_EQ(nearest("delimter", kOptions), "delimiter");
    EXPECT_EQ(nearest("keyformat", kOptions), "key_format");
    EXPECT_EQ(nearest("topics", kOptions), "topic");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
    EXPECT_EQ(nearest("zzz", kOptions), "");
    EXPECT_EQ(nearest("", kOptions), "");
    EXPECT_EQ(nearest("x", kOptions), "");
    EXPECT_EQ(nearest("topic", {}), "");
    EXPECT_EQ(nearest(std::string(1'000'000, 't'), kOptions), "");
}

TEST(Nearest, TakesTheFirstOfEquals) {
    constexpr std::array<std::string_view, 2> words = {"aaab", "aaac"};
    EXPECT_EQ(nearest("aaad", words), "aaab");
}

std::string json_string(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    return json;
}

std::string json_base64(std::string_view bytes) {
    std::string json;
    append_json_base64(json, bytes);
    return json;
}

TEST(JsonText, EscapesWhatJsonMustNotContain) {
    EXPECT_EQ(json_string("a\"\\/é"), R"("a\"\\/é")");
    EXPECT_EQ(json_string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
    EXPECT_EQ(json_string(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
    EXPECT_EQ(json_string(""), "\"\"");
}

TEST(JsonText, Base64OfEveryRemainder) {
    EXPECT_EQ(json_base64(""), "\"\"");
    EXPECT_EQ(json_base64("f"), "\"Zg==\"");
    EXPECT_EQ(json_base64("fo"), "\"Zm8=\"");
    EXPECT_EQ(json_base64("foo"), "\"Zm9v\"");
    EXPECT_EQ(json_base64("foobar"), "\"Zm9vYmFy\"");
    EXPECT_EQ(json_base64("\xfb\xff"), "\"+/8=\"");
}

}  // namespace
}  // namespace sluice
