// Finding a job for somebody, and whether they may.
// Must not change anything but take the lock for it.
// Returns values.
#pragma once

#include <optional>
#include <string>

#include "pg/catalog.hpp"

namespace sluice {

// The job of this name, when the current user has the privileges of its owner. Throws 42704 with the nearest
// name for an unknown job, 42501 for somebody else's.
catalog::StoredJob job_of_caller(const std::string& name);

// The same for a change: waits for the batch at hand, and keeps other changes and batches out until the end
// of the transaction.
catalog::StoredJob lock_job_of_caller(const std::string& name);

// Throw when it was dropped.
void check_source_is_there(const catalog::StoredJob& job);
void check_target_is_there(const catalog::StoredJob& job);

// A person wants the job to run: throws when its owner may not log in, tells what will keep it from running.
void check_can_run(const catalog::StoredJob& job);

// Why the current user may not let a job run as this role; nothing when they may.
std::optional<Error> refuse_owner(Oid owner);

// Name of the current user, as `actor` of events and in reasons.
std::string current_role_name();

// Throws 25006 on a standby: jobs are changed on the primary.
void require_primary();

}  // namespace sluice
