// Which column of the target gets what, and which columns match, are updated and order.
// Must not choose statements or gears. Needs source and target.
// Fills in ResolvedJob: columns, tombstone and what follows from them.
#pragma once

#include <vector>

#include "pg/resolving.hpp"
#include "pg/target_index.hpp"

namespace sluice {

void resolve_columns(Resolving& resolving, const std::vector<TargetIndex>& indexes);

}  // namespace sluice
