#include "pg/owned_objects.hpp"

#include <string>

#include "pg/system_catalog.hpp"
#include "pg/user_mapping.hpp"

namespace sluice {

namespace {

using spi::Param;

// Quoted names; empty for what was not made for the job, or is gone.
struct Owned {
    std::string table;
    std::string server;
    std::string server_name;  // without quotes
    bool server_is_shared = false;
    bool has_mapping = false;  // of the job's owner
};

Owned owned_by(JobId job) {
    Bookkeeping bookkeeping;
    // The server may have been renamed, or the table dropped.
    const spi::Rows row = spi::run(
        "SELECT CASE WHEN j.owned_source AND c.oid IS NOT NULL THEN pg_catalog.format('%I.%I', n.nspname, "
        "c.relname) END,"
        "       pg_catalog.quote_ident(s.srvname), s.srvname,"
        "       EXISTS (SELECT FROM pg_catalog.pg_foreign_table o WHERE o.ftserver = s.oid AND o.ftrelid <> "
        "j.source),"
        "       EXISTS (SELECT FROM pg_catalog.pg_user_mappings m WHERE m.srvid = s.oid AND m.umuser = "
        "j.owner)"
        "  FROM sluice.job j LEFT JOIN pg_catalog.pg_class c ON c.oid = j.source"
        "  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        "  LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = j.source"
        "  LEFT JOIN pg_catalog.pg_foreign_server s ON j.owned_server IS NOT NULL"
        "        AND CASE WHEN f.ftserver IS NULL THEN s.srvname = j.owned_server ELSE s.oid = f.ftserver END"
        " WHERE j.job_id = $1",
        {Param::int4(job.value)});
    return {row.text(0, 0), row.text(0, 1), row.text(0, 2), row.boolean(0, 3), row.boolean(0, 4)};
}

void forget(JobId job) {
    Bookkeeping bookkeeping;
    spi::run("UPDATE sluice.job SET owned_source = false, owned_server = NULL WHERE job_id = $1",
             {Param::int4(job.value)});
}

std::string role_name(Oid role) {
    return quoted_name(call([&] { return GetUserNameFromId(role, false); }));
}

void execute(const std::string& sql) {
    spi::Connection connection;
    spi::run(sql);
}

}  // namespace

void hand_on_owned_objects(const catalog::StoredJob& job, Oid new_owner) {
    const Owned owned = owned_by(job.id);
    const std::string heir = role_name(new_owner);
    if (!owned.server.empty()) {
        call([&] { copy_user_mapping(owned.server_name.c_str(), job.owner, new_owner); });
        if (owned.has_mapping)
            execute("DROP USER MAPPING FOR " + role_name(job.owner) + " SERVER " + owned.server);
        execute("ALTER SERVER " + owned.server + " OWNER TO " + heir);
    }
    if (!owned.table.empty()) execute("ALTER FOREIGN TABLE " + owned.table + " OWNER TO " + heir);
}

void let_go_of_owned_objects(const catalog::StoredJob& job) {
    const Owned owned = owned_by(job.id);
    forget(job.id);
    if (owned.table.empty()) return;
    const std::string drop = "DROP FOREIGN TABLE " + owned.table + ";" +
                             (owned.server.empty() ? "" : " DROP SERVER " + owned.server + " CASCADE;");
    call([&] {
        ereport(NOTICE, (errmsg("foreign table %s was made for job \"%s\" and stays", owned.table.c_str(),
                                job.spec.name.c_str()),
                         errhint("When nobody uses it: %s", drop.c_str())));
    });
}

void drop_owned_objects(const catalog::StoredJob& job) {
    const Owned owned = owned_by(job.id);
    // The event trigger must not take this for an accident.
    {
        Bookkeeping bookkeeping;
        spi::run(
            "UPDATE sluice.job SET owned_source = false, owned_server = NULL, source = 0::oid::regclass"
            " WHERE job_id = $1 AND owned_source",
            {Param::int4(job.id.value)});
    }
    if (!owned.table.empty()) execute("DROP FOREIGN TABLE " + owned.table);
    if (owned.server.empty()) return;
    if (owned.server_is_shared) {
        call([&] {
            ereport(
                NOTICE,
                (errmsg("server %s was made for job \"%s\" and stays, because other foreign tables use it",
                        owned.server.c_str(), job.spec.name.c_str())));
        });
        return;
    }
    if (owned.has_mapping)
        execute("DROP USER MAPPING FOR " + role_name(job.owner) + " SERVER " + owned.server);
    execute("DROP SERVER " + owned.server + " CASCADE");  // with the user mappings of others
}

}  // namespace sluice
