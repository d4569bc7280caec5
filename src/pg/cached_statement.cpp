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

uint64_t CachedStatement::execute(PlannedStmt* planned, DestReceiver* receiver,
                                  QueryEnvironment* environment) {
    PushActiveSnapshot(GetTransactionSnapshot());
    QueryDesc* query = CreateQueryDesc(planned, sql_.c_str(), GetActiveSnapshot(), InvalidSnapshot, receiver,
                                       nullptr, environment, 0);
    ExecutorStart(query, 0);
    compat::run_to_end(query);
    const uint64 processed = query->estate->es_processed;
    ExecutorFinish(query);
    ExecutorEnd(query);
    FreeQueryDesc(query);
    PopActiveSnapshot();
    return processed;
}

uint64_t CachedStatement::run(DestReceiver* receiver, QueryEnvironment* environment) {
    return call([&] {
        const Lease lease = acquire(environment);
        const uint64_t processed = execute(lease.planned, receiver, environment);
        give_back(lease);
        CommandCounterIncrement();
        return processed;
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
