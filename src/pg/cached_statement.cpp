#include "pg/cached_statement.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "parser/parser.h"
#include "tcop/utility.h"
#include "utils/resowner.h"
}

namespace sluice {

namespace {

void switch_off(const char* setting) {
    set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// Nodes above the scan must not hold rows back, so that it stands at the row that is inserted.
TupleTableSlot* row_that_is_read(PlanState* insert) {
    PlanState* below = outerPlanState(insert);
    for (;;) {
        if (below == nullptr) elog(ERROR, "the plan of an insert does not read its rows one by one");
        switch (nodeTag(below)) {
            case T_NamedTuplestoreScanState:
                return reinterpret_cast<NamedTuplestoreScanState*>(below)->ss.ss_ScanTupleSlot;
            case T_SubqueryScanState:
                below = reinterpret_cast<SubqueryScanState*>(below)->subplan;
                break;
            case T_ResultState:
                below = outerPlanState(below);
                break;
            default:
                below = nullptr;
        }
    }
}

}  // namespace

CachedStatement::CachedStatement(std::string sql, Joins joins) : sql_(std::move(sql)), joins_(joins) {}

CachedStatement::~CachedStatement() {
    if (source_ != nullptr) DropCachedPlan(source_);
}

void CachedStatement::prepare(QueryEnvironment* environment) {
    auto* raw = linitial_node(RawStmt, raw_parser(sql_.c_str(), RAW_PARSE_DEFAULT));
    CachedPlanSource* source = CreateCachedPlan(raw, sql_.c_str(), CreateCommandTag(raw->stmt));
    List* queries = pg_analyze_and_rewrite_fixedparams(raw, sql_.c_str(), nullptr, 0, environment);
    CompleteCachedPlan(source, queries, nullptr, nullptr, 0, nullptr, nullptr, 0, false);
    SaveCachedPlan(source);
    source_ = source;
}

CachedStatement::Lease CachedStatement::acquire(QueryEnvironment* environment) {
    if (source_ == nullptr) prepare(environment);
    // The settings are for the planner alone: triggers that run later must not see them.
    const int level = NewGUCNestLevel();
    switch_off("jit");  // it would compile anew for every batch
    if (joins_ == Joins::ReadOnce) switch_off("enable_nestloop");
    if (joins_ == Joins::ProbeIndex) {
        switch_off("enable_hashjoin");
        switch_off("enable_mergejoin");
        switch_off("enable_seqscan");
    }
    CachedPlan* plan = GetCachedPlan(source_, nullptr, CurrentResourceOwner, environment);
    AtEOXact_GUC(true, level);
    auto* planned = plan->stmt_list == NIL ? nullptr : linitial_node(PlannedStmt, plan->stmt_list);
    if (list_length(plan->stmt_list) != 1 || planned->commandType == CMD_UTILITY)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("cannot write to a table that has rules"),
                        errhint("Use triggers instead of rules.")));
    return {plan, planned};
}

void CachedStatement::give_back(Lease lease) { ReleaseCachedPlan(lease.plan, CurrentResourceOwner); }

void CachedStatement::execute(PlannedStmt* planned, DestReceiver* receiver, QueryEnvironment* environment,
                              TupleTableSlot** read) {
    PushActiveSnapshot(GetTransactionSnapshot());
    QueryDesc* query = CreateQueryDesc(planned, sql_.c_str(), GetActiveSnapshot(), InvalidSnapshot, receiver,
                                       nullptr, environment, 0);
    ExecutorStart(query, 0);
    if (read != nullptr) *read = row_that_is_read(query->planstate);
    compat::run_to_end(query);
    ExecutorFinish(query);
    ExecutorEnd(query);
    FreeQueryDesc(query);
    PopActiveSnapshot();
}

void CachedStatement::run(DestReceiver* receiver, QueryEnvironment* environment) {
    call([&] {
        const Lease lease = acquire(environment);
        execute(lease.planned, receiver, environment);
        give_back(lease);
        CommandCounterIncrement();
    });
}

void CachedStatement::run_insert(InsertReceiver& receiver, QueryEnvironment* environment) {
    call([&] {
        const Lease lease = acquire(environment);
        execute(lease.planned, &receiver.base, environment, &receiver.read);
        give_back(lease);
        CommandCounterIncrement();
    });
}

std::string CachedStatement::explain(QueryEnvironment* environment) {
    const StringInfo plan = call([&] {
        const Lease lease = acquire(environment);
        ExplainState* state = NewExplainState();
        state->costs = false;
        ExplainBeginOutput(state);
        compat::explain_plan(lease.planned, state, sql_.c_str(), environment);
        ExplainEndOutput(state);
        give_back(lease);
        return state->str;
    });
    std::string text = sql_ + "\n";
    text.append(plan->data, plan->len);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace sluice
