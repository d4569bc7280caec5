// A worker's session: who it is, the settings that are pinned, and what it tells of itself.
// Must not know messages.
// Owns nothing; settings hold until the process ends.
#pragma once

#include "job/job_spec.hpp"

#include <string>
#include <vector>

#include "pg/processes.hpp"

namespace sluice {

// Sets what neither the role nor the database may change under a job: isolation, read-write, replication
// role, row security, text forms, time-outs; and what the job's definition says: time zone, date styles,
// commit, memory.
void pin_settings(const JobSpec& spec);

// "sluice: orders [0,2]" in pg_stat_activity.
void show_partitions(const std::string& job, const std::vector<Partition>& partitions);

// Writes this worker's row in sluice.worker_state. Needs a transaction.
void write_worker_state(const WorkerArguments& arguments, const std::vector<Partition>& partitions);

// Memory of this process beyond shared buffers, in bytes.
int64_t private_memory();

}  // namespace sluice
