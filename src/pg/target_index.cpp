#include "pg/target_index.hpp"

#include <algorithm>

#include "pg/system_catalog.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_operator.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace sluice {

namespace {

std::string operator_text(Oid op) {
    return call([&] {
        HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
        if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator %u", op);
        const auto* form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
        const char* text =
            psprintf("OPERATOR(%s.%s)", ::quote_identifier(get_namespace_name(form->oprnamespace)),
                     NameStr(form->oprname));
        ReleaseSysCache(tuple);
        return text;
    });
}

}  // namespace

bool TargetIndex::is_on(const std::vector<AttrNumber>& columns) const {
    auto has = [&](AttrNumber attnum) {
        return std::any_of(keys.begin(), keys.end(),
                           [&](const IndexKey& key) { return key.attnum == attnum; });
    };
    return keys.size() == columns.size() && std::all_of(columns.begin(), columns.end(), has);
}

std::string TargetIndex::defect() const {
    if (!valid) return "invalid";
    if (partial) return "partial";
    if (!immediate) return "deferrable";
    return {};
}

std::vector<TargetIndex> load_indexes(Oid relation) {
    const spi::Rows rows = query_catalog(
        "SELECT i.indexrelid, c.relname, am.amname, i.indisunique, i.indisprimary, i.indimmediate,"
        "       i.indisvalid AND i.indisready AND i.indislive, i.indpred IS NOT NULL,"
        "       k.attnum, o.opcfamily, o.opcintype, k.coll, k.opclass"
        "  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam"
        "  CROSS JOIN unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[])"
        "             WITH ORDINALITY k(attnum, opclass, coll, n)"
        "  LEFT JOIN pg_opclass o ON o.oid = k.opclass"
        " WHERE i.indrelid = $1 AND k.n <= i.indnkeyatts"
        " ORDER BY i.indisprimary DESC, i.indexrelid, k.n",
        {spi::Param::oid(relation)});
    std::vector<TargetIndex> indexes;
    for (size_t i = 0; i < rows.size(); ++i) {
        const Oid oid = static_cast<Oid>(rows.integer(i, 0));
        if (indexes.empty() || indexes.back().relation != oid) {
            TargetIndex index;
            index.relation = oid;
            index.name = rows.text(i, 1);
            index.btree = rows.text(i, 2) == "btree";
            index.hash = rows.text(i, 2) == "hash";
            index.unique = rows.boolean(i, 3);
            index.primary = rows.boolean(i, 4);
            index.immediate = rows.boolean(i, 5);
            index.valid = rows.boolean(i, 6);
            index.partial = rows.boolean(i, 7);
            indexes.push_back(std::move(index));
        }
        IndexKey key;
        key.attnum = static_cast<AttrNumber>(rows.integer(i, 8));
        key.family = static_cast<Oid>(rows.integer(i, 9));
        key.operand = static_cast<Oid>(rows.integer(i, 10));
        key.collation = static_cast<Oid>(rows.integer(i, 11));
        key.operator_class = static_cast<Oid>(rows.integer(i, 12));
        indexes.back().keys.push_back(key);
    }
    return indexes;
}

Comparison comparison_of(Oid family, Oid operand) {
    auto member = [&](int16 strategy) {
        return call([&] { return get_opfamily_member(family, operand, operand, strategy); });
    };
    Comparison result;
    result.equal_operator = member(BTEqualStrategyNumber);
    result.less_operator = member(BTLessStrategyNumber);
    const Oid greater = member(BTGreaterStrategyNumber);
    if (!OidIsValid(result.equal_operator) || !OidIsValid(result.less_operator) || !OidIsValid(greater))
        return {};
    result.equal = operator_text(result.equal_operator);
    result.less = operator_text(result.less_operator);
    result.greater = operator_text(greater);
    return result;
}

Comparison default_comparison(Oid type) {
    struct {
        Oid family, operand;
        bool comparable;
    } found = call([&] {
        const TypeCacheEntry* entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_LT_OPR);
        // Arrays, rows and ranges have the class even when their elements have none.
        return decltype(found){entry->btree_opf, entry->btree_opintype, OidIsValid(entry->lt_opr)};
    });
    return found.comparable ? comparison_of(found.family, found.operand) : Comparison{};
}

std::string collation_name(Oid collation) {
    return query_catalog(
               "SELECT format('%I.%I', n.nspname, c.collname)"
               "  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = $1",
               {spi::Param::oid(collation)})
        .text(0, 0);
}

std::string operator_class_name(Oid operator_class) {
    return query_catalog(
               "SELECT format('%I.%I', n.nspname, c.opcname)"
               "  FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace WHERE c.oid = $1",
               {spi::Param::oid(operator_class)})
        .text(0, 0);
}

}  // namespace sluice
