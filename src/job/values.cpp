#include "job/values.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>

namespace sluice {

namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

struct UnitWord {
    std::string_view word;
    int64_t factor;
};

// Greatest first, so that amount_text finds the shortest text.
constexpr UnitWord kByteUnits[] = {
    {"TB", int64_t{1} << 40}, {"GB", int64_t{1} << 30}, {"MB", int64_t{1} << 20}, {"kB", 1024}, {"B", 1}};
constexpr UnitWord kTimeUnits[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}};

std::span<const UnitWord> units_of(Unit unit) {
    if (unit == Unit::Bytes) return kByteUnits;
    if (unit == Unit::Milliseconds) return kTimeUnits;
    return {};
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads exactly `count` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, size_t count) {
    if (text.size() < count) return {};
    int number = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!is_digit(text[i])) return {};
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

// .5, .250, .123456: further digits than milliseconds are cut off.
std::optional<int> take_fraction(std::string_view& text) {
    int milliseconds = 0, weight = 100;
    if (text.empty() || !is_digit(text.front())) return {};
    while (!text.empty() && is_digit(text.front())) {
        milliseconds += (text.front() - '0') * weight;
        weight /= 10;
        text.remove_prefix(1);
    }
    return milliseconds;
}

// Z, +hh, +hhmm, +hh:mm; in minutes.
std::optional<int> take_zone(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) return 0;
    const bool west = take(text, '-');
    if (!west && !take(text, '+')) return {};
    const auto hours = take_digits(text, 2);
    if (!hours || *hours > 15) return {};
    int minutes = 0;
    if (take(text, ':') || !text.empty()) {
        const auto read = take_digits(text, 2);
        if (!read || *read > 59) return {};
        minutes = *read;
    }
    const int offset = *hours * 60 + minutes;
    return west ? -offset : offset;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) {
    text = without_blanks(text);
    if (text.size() > 1 && text.front() == '+' && is_digit(text[1])) text.remove_prefix(1);
    int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end != text.data() + text.size() || problem == std::errc::invalid_argument) return {};
    if (problem == std::errc::result_out_of_range) return text.front() == '-' ? kLeast : kMost;
    return number;
}

std::optional<int64_t> parse_amount(std::string_view text, Unit unit) {
    if (const auto number = parse_integer(text)) return number;
    text = without_blanks(text);
    double number = 0;
    const auto [end, problem] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (problem == std::errc::result_out_of_range) return kMost;
    if (problem != std::errc() || !std::isfinite(number)) return {};
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    text = without_blanks(text);
    for (const auto& [word, factor] : units_of(unit)) {
        if (word != text) continue;
        const double amount = std::round(number * static_cast<double>(factor));
        if (amount >= static_cast<double>(kMost)) return kMost;
        if (amount <= static_cast<double>(kLeast)) return kLeast;
        return static_cast<int64_t>(amount);
    }
    return {};
}

std::string amount_text(int64_t amount, Unit unit) {
    for (const auto& [word, factor] : units_of(unit))
        if (amount != 0 && amount % factor == 0) return std::to_string(amount / factor) + std::string(word);
    return std::to_string(amount);
}

std::optional<int64_t> parse_time(std::string_view text) {
    text = without_blanks(text);
    const auto year = take_digits(text, 4);
    if (!year || !take(text, '-')) return {};
    const auto month = take_digits(text, 2);
    if (!month || !take(text, '-')) return {};
    const auto day = take_digits(text, 2);
    if (!day || !(take(text, 'T') || take(text, 't') || take(text, ' '))) return {};
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return {};
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return {};
    int second = 0, milliseconds = 0;
    if (take(text, ':')) {
        const auto read = take_digits(text, 2);
        if (!read || *read > 59) return {};
        second = *read;
        if (take(text, '.')) {
            const auto fraction = take_fraction(text);
            if (!fraction) return {};
            milliseconds = *fraction;
        }
    }
    take(text, ' ');
    const auto zone = take_zone(text);
    if (!zone || !text.empty()) return {};
    using namespace std::chrono;
    const year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                              std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok()) return {};
    const int64_t days = sys_days(date).time_since_epoch().count();
    const int64_t minutes = (days * 24 + *hour) * 60 + *minute - *zone;
    return (minutes * 60 + second) * 1000 + milliseconds;
}

std::string time_text(int64_t milliseconds) {
    using namespace std::chrono;
    const sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(milliseconds)};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    char text[64];
    const int length =
        std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                      static_cast<int>(clock.seconds().count()));
    std::string result(text, static_cast<size_t>(length));
    if (const auto rest = clock.subseconds().count()) {
        std::snprintf(text, sizeof text, ".%03d", static_cast<int>(rest));
        result += text;
    }
    return result + "Z";
}

}  // namespace sluice
