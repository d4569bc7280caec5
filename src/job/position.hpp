// Where a job starts or stops, and how many errors it bears: read from text and written back.
// Must not know what the floors above make of a position.
// Returns values; errors own their text.
#pragma once

#include "base/result.hpp"
#include "job/job_spec.hpp"

#include <string>
#include <string_view>

namespace sluice {

// `subject` names the place for errors, such as `job option "start"`.
// earliest, latest, group, a time, or offsets by partition: {"0": 123}.
Result<Position> parse_start(std::string_view subject, std::string_view text);

// never, latest, a time, or offsets by partition.
Result<Position> parse_stop(std::string_view subject, std::string_view text);

// The text that reads as the same position.
std::string position_text(const Position& position);

// A count, a share such as 5%, or unlimited.
Result<ErrorLimit> parse_error_limit(std::string_view subject, std::string_view text);

std::string error_limit_text(const ErrorLimit& limit);

// In words, for the table of options.
inline constexpr std::string_view kStartForms =
    "earliest, latest, group, a time with time zone, or offsets as {\"0\": 123}";
inline constexpr std::string_view kStopForms =
    "never, latest, a time with time zone, or offsets as {\"0\": 123}";
inline constexpr std::string_view kErrorLimitForms =
    "a count from 0 to 1000000000, a percentage such as 5%, or unlimited";

}  // namespace sluice
