// Inserts rows into a table or its partitions many at a time, with all that an INSERT owes them: routing,
// generated columns, constraints, indexes, triggers. Must not know where rows come from. Row triggers BEFORE,
// transition tables and foreign partitions are refused. Lives in the memory context in which it was opened,
// for one statement; the transaction cleans up after an error.
#pragma once

#include <cstdint>
#include <type_traits>

#include "pg/batch_reader.hpp"

extern "C" {
#include "access/heapam.h"
#include "executor/execPartition.h"
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"
}

namespace sluice {

// All of it is plain C, for the inside of `call`, and trivially destructible.
class MultiInsert {
  public:
    // For the table that `planned`, an INSERT, writes to. Its privileges have been checked.
    void open(PlannedStmt* planned, BatchReader& reader);
    // A row as the plan below the INSERT yields it: all columns, defaults included. Its message is the
    // reader's current one.
    void put(TupleTableSlot* row);
    // Writes what is left and fires the triggers.
    void finish();

  private:
    static constexpr int kMaxRows = 1000;
    static constexpr size_t kMaxBytes = 65535;
    static constexpr int kMaxLeaves = 32;

    // Rows that wait to be written to one table.
    struct Leaf {
        ResultRelInfo* table;
        BulkInsertState bulk;
        Leaf* next;
        int rows;
        TupleTableSlot* slots[kMaxRows];
        size_t messages[kMaxRows];
    };

    Leaf* leaf_of(ResultRelInfo* table);
    ResultRelInfo* route(TupleTableSlot* row);
    void check(ResultRelInfo* table, TupleTableSlot* row);
    void flush();
    void flush(Leaf& leaf);
    void close(Leaf& leaf);

    BatchReader* reader_ = nullptr;
    EState* estate_ = nullptr;
    ResultRelInfo* target_ = nullptr;
    ModifyTableState* state_ = nullptr;
    PartitionTupleRouting* routing_ = nullptr;
    TupleTableSlot* row_ = nullptr;
    CommandId command_ = 0;
    Leaf* leaves_ = nullptr;  // the one that was made last comes first
    int leaf_count_ = 0;
    int rows_ = 0;
    size_t bytes_ = 0;
};
static_assert(std::is_trivially_destructible_v<MultiInsert>);

}  // namespace sluice
