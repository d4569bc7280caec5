// What the job's owner may do, against what the job will do; a missing right is a problem with its GRANT.
// Must not look at EXECUTE, which is checked when it runs, nor at what sub-selects read (see expression.hpp).
// Plain values.
#pragma once

#include "pg/resolving.hpp"

namespace sluice {

struct OwnerRights {
    bool inserts_anywhere = false;  // INSERT on the whole target
    bool reads_target = false;      // SELECT on the whole target
    bool reads_updates = false;     // SELECT on the update columns
};

// Who the owner is, before relations are looked at: may a worker connect as this role?
void check_owner(Resolving& resolving);

// Needs source, target and resolved columns.
OwnerRights check_rights(Resolving& resolving);

}  // namespace sluice
