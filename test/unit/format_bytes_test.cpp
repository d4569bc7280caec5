#include "format/byte_scan.hpp"
#include "format/text_check.hpp"
#include "format/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace sluice {
namespace {

std::vector<size_t> hits(std::string_view text, char a, char b, char c) {
    std::vector<size_t> all;
    ByteScan scan(text, a, b, c);
    for (size_t at = scan.next(); at != scan.size(); at = scan.next()) all.push_back(at);
    EXPECT_EQ(scan.next(), text.size());
    return all;
}

TEST(ByteScan, FindsEveryHitAtEveryLength) {
    std::mt19937 random(1);
    for (size_t size = 0; size < 300; ++size) {
        std::vector<char> text(size);
        std::vector<size_t> expected;
        for (size_t i = 0; i < size; ++i) {
            text[i] = static_cast<char>(random() % 8);
            if (text[i] == 1 || text[i] == 2 || text[i] == 3) expected.push_back(i);
        }
        EXPECT_EQ(hits({text.data(), text.size()}, 1, 2, 3), expected);
    }
}

TEST(ByteScan, SkipsToAnyPosition) {
    const std::string text(200, 'x');
    for (size_t first = 0; first < 3; ++first) {
        for (size_t to = first; to <= 200; ++to) {
            ByteScan scan(text, 'x', 'x', 'x');
            for (size_t i = 0; i < first; ++i) EXPECT_EQ(scan.next(), i);
            scan.skip_to(to);
            EXPECT_EQ(scan.next(), to);
        }
    }
}

TEST(Utf8, PrefixEndsAtTheFirstBadByte) {
    EXPECT_EQ(valid_utf8_prefix(""), 0u);
    EXPECT_EQ(valid_utf8_prefix("aé漢😀"), std::string_view("aé漢😀").size());
    const std::vector<std::pair<std::string, size_t>> bad = {
        {"a\x80", 1},           {"\xc0\x80", 0},         {"\xc1\xbf", 0},         {"\xe0\x9f\xbf", 0},
        {"\xed\xa0\x80", 0},    {"\xf0\x8f\xbf\xbf", 0}, {"\xf4\x90\x80\x80", 0}, {"\xf5\x80\x80\x80", 0},
        {"ab\xe6\xbc", 2},      {"\xf0\x9f\x98", 0},     {"\xc3\xa9\xc3", 2},     {"\xff", 0},
        {"\xf0\x9f\x98\x41", 0}};
    for (const auto& [text, prefix] : bad) {
        EXPECT_EQ(valid_utf8_prefix(text), prefix);
        EXPECT_FALSE(valid_utf8(text));
    }
}

// The slow answer, which finds the place, and the quick one never differ.
TEST(TextCheck, SeesEveryByteAtEveryPlace) {
    for (size_t size = 1; size <= 40; ++size) {
        for (size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::vector<char> text(size, '\x7f');
                text[at] = static_cast<char>(byte);
                const std::string_view view(text.data(), size);
                EXPECT_EQ(clean_text(view, TextCheck::NulOnly), byte != 0);
                EXPECT_EQ(clean_text(view, TextCheck::Utf8), byte > 0 && byte < 0x80);
            }
        }
    }
    EXPECT_TRUE(clean_text("", TextCheck::Utf8));
    EXPECT_TRUE(clean_text("gr\u00fc\u00dfe", TextCheck::Utf8));
}

TEST(Utf8, BothAnswersAgree) {
    for (uint32_t lead = 0; lead < 0x10000; ++lead) {
        const std::string pair{static_cast<char>(lead >> 8), static_cast<char>(lead)};
        for (const char* tail : {"", "\x80", "\x80\x80", "a"}) {
            const std::string text = pair + tail;
            EXPECT_EQ(valid_utf8(text), valid_utf8_prefix(text) == text.size());
        }
    }
}

}  // namespace
}  // namespace sluice
