// A job against the catalog of today: names resolved, operators and ways chosen, all problems found.
// Must not run the job nor touch a broker; it reads the catalog, and needs a transaction.
// Plain values: OIDs in memory only, valid until a relation they name is invalidated.
#pragma once

#include "job/job_spec.hpp"
#include "job/source_spec.hpp"

#include <string>
#include <vector>

#include "pg/absent_values.hpp"
#include "pg/airlock.hpp"

namespace sluice {

// A column that the map query yields for the target, or for ordering only.
//
// INSERT converts a value by assignment: it raises where an explicit cast would cut (varchar(n), char(n),
// bit(n), varbit(n)). Events are compared after conversion, so the map query must convert alike; SQL has no
// syntax for that, but the length functions can be called with "explicit" false: `value` is then
// pg_catalog."varchar"(expression, 9, false), and a plain cast for every type whose cast and assignment are
// the same (numeric, timestamp, …).
//
// `expression` and `value` mean what they say only under search_path "pg_catalog, pg_temp" (PinnedPath): what
// lies in pg_catalog is not qualified, and another schema might have a closer match.
struct MappedTarget {
    std::string name;  // of the target's column, or of the source's for an order column that is not stored
    AttrNumber attnum = 0;  // in the target; 0: not stored there
    Oid type = InvalidOid;  // base type (below domains)
    int32 typmod = -1;
    Oid collation = InvalidOid;
    std::string expression;  // qualified SQL over the source (alias s), not yet cast: what gear 1 assigns
    std::string value;       // of `type`, length applied as an assignment would: what the map query selects
    std::vector<AttrNumber> source_columns;  // that the expression reads, sorted
    // An event may leave the column as it is, because it does not tell what the expression reads.
    bool may_be_absent = false;
    bool is_plain = false;  // `value` is a column of the source, as it is
    bool is_match = false;
    bool is_update = false;
    bool is_order = false;
};

// The operators that decide equality and order of one column: of the deciding index's operator family, else
// of the type's default btree class.
struct ColumnOrder {
    int column = 0;       // index into ResolvedJob::columns
    std::string equal;    // "OPERATOR(pg_catalog.=)"
    std::string less;     // "OPERATOR(pg_catalog.<)"
    std::string greater;  // "OPERATOR(pg_catalog.>)"
    std::string collate;  // " COLLATE ...", to append to an operand when index and column differ in it
    Oid equal_operator = InvalidOid;
    Oid less_operator = InvalidOid;
    Oid collation = InvalidOid;
};

enum class Gear { Direct, Statement };
// How gear 2 writes an upsert.
enum class UpsertWay { OnConflict, UpdateThenInsert };

struct ResolvedJob {
    // As it is to be stored: relations by qualified name, every expression with its qualified text. What the
    // person left to a default stays so; the defaults of today are in the fields below.
    JobSpec spec;
    Oid owner = InvalidOid;
    Oid source = InvalidOid;
    Oid target = InvalidOid;
    std::string source_name;  // qualified and quoted
    std::string target_name;
    std::vector<MappedTarget> columns;  // match, update, insert-only and order columns, in mapping order
    std::vector<ColumnOrder> match;     // empty in insert mode
    std::vector<ColumnOrder> order;
    std::vector<AttrNumber> source_columns_used;  // in mapping, filter, conditions; sorted
    AbsentRules absent;
    bool has_insert_only_columns = false;
    bool overriding_system_value = false;  // a GENERATED ALWAYS AS IDENTITY column is mapped
    bool expressions_volatile = false;
    bool target_is_partitioned = false;
    Oid unique_index = InvalidOid;  // usable and on exactly the match columns
    // For ON CONFLICT: "(id, name)", with collation and class where there are several such indexes.
    std::string conflict_target;
    // RETURNING (xmax = 0) works: the target is not partitioned, and the owner may read all of it.
    bool inserted_is_known = false;
    bool deletes = false;            // a delete condition or a tombstone may delete rows
    bool has_probing_index = false;  // some index can serve equality on the match columns
    bool lock_target = false;        // merge without a usable unique index: SHARE ROW EXCLUSIVE per batch
    UpsertWay upsert = UpsertWay::OnConflict;
    std::string upsert_reason;  // for explain_job, what follows "because"
    Gear gear = Gear::Statement;
    std::string gear_reason;
    bool source_has_value_columns = true;
    Tombstone tombstone = Tombstone::Ignore;
    // No order column comes from the value, so that a tombstone can be stale.
    bool tombstone_has_order = false;
    bool ties_are_stale = false;  // an event must be newer than the stored row: for replays
};

struct Notice {
    int level;  // NOTICE or WARNING
    std::string message;
    std::string detail;
    std::string hint;
};

struct Resolution {
    ResolvedJob job;              // complete when there are no problems
    std::vector<Error> problems;  // all of them, Config kind, with hints
    std::vector<Notice> notices;
};

// Whose eyes the expressions are read with: at definition those of the caller's search_path, later they are
// qualified and only checked again.
enum class Expressions { Analyse, Qualified };

// Resolves a job for its owner. What can be seen in the job alone is left to check_job, which comes first.
// Never raises for a problem of the definition; throws only what is not about it, such as a cancel request.
Resolution resolve_job(const JobSpec& spec, Oid owner, Expressions expressions);

// One Error that tells all problems: the first as message when it is alone, else a count with a line each in
// DETAIL.
Error combine(const std::vector<Error>& problems);

}  // namespace sluice
