#include "flow/fold.hpp"

namespace sluice {

namespace {

using Kind = FoldOperation::Kind;
constexpr uint32_t kNone = UINT32_MAX;

// Follows both things that can be true of a key when a segment of its events begins:
//  - there is no row: then `event_` and `first_` follow exactly what the events make of it;
//  - there is a row that nobody has seen: then `greatest_` is the only event that can matter to it, as it
//  applies
//    unless the row is newer, and every other one leaves the same trace or none.
// A delete that could hit the unseen row ends the segment, and becomes an operation of its own.
class Fold {
  public:
    Fold(std::span<const FoldEvent> events, OrderCompare compare, Folded& folded)
        : events_(events), compare_(compare), operations_(folded.operations), unchanged_(folded.unchanged) {}

    void run() {
        for (uint32_t i = 0; i < events_.size(); ++i) {
            if (events_[i].is_delete) {
                remove(i);
            } else {
                put(i);
            }
        }
        end_segment();
    }

  private:
    int order(uint32_t a, uint32_t b) {
        if (!events_[a].guarded || !events_[b].guarded) return 0;
        // An event is compared with the three events below, which are mostly one and the same.
        if (a != last_a_ || b != last_b_) {
            last_ = compare_(a, b);
            last_a_ = a;
            last_b_ = b;
        }
        return last_;
    }
    bool not_older(uint32_t a, uint32_t b) { return b == kNone || order(a, b) >= 0; }

    void put(uint32_t i) {
        const bool update = events_[i].update;
        if (event_ == kNone) {
            event_ = first_ = i;
        } else if (!update) {
            unchanged_.push_back(i);
        } else if (not_older(i, event_)) {
            event_ = i;
        }
        if (known_absent_) return;
        if (update && not_older(i, greatest_)) greatest_ = i;
        if (not_older(i, newest_)) newest_ = i;
    }

    void remove(uint32_t i) {
        if (!events_[i].guarded) {
            start_over(i);
            known_absent_ = true;
        } else if (!known_absent_ && not_older(i, newest_)) {
            // A row newer than this delete is newer than all events so far, and any other row goes.
            start_over(i);
            newest_ = i;
        } else if (known_absent_ || spares_unseen_row(i)) {
            if (event_ != kNone && not_older(i, event_)) no_row();
        } else {
            end_segment();
            begin_segment(i);
        }
    }

    // The unseen row, if it is still there, is newer than the delete that began the segment, and not older
    // than `greatest_`.
    bool spares_unseen_row(uint32_t i) {
        return (delete_ != kNone && order(i, delete_) <= 0) ||
               (greatest_ != kNone && order(i, greatest_) < 0);
    }

    void start_over(uint32_t i) {
        operations_.clear();
        begin_segment(i);
    }

    void begin_segment(uint32_t i) {
        operations_.push_back({Kind::Delete, i, i});
        delete_ = i;
        no_row();
    }

    // Where no row is left, every event since the segment's delete is at most as new as that delete (any
    // other delete would have begun a new segment), so that none of them can matter to the unseen row.
    void no_row() { event_ = first_ = greatest_ = kNone; }

    void end_segment() {
        if (event_ == kNone) return;
        if (events_[event_].update) {
            operations_.push_back({Kind::Upsert, event_, first_});
            return;
        }
        operations_.push_back({Kind::InsertOnly, event_, event_});
        // Older than the row that was just inserted, but perhaps not than the unseen one.
        const bool matters = greatest_ != kNone && (delete_ == kNone || order(greatest_, delete_) > 0);
        if (matters) operations_.push_back({Kind::Upsert, greatest_, greatest_});
    }

    std::span<const FoldEvent> events_;
    OrderCompare compare_;
    std::vector<FoldOperation>& operations_;
    std::vector<uint32_t>& unchanged_;

    bool known_absent_ = false;  // an unguarded delete has passed: there is no unseen row
    uint32_t newest_ = kNone;    // of all events so far, deletes too
    uint32_t delete_ = kNone;    // that began the segment
    uint32_t event_ = kNone;     // of the row, if there was none before the segment
    uint32_t first_ = kNone;     // that inserted it
    uint32_t greatest_ = kNone;  // with a true update condition
    uint32_t last_a_ = kNone;
    uint32_t last_b_ = kNone;
    int last_ = 0;
};

void fold_updates(std::span<const FoldEvent> events, OrderCompare compare, Folded& folded) {
    uint32_t greatest = kNone;
    for (uint32_t i = 0; i < events.size(); ++i) {
        if (events[i].is_delete || !events[i].update) {
            folded.unchanged.push_back(i);
            continue;
        }
        const bool comparable = greatest != kNone && events[i].guarded && events[greatest].guarded;
        if (!comparable || compare(i, greatest) >= 0) greatest = i;
    }
    if (greatest != kNone) folded.operations.push_back({Kind::Upsert, greatest, greatest});
}

}  // namespace

void fold_many(std::span<const FoldEvent> events, FoldMode mode, OrderCompare compare, Folded& folded) {
    folded.operations.clear();
    folded.unchanged.clear();
    if (mode == FoldMode::Update) return fold_updates(events, compare, folded);
    Fold(events, compare, folded).run();
}

}  // namespace sluice
