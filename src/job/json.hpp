// A job as JSON, the form in which it is stored (sluice.job.definition), and the JSON arguments of
// create_job. Must not know who stores it. Only options that differ from their defaults are written. Returns
// copies.
#pragma once

#include "base/result.hpp"
#include "job/job_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// The version of the stored form; a reader refuses every other one.
inline constexpr int kSpecVersion = 1;

std::string to_json(const JobSpec& job);

Result<JobSpec> job_from_json(std::string_view text);

// An object {"column": "expression", …}, or an array of {"name": …, "expression": …}.
Result<std::vector<MappedColumn>> mapping_from_json(std::string_view text);

// An object {"option": value, …}; null sets an option back to its default.
Result<void> options_from_json(JobOptions& options, std::string_view text);

}  // namespace sluice
