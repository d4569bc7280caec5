// start_job, stop_job, pause_job, resume_job, restart_job, stop_all_jobs: they record a wish and return at
// once.
#include <string>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_lock.hpp"
#include "pg/processes.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "utils/acl.h"
#include "utils/builtins.h"
}

namespace sluice {

namespace {

using spi::Param;

void wish(const catalog::StoredJob& job, const char* wanted, const std::string& verb) {
    const std::string actor = current_role_name();
    const std::string reason = verb + " by " + actor;
    const bool run = std::string_view(wanted) == "running";
    {
        Bookkeeping bookkeeping;
        spi::run("INSERT INTO sluice.job_state (job_id) VALUES ($1) ON CONFLICT DO NOTHING",
                 {Param::int4(job.id.value)});
        spi::run(
            "UPDATE sluice.job_state SET wanted = $2, reason = $3, changed_at = pg_catalog.now(),"
            "  next_retry_at = NULL, retry_count = 0"
            " WHERE job_id = $1",
            {Param::int4(job.id.value), Param::text(wanted), Param::text(reason)});
        if (run) {
            spi::run(
                "UPDATE sluice.job_state SET failed = false, finished = false, unproven_starts = 0, "
                "stop_position = NULL,"
                "  budget_since = pg_catalog.now() WHERE job_id = $1",
                {Param::int4(job.id.value)});
            spi::run(
                "UPDATE sluice.offsets SET stop_offset = NULL WHERE job_id = $1 AND stop_offset IS NOT NULL",
                {Param::int4(job.id.value)});
        }
    }
    catalog::record_event(job.id, catalog::Level::Info, verb, reason, actor);
    wake_at_commit(job.id);
}

// The state with an ERROR or FINISHED behind it is not running, whatever was wished.
bool runs(const catalog::StoredJob& job) { return job.wanted == "running" && !job.failed && !job.finished; }

void start(const catalog::StoredJob& job, const std::string& verb) {
    if (runs(job)) return;
    check_can_run(job);
    wish(job, "running", verb);
}

void stop(const catalog::StoredJob& job) {
    if (job.wanted == "stopped" && !job.failed && !job.finished) return;
    wish(job, "stopped", "stopped");
    Bookkeeping bookkeeping;
    spi::run("UPDATE sluice.job_state SET failed = false, finished = false WHERE job_id = $1",
             {Param::int4(job.id.value)});
}

catalog::StoredJob job_argument(FunctionCallInfo fcinfo) {
    require_primary();
    return job_of_caller(Arguments(fcinfo).required_text(0, "name"));
}

}  // namespace

SLUICE_FUNCTION(sluice_start_job) {
    start(job_argument(fcinfo), "started");
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_resume_job) {
    start(job_argument(fcinfo), "resumed");
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_stop_job) {
    stop(job_argument(fcinfo));
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_pause_job) {
    const catalog::StoredJob job = job_argument(fcinfo);
    if (job.wanted == "paused") PG_RETURN_VOID();
    if (!runs(job))
        fail(Error::config("55000", "job \"" + job.spec.name + "\" is not running", {},
                           "Only a running job can be paused; see sluice.job_status."));
    wish(job, "paused", "paused");
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_restart_job) {
    require_primary();
    const catalog::StoredJob job = lock_job_of_caller(Arguments(fcinfo).required_text(0, "name"));
    check_can_run(job);
    {
        Bookkeeping bookkeeping;
        spi::run("UPDATE sluice.job SET generation = generation + 1 WHERE job_id = $1",
                 {Param::int4(job.id.value)});
    }
    wish(job, "running", "restarted");
    PG_RETURN_VOID();
}

// For the view job_status: SQL cannot read the list of databases as the server does.
SLUICE_FUNCTION(sluice_why_jobs_wait) {
    if (!settings::enabled) PG_RETURN_TEXT_P(call([] { return cstring_to_text("sluice.enabled is off"); }));
    const std::string database = call([] { return get_database_name(MyDatabaseId); });
    if (database_is_enabled(database.c_str())) PG_RETURN_NULL();
    PG_RETURN_TEXT_P(call([] { return cstring_to_text("this database is not in sluice.databases"); }));
}

// Returns how many jobs of the caller it stopped.
SLUICE_FUNCTION(sluice_stop_all_jobs) {
    require_primary();
    const spi::Rows rows = [] {
        Bookkeeping bookkeeping;
        return spi::run(
            "SELECT j.job_id, j.owner::pg_catalog.oid FROM sluice.job j JOIN sluice.job_state s USING "
            "(job_id)"
            " WHERE s.wanted <> 'stopped' ORDER BY j.job_id");
    }();
    int32 stopped = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        const auto owner = static_cast<Oid>(rows.integer(i, 1));
        if (!call([&] { return has_privs_of_role(GetUserId(), owner); })) continue;
        const auto job = catalog::read_job(JobId{static_cast<int32_t>(rows.integer(i, 0))});
        if (!job) continue;
        stop(*job);
        ++stopped;
    }
    PG_RETURN_INT32(stopped);
}

}  // namespace sluice
