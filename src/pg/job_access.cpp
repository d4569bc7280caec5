#include "base/nearest.hpp"

#include <string_view>
#include <vector>

#include "pg/compat.hpp"
#include "pg/job_access.hpp"
#include "pg/job_lock.hpp"
#include "pg/processes.hpp"
#include "pg/settings.hpp"
#include "pg/system_catalog.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "utils/acl.h"
#include "utils/syscache.h"
}

namespace sluice {

namespace {

Error unknown_job(const std::string& name) {
    // Only names that the caller may see anyway.
    const spi::Rows rows = [] {
        spi::Connection connection;
        return spi::run("SELECT job_name FROM sluice.jobs");
    }();
    std::vector<std::string> names;
    for (size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string near = nearest(name, views);
    return Error::config(
        "42704", "job \"" + name + "\" does not exist", {},
        near.empty() ? "View sluice.jobs lists the jobs." : "Perhaps you meant \"" + near + "\".");
}

// PostgreSQL 17 could let background workers in without it, but who takes LOGIN from a role wants it out.
bool may_log_in(Oid role) {
    return call([&] {
        HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
        if (!HeapTupleIsValid(tuple)) return false;
        const bool can = reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->rolcanlogin;
        ReleaseSysCache(tuple);
        return can;
    });
}

void check_is_there(const catalog::StoredJob& job, Oid relation, const std::string& role) {
    if (call([&] { return get_rel_name(relation); }) != nullptr) return;
    fail(Error::config(
        "42P01", "the " + role + " of job \"" + job.spec.name + "\" was dropped", {},
        "Give it another one with sluice.alter_job(..., " + role + " => ...), or drop the job."));
}

void tell(int level, const char* message, const char* hint) {
    call([&] { ereport(level, (errmsg_internal("%s", message), errhint("%s", hint))); });
}

}  // namespace

catalog::StoredJob job_of_caller(const std::string& name) {
    const auto job = catalog::find_job(name);
    if (!job) fail(unknown_job(name));
    if (!call([&] { return has_privs_of_role(GetUserId(), job->owner); }))
        fail(Error::config("42501", "permission denied for job \"" + name + "\"", {},
                           "Only its owner, members of that role and superusers may do this."));
    return *job;
}

catalog::StoredJob lock_job_of_caller(const std::string& name) {
    const catalog::StoredJob job = job_of_caller(name);
    lock_job_for_change(job_table(), job.id);
    // Somebody else may have changed it meanwhile.
    return job_of_caller(name);
}

void check_source_is_there(const catalog::StoredJob& job) { check_is_there(job, job.source, "source"); }

void check_target_is_there(const catalog::StoredJob& job) { check_is_there(job, job.target, "target"); }

void check_can_run(const catalog::StoredJob& job) {
    if (!may_log_in(job.owner)) {
        const std::string owner = quoted_name(call([&] { return GetUserNameFromId(job.owner, false); }));
        fail(Error::config(
            "42501", "the owner of job \"" + job.spec.name + "\" may not log in",
            "A job's workers connect as its owner.",
            "ALTER ROLE " + owner + " LOGIN, or give the job another owner with sluice.alter_job."));
    }
    const std::string database = call([] { return get_database_name(MyDatabaseId); });
    if (!settings::enabled)
        tell(WARNING, "sluice.enabled is off on this server, the job waits until it is on",
             "Set it in postgresql.conf and reload the server.");
    else if (!database_is_enabled(database.c_str()))
        tell(WARNING, "this database is not in sluice.databases, the job waits until it is",
             "Set it in postgresql.conf and reload the server.");
    else if (!is_preloaded())
        tell(NOTICE, "the job will not come back by itself after a restart of the server",
             "Add sluice to shared_preload_libraries and restart the server once.");
}

std::optional<Error> refuse_owner(Oid owner) {
    if (call([&] { return compat::may_become(GetUserId(), owner); })) return std::nullopt;
    const std::string role = call([&] { return GetUserNameFromId(owner, false); });
    return Error::config("42501", "role \"" + current_role_name() + "\" is not a member of role \"" + role +
                                      "\", as which the job would run");
}

std::string current_role_name() {
    const char* name = call([] { return GetUserNameFromId(GetUserId(), true); });
    return name ? name : "unknown";
}

void require_primary() {
    if (!call([] { return RecoveryInProgress(); })) return;
    fail(Error::config("25006", "this server is a standby",
                       "Jobs run on the primary, and start here after promotion.",
                       "Connect to the primary."));
}

}  // namespace sluice
