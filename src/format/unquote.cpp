#include "format/unquote.hpp"

#include "format/byte_scan.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sluice {

namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// -1 for a character that is no hexadecimal digit.
int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

struct Sequence {
    size_t length;
    char byte;
    bool number;
};

// Decodes the sequence at the front of `rest`, which has at least a character after the backslash.
Sequence decode_sequence(std::string_view rest) {
    const char c = rest[1];
    switch (c) {
        case 'b':
            return {2, '\b', false};
        case 'f':
            return {2, '\f', false};
        case 'n':
            return {2, '\n', false};
        case 'r':
            return {2, '\r', false};
        case 't':
            return {2, '\t', false};
        case 'v':
            return {2, '\v', false};
        default:
            break;
    }
    if (is_octal(c)) {
        unsigned value = 0;
        size_t length = 1;
        while (length < std::min<size_t>(rest.size(), 4) && is_octal(rest[length])) {
            value = value * 8 + static_cast<unsigned>(rest[length++] - '0');
        }
        return {length, static_cast<char>(value & 0xFF), true};
    }
    if (c == 'x') {
        unsigned value = 0;
        size_t length = 2;
        while (length < std::min<size_t>(rest.size(), 4) && hex_value(rest[length]) >= 0) {
            value = value * 16 + static_cast<unsigned>(hex_value(rest[length++]));
        }
        if (length > 2) return {length, static_cast<char>(value), true};
    }
    return {2, c, false};
}

}  // namespace

size_t unquote(std::string_view raw, char quote, char escape, char* out) {
    ByteScan scan(raw, quote, escape, escape);
    char* to = out;
    size_t copied = 0;
    bool inside = false;
    for (size_t at = scan.next(); at != raw.size(); at = scan.next()) {
        const char c = raw[at];
        const bool escapes =
            inside && c == escape && at + 1 < raw.size() && (raw[at + 1] == escape || raw[at + 1] == quote);
        if (!escapes && c != quote) continue;
        // Everything before this byte is text; the byte itself is not, but the one that it escapes is.
        std::memcpy(to, raw.data() + copied, at - copied);
        to += at - copied;
        copied = at + 1;
        if (escapes) {
            scan.next();
        } else {
            inside = !inside;
        }
    }
    std::memcpy(to, raw.data() + copied, raw.size() - copied);
    return static_cast<size_t>(to - out) + raw.size() - copied;
}

size_t backslash_sequence_length(std::string_view rest) {
    return rest.size() < 2 ? rest.size() : decode_sequence(rest).length;
}

Unescaped unescape_backslashes(std::string_view raw, char* out) {
    Unescaped result;
    char* to = out;
    while (!raw.empty()) {
        const size_t plain = std::min(raw.find('\\'), raw.size());
        std::memcpy(to, raw.data(), plain);
        to += plain;
        raw.remove_prefix(plain);
        // The caller cuts a backslash off that has nothing after it.
        if (raw.size() < 2) break;
        const Sequence sequence = decode_sequence(raw);
        const auto byte = static_cast<uint8_t>(sequence.byte);
        if (sequence.number && (byte == 0 || byte >= 0x80)) result.needs_check = true;
        *to++ = sequence.byte;
        raw.remove_prefix(sequence.length);
    }
    result.size = static_cast<size_t>(to - out);
    return result;
}

}  // namespace sluice
