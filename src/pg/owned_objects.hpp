// What YAML has made for a job: it changes hands with it and goes with it.
// Must not know how it was made.
// The objects belong to the catalog; everything runs with the rights of the current user.
#pragma once

#include "pg/catalog.hpp"

namespace sluice {

// Lets the job's new owner own them.
void hand_on_owned_objects(const catalog::StoredJob& job, Oid new_owner);

// The job has another source now: they stay and are nobody's, which a NOTICE says.
void let_go_of_owned_objects(const catalog::StoredJob& job);

// A server that others use stays, with a NOTICE.
void drop_owned_objects(const catalog::StoredJob& job);

}  // namespace sluice
