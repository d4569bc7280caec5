// From a resolved job to the plain structs that the statement texts are built from.
// Must not build text itself, nor run anything.
// Returns values.
#pragma once

#include "job/statement.hpp"

#include "pg/resolved_job.hpp"

namespace sluice {

// With the values as the map query yields them.
MapShape map_shape(const ResolvedJob& job);
// With the expressions as an INSERT assigns them.
MapShape assignment_shape(const ResolvedJob& job);
ApplyShape apply_shape(const ResolvedJob& job);

}  // namespace sluice
