// Rows of a batch under the name sluice_batch: what the apply statements read.
// Must not know what the rows mean.
// Lives in the memory context in which it was opened; its temporary files end with `close` or the
// (sub)transaction.
#pragma once

#include <type_traits>

#include "pg/airlock.hpp"

extern "C" {
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"
}

namespace sluice {

// All of it is plain C, for the inside of `call`, and trivially destructible.
class RowRelation {
  public:
    void open(TupleDesc shape);
    void put(TupleTableSlot* slot);
    void put(MinimalTuple tuple);
    // Calls `look(TupleTableSlot *)` with each row.
    template <class Look>
    void visit(const Look& look) {
        tuplestore_select_read_pointer(rows_, 0);  // the others are those of statements
        tuplestore_rescan(rows_);
        while (tuplestore_gettupleslot(rows_, true, false, slot_)) look(slot_);
        ExecClearTuple(slot_);
    }
    void clear();
    void close();

    int64_t size() const { return size_; }
    TupleDesc shape() const { return relation_.md.tupdesc; }
    // With the relation registered, for statements.
    QueryEnvironment* environment();

  private:
    Tuplestorestate* rows_ = nullptr;
    TupleTableSlot* slot_ = nullptr;
    EphemeralNamedRelationData relation_{};
    QueryEnvironment* environment_ = nullptr;
    int64_t size_ = 0;
};
static_assert(std::is_trivially_destructible_v<RowRelation>);

}  // namespace sluice
