#include "format/json_value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace sluice {

namespace {

unsigned hex_digit(char c) {
    if (c <= '9') return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

unsigned hex_number(std::string_view digits) {
    unsigned number = 0;
    for (char c : digits) number = number << 4 | hex_digit(c);
    return number;
}

char* put_utf8(unsigned character, char* out) {
    const auto put = [&](unsigned byte) { *out++ = static_cast<char>(byte); };
    if (character < 0x80) {
        put(character);
    } else if (character < 0x800) {
        put(0xC0 | character >> 6);
        put(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        put(0xE0 | character >> 12);
        put(0x80 | (character >> 6 & 0x3F));
        put(0x80 | (character & 0x3F));
    } else {
        put(0xF0 | character >> 18);
        put(0x80 | (character >> 12 & 0x3F));
        put(0x80 | (character >> 6 & 0x3F));
        put(0x80 | (character & 0x3F));
    }
    return out;
}

char simple_escape(char c) {
    switch (c) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return c;
    }
}

bool is_high(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// A JSON number taken apart; `point` is how many of its digits, from the first one, stand before the point.
struct Decimal {
    bool negative = false;
    std::string_view whole, fraction;
    int64_t point = 0;

    explicit Decimal(std::string_view number) {
        negative = number.starts_with('-');
        number.remove_prefix(negative);
        const size_t exponent = number.find_first_of("eE");
        int64_t shift = 0;
        if (exponent != number.npos) shift = read_exponent(number.substr(exponent + 1));
        number = number.substr(0, exponent);
        const size_t dot = number.find('.');
        whole = number.substr(0, dot);
        if (dot != number.npos) fraction = number.substr(dot + 1);
        point = static_cast<int64_t>(whole.size()) + shift;
    }

    int64_t size() const { return static_cast<int64_t>(whole.size() + fraction.size()); }
    // '0' on both sides of what is written.
    char digit(int64_t at) const {
        if (at < 0 || at >= size()) return '0';
        const auto i = static_cast<size_t>(at);
        return i < whole.size() ? whole[i] : fraction[i - whole.size()];
    }
    int64_t first_digit() const {
        int64_t at = 0;
        while (at < size() && digit(at) == '0') ++at;
        return at;
    }

  private:
    // Beyond a message's size it makes no difference how much it is.
    static int64_t read_exponent(std::string_view text) {
        constexpr int64_t kFar = int64_t{1} << 40;
        const bool negative = text.starts_with('-');
        if (negative || text.starts_with('+')) text.remove_prefix(1);
        int64_t value = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc() || value > kFar)
            value = kFar;
        return negative ? -value : value;
    }
};

// Writes the digits of the whole number that has `point` of the decimal's digits, without a sign; nothing
// when there are more than `most`.
std::optional<size_t> digits_before(const Decimal& decimal, int64_t point, int64_t most, char* out) {
    const int64_t first = decimal.first_digit();
    if (first == decimal.size() || point <= first) {
        *out = '0';
        return 1;
    }
    if (point - first > most) return std::nullopt;
    for (int64_t at = first; at < point; ++at) *out++ = decimal.digit(at);
    return static_cast<size_t>(point - first);
}

// How many digits more a number of microseconds has.
int64_t shift_of(TimestampUnit unit) {
    switch (unit) {
        case TimestampUnit::Seconds:
            return 6;
        case TimestampUnit::Milliseconds:
            return 3;
        case TimestampUnit::Microseconds:
            return 0;
        case TimestampUnit::Nanoseconds:
            return -3;
    }
    return 0;
}

constexpr auto kBase64 = [] {
    std::array<int8_t, 256> values{};
    values.fill(-1);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
    // The alphabet for URLs, which some producers use.
    values['-'] = 62;
    values['_'] = 63;
    return values;
}();

}  // namespace

JsonUnescaped unescape_json(std::string_view inner, char* out) {
    JsonUnescaped result;
    const auto fail = [&](size_t at, JsonUnescaped::Fault fault) {
        result.bad_at = at;
        result.fault = fault;
        return result;
    };
    char* to = out;
    for (size_t at = 0; at < inner.size();) {
        const size_t escape = std::min(inner.find('\\', at), inner.size());
        std::memcpy(to, inner.data() + at, escape - at);
        to += escape - at;
        at = escape;
        if (at == inner.size()) break;
        if (inner[at + 1] != 'u') {
            *to++ = simple_escape(inner[at + 1]);
            at += 2;
            continue;
        }
        unsigned character = hex_number(inner.substr(at + 2, 4));
        if (character == 0) return fail(at, JsonUnescaped::Fault::Nul);
        if (is_low(character)) return fail(at, JsonUnescaped::Fault::LowSurrogate);
        size_t length = 6;
        if (is_high(character)) {
            const std::string_view rest = inner.substr(at + length);
            const unsigned low = rest.starts_with("\\u") ? hex_number(rest.substr(2, 4)) : 0;
            if (!is_low(low)) return fail(at, JsonUnescaped::Fault::HighSurrogate);
            character = 0x10000 + ((character & 0x3FF) << 10 | (low & 0x3FF));
            length += 6;
        }
        to = put_utf8(character, to);
        at += length;
    }
    result.size = static_cast<size_t>(to - out);
    return result;
}

std::optional<size_t> decode_base64(std::string_view text, char* out) {
    char* to = out;
    uint32_t bits = 0;
    unsigned count = 0, padding = 0;
    for (char c : text) {
        if (c == '\r' || c == '\n') continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const int8_t value = kBase64[static_cast<uint8_t>(c)];
        if (value < 0 || padding > 0) return std::nullopt;
        bits = bits << 6 | static_cast<uint32_t>(value);
        if (++count % 4 == 0) {
            *to++ = static_cast<char>(bits >> 16);
            *to++ = static_cast<char>(bits >> 8);
            *to++ = static_cast<char>(bits);
            bits = 0;
        }
    }
    const unsigned rest = count % 4;
    if (rest == 1 || (padding > 0 && (rest == 0 || padding != 4 - rest))) return std::nullopt;
    if (rest >= 2) *to++ = static_cast<char>(bits >> (rest == 2 ? 4 : 10));
    if (rest == 3) *to++ = static_cast<char>(bits >> 2);
    return static_cast<size_t>(to - out);
}

std::optional<size_t> whole_number(std::string_view number, char* out) {
    const Decimal decimal(number);
    for (int64_t at = std::max<int64_t>(decimal.point, 0); at < decimal.size(); ++at)
        if (decimal.digit(at) != '0') return std::nullopt;
    *out = '-';
    const auto digits =
        digits_before(decimal, decimal.point, kMostWholeDigits - 1, out + (decimal.negative ? 1 : 0));
    if (!digits) return std::nullopt;
    return *digits + (decimal.negative ? 1 : 0);
}

std::optional<int64_t> small_whole_number(std::string_view number) {
    std::array<char, kMostWholeDigits> text;
    const auto size = whole_number(number, text.data());
    int64_t value = 0;
    if (!size || std::from_chars(text.data(), text.data() + *size, value).ec != std::errc())
        return std::nullopt;
    return value;
}

std::optional<int64_t> epoch_us(std::string_view number, TimestampUnit unit) {
    const Decimal decimal(number);
    const int64_t point = decimal.point + shift_of(unit);
    constexpr int64_t kMost = 18;
    std::array<char, kMost> text;
    const auto digits = digits_before(decimal, point, kMost, text.data());
    if (!digits) return std::nullopt;
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + *digits, value);
    if (decimal.digit(point) >= '5') ++value;
    return decimal.negative ? -value : value;
}

}  // namespace sluice
