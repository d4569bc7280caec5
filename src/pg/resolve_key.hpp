// Which index and which operators decide that an event and a stored row have the same key.
// Must not choose statements; says only whether an index can serve them. Needs resolved columns.
// Fills in ResolvedJob: match, order, unique_index, conflict_target, has_probing_index, lock_target.
#pragma once

#include <vector>

#include "pg/resolving.hpp"
#include "pg/target_index.hpp"

namespace sluice {

void resolve_key(Resolving& resolving, const std::vector<TargetIndex>& indexes);

}  // namespace sluice
