// Where PostgreSQL 15 to 18 differ: one spelling for each call whose shape has changed.
// Must not do anything of its own.
// Owns nothing; plain C, to be called inside `call`.
#pragma once

#include "pg/airlock.hpp"

extern "C" {
#include "commands/explain.h"
#include "executor/executor.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
}

namespace sluice::compat {

inline void init_range_table(EState* estate, PlannedStmt* planned) {
#if PG_VERSION_NUM >= 180000
    ExecInitRangeTable(estate, planned->rtable, planned->permInfos, planned->unprunableRelids);
#elif PG_VERSION_NUM >= 160000
    ExecInitRangeTable(estate, planned->rtable, planned->permInfos);
#else
    ExecInitRangeTable(estate, planned->rtable);
#endif
}

inline List* insert_index_tuples(ResultRelInfo* relation, TupleTableSlot* slot, EState* estate) {
#if PG_VERSION_NUM >= 160000
    return ExecInsertIndexTuples(relation, slot, estate, false, false, nullptr, NIL, false);
#else
    return ExecInsertIndexTuples(relation, slot, estate, false, false, nullptr, NIL);
#endif
}

inline TupleTableSlot* to_partition(ResultRelInfo* leaf, TupleTableSlot* slot,
                                    [[maybe_unused]] EState* estate) {
#if PG_VERSION_NUM >= 160000
    TupleConversionMap* map = ExecGetRootToChildMap(leaf, estate);
#else
    TupleConversionMap* map = leaf->ri_RootToPartitionMap;
#endif
    if (map == nullptr) return slot;
    return execute_attr_map_slot(map->attrMap, slot, leaf->ri_PartitionTupleSlot);
}

inline void run_to_end(QueryDesc* query) {
#if PG_VERSION_NUM >= 180000
    ExecutorRun(query, ForwardScanDirection, 0);
#else
    ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

inline void explain_plan(PlannedStmt* planned, ExplainState* state, const char* sql,
                         QueryEnvironment* environment) {
#if PG_VERSION_NUM >= 170000
    ExplainOnePlan(planned, nullptr, state, sql, nullptr, environment, nullptr, nullptr, nullptr);
#else
    ExplainOnePlan(planned, nullptr, state, sql, nullptr, environment, nullptr, nullptr);
#endif
}

}  // namespace sluice::compat
