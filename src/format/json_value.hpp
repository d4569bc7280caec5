// Turns one JSON scalar into a cell: escapes, base64, whole numbers, times counted from 1970.
// Must not know where the scalar stands.
// Text is written to memory of the caller.
#pragma once

#include "format/format_spec.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

struct JsonUnescaped {
    size_t size = 0;
    size_t bad_at = 0;  // the escape sequence that is at fault
    enum class Fault { None, Nul, HighSurrogate, LowSurrogate } fault = Fault::None;
};

// Writes the text of a string whose escape sequences are well formed to `out`, which has room for
// inner.size() bytes. What PostgreSQL's jsonb refuses is refused: \u0000 and surrogates that are no pair.
JsonUnescaped unescape_json(std::string_view inner, char* out);

// How many bytes `out` must have room for.
constexpr size_t base64_room(size_t size) { return size / 4 * 3 + 3; }
// Nothing when it is not base64. Padding may be left out; line ends may stand between.
std::optional<size_t> decode_base64(std::string_view text, char* out);

constexpr int64_t kMostWholeDigits = 21;  // with the sign
// Writes a number that is whole though it has a fraction or an exponent, such as 1e2 or 100.00, in digits.
// Nothing when it is not whole or has too many of them.
std::optional<size_t> whole_number(std::string_view number, char* out);

// The whole number itself; nothing when it is not whole or does not fit.
std::optional<int64_t> small_whole_number(std::string_view number);

// Microseconds, rounded to the nearest; nothing when they do not fit into 64 bits.
std::optional<int64_t> epoch_us(std::string_view number, TimestampUnit unit);

}  // namespace sluice
