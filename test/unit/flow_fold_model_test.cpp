// Whatever the events, the cut and the stored row: what a fold comes to is what the events one by one come
// to.
#include "flow_fold_helpers.hpp"

#include <random>

namespace sluice {
namespace {

// A row as it is in the table; what a column holds is the number of the event it came from.
struct Row {
    OrderValues order{};
    int known = 0;  // order columns that can be compared with it
    std::array<size_t, kUpdateColumns> updated_from{};
    size_t inserted_from = 0;

    void update(const Event& event) {
        order = event.order;
        for (int c = 0; c < kUpdateColumns; ++c)
            if (event.tells(c)) updated_from[c] = event.number;
    }

    // What can be seen in the table when `stored` order columns exist there.
    bool same(const Row& other, int stored) const {
        return updated_from == other.updated_from && inserted_from == other.inserted_from &&
               compare(order, other.order, stored) == 0;
    }
};
using Stored = std::optional<Row>;

bool same(const Stored& a, const Stored& b, int stored) {
    return a.has_value() == b.has_value() && (!a || a->same(*b, stored));
}

// What a statement does not find in the table, it cannot compare.
void forget(Stored& row, int stored) {
    if (row) row->known = std::min(row->known, stored);
}

Row inserted(const Event& event, const Event& first, int known) {
    Row row{event.order, known, {}, first.number};
    row.update(event);
    return row;
}

// The loop of the contract, one event after the other. False: the event is an error.
bool loop_step(Stored& row, const Event& event) {
    const bool older = row && event.flags.guarded && compare(event.order, row->order, row->known) < 0;
    if (event.flags.is_delete) {
        if (row && !older) row.reset();
    } else if (!row) {
        if (event.partial()) return false;
        row = inserted(event, event, kOrderColumns);
    } else if (!older && event.flags.update) {
        row->update(event);
        row->known = kOrderColumns;
    }
    return true;
}

// What the statements make of an operation; their guard sees only stored order columns. False: there is no
// row, but there must be one.
bool apply(Stored& row, const FoldOperation& operation, std::span<const Event> events, int stored) {
    const Event& event = events[operation.event];
    const bool older = row && event.flags.guarded && compare(event.order, row->order, stored) < 0;
    switch (operation.kind) {
        case Kind::Delete:
            if (row && !older) row.reset();
            break;
        case Kind::Upsert:
            if (!row) {
                row = inserted(event, events[operation.first], stored);
            } else if (!older) {
                row->update(event);
            }
            break;
        case Kind::InsertOnly:
            EXPECT_EQ(operation.first, operation.event);
            if (!row) row = inserted(event, event, stored);
            break;
        case Kind::Partial:
            EXPECT_TRUE(event.partial() && events[operation.first].partial());
            EXPECT_EQ(event.flags.absent, events[operation.first].flags.absent);
            if (!row) return false;
            if (!older && event.flags.update) row->update(event);
            break;
    }
    return true;
}

void apply_update(Stored& row, const FoldOperation& operation, std::span<const Event> events, int stored) {
    ASSERT_EQ(operation.kind, events[operation.event].partial() ? Kind::Partial : Kind::Upsert);
    if (row) apply(row, operation, events, stored);
}

struct Shape {
    bool ordered;
    bool deletes;
    bool tombstones;
    bool conditions;  // update conditions that are not true for all
    size_t partial;   // one event in so many does not tell all columns; 0: none
    size_t absences;  // so many sets of columns are not told
    int stored;       // how many of the order columns are in the target
};

class Sequences {
  public:
    explicit Sequences(uint64_t seed) : random_(seed) {}

    size_t below(size_t n) { return random_() % n; }
    bool one_in(size_t n) { return below(n) == 0; }

