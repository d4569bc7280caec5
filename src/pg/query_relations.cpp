#include "pg/query_relations.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "rewrite/rewriteHandler.h"
}

namespace sluice {

namespace {

bool visit(Node* node, void* found);

// The walkers of PostgreSQL 15 declare their callback without parameters.
using Callback = bool (*)();
Callback callback() { return reinterpret_cast<Callback>(reinterpret_cast<void (*)()>(visit)); }

bool visit(Node* node, void* found) {
    if (node == nullptr) return false;
    if (IsA(node, RangeTblEntry)) {
        auto* entry = reinterpret_cast<RangeTblEntry*>(node);
        auto* relations = static_cast<List**>(found);
        if (entry->rtekind == RTE_RELATION) *relations = list_append_unique_oid(*relations, entry->relid);
        return false;
    }
    if (IsA(node, Query))
        return query_tree_walker(reinterpret_cast<Query*>(node), callback(), found, QTW_EXAMINE_RTES_BEFORE);
    return expression_tree_walker(node, callback(), found);
}

}  // namespace

QueryRelations relations_of(Node* expr) {
    List* found = NIL;
    visit(expr, &found);
    QueryRelations result = {list_copy(found), NIL};
    // The list grows while views are looked into.
    for (int i = 0; i < list_length(found); ++i) {
        const Oid relation = list_nth_oid(found, i);
        if (get_rel_relkind(relation) != RELKIND_VIEW) continue;
        Relation view = table_open(relation, AccessShareLock);
        visit(reinterpret_cast<Node*>(get_view_query(view)), &found);
        table_close(view, NoLock);
    }
    result.reachable = found;
    return result;
}

}  // namespace sluice
