// Numbers, amounts with units, and times, read from text and written back.
// Must not know which option a value belongs to.
// Returns values; nothing means the text is not of that form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

enum class Unit { None, Bytes, Milliseconds };

// A whole number; one that does not fit becomes the greatest or the least, so that a range check speaks.
std::optional<int64_t> parse_integer(std::string_view text);

// A number with a unit as PostgreSQL's settings take them: 64MB, 1.5GB, 500ms, 5 min. No unit: bytes,
// milliseconds.
std::optional<int64_t> parse_amount(std::string_view text, Unit unit);

// With the greatest unit that says it exactly: 64MB, 5min.
std::string amount_text(int64_t amount, Unit unit);

// ISO 8601 with a time zone (Z or an offset from UTC): 2026-01-31T13:45:00.250Z, 2026-01-31 13:45+01.
// Returns milliseconds since 1970-01-01 UTC.
std::optional<int64_t> parse_time(std::string_view text);

std::string time_text(int64_t milliseconds);

}  // namespace sluice
