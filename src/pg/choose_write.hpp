// How the rows get into the target: gear, and in merge mode the statement for upserts, each with its reason.
// Must not write. Needs resolved columns and key.
// Fills in ResolvedJob: upsert, upsert_reason, gear, gear_reason, inserted_is_known.
#pragma once

#include "pg/owner_rights.hpp"
#include "pg/resolving.hpp"

namespace sluice {

void choose_write(Resolving& resolving, const OwnerRights& rights);

}  // namespace sluice
