// What the job's owner may do, against what the job will do.
// Must not look at EXECUTE or at what sub-selects read: the first is checked
// when it runs, the second with expressions. Every missing right becomes a
// problem with the statement that grants it.
#pragma once

#include "pg/resolving.hpp"

namespace sluice {

struct OwnerRights {
    bool inserts_anywhere = false;  // INSERT on the whole target
    bool reads_target = false;      // SELECT on the whole target
};

// Who the owner is, before relations are looked at: may a worker connect as
// this role?
void check_owner(Resolving& resolving);

// Needs source, target and resolved columns.
OwnerRights check_rights(Resolving& resolving);

}  // namespace sluice
