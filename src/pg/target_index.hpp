// The indexes of a target: which one decides that two rows have the same key, and with which operators.
// Must not know what is written: it sees column numbers.
// Plain values.
#pragma once

#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

struct IndexKey {
    AttrNumber attnum = 0;  // 0: an expression
    Oid family = InvalidOid;
    Oid operand = InvalidOid;  // the type that the operator class is for
    Oid collation = InvalidOid;
    Oid operator_class = InvalidOid;
};

struct TargetIndex {
    Oid relation = InvalidOid;
    std::string name;
    bool btree = false;
    bool hash = false;
    bool unique = false;
    bool primary = false;
    bool immediate = false;
    bool valid = false;
    bool partial = false;
    std::vector<IndexKey> keys;  // INCLUDE columns are none

    // True when its keys are these columns, in any order, and nothing else.
    bool is_on(const std::vector<AttrNumber>& columns) const;
    // A unique index that always decides at once; otherwise why not, in words.
    std::string defect() const;
};

std::vector<TargetIndex> load_indexes(Oid relation);

// How two values of a column are compared; what SQL text needs is qualified.
struct Comparison {
    Oid equal_operator = InvalidOid;
    Oid less_operator = InvalidOid;
    std::string equal;
    std::string less;
    std::string greater;
};

// By a btree operator family, for the class's type.
Comparison comparison_of(Oid family, Oid operand);

// By the type's default btree class; without one, equal_operator is InvalidOid.
Comparison default_comparison(Oid type);

// "pg_catalog.\"C\"", "public.citext_ops"
std::string collation_name(Oid collation);
std::string operator_class_name(Oid operator_class);

}  // namespace sluice
