// Where PostgreSQL 15 to 18 differ: one spelling for each call whose shape has changed.
// Must not do anything of its own.
// Owns nothing; plain C, to be called inside `call`.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "commands/explain.h"
#include "executor/executor.h"
#include "parser/analyze.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
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

// True when `member` could SET ROLE to `role`: since PostgreSQL 16 not every member can.
inline bool may_become(Oid member, Oid role) {
#if PG_VERSION_NUM >= 160000
    return member_can_set_role(member, role);
#else
    return is_member_of_role(member, role);
#endif
}

inline void round_timestamp(Timestamp* timestamp, int32 typmod) {
#if PG_VERSION_NUM >= 160000
    AdjustTimestampForTypmod(timestamp, typmod, nullptr);
#else
    AdjustTimestampForTypmod(timestamp, typmod);
#endif
}

inline List* split_qualified_name(const char* name) {
#if PG_VERSION_NUM >= 160000
    return stringToQualifiedNameList(name, nullptr);
#else
    return stringToQualifiedNameList(name);
#endif
}

// Lives until it is freed.
inline WaitEventSet* create_wait_event_set(int events) {
#if PG_VERSION_NUM >= 170000
    return CreateWaitEventSet(nullptr, events);
#else
    return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

}  // namespace sluice::compat
