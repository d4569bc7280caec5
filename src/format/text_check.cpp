#include "format/text_check.hpp"

#include "format/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sluice {

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

// Words in which the highest bit of some byte tells of a NUL or of a byte beyond ASCII.
uint64_t not_plain(uint64_t word) {
    constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
    return ((word - kOnes) | word) & kHighs;
}

// ASCII without NUL, as nearly all text is: one pass without a call, for which messages are too short.
bool is_plain(std::string_view text) {
    const char* data = text.data();
    size_t size = text.size();
    uint64_t found = 0;
    if (size >= sizeof found) {
        uint64_t word;
        for (; size > sizeof word; data += sizeof word, size -= sizeof word) {
            std::memcpy(&word, data, sizeof word);
            found |= not_plain(word);
        }
        std::memcpy(&word, data + size - sizeof word, sizeof word);
        return (found | not_plain(word)) == 0;
    }
    for (const char c : text) found |= not_plain(static_cast<uint8_t>(c)) & 0x80;
    return found == 0;
}

// The bytes that make the fault visible: as many as the first one announces, stopping at the end of the text.
std::string hex_bytes(std::string_view text) {
    const uint8_t lead = static_cast<uint8_t>(text.front());
    const size_t announced = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (char c : text.substr(0, announced)) {
        const uint8_t byte = static_cast<uint8_t>(c);
        hex += hex.empty() ? "0x" : " 0x";
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

Error fault(std::string_view text, TextCheck check, const std::string& where_text, const std::string& column,
            size_t offset) {
    const size_t nul = text.find('\0');
    const size_t invalid = check == TextCheck::Utf8 ? valid_utf8_prefix(text) : text.size();
    Error error;
    if (nul < invalid) {
        error = Error::data(
            "22021",
            "column \"" + column + "\" contains a NUL byte at byte " + std::to_string(offset + nul) +
                where_text,
            {}, "PostgreSQL's text types cannot hold NUL; format \"binary\" can carry any bytes.");
    } else {
        error =
            Error::data("22021",
                        "column \"" + column + "\" is not valid UTF-8: " + hex_bytes(text.substr(invalid)) +
                            " at byte " + std::to_string(offset + invalid) + where_text,
                        {}, "Produce the text in UTF-8; format \"binary\" can carry any bytes.");
    }
    error.column_name = column;
    return error;
}

}  // namespace

bool clean_text(std::string_view text, TextCheck check) {
    if (is_plain(text)) return true;
    if (std::memchr(text.data(), '\0', text.size()) != nullptr) return false;
    return check == TextCheck::NulOnly || valid_utf8(text);
}

bool json_safe_text(std::string_view text, TextCheck check) {
    return clean_text(text, TextCheck::Utf8) && (check == TextCheck::Utf8 || is_ascii(text));
}

Error text_fault(std::string_view text, TextCheck check, size_t offset, Origin part,
                 const std::string& column) {
    return fault(text, check, " of the " + std::string(part_name(part)), column, offset);
}

Error escaped_text_fault(std::string_view text, TextCheck check, const std::string& column) {
    return fault(text, check, " of the column, after its escapes are decoded", column, 0);
}

}  // namespace sluice
