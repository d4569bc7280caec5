// drop_job, and the event trigger that notices when a job's source or target is dropped under it.
#include <string>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_lock.hpp"
#include "pg/owned_objects.hpp"

extern "C" {
#include "commands/event_trigger.h"
#include "utils/builtins.h"
}

namespace sluice {

namespace {

using spi::Param;

void tell_rejects(const std::string& name, bool kept, int64_t count) {
    if (count == 0) return;
    call([&] {
        if (kept)
            ereport(NOTICE, (errmsg("%lld rejects of job \"%s\" stay in sluice.errors",
                                    static_cast<long long>(count), name.c_str())));
        else
            ereport(NOTICE, (errmsg("%lld rejects of job \"%s\" that were neither replayed nor discarded are "
                                    "dropped with it",
                                    static_cast<long long>(count), name.c_str()),
                             errhint("Use keep_errors => true to keep them in sluice.errors.")));
    });
}

}  // namespace

SLUICE_FUNCTION(sluice_drop_job) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = lock_job_of_caller(arguments.required_text(0, "name"));
    const bool keep_errors = arguments.boolean(1).value_or(false);
    drop_owned_objects(job);
    {
        Bookkeeping bookkeeping;
        const int64_t rejects = spi::run(
                                    "SELECT pg_catalog.count(*) FROM sluice.reject"
                                    " WHERE job_id = $1 AND status IN ('open', 'blocking')",
                                    {Param::int4(job.id.value)})
                                    .integer(0, 0);
        tell_rejects(job.spec.name, keep_errors, rejects);
        for (const char* table : {"job_state", "offsets", "worker_state", "batch_history", "job"})
            spi::run(std::string("DELETE FROM sluice.") + table + " WHERE job_id = $1",
                     {Param::int4(job.id.value)});
        if (keep_errors) {
            for (const char* table : {"reject", "event"})
                spi::run(std::string("UPDATE sluice.") + table +
                             " SET job_name = $2 WHERE job_id = $1 AND job_name <> $2",
                         {Param::int4(job.id.value), Param::text(job.spec.name)});
        } else {
            spi::run("DELETE FROM sluice.reject WHERE job_id = $1", {Param::int4(job.id.value)});
            spi::run("DELETE FROM sluice.event WHERE job_id = $1", {Param::int4(job.id.value)});
        }
    }
    wake_at_commit(job.id);
    PG_RETURN_VOID();
}

// sql_drop: what is known of a server's registry goes with it. A job whose source or target goes is told so
// at once; its worker would find out with the next message.
SLUICE_FUNCTION(sluice_on_drop) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        fail(Error::config("39P03", "sluice.on_drop is an event trigger's function"));
    // DROP EXTENSION takes the tables along.
    if (!OidIsValid(job_table()) || !extension_exists()) PG_RETURN_NULL();
    Bookkeeping bookkeeping;
    spi::run(
        "DELETE FROM sluice.registry_schema s USING pg_catalog.pg_event_trigger_dropped_objects() d"
        " WHERE d.classid = 'pg_catalog.pg_foreign_server'::regclass AND s.server = d.objid");
    const spi::Rows jobs = spi::run(
        "SELECT j.job_id, j.generation, d.object_identity,"
        "       CASE WHEN d.objid = j.source THEN 'source' ELSE 'target' END"
        "  FROM pg_catalog.pg_event_trigger_dropped_objects() d"
        "  JOIN sluice.job j ON d.objid IN (j.source::oid, j.target::oid)"
        " WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0");
    for (size_t i = 0; i < jobs.size(); ++i) {
        const JobId id{static_cast<int32_t>(jobs.integer(i, 0))};
        const std::string what = jobs.text(i, 3) + " " + jobs.text(i, 2) + " was dropped";
        catalog::set_failed(id, jobs.integer(i, 1), Error::config("42P01", what), what);
        wake_at_commit(id);
    }
    PG_RETURN_NULL();
}

}  // namespace sluice
