// Sorts the events of a batch by key and folds each key's into the operations to apply, round by round.
// Must not know statements: rows come in as the map query yields them and go out into a RowRelation.
// Rows live in the memory context of `open`; its temporary files end with `close` or the (sub)transaction.
#pragma once

#include "flow/fold.hpp"
#include "job/statement.hpp"

#include <utility>
#include <vector>

#include "pg/absent_values.hpp"
#include "pg/resolved_job.hpp"
#include "pg/row_outcomes.hpp"
#include "pg/row_relation.hpp"

extern "C" {
#include "storage/itemptr.h"
#include "utils/sortsupport.h"
#include "utils/tuplesort.h"
}

namespace sluice {

// How many operations of each kind a round has. A round touches no key twice.
struct Round {
    int64_t deletes = 0;
    int64_t upserts = 0;
    int64_t inserts = 0;
    int64_t partials = 0;

    void add(FoldOperation::Kind kind);
    // By how many statements at least; partials may be of several sets of columns.
    int kinds() const { return (deletes > 0) + (upserts > 0) + (inserts > 0) + 2 * (partials > 0); }
};

// Where the position of a row of sluice_batch says it is in the batch.
inline size_t row_number(TupleTableSlot* slot) {
    bool null;
    return ItemPointerGetBlockNumberNoCheck(
        reinterpret_cast<ItemPointer>(DatumGetPointer(slot_getattr(slot, kEventPosition, &null))));
}

// Whether a row of sluice_batch lacks columns, so that only a stored row can take it.
inline bool is_partial(TupleTableSlot* slot, const AbsentValues& absent) {
    bool null;
    return absent.set_of(row_number(slot)) != 0 && !DatumGetBool(slot_getattr(slot, kEventDelete, &null));
}

class KeyFold {
  public:
    // Says in `outcomes` what became of the events: those that are operations are Unmatched for now.
    KeyFold(const ResolvedJob& job, RowOutcomes& outcomes, const AbsentValues& absent);

    // Plain C, for the inside of `call`.
    void open(TupleDesc shape);
    void put(TupleTableSlot* slot) { tuplesort_puttupleslot(sort_, slot); }

    // Folds all keys; the first round's operations go into `operations`, in key order.
    Round fold(RowRelation& operations);

    bool has_more_rounds() const { return !late_.empty(); }
    // Replaces `operations` by those of the next round; false after the last one.
    bool next_round(RowRelation& operations, Round& round);
    // The next round is the second one again.
    void rewind() { next_late_ = 0; }

    // Of the events that the operation stands for.
    size_t first_row(size_t operation) const;

  private:
    // Almost no key has operations in a second round.
    struct LateOperation {
        uint32_t round;
        FoldOperation::Kind kind;
        MinimalTuple tuple;
    };

    bool collect();
    bool read();
    void place_single();
    void place_group();
    void describe_group();
    void rank_group();
    FoldEvent event_of(TupleTableSlot* slot) const;
    bool same_key(TupleTableSlot* a, TupleTableSlot* b);
    TupleTableSlot* row_of(const FoldOperation& operation);
    TupleTableSlot*& group_slot(uint32_t index);
    void prepare_comparison(SortSupportData& support, const ColumnOrder& column);
    static int compare_ranked(const void* a, const void* b, void* fold);

    const ResolvedJob& job_;
    RowOutcomes& outcomes_;
    const AbsentValues& absent_;
    FoldMode mode_;
    std::vector<SortSupportData> match_;
    std::vector<SortSupportData> order_;
    TupleDesc shape_ = nullptr;
    Tuplesortstate* sort_ = nullptr;

    RowRelation* relation_ = nullptr;  // of the first round
    Round first_;
    TupleTableSlot* ahead_ = nullptr;  // the row after the group
    bool has_ahead_ = false;
    TupleTableSlot** group_ = nullptr;
    uint32_t count_ = 0;
    uint32_t capacity_ = 0;
    TupleTableSlot* whole_ = nullptr;  // columns of two events
    MemoryContext rank_memory_ = nullptr;
    NullableDatum* order_values_ = nullptr;

    std::vector<FoldEvent> events_;
    std::vector<uint32_t> ranks_;  // equal order values have equal ranks
    Folded folded_;
    std::vector<LateOperation> late_;
    size_t next_late_ = 0;
    // Rows of partial operations and of the first event of each, where that is another one.
    std::vector<std::pair<size_t, size_t>> first_rows_;
};

}  // namespace sluice
