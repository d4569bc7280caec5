// Whether the definition of a relation that the job uses may have changed.
// Must not know what is done then. One source and one target a process: a worker has one job.
#pragma once

#include "pg/airlock.hpp"

namespace sluice {

// From now on, and forgets what was seen before.
void watch_relations(Oid source, Oid target);

// PostgreSQL has sent an invalidation since, as far as this process has looked: it does when it takes a lock.
bool source_has_changed();
bool target_has_changed();
void forget_target_change();

// Locks the target for writing, and keeps what was resolved before a change from being written after it:
// throws a Failure (Transient) when it has changed.
void lock_unchanged_target(Oid target);

}  // namespace sluice
