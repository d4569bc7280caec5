#include "job/values.hpp"

#include "job/identifier.hpp"
#include "job/words.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(Values, IntegersAreWholeAndSaturate) {
    EXPECT_EQ(parse_integer("0"), 0);
    EXPECT_EQ(parse_integer(" -12 "), -12);
    EXPECT_EQ(parse_integer("+7"), 7);
    EXPECT_EQ(parse_integer("99999999999999999999"), kMost);
    EXPECT_EQ(parse_integer("-99999999999999999999"), std::numeric_limits<int64_t>::min());
    for (const char* text : {"", " ", "1.0", "1e3", "0x10", "1_000", "+-1", "--1", "1 2", "five"})
        EXPECT_EQ(parse_integer(text), std::nullopt) << text;
}

TEST(Values, AmountsTakeThePostgresUnits) {
    EXPECT_EQ(parse_amount("64MB", Unit::Bytes), 64 << 20);
    EXPECT_EQ(parse_amount("1.5 GB", Unit::Bytes), int64_t{3} << 29);
    EXPECT_EQ(parse_amount("8kB", Unit::Bytes), 8192);
    EXPECT_EQ(parse_amount("1TB", Unit::Bytes), int64_t{1} << 40);
    EXPECT_EQ(parse_amount("17", Unit::Bytes), 17);
    EXPECT_EQ(parse_amount("17B", Unit::Bytes), 17);
    EXPECT_EQ(parse_amount("500ms", Unit::Milliseconds), 500);
    EXPECT_EQ(parse_amount("1.5s", Unit::Milliseconds), 1500);
    EXPECT_EQ(parse_amount("5 min", Unit::Milliseconds), 300'000);
    EXPECT_EQ(parse_amount("2h", Unit::Milliseconds), 7'200'000);
    EXPECT_EQ(parse_amount("1d", Unit::Milliseconds), 86'400'000);
    EXPECT_EQ(parse_amount("99999999999999999999TB", Unit::Bytes), kMost);
    EXPECT_EQ(parse_amount(std::string(400, '9') + "MB", Unit::Bytes), kMost);
    // PostgreSQL's units are case-sensitive.
    for (const char* text : {"64mb", "64 M B", "MB", "inf", "nanMB", "0x10MB", "1e3MB", "1.5", "5s"})
        EXPECT_EQ(parse_amount(text, Unit::Bytes), std::nullopt) << text;
    EXPECT_EQ(parse_amount("5s", Unit::None), std::nullopt);
}

TEST(Values, AmountTextReadsBack) {
    EXPECT_EQ(amount_text(64 << 20, Unit::Bytes), "64MB");
    EXPECT_EQ(amount_text(1000, Unit::Bytes), "1000B");
    EXPECT_EQ(amount_text(300'000, Unit::Milliseconds), "5min");
    EXPECT_EQ(amount_text(0, Unit::Milliseconds), "0");
    EXPECT_EQ(amount_text(-1, Unit::None), "-1");
    for (int64_t amount : {1LL, 999LL, 1024LL, 1025LL, 90'061'001LL, 1LL << 36})
        for (Unit unit : {Unit::None, Unit::Bytes, Unit::Milliseconds})
            EXPECT_EQ(parse_amount(amount_text(amount, unit), unit), amount);
}

TEST(Values, TimesNeedAZone) {
    EXPECT_EQ(parse_time("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(parse_time("2026-01-31T13:45:00.250Z"), 1'769'867'100'250);
    EXPECT_EQ(parse_time("2026-01-31 14:45+01"), 1'769'867'100'000);
    EXPECT_EQ(parse_time("2026-01-31 14:45:00 +0100"), 1'769'867'100'000);
    EXPECT_EQ(parse_time("2026-01-31T08:15:00-05:30"), 1'769'867'100'000);
    EXPECT_EQ(parse_time("2024-02-29t23:59:59.9999z"), 1'709'251'199'999);
    for (const char* text :
         {"", "2026-01-31", "2026-01-31T13:45:00", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
          "2026-01-31T24:00Z", "2026-01-31T13:60Z", "2026-01-31T13:45:61Z", "2026-01-31T13:45:00.Z",
          "2026-01-31T13:45:00+1", "2026-01-31T13:45:00+16", "2026-01-31T13:45:00Zjunk", "26-01-31T13:45:00Z",
          "yesterday"})
        EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

TEST(Values, TimeTextReadsBack) {
    EXPECT_EQ(time_text(1'769'867'100'250), "2026-01-31T13:45:00.250Z");
    EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
    for (int64_t time : {1LL, 951'782'399'999LL, 4'102'444'800'000LL, 253'402'300'799'999LL})
        EXPECT_EQ(parse_time(time_text(time)), time);
}

TEST(Values, LongTextsAreCutBetweenCharacters) {
    EXPECT_EQ(clipped("short"), "short");
    EXPECT_EQ(clipped(std::string(79, 'a') + "é" + "b"), std::string(79, 'a') + "...");
    EXPECT_EQ(clipped(std::string(81, 'a')), std::string(80, 'a') + "...");
}

TEST(Identifiers, FoldAndQuoteAsInSql) {
    EXPECT_EQ(parse_identifier("Orders").value(), "orders");
    EXPECT_EQ(parse_identifier("  \"Or\"\"ders\" ").value(), "Or\"ders");
    EXPECT_EQ(parse_identifier("_a$1").value(), "_a$1");
    EXPECT_EQ(parse_identifier("Größe").value(), "größe");
    EXPECT_EQ(parse_identifiers("(id, \"Big, Name\" ,Note)").value(),
              (std::vector<std::string>{"id", "Big, Name", "note"}));
    EXPECT_EQ(parse_identifiers("id").value(), std::vector<std::string>{"id"});
}

TEST(Identifiers, WrongNamesAreRefused) {
    const auto message = [](std::string_view text) { return parse_identifier(text).error().message; };
    EXPECT_EQ(message(""), "a name is missing");
    EXPECT_EQ(message("\"\""), "a name is empty");
    EXPECT_EQ(message("\"open"), "the name \"open lacks its closing double quote");
    EXPECT_EQ(message("shop.orders"), "\"shop.orders\" is not a name");
    EXPECT_EQ(message("1st"), "\"1st\" is not a name");
    EXPECT_EQ(message("order-id"), "\"order-id\" is not a name");
    EXPECT_EQ(message("a, b"), "\"a, b\" is not one name");
    EXPECT_EQ(message("a b"), "\"a b\" is not one name");
    EXPECT_EQ(message(std::string(64, 'x')),
              "the name \"" + std::string(64, 'x') + "\" is longer than 63 bytes");
    EXPECT_EQ(parse_identifiers("a,,b").error().message, "a name is missing");
    EXPECT_EQ(parse_identifiers("a b").error().message, "a comma is missing before \"b\"");
    EXPECT_EQ(parse_identifiers("()").error().message, "a name is missing");
}

TEST(Identifiers, QuotedNamesReadBack) {
    EXPECT_EQ(quote_identifier("id_2"), "id_2");
    EXPECT_EQ(quote_identifier("Größe"), "\"Größe\"");
    for (std::string name : {"id", "Id", "a b", "a\"b", "1st", "größe", "shop.orders", "(", ","}) {
        EXPECT_EQ(parse_identifier(quote_identifier(name)).value(), name);
        const std::vector<std::string> pair = {name, name};
        EXPECT_EQ(parse_identifiers(quote_identifiers(pair)).value(), pair);
    }
}

}  // namespace
}  // namespace sluice
