#include <memory>

#include "pg/airlock.hpp"
#include "pg/batch_reader.hpp"
#include "pg/fdw_scan.hpp"
#include "pg/source.hpp"
#include "pg/topic_scan.hpp"

extern "C" {
#include "commands/defrem.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "nodes/execnodes.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
}

namespace sluice {

namespace {

struct ScanState {
    BatchReader* batch = nullptr;  // bound when the scan began
    uint64_t batch_scan = 0;
    std::unique_ptr<TopicScan> topic;  // otherwise
};

ScanState* state_of(ForeignScanState* node) { return static_cast<ScanState*>(node->fdw_state); }

// Whose privileges and user mapping count: those of a view's owner inside the view.
Oid scanning_user(ForeignScanState* node) {
    const auto* plan = reinterpret_cast<ForeignScan*>(node->ss.ps.plan);
#if PG_VERSION_NUM >= 160000
    const Oid user = plan->checkAsUser;
#else
    const Oid user = exec_rt_fetch(plan->scan.scanrelid, node->ss.ps.state)->checkAsUser;
#endif
    return OidIsValid(user) ? user : GetUserId();
}

void begin_scan(ForeignScanState* node, int flags) {
    if (flags & EXEC_FLAG_EXPLAIN_ONLY) return;
    airlock::enter([&] {
        const Relation relation = node->ss.ss_currentRelation;
        const Oid table = RelationGetRelid(relation);
        auto state = std::make_unique<ScanState>();
        state->batch = bound_reader(table);
        if (state->batch)
            state->batch_scan = state->batch->begin_scan(RelationGetDescr(relation));
        else
            state->topic = std::make_unique<TopicScan>(table, load_source(table, scanning_user(node)),
                                                       RelationGetDescr(relation));
        node->fdw_state = adopt(node->ss.ps.state->es_query_cxt, state.get());
        (void)state.release();
    });
}

TupleTableSlot* next_row(ForeignScanState* node) {
    TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    ScanState* state = state_of(node);
    if (state->topic) {
        state->topic->next(slot);
        return slot;
    }
    if (!state->batch->is_last_scan(state->batch_scan))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("a statement of a job cannot read its source \"%s\" twice",
                               RelationGetRelationName(node->ss.ss_currentRelation)),
                        errhint("Take the source out of the sub-selects of mapping and conditions.")));
    state->batch->next(slot);
    return slot;
}

void rescan(ForeignScanState* node) {
    ScanState* state = state_of(node);
    if (state == nullptr) return;
    airlock::enter([&] {
        if (state->topic)
            state->topic->restart();
        else
            state->batch_scan = state->batch->begin_scan(RelationGetDescr(node->ss.ss_currentRelation));
    });
}

// The consumer is closed here rather than with the query's memory, which a portal may keep for long.
void end_scan(ForeignScanState* node) {
    if (ScanState* state = state_of(node)) airlock::enter([&] { state->topic.reset(); });
}

void explain_scan(ForeignScanState* node, ExplainState* explain) {
    const Oid table = RelationGetRelid(node->ss.ss_currentRelation);
    if (bound_reader(table)) {
        ExplainPropertyText("Source", "batch of the job", explain);
        return;
    }
    ListCell* cell;
    foreach (cell, GetForeignTable(table)->options) {
        auto* option = static_cast<DefElem*>(lfirst(cell));
        if (strcmp(option->defname, "topic") == 0)
            ExplainPropertyText("Kafka Topic", defGetString(option), explain);
    }
}

}  // namespace

void set_scan_callbacks(FdwRoutine* routine) {
    routine->BeginForeignScan = begin_scan;
    routine->IterateForeignScan = next_row;
    routine->ReScanForeignScan = rescan;
    routine->EndForeignScan = end_scan;
    routine->ExplainForeignScan = explain_scan;
}

}  // namespace sluice
