// The background processes: supervisor → manager per database → workers, and how they are started.
// Must not know what a worker does with messages.
// PostgreSQL owns the processes; main functions end by leaving the process.
#pragma once

#include "base/types.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace sluice {

// What a manager hands to a worker; fits into bgw_extra.
struct WorkerArguments {
    JobId job;
    int32_t worker_no;
    int32_t worker_count;
    Oid database;
    Oid owner;
    int64_t generation;
};
static_assert(sizeof(WorkerArguments) <= BGW_EXTRALEN);

// How a manager's run ended; the supervisor reads it from a DSM segment that both map.
enum class ManagerOutcome : uint32_t {
    Died = 0,      // left no word: start it again
    Done = 1,      // nothing is wanted, or the extension or the database is gone
    Disabled = 2,  // sluice.enabled is off, or the database is not in sluice.databases
};

// Called once by _PG_init under shared_preload_libraries: shared memory and the static supervisor.
void register_supervisor();

// Asks for a manager of this database: wakes the supervisor, or starts a dynamic one when sluice is not
// preloaded. Does not raise, so that it may run in a commit callback.
void request_manager();

// True when the library was preloaded, so that jobs come back after a server restart.
bool is_preloaded();

// Whether jobs of this database may run by sluice.enabled and sluice.databases.
bool database_is_enabled(const char* database);

// The partitions that worker `worker_no` of `worker_count` reads.
inline bool partition_belongs_to(Partition partition, int worker_no, int worker_count) {
    return partition.value % worker_count == worker_no;
}

// Fills in what all our background workers share.
BackgroundWorker describe_process(const char* main_function, const char* type);

}  // namespace sluice

extern "C" {
SLUICE_EXPORT void sluice_supervisor_main(Datum database);
SLUICE_EXPORT void sluice_manager_main(Datum outcome_segment);
SLUICE_EXPORT void sluice_worker_main(Datum unused);
}
