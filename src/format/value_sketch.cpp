#include "format/value_sketch.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes what is expected off the front of a text, or says that it is not there.
struct Taker {
    std::string_view rest;

    bool one_of(std::string_view characters) {
        if (rest.empty() || characters.find(rest.front()) == characters.npos) return false;
        rest.remove_prefix(1);
        return true;
    }
    bool number(size_t digits, int low, int high) {
        if (rest.size() < digits) return false;
        int value = 0;
        for (char c : rest.substr(0, digits)) {
            if (!is_digit(c)) return false;
            value = value * 10 + (c - '0');
        }
        rest.remove_prefix(digits);
        return value >= low && value <= high;
    }
    void fraction() {
        if (!one_of(".,")) return;
        while (!rest.empty() && is_digit(rest.front())) rest.remove_prefix(1);
    }
};

bool is_date(Taker& at) {
    return at.number(4, 1, 9999) && at.one_of("-") && at.number(2, 1, 12) && at.one_of("-") &&
           at.number(2, 1, 31);
}

bool is_clock(Taker& at) {
    if (!at.number(2, 0, 24) || !at.one_of(":") || !at.number(2, 0, 59)) return false;
    if (!at.one_of(":")) return true;
    if (!at.number(2, 0, 60)) return false;
    at.fraction();
    return true;
}

bool is_zone(Taker& at) {
    if (at.one_of("Zz")) return true;
    if (!at.one_of("+-") || !at.number(2, 0, 15)) return false;
    if (at.rest.empty()) return true;
    at.one_of(":");
    return at.number(2, 0, 59);
}

bool is_uuid(std::string_view text) {
    constexpr size_t kSize = 36;
    if (text.size() != kSize) return false;
    for (size_t i = 0; i < kSize; ++i) {
        const char c = text[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

// A whole number in JSON's form: what begins with 0, as a code may do, is none.
bool is_whole(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) &&
           (text.front() != '0' || text.size() == 1);
}

bool is_decimal(std::string_view text) {
    const size_t point = text.find('.');
    return point != text.npos && is_whole(text.substr(0, point)) && point + 1 < text.size() &&
           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(point) + 1, text.end(), is_digit);
}

}  // namespace

void ValueSketch::add(Kind kind, std::string_view text) {
    constexpr size_t kShown = 60;
    kinds_ |= kind;
    if (count_++ > 0) return;
    size_t end = std::min(kShown, text.size());
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    example_ = std::string(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

ValueSketch::Kind ValueSketch::kind_of_number(std::string_view text) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? kInteger : kNumeric;
}

ValueSketch::Kind ValueSketch::kind_of_text(std::string_view text) {
    if (is_uuid(text)) return kUuid;
    Taker at{text};
    if (!is_date(at)) return kText;
    if (at.rest.empty()) return kDate;
    if (!at.one_of("T ") || !is_clock(at)) return kText;
    if (at.rest.empty()) return kTimestamp;
    return is_zone(at) && at.rest.empty() ? kTimestampTz : kText;
}

void ValueSketch::add_number(std::string_view text) { add(kind_of_number(text), text); }

void ValueSketch::add_text(std::string_view text) { add(kind_of_text(text), text); }

void ValueSketch::add_untyped(std::string_view text) {
    constexpr std::array<std::string_view, 4> kTruths = {"true", "false", "t", "f"};
    if (std::find(kTruths.begin(), kTruths.end(), text) != kTruths.end())
        add_boolean(text);
    else if (is_whole(text) || is_decimal(text))
        add_number(text);
    else
        add_text(text);
}

std::string_view ValueSketch::type() const {
    const auto only = [&](int kinds) { return kinds_ != 0 && (kinds_ & ~kinds) == 0; };
    if (kinds_ & kJson) return "jsonb";
    if (only(kBoolean)) return "boolean";
    if (only(kInteger)) return "bigint";
    if (only(kInteger | kNumeric)) return "numeric";
    if (only(kDate)) return "date";
    if (only(kTimestamp | kDate)) return "timestamp";
    if (only(kTimestampTz)) return "timestamptz";
    if (only(kUuid)) return "uuid";
    return "text";
}

}  // namespace sluice
