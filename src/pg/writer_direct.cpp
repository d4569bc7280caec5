#include "pg/writer_direct.hpp"

#include "pg/batch_memory.hpp"
#include "pg/bookkeeping.hpp"
#include "pg/deferred_constraints.hpp"
#include "pg/multi_insert.hpp"
#include "pg/relation_watch.hpp"
#include "pg/source_scan.hpp"
#include "pg/statement_shape.hpp"

namespace sluice {

namespace {

// The executor calls `start` when it has checked the privileges and `stop` while its snapshot is still
// active.
struct InsertReceiver {
    DestReceiver base = {receive, start, stop, [](DestReceiver*) {}, DestNone};
    PlannedStmt* planned;
    BatchReader* reader;
    MemoryContext memory = CurrentMemoryContext;
    MultiInsert insert{};

    static InsertReceiver* self(DestReceiver* base) { return reinterpret_cast<InsertReceiver*>(base); }
    static void start(DestReceiver* base, int, TupleDesc) {
        MemoryContext outside = MemoryContextSwitchTo(self(base)->memory);
        self(base)->insert.open(self(base)->planned, *self(base)->reader);
        MemoryContextSwitchTo(outside);
    }
    static bool receive(TupleTableSlot* slot, DestReceiver* base) {
        self(base)->insert.put(slot);
        BatchReader& reader = *self(base)->reader;
        reader.outcomes().set(reader.current_row(), Outcome::Inserted);
        return true;
    }
    static void stop(DestReceiver* base) { self(base)->insert.finish(); }
};

// What the INSERT would insert. The range table stays whole, so that starting it checks the target's
// privileges too.
PlannedStmt* select_of(PlannedStmt* insert) {
    const auto* modify = castNode(ModifyTable, insert->planTree);
    if (modify->plan.initPlan != NIL || !reads_row_by_row(outerPlan(modify)))
        elog(ERROR, "rows cannot be inserted directly from this plan");
    auto* select = makeNode(PlannedStmt);
    *select = *insert;
    select->commandType = CMD_SELECT;
    select->planTree = outerPlan(modify);
    select->resultRelations = NIL;
    return select;
}

}  // namespace

DirectWriter::DirectWriter(const ResolvedJob& job)
    : job_(job), statement_(insert_from_source(apply_shape(job), assignment_shape(job))) {}

void DirectWriter::insert(BatchReader& reader) {
    call([&] {
        const CachedStatement::Lease lease = statement_.acquire(nullptr);
        InsertReceiver receiver{.planned = lease.planned, .reader = &reader};
        statement_.execute(select_of(lease.planned), &receiver.base, nullptr);
        CachedStatement::give_back(lease);
        CommandCounterIncrement();
    });
}

void DirectWriter::write(BatchReader& reader) {
    PinnedPath path;
    BatchMemory memory;
    reader.set_stage(Stage::Write);
    lock_unchanged_target(job_.target);
    {
        SourceScan scan(job_, reader);
        reader.set_stage(Stage::Map);
        insert(reader);
    }
    reader.blame(std::nullopt);
    reader.set_stage(Stage::Commit);
    check_deferred_constraints();
}

std::vector<std::string> DirectWriter::explain() {
    PinnedPath path;
    BatchMemory memory;
    return {statement_.explain(nullptr)};
}

}  // namespace sluice
