// What the catalog says of a job's target: columns, defaults, constraints, triggers, partitions.
// Must not know the job: what follows from the facts is decided elsewhere.
// Plain values.
#pragma once

#include "base/result.hpp"

#include <set>
#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

// What an INSERT that does not name the column puts there. COPY treats a bare nextval like a constant, and so
// do we.
enum class DefaultKind { None, Plain, Sequence, Volatile };

struct TargetColumn {
    AttrNumber attnum = 0;
    std::string name;
    Oid type = InvalidOid;  // as declared
    int32 typmod = -1;
    Oid base_type = InvalidOid;  // below domains
    int32 base_typmod = -1;
    Oid collation = InvalidOid;
    std::string type_name;
    bool not_null = false;  // here or in a partition
    bool constrained_domain = false;
    bool generated = false;
    std::set<std::string> generated_from;
    bool identity = false;
    bool identity_always = false;
    DefaultKind default_kind = DefaultKind::None;
};

struct TargetCheck {
    std::string name;
    std::set<std::string> columns;  // "" stands for the whole row
};

struct TargetFacts {
    Oid relation = InvalidOid;
    std::string name;  // qualified and quoted
    bool partitioned = false;
    bool has_children = false;  // by inheritance
    bool unlogged = false;
    bool row_security = false;  // applies to the current user
    bool has_rules = false;
    bool has_deferrable_unique = false;
    std::vector<TargetColumn> columns;
    std::vector<TargetCheck> checks;  // of the table and of its partitions

    // The name of one that is such, of the table and its partitions; empty when there is none.
    std::string not_heap;
    std::string foreign_partition;
    std::string not_of_superuser;
    std::string before_insert_trigger;  // BEFORE or INSTEAD OF, for each row
    std::string transition_trigger;     // wants the table of inserted rows
    std::string distributing_extension;

    const TargetColumn* find(const std::string& column) const;
};

// The Error says why the relation cannot be a target.
Result<TargetFacts> find_target(const std::string& name);

}  // namespace sluice
