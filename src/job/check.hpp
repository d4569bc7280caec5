// What is wrong with a job that can be seen in the job alone: parts that contradict each other or have no
// meaning. Must not know the catalog: whether tables and columns exist is found out on the floors above.
// Problems own their text.
#pragma once

#include "base/result.hpp"
#include "job/job_spec.hpp"

#include <string_view>
#include <vector>

namespace sluice {

struct Problem {
    std::string_view field;  // as create_job calls it (match_columns, filter, …), or the name of a job option
    Error error;
};

// All problems; empty when there are none.
std::vector<Problem> check_job(const JobSpec& job);

}  // namespace sluice
