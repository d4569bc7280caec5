// Folds the events of one key in one batch into the few operations that have the same effect as the events
// one by one. Must not know rows, columns, types or statements: it sees flags and asks the caller which of
// two events is older. Owns nothing; what comes out goes into the caller's Folded, which keeps its memory
// from key to key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

struct FoldEvent {
    bool is_delete;
    bool guarded;  // has order values; an unguarded delete is newer than everything. All upserts of a job, or
                   // none
    bool update;   // the update condition is true; means nothing for a delete
    uint32_t absent = 0;  // which columns the event does not tell: 0 none, else equal numbers for equal sets.
                          // Never match or order columns; means nothing for a delete
};

enum class FoldMode {
    Merge,
    Update,  // nothing is inserted or deleted; a delete (an ignored tombstone) is unchanged
};

// Applied in this order against the stored row `s`. "Not older" compares the order columns that are stored,
// up to the first one that is not; an unguarded event is never older.
struct FoldOperation {
    enum class Kind : uint8_t {
        Delete,      // s exists and `event` is not older: delete it
        Upsert,      // no s: insert, insert-only columns from `first`, all others from `event`;
                     // s exists and `event` is not older: set the update columns from `event`
        InsertOnly,  // no s: insert `event` whole
        Partial,     // s exists and `event` is not older: set the update columns that it tells;
                     // no s: in merge mode an error of `first`, whose row cannot be made
    };
    Kind kind;
    uint32_t event;
    uint32_t first;  // the same as `event` unless several events are one Upsert or Partial
    friend bool operator==(const FoldOperation&, const FoldOperation&) = default;
};

// Events are named by their place. One that is in neither list is superseded.
struct Folded {
    std::vector<FoldOperation> operations;
    std::vector<uint32_t> unchanged;
    std::vector<uint32_t> waiting;  // scratch
    std::vector<bool> covered;      // likewise
};

// A reference to the caller's comparison: negative, zero or positive as event `a` is older than, as old as,
// or newer than event `b`, by all order columns, NULL lowest. Asked only about guarded events. It may leave
// by an exception.
class OrderCompare {
  public:
    template <class Compare>
    explicit OrderCompare(const Compare& compare)
        : object_(&compare), call_([](const void* object, uint32_t a, uint32_t b) -> int {
              return (*static_cast<const Compare*>(object))(a, b);
          }) {}
    int operator()(uint32_t a, uint32_t b) const { return call_(object_, a, b); }

  private:
    const void* object_;
    int (*call_)(const void*, uint32_t, uint32_t);
};

void fold_many(std::span<const FoldEvent> events, FoldMode mode, OrderCompare compare, Folded& folded);

// Replaces `folded` by what the events of one key come to. They are in position order.
//
// When all order columns are stored, the result is exactly that of the events one by one. When some are not,
// a stored row's place in the order is not known, but the batch still has its own order: the result is
// exactly that of the events one by one for keys whose update condition is true for all and whose events tell
// all columns; for others it is that of the same events in one batch or in smaller ones.
//
// An event that does not tell all columns and meets no row is an error whatever its neighbours are.
template <class Compare>
void fold_key(std::span<const FoldEvent> events, FoldMode mode, const Compare& compare, Folded& folded) {
    if (events.size() != 1) return fold_many(events, mode, OrderCompare(compare), folded);

    // Nearly every key of nearly every batch.
    using Kind = FoldOperation::Kind;
    folded.operations.clear();
    folded.unchanged.clear();
    const FoldEvent& event = events[0];
    if (mode == FoldMode::Update && (event.is_delete || !event.update)) {
        folded.unchanged.push_back(0);
        return;
    }
    folded.operations.push_back({event.is_delete     ? Kind::Delete
                                 : event.absent != 0 ? Kind::Partial
                                 : event.update      ? Kind::Upsert
                                                     : Kind::InsertOnly,
                                 0, 0});
}

}  // namespace sluice
