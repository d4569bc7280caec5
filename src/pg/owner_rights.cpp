#include "pg/owner_rights.hpp"

#include <string>
#include <vector>

#include "pg/system_catalog.hpp"

namespace sluice {

namespace {

class Rights {
  public:
    explicit Rights(Resolving& resolving)
        : r_(resolving), job_(resolving.job()), source_(*resolving.source), target_(*resolving.target) {}

    OwnerRights check() {
        check_source();
        check_superuser();
        const OwnerRights rights = check_target();
        check_sequences();
        return rights;
    }

  private:
    spi::Param owner() const { return spi::Param::oid(job_.owner); }

    void lacking(const std::string& right, const std::string& object, const std::string& kind = {}) {
        r_.problem("42501", "role " + r_.owner_name + " lacks " + right + " on " + object, {},
                   "GRANT " + right + " ON " + kind + object + " TO " + r_.owner_name + ";");
    }

    void check_source() {
        const spi::Rows row = query_catalog(
            "SELECT has_server_privilege($1, $2, 'USAGE'), has_table_privilege($1, $3, 'SELECT')",
            {owner(), spi::Param::oid(source_.server), spi::Param::oid(source_.relation)});
        if (!row.boolean(0, 0)) lacking("USAGE", quoted_name(source_.server_name), "FOREIGN SERVER ");
        if (!row.boolean(0, 1)) lacking("SELECT", source_.name);
    }

    // Triggers, defaults and checks of another role's table would run with a superuser's rights.
    void check_superuser() {
        const spi::Rows row = query_catalog("SELECT rolsuper FROM pg_roles WHERE oid = $1", {owner()});
        if (row.empty() || !row.boolean(0, 0) || target_.not_of_superuser.empty()) return;
        r_.problem("42501",
                   "a superuser's job cannot write " + target_.not_of_superuser +
                       ", which does not belong to a superuser",
                   "The table's owner could make it run anything, by a trigger for example.",
                   "Let the table's owner, or another ordinary role, be the job's owner.");
    }

    OwnerRights check_target() {
        const spi::Param target = spi::Param::oid(target_.relation);
        const spi::Rows whole = query_catalog(
            "SELECT has_table_privilege($1, $2, 'INSERT'), has_table_privilege($1, $2, 'SELECT'),"
            "       has_table_privilege($1, $2, 'DELETE'),"
            "       has_table_privilege($1, $2, 'UPDATE, DELETE, TRUNCATE')",
            {owner(), target});
        const spi::Rows columns = query_catalog(
            "SELECT a.attnum, has_column_privilege($1, $2, a.attnum, 'INSERT'),"
            "       has_column_privilege($1, $2, a.attnum, 'UPDATE'),"
            "       has_column_privilege($1, $2, a.attnum, 'SELECT')"
            "  FROM pg_attribute a WHERE a.attrelid = $2 AND a.attnum > 0 AND NOT a.attisdropped",
            {owner(), target});
        auto may = [&](AttrNumber attnum, size_t privilege) {
            for (size_t i = 0; i < columns.size(); ++i)
                if (columns.integer(i, 0) == attnum) return columns.boolean(i, privilege);
            return false;
        };
        constexpr size_t kInsert = 1, kUpdate = 2, kSelect = 3;
        const Mode mode = r_.spec.mode;
        bool insert = true, update = true, select = true, reads_updates = true;
        for (const MappedTarget& column : job_.columns) {
            if (column.attnum == 0) continue;
            if (mode != Mode::Update) insert &= may(column.attnum, kInsert);
            if (column.is_update) update &= may(column.attnum, kUpdate);
            if (column.is_update) reads_updates &= may(column.attnum, kSelect);
            if (column.is_match || column.is_order) select &= may(column.attnum, kSelect);
        }
        if (!insert) lacking("INSERT", target_.name);
        if (!update)
            lacking("UPDATE", target_.name);
        else if (job_.lock_target && !whole.boolean(0, 3))
            lacking("UPDATE", target_.name);
        if (!select) lacking("SELECT", target_.name);
        if (job_.deletes && !whole.boolean(0, 2)) lacking("DELETE", target_.name);
        return {whole.boolean(0, 0), whole.boolean(0, 1), reads_updates};
    }

    // Identity columns need no right on their sequence; serial columns do.
    void check_sequences() {
        if (r_.spec.mode == Mode::Update) return;
        const spi::Rows rows = query_catalog(
            "SELECT DISTINCT a.adnum, format('%I.%I', n.nspname, c.relname)"
            "  FROM pg_attrdef a JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
            "  JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid"
            "  JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE a.adrelid = $2"
            "   AND CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege($1, c.oid, 'USAGE, UPDATE') END"
            " ORDER BY 1, 2",
            {owner(), spi::Param::oid(target_.relation)});
        for (size_t i = 0; i < rows.size(); ++i) {
            bool mapped = false;
            for (const MappedTarget& column : job_.columns) mapped |= column.attnum == rows.integer(i, 0);
            if (!mapped) lacking("USAGE", rows.text(i, 1), "SEQUENCE ");
        }
    }

    Resolving& r_;
    ResolvedJob& job_;
    const SourceFacts& source_;
    const TargetFacts& target_;
};

}  // namespace

void check_owner(Resolving& resolving) {
    const spi::Rows row = query_catalog(
        "SELECT rolcanlogin, has_database_privilege(oid, current_database(), 'CONNECT'), current_database()"
        "  FROM pg_roles WHERE oid = $1",
        {spi::Param::oid(resolving.job().owner)});
    if (!row.boolean(0, 0))
        resolving.problem("42501", "role " + resolving.owner_name + " may not log in",
                          "A job's workers connect as its owner.",
                          "ALTER ROLE " + resolving.owner_name + " LOGIN;");
    if (!row.boolean(0, 1)) {
        const std::string database = quoted_name(row.text(0, 2));
        resolving.problem("42501",
                          "role " + resolving.owner_name + " may not connect to database " + database,
                          "A job's workers connect as its owner.",
                          "GRANT CONNECT ON DATABASE " + database + " TO " + resolving.owner_name + ";");
    }
}

OwnerRights check_rights(Resolving& resolving) { return Rights(resolving).check(); }

}  // namespace sluice
