#include <algorithm>
#include <cstdio>

#include "pg/bookkeeping.hpp"
#include "pg/worker_session.hpp"

#include <unistd.h>

extern "C" {
#include "utils/backend_status.h"
}

namespace sluice {

namespace {

// A target that stays locked for this long is retried later: waiting for ever would hold the job's other
// locks.
constexpr const char* kLockTimeout = "30s";

void set(const char* name, const std::string& value) {
    call([&] { SetConfigOption(name, value.c_str(), PGC_SUSET, PGC_S_SESSION); });
}

}  // namespace

void pin_settings(const JobSpec& spec) {
    set("search_path", "pg_catalog, pg_temp");
    set("default_transaction_isolation", "read committed");
    set("default_transaction_read_only", "off");
    set("default_transaction_deferrable", "off");
    set("session_replication_role", "origin");
    set("row_security", "on");
    set("bytea_output", "hex");
    set("extra_float_digits", "1");
    set("statement_timeout", "0");
    set("idle_in_transaction_session_timeout", "0");
    set("lock_timeout", kLockTimeout);
    set("synchronous_commit", spec.options.synchronous_commit);
    // Sorting and keeping a batch's rows shares the job's memory with the queue and the batch itself.
    set("work_mem", std::to_string(std::max<int64_t>(spec.options.memory / 4 / 1024, 4096)) + "kB");
    for (const auto& [name, value] : spec.settings) set(name.c_str(), value);
}

void show_partitions(const std::string& job, const std::vector<Partition>& partitions) {
    std::string text = "sluice: " + job + " [";
    for (size_t i = 0; i < partitions.size(); ++i)
        text += (i ? "," : "") + std::to_string(partitions[i].value);
    text += "]";
    if (text.size() > NAMEDATALEN - 1) text = text.substr(0, NAMEDATALEN - 5) + "...]";
    call([&] {
        SetConfigOption("application_name", text.c_str(), PGC_USERSET, PGC_S_SESSION);
        pgstat_report_appname(text.c_str());
    });
}

int64_t private_memory() {
    long size = 0;
    long resident = 0;
    long shared = 0;
    FILE* file = fopen("/proc/self/statm", "re");
    if (file == nullptr) return 0;
    const int read = fscanf(file, "%ld %ld %ld", &size, &resident, &shared);
    fclose(file);
    return read == 3 ? static_cast<int64_t>(resident - shared) * sysconf(_SC_PAGESIZE) : 0;
}

void write_worker_state(const WorkerArguments& arguments, const std::vector<Partition>& partitions) {
    using spi::Param;
    Bookkeeping bookkeeping;
    std::vector<int32_t> numbers;
    for (const Partition p : partitions) numbers.push_back(p.value);
    spi::run(
        "INSERT INTO sluice.worker_state AS w (job_id, worker_no, pid, partitions, started_at, memory_bytes)"
        " VALUES ($1, $2, $3, $4, pg_catalog.now(), $5) ON CONFLICT (job_id, worker_no) DO UPDATE SET"
        "  started_at = CASE WHEN w.pid = excluded.pid THEN w.started_at ELSE excluded.started_at END,"
        "  pid = excluded.pid, partitions = excluded.partitions, memory_bytes = excluded.memory_bytes",
        {Param::int4(arguments.job.value), Param::int4(arguments.worker_no), Param::int4(MyProcPid),
         Param::int4_array(numbers), Param::int8(private_memory())});
}

}  // namespace sluice