    Shape shape() {
        Shape s{};
        s.ordered = !one_in(6);
        s.deletes = !one_in(4);
        s.tombstones = s.deletes && one_in(2);
        s.conditions = one_in(2);
        if (one_in(2)) s.partial = 1 + below(4);
        s.absences = 1 + below(3);
        s.stored = one_in(2) ? kOrderColumns : static_cast<int>(below(kOrderColumns));
        return s;
    }
    OrderValues order(size_t values) {
        OrderValues o;
        for (OrderValue& v : o) {
            if (!one_in(7)) v = static_cast<int>(below(values));
        }
        if (one_in(2)) o[1] = 0;
        return o;
    }
    std::vector<Event> events(const Shape& shape, size_t length) {
        const size_t values = 1 + below(2 * length);
        const bool rising = one_in(3);
        std::vector<Event> events(length);
        for (Event& e : events) {
            e.number = static_cast<size_t>(&e - events.data());
            e.flags.is_delete = shape.deletes && one_in(3);
            const bool tombstone = e.flags.is_delete && shape.tombstones && one_in(2);
            e.flags.guarded = shape.ordered && !tombstone;
            e.flags.update = !shape.conditions || !one_in(3);
            if (e.flags.guarded) e.order = order(values);
            if (rising && e.flags.guarded) e.order = {static_cast<int>(e.number), 0};
            if (shape.partial > 0 && one_in(shape.partial))
                e.flags.absent = static_cast<uint32_t>(kAbsentSets - 1 - below(shape.absences));
        }
        return events;
    }
    Stored row(const Shape& shape) {
        if (one_in(3)) return std::nullopt;
        return Row{order(8), shape.ordered ? shape.stored : 0, {SIZE_MAX, SIZE_MAX}, SIZE_MAX};
    }

