// A statement that is parsed once, planned when its objects change, and run many times.
// Must not know what it does; the rows it reads and the receiver of its rows are given to each run.
// Owns its plan source in PostgreSQL's plan cache, which lives as long as this object; nothing of a
// transaction.
#pragma once

#include <string>

#include "pg/airlock.hpp"

extern "C" {
#include "nodes/plannodes.h"
#include "tcop/dest.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
}

namespace sluice {

class CachedStatement {
  public:
    // How the planner is steered where a table of unknown size meets a small batch.
    enum class Joins {
        Free,
        ProbeIndex,  // the planner would hash the whole table, as it cannot know how seldom it is worth it
        ReadOnce,    // no index: a nested loop would read the whole table for each row
    };

    explicit CachedStatement(std::string sql, Joins joins = Joins::Free);
    ~CachedStatement();
    CachedStatement(const CachedStatement&) = delete;
    CachedStatement& operator=(const CachedStatement&) = delete;

    const std::string& sql() const { return sql_; }

    // Runs it with a new snapshot and makes its effects visible. The search_path must always be the same.
    void run(DestReceiver* receiver, QueryEnvironment* environment);

    // The same for an INSERT, whose RETURNING cannot name columns of the relation that it reads: `read` is
    // the row of it that the receiver's row was made of.
    struct InsertReceiver {
        DestReceiver base;
        TupleTableSlot* read = nullptr;
    };
    void run_insert(InsertReceiver& receiver, QueryEnvironment* environment);

    // The text with the plan below it.
    std::string explain(QueryEnvironment* environment);

    // The following is plain C, for the inside of `call`. A lease must be given back unless an error is
    // raised.
    struct Lease {
        CachedPlan* plan;
        PlannedStmt* planned;
    };
    Lease acquire(QueryEnvironment* environment);
    static void give_back(Lease lease);
    // Runs what is, or was made from, the plan of a lease.
    void execute(PlannedStmt* planned, DestReceiver* receiver, QueryEnvironment* environment,
                 TupleTableSlot** read = nullptr);
    // Of the rows it returns; valid while the plan is leased.
    TupleDesc row_shape() const { return source_->resultDesc; }

  private:
    void prepare(QueryEnvironment* environment);

    std::string sql_;
    Joins joins_;
    CachedPlanSource* source_ = nullptr;
};

}  // namespace sluice
