#include <algorithm>

#include "pg/batch_reader.hpp"
#include "pg/fdw_plan.hpp"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
}

namespace sluice {

namespace {

// How many messages a topic has, only the brokers know. A topic is large more often than small, and a plan
// for many rows is good enough for few.
constexpr double kGuessedMessages = 1e6;
// In units of sequential page reads: to connect and ask for partitions and ends takes some ten milliseconds.
constexpr Cost kConnectCost = 100;

void estimate_size(PlannerInfo* root, RelOptInfo* relation, Oid table) {
    const BatchReader* batch = bound_reader(table);
    relation->tuples =
        batch ? std::max<double>(1, static_cast<double>(batch->messages().size())) : kGuessedMessages;
    set_baserel_size_estimates(root, relation);
}

void add_path_of_scan(PlannerInfo* root, RelOptInfo* relation, Oid table) {
    const Cost startup = (bound_reader(table) ? 0 : kConnectCost) + relation->baserestrictcost.startup;
    // Every column is decoded, so a row costs an operator for each besides its own handling.
    const Cost per_row =
        cpu_tuple_cost + relation->max_attr * cpu_operator_cost + relation->baserestrictcost.per_tuple;
    add_path(relation,
             reinterpret_cast<Path*>(create_foreignscan_path(root, relation, nullptr, relation->rows,
#if PG_VERSION_NUM >= 180000
                                                             0,
#endif
                                                             startup, startup + per_row * relation->tuples,
                                                             NIL, relation->lateral_relids, nullptr,
#if PG_VERSION_NUM >= 170000
                                                             NIL,
#endif
                                                             NIL)));
}

ForeignScan* make_plan(PlannerInfo*, RelOptInfo* relation, Oid, ForeignPath*, List* targets, List* clauses,
                       Plan* outer) {
    return make_foreignscan(targets, extract_actual_clauses(clauses, false), relation->relid, NIL, NIL, NIL,
                            NIL, outer);
}

}  // namespace

void set_plan_callbacks(FdwRoutine* routine) {
    routine->GetForeignRelSize = estimate_size;
    routine->GetForeignPaths = add_path_of_scan;
    routine->GetForeignPlan = make_plan;
}

}  // namespace sluice
