// The heavyweight locks of jobs, and waking who holds them.
// Must not know what a job does. All are object locks on (sluice.job, job_id, sub), so pg_locks shows them.
// Session locks end with the process; transaction locks with the transaction.
#pragma once

#include "base/types.hpp"

#include "pg/airlock.hpp"

namespace sluice {

// Oid of table sluice.job; InvalidOid when the extension is not installed. Needs a transaction.
Oid job_table();

// Held by a batch in its transaction: whatever changes the job waits for the batch, and the other way round.
void lock_job_for_batch(Oid table, JobId job);
// Held by alter, set_offsets, skip_offset and drop until the end of the transaction.
void lock_job_for_change(Oid table, JobId job);

// Held by a worker as long as it lives; false when another worker holds it.
bool try_lock_worker(Oid table, JobId job, int worker_no);
// Held by a database's manager as long as it lives; false when another manager holds it.
bool try_lock_manager(Oid table);
void unlock_manager(Oid table);

// Sets the latches of the manager and of the job's workers when this transaction commits, so that they look
// at the catalog again; when no manager is there one is asked for. Nothing happens when it rolls back.
void wake_at_commit(JobId job);
// Wakes the manager of this database at once, when there is one. Needs a transaction.
void wake_manager_now(Oid table);
// True when a manager holds its lock. Needs a transaction.
bool manager_is_running(Oid table);

}  // namespace sluice
