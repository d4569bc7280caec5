#include "flow/fold.hpp"

#include <algorithm>

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
        : events_(events),
          compare_(compare),
          operations_(folded.operations),
          unchanged_(folded.unchanged),
          begin_(operations_.size()) {}

    void add(uint32_t i) {
        if (events_[i].is_delete) {
            remove(i);
        } else {
            put(i);
        }
    }
    void finish() { end_segment(); }

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
        operations_.resize(begin_);
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
    size_t begin_;  // of its operations

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

// Follows events that do nothing but update a row: the greatest of them is what matters.
class UpdateFold {
  public:
    UpdateFold(std::span<const FoldEvent> events, OrderCompare compare, Folded& folded)
        : events_(events), compare_(compare), folded_(folded) {}

    void add(uint32_t i) {
        if (first_ == kNone) first_ = i;
        if (events_[i].is_delete || !events_[i].update) {
            if (i != first_) folded_.unchanged.push_back(i);
            return;
        }
        const bool comparable = greatest_ != kNone && events_[i].guarded && events_[greatest_].guarded;
        if (!comparable || compare_(i, greatest_) >= 0) greatest_ = i;
    }
    // Where there must be a row, one of the events has to look for it, though none may update.
    void finish(Kind kind, FoldMode mode) {
        const bool first_updates = !events_[first_].is_delete && events_[first_].update;
        if (greatest_ != kNone) {
            folded_.operations.push_back({kind, greatest_, kind == Kind::Partial ? first_ : greatest_});
        } else if (mode == FoldMode::Merge) {
            folded_.operations.push_back({kind, first_, first_});
            return;
        }
        if (!first_updates) folded_.unchanged.push_back(first_);
    }

  private:
    std::span<const FoldEvent> events_;
    OrderCompare compare_;
    Folded& folded_;
    uint32_t first_ = kNone;
    uint32_t greatest_ = kNone;
};

uint32_t absent_of(const FoldEvent& event) { return event.is_delete ? 0 : event.absent; }

// Finds the events with absent columns of which a later event leaves no trace. It leaves none when it sets
// all columns or deletes the row, and is not older than any event since the last delete: then whatever it is
// too old for is newer than all of them, too. An event that may meet no row is never covered, because that
// is an error.
void find_covered(std::span<const FoldEvent> events, FoldMode mode, OrderCompare compare, Folded& folded) {
    folded.covered.assign(events.size(), false);
    folded.waiting.clear();
    uint32_t newest = kNone;
    bool has_row = false;
    for (uint32_t i = 0; i < events.size(); ++i) {
        const FoldEvent& event = events[i];
        if (event.is_delete && mode == FoldMode::Update) continue;
        const bool not_older = newest == kNone || !event.guarded || compare(i, newest) >= 0;
        if (absent_of(event) != 0) {
            if (has_row) folded.waiting.push_back(i);
        } else if (not_older && (event.is_delete || event.update)) {
            for (const uint32_t covered : folded.waiting) {
                folded.covered[covered] = true;
                if (!events[covered].update) folded.unchanged.push_back(covered);
            }
            folded.waiting.clear();
        }
        if (event.is_delete) {
            newest = kNone;
            has_row = false;
            folded.waiting.clear();
        } else {
            if (not_older) newest = i;
            has_row = has_row || event.absent == 0;
        }
    }
}

// Cuts the events where their absent columns change. What each part comes to has the effect of its events on
// any row, so the parts may follow each other.
void fold_parts(std::span<const FoldEvent> events, FoldMode mode, OrderCompare compare, Folded& folded) {
    find_covered(events, mode, compare, folded);
    uint32_t next = 0;
    const auto add_part = [&](auto& part) {
        const uint32_t absent = absent_of(events[next]);
        for (; next < events.size() && (folded.covered[next] || absent_of(events[next]) == absent); ++next)
            if (!folded.covered[next]) part.add(next);
    };
    while (next < events.size()) {
        if (folded.covered[next]) {
            ++next;
        } else if (absent_of(events[next]) == 0 && mode == FoldMode::Merge) {
            Fold part(events, compare, folded);
            add_part(part);
            part.finish();
        } else {
            const bool partial = absent_of(events[next]) != 0;
            UpdateFold part(events, compare, folded);
            add_part(part);
            part.finish(partial ? Kind::Partial : Kind::Upsert, mode);
        }
    }
}

}  // namespace

void fold_many(std::span<const FoldEvent> events, FoldMode mode, OrderCompare compare, Folded& folded) {
    folded.operations.clear();
    folded.unchanged.clear();
    const auto is_partial = [](const FoldEvent& event) { return absent_of(event) != 0; };
    if (std::any_of(events.begin(), events.end(), is_partial))
        return fold_parts(events, mode, compare, folded);
    if (mode == FoldMode::Update) {
        UpdateFold fold(events, compare, folded);
        for (uint32_t i = 0; i < events.size(); ++i) fold.add(i);
        return fold.finish(Kind::Upsert, mode);
    }
    Fold fold(events, compare, folded);
    for (uint32_t i = 0; i < events.size(); ++i) fold.add(i);
    fold.finish();
}

}  // namespace sluice
