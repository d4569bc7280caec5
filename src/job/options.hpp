// The options of a job: their names, meaning, ranges and defaults, read from text and written back.
// Must not know whether the text comes from SQL or YAML, nor what an option makes the job do.
// The table is a constant; errors own their text.
#pragma once

#include "base/result.hpp"
#include "job/job_spec.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

struct OptionInfo {
    std::string_view name;
    std::string_view what;
    std::string_view unit;           // "messages", "bytes", "ms"; empty when the value has none
    std::string range;               // in words: "1 to 64", "error or ignore"
    std::string_view default_value;  // as set_option takes it
};

// All job options, in the order in which the manual shows them.
std::span<const OptionInfo> job_options();

// Sets one option from its text. Names in any case; the error names the range, or the options there are.
Result<void> set_option(JobOptions& options, std::string_view name, std::string_view value);

// Sets one option back to its default.
Result<void> reset_option(JobOptions& options, std::string_view name);

// The text that set_option turns into the same value; `name` is one of job_options().
std::string option_text(const JobOptions& options, std::string_view name);

// Names and texts of the options that differ from `base`, in the order of job_options().
std::vector<std::pair<std::string, std::string>> changed_options(const JobOptions& options,
                                                                 const JobOptions& base = {});

}  // namespace sluice
