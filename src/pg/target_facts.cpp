#include "pg/target_facts.hpp"

#include <string_view>

#include "pg/relation_lookup.hpp"
#include "pg/system_catalog.hpp"

extern "C" {
#include "nodes/bitmapset.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/typcache.h"
}

namespace sluice {

namespace {

// The table and, when it is partitioned, everything below it.
constexpr std::string_view kTree =
    "WITH tree AS (SELECT $1 AS relation UNION SELECT relid FROM pg_partition_tree($1)) ";

spi::Rows query_tree(std::string_view sql, Oid relation) {
    return query_catalog(std::string(kTree) + std::string(sql), {spi::Param::oid(relation)});
}

// Why it is no target, and what to do.
std::optional<Error> check_kind(const std::string& name, const spi::Rows& row) {
    const std::string kind = row.text(0, 0), persistence = row.text(0, 1), schema = row.text(0, 2);
    auto refuse = [&](const std::string& what, const std::string& hint) {
        return Error::config("42809", "target " + name + " is " + what, {}, hint);
    };
    if (persistence == "t")
        return refuse("a temporary table", "A job runs in a session of its own, which does not have it.");
    if (schema == "sluice") return refuse("one of sluice's own relations", "Name a table of yours.");
    if (schema == "information_schema" || schema.starts_with("pg_"))
        return refuse("a system relation", "Name a table of yours.");
    if (kind == "r" || kind == "p") return std::nullopt;
    if (kind == "v") return refuse("a view", "Name the table behind it.");
    if (kind == "m")
        return refuse("a materialized view", "Name a table; a materialized view can be built on it.");
    if (kind == "f")
        return refuse(
            "a foreign table",
            "Name a table of this database: only that can be written in one transaction with the offsets.");
    if (kind == "S") return refuse("a sequence", "Name a table.");
    if (kind == "i" || kind == "I") return refuse("an index", "Name its table.");
    return refuse("not a table", "Name a table.");
}

struct DefaultExpression {
    DefaultKind kind;
    Bitmapset* columns;  // of a generated column, offset as pull_varattnos does
};

DefaultExpression default_of(Oid relation, AttrNumber attnum) {
    Relation rel = table_open(relation, AccessShareLock);
    Node* expr = build_column_default(rel, attnum);
    DefaultExpression result = {DefaultKind::None, nullptr};
    const bool is_null = expr == nullptr || (IsA(expr, Const) && castNode(Const, expr)->constisnull);
    if (!is_null) {
        if (contain_volatile_functions_not_nextval(expr))
            result.kind = DefaultKind::Volatile;
        else if (contain_volatile_functions(expr))
            result.kind = DefaultKind::Sequence;
        else
            result.kind = DefaultKind::Plain;
        if (TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated != '\0')
            pull_varattnos(expr, 1, &result.columns);
    }
    table_close(rel, NoLock);
    return result;
}

std::set<std::string> column_names(Oid relation, const Bitmapset* columns) {
    std::set<std::string> names;
    for (int bit = -1; (bit = bms_next_member(columns, bit)) >= 0;) {
        const auto attnum = static_cast<AttrNumber>(bit + FirstLowInvalidHeapAttributeNumber);
        names.insert(attnum == 0 ? std::string()
                                 : call([&] { return get_attname(relation, attnum, false); }));
    }
    return names;
}

void load_columns(TargetFacts& facts) {
    const spi::Rows rows = query_tree(
        "SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,"
        "       format_type(a.atttypid, a.atttypmod),"
        "       EXISTS (SELECT FROM tree JOIN pg_attribute l ON l.attrelid = tree.relation"
        "                WHERE l.attname = a.attname AND l.attnotnull AND NOT l.attisdropped),"
        "       a.attgenerated <> '', a.attidentity <> '', a.attidentity = 'a'"
        "  FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        facts.relation);
    for (size_t i = 0; i < rows.size(); ++i) {
        TargetColumn column;
        column.attnum = static_cast<AttrNumber>(rows.integer(i, 0));
        column.name = rows.text(i, 1);
        column.type = static_cast<Oid>(rows.integer(i, 2));
        column.typmod = column.base_typmod = static_cast<int32>(rows.integer(i, 3));
        column.collation = static_cast<Oid>(rows.integer(i, 4));
        column.type_name = rows.text(i, 5);
        column.not_null = rows.boolean(i, 6);
        column.generated = rows.boolean(i, 7);
        column.identity = rows.boolean(i, 8);
        column.identity_always = rows.boolean(i, 9);
        column.base_type = call([&] { return getBaseTypeAndTypmod(column.type, &column.base_typmod); });
        column.constrained_domain =
            column.base_type != column.type && call([&] { return DomainHasConstraints(column.type); });
        const DefaultExpression expression = call([&] { return default_of(facts.relation, column.attnum); });
        column.default_kind = expression.kind;
        column.generated_from = column_names(facts.relation, expression.columns);
        facts.columns.push_back(std::move(column));
    }
}

void load_checks(TargetFacts& facts) {
    const spi::Rows rows = query_tree(
        "SELECT c.oid, c.conname, COALESCE(a.attname, '')"
        "  FROM tree JOIN pg_constraint c ON c.conrelid = tree.relation CROSS JOIN unnest(c.conkey) k"
        "  LEFT JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k"
        " WHERE c.contype = 'c' ORDER BY c.oid",
        facts.relation);
    std::string last;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (rows.text(i, 0) != last) facts.checks.push_back({rows.text(i, 1), {}});
        last = rows.text(i, 0);
        facts.checks.back().columns.insert(rows.text(i, 2));
    }
}

void load_tree(TargetFacts& facts) {
    const spi::Rows rows = query_tree(
        "SELECT format('%I.%I', n.nspname, c.relname), c.relkind, COALESCE(am.amname, ''), c.relpersistence,"
        "       COALESCE(r.rolsuper, false)"
        "  FROM tree JOIN pg_class c ON c.oid = tree.relation JOIN pg_namespace n ON n.oid = c.relnamespace"
        "  LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_roles r ON r.oid = c.relowner ORDER BY 1",
        facts.relation);
    for (size_t i = 0; i < rows.size(); ++i) {
        const std::string name = rows.text(i, 0), kind = rows.text(i, 1);
        if (kind == "f") facts.foreign_partition = name;
        if (kind == "r" && rows.text(i, 2) != "heap") facts.not_heap = name;
        if (rows.text(i, 3) == "u") facts.unlogged = true;
        if (!rows.boolean(i, 4)) facts.not_of_superuser = name;
    }
}

void load_triggers(TargetFacts& facts) {
    // tgtype: 1 for each row, 2 before, 4 insert, 64 instead of. Those for replicas only do not fire.
    const spi::Rows rows = query_tree(
        "SELECT t.tgname, t.tgtype & 5 = 5 AND t.tgtype & 66 <> 0,"
        "       t.tgtype & 4 = 4 AND t.tgnewtable IS NOT NULL"
        "  FROM tree JOIN pg_trigger t ON t.tgrelid = tree.relation"
        " WHERE t.tgenabled IN ('O', 'A') ORDER BY 1",
        facts.relation);
    for (size_t i = 0; i < rows.size(); ++i) {
        if (rows.boolean(i, 1)) facts.before_insert_trigger = rows.text(i, 0);
        if (rows.boolean(i, 2)) facts.transition_trigger = rows.text(i, 0);
    }
}

// Extensions that spread a table over other tables or servers do so in the planner, which gear 1 goes around.
std::string distributing_extension(Oid relation) {
    struct Known {
        const char *extension, *registry, *question;
    };
    constexpr Known kKnown[] = {
        {"citus", "pg_catalog.pg_dist_partition",
         "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1)"},
        {"timescaledb", "_timescaledb_catalog.hypertable",
         "SELECT EXISTS (SELECT FROM _timescaledb_catalog.hypertable h"
         "                 JOIN pg_class c ON c.relname = h.table_name"
         "                 JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = h.schema_name"
         "                WHERE c.oid = $1)"},
    };
    for (const Known& known : kKnown) {
        const spi::Rows there = query_catalog("SELECT to_regclass($1) IS NOT NULL",
                                              {spi::Param::text(std::string_view(known.registry))});
        if (!there.boolean(0, 0)) continue;
        if (query_catalog(known.question, {spi::Param::oid(relation)}).boolean(0, 0)) return known.extension;
    }
    return {};
}

}  // namespace

const TargetColumn* TargetFacts::find(const std::string& column) const {
    for (const TargetColumn& candidate : columns)
        if (candidate.name == column) return &candidate;
    return nullptr;
}

Result<TargetFacts> find_target(const std::string& name) {
    auto relation = find_relation("target", name, "rp");
    if (!relation) return relation.error();

    TargetFacts facts;
    facts.relation = relation.value();
    facts.name = qualified_name(facts.relation);
    const spi::Rows row = query_catalog(
        "SELECT c.relkind, c.relpersistence, n.nspname, row_security_active(c.oid),"
        "       c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid),"
        "       EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND ev_type <> '1'),"
        "       EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND NOT indimmediate)"
        "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
        {spi::Param::oid(facts.relation)});
    if (auto error = check_kind(facts.name, row)) return std::move(*error);
    facts.partitioned = row.text(0, 0) == "p";
    facts.row_security = row.boolean(0, 3);
    facts.has_children = row.boolean(0, 4);
    facts.has_rules = row.boolean(0, 5);
    facts.has_deferrable_unique = row.boolean(0, 6);
    load_columns(facts);
    load_checks(facts);
    load_tree(facts);
    load_triggers(facts);
    facts.distributing_extension = distributing_extension(facts.relation);
    return facts;
}

}  // namespace sluice