  private:
    std::mt19937_64 random_;
};

bool conditional(std::span<const Event> events) {
    return std::any_of(events.begin(), events.end(),
                       [](const Event& e) { return !e.flags.is_delete && !e.flags.update; });
}

bool has_partial(std::span<const Event> events) {
    return std::any_of(events.begin(), events.end(), [](const Event& e) { return e.partial(); });
}

using Rejects = std::vector<size_t>;

// Whether some cut of the batch into smaller ones makes the loop end with `end` and `rejects`.
bool some_cut_gives(const Stored& end, const Rejects& rejects, const Stored& begin,
                    std::span<const Event> events, int stored) {
    for (uint32_t cuts = 0; cuts < 1U << (events.size() - 1); ++cuts) {
        Stored row = begin;
        Rejects errors;
        for (size_t i = 0; i < events.size(); ++i) {
            if (!loop_step(row, events[i])) errors.push_back(events[i].number);
            if (cuts >> i & 1U) forget(row, stored);
        }
        if (same(row, end, stored) && errors == rejects) return true;
    }
    return false;
}

// Folds and applies a batch as it is done: an event that is an error is taken out, and all begins again.
Stored apply_batch(const Stored& begin, std::vector<Event> batch, int stored, Folded& folded,
                   Rejects& rejects) {
    for (;;) {
        fold(batch, FoldMode::Merge, folded);
        EXPECT_TRUE(each_has_one_fate(folded, batch)) << describe(batch);
        Stored row = begin;
        const auto failed =
            std::find_if(folded.operations.begin(), folded.operations.end(),
                         [&](const FoldOperation& o) { return !apply(row, o, batch, stored); });
        if (failed == folded.operations.end()) {
            std::sort(rejects.begin(), rejects.end());
            return row;
        }
        rejects.push_back(batch[failed->first].number);
        batch.erase(batch.begin() + failed->first);
    }
}

TEST(FoldProperty, BatchesHaveTheEffectOfTheLoop) {
    constexpr uint64_t kSeed = 20'240'607;
    constexpr int kSequences = 400'000;
    Sequences random(kSeed);
    Folded result;
    std::array<size_t, 6> by_length{};
    size_t cut_needed = 0;
    size_t rejected = 0;
    size_t partials = 0;

    for (int n = 0; n < kSequences; ++n) {
        const Shape shape = random.shape();
        const int stored = shape.ordered ? shape.stored : 0;
        const bool exact_order = !shape.ordered || stored == kOrderColumns;
        const std::vector<Event> events = random.events(shape, 1 + random.below(12));
        Stored looped = random.row(shape);
        Stored folded = looped;

        for (size_t first = 0; first < events.size();) {
            const size_t count = 1 + random.below(std::min<size_t>(events.size() - first, 9));
            const std::span batch = std::span(events).subspan(first, count);
            const Stored begin = folded;

            Rejects rejects;
            Rejects errors;
            folded = apply_batch(begin, {batch.begin(), batch.end()}, stored, result, rejects);
            const std::vector<FoldOperation>& operations = result.operations;
            for (const Event& event : batch)
                if (!loop_step(looped, event)) errors.push_back(event.number);
            forget(looped, stored);
            rejected += errors.size();
            partials += static_cast<size_t>(
                std::count_if(operations.begin(), operations.end(),
                              [](const FoldOperation& o) { return o.kind == Kind::Partial; }));

            auto where = [&] {
                std::ostringstream out;
                out << "seed " << kSeed << " sequence " << n << " stored order columns " << stored << ": "
                    << describe(batch) << "from " << (begin ? "a row" : "no row");
                return out.str();
            };
            if (!conditional(batch) && !has_partial(batch)) {
                ASSERT_LE(operations.size(), 2U) << where();
                ASSERT_TRUE(result.unchanged.empty()) << where();
            }
            if (!same(looped, folded, stored) || rejects != errors) {
                // Allowed only where the contract's loop itself depends on the cut.
                ASSERT_FALSE(exact_order) << where();
                ASSERT_TRUE(conditional(batch) || has_partial(batch)) << where();
                ASSERT_TRUE(some_cut_gives(folded, rejects, begin, batch, stored)) << where();
                ++cut_needed;
                looped = folded;
            }
            ++by_length[std::min(operations.size(), by_length.size() - 1)];
            first += count;
        }
    }
    // The generator reaches all of it: one operation, several, and cuts that matter.
    EXPECT_GT(rejected, 10'000U);
    EXPECT_GT(partials, 100'000U);
    EXPECT_GT(by_length[1], 100'000U);
    EXPECT_GT(by_length[2], 10'000U);
    EXPECT_GT(by_length[3], 100U);
    EXPECT_GT(cut_needed, 100U);
}

TEST(FoldProperty, UpdatesHaveTheEffectOfTheLoop) {
    Sequences random(77);
    Folded result;
    size_t unchanged = 0;
    for (int n = 0; n < 50'000; ++n) {
        Shape shape = random.shape();
        const int stored = shape.ordered ? shape.stored : 0;
        const std::vector<Event> events = random.events(shape, 1 + random.below(10));
        Stored looped = random.row(shape);
        Stored folded = looped;
        for (size_t first = 0; first < events.size();) {
            const size_t count = 1 + random.below(events.size() - first);
            const std::span batch = std::span(events).subspan(first, count);
            fold(batch, FoldMode::Update, result);
            const std::vector<FoldOperation>& operations = result.operations;
            if (!has_partial(batch)) {
                ASSERT_LE(operations.size(), 1U);
            }
            for (const FoldOperation& operation : operations) {
                apply_update(folded, operation, batch, stored);
            }
            const Stored begin = looped;
            for (size_t i = 0; i < count; ++i) {
                if (looped && !batch[i].flags.is_delete) loop_step(looped, batch[i]);
            }
            forget(looped, stored);
            if (!same(looped, folded, stored)) {
                ASSERT_TRUE(shape.ordered && stored < kOrderColumns && has_partial(batch)) << describe(batch);
                std::vector<Event> updates;
                std::copy_if(batch.begin(), batch.end(), std::back_inserter(updates),
                             [](const Event& event) { return !event.flags.is_delete; });
                ASSERT_TRUE(some_cut_gives(folded, {}, begin, updates, stored)) << describe(batch);
                looped = folded;
            }
            ASSERT_TRUE(each_has_one_fate(result, batch)) << describe(batch);
            unchanged += result.unchanged.size();
            first += count;
        }
    }
    EXPECT_GT(unchanged, 1'000U);
}

}  // namespace
}  // namespace sluice
