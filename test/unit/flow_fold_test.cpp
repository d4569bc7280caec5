#include "flow/fold.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <sstream>

namespace sluice {
namespace {

using Kind = FoldOperation::Kind;

constexpr int kOrderColumns = 2;
using OrderValue = std::optional<int>;  // NULL is lowest, as nullopt is
using OrderValues = std::array<OrderValue, kOrderColumns>;

struct Event {
    FoldEvent flags{};
    OrderValues order{};
};

int compare(const OrderValues& a, const OrderValues& b, int columns) {
    for (int i = 0; i < columns; ++i) {
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

// A row as it is in the table; what a column holds is the number of the event it came from.
struct Row {
    OrderValues order{};
    int known = 0;  // order columns that can be compared with it
    size_t updated_from = 0;
    size_t inserted_from = 0;

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

// The loop of the contract, one event after the other.
void loop_step(Stored& row, const Event& event, size_t number) {
    const bool older = row && event.flags.guarded && compare(event.order, row->order, row->known) < 0;
    if (event.flags.is_delete) {
        if (row && !older) row.reset();
    } else if (!row) {
        row = Row{event.order, kOrderColumns, number, number};
    } else if (!older && event.flags.update) {
        row->order = event.order;
        row->known = kOrderColumns;
        row->updated_from = number;
    }
}

// What the statements make of an operation; their guard sees only stored order columns.
void apply(Stored& row, const FoldOperation& operation, std::span<const Event> events, size_t base,
           int stored) {
    const Event& event = events[operation.event];
    const bool older = row && event.flags.guarded && compare(event.order, row->order, stored) < 0;
    switch (operation.kind) {
        case Kind::Delete:
            if (row && !older) row.reset();
            break;
        case Kind::Upsert:
            if (!row) {
                row = Row{event.order, stored, base + operation.event, base + operation.first};
            } else if (!older) {
                row->order = event.order;
                row->updated_from = base + operation.event;
            }
            break;
        case Kind::InsertOnly:
            EXPECT_EQ(operation.first, operation.event);
            if (!row) row = Row{event.order, stored, base + operation.event, base + operation.event};
            break;
    }
}

void apply_update(Stored& row, const FoldOperation& operation, std::span<const Event> events, size_t base,
                  int stored) {
    ASSERT_EQ(operation.kind, Kind::Upsert);
    if (row) apply(row, operation, events, base, stored);
}

void fold(std::span<const Event> events, FoldMode mode, Folded& folded, int* comparisons = nullptr) {
    std::vector<FoldEvent> flags;
    for (const Event& e : events) flags.push_back(e.flags);
    auto order = [&](uint32_t a, uint32_t b) {
        EXPECT_TRUE(events[a].flags.guarded && events[b].flags.guarded);
        if (comparisons) ++*comparisons;
        return compare(events[a].order, events[b].order, kOrderColumns);
    };
    fold_key(flags, mode, order, folded);
}

// No event is in two lists, and none is unchanged that had its update condition fulfilled.
bool each_has_one_fate(const Folded& folded, std::span<const Event> events) {
    std::vector<int> fates(events.size());
    for (const FoldOperation& operation : folded.operations) ++fates[operation.event];
    for (const uint32_t i : folded.unchanged)
        fates[i] += events[i].flags.update && !events[i].flags.is_delete ? 2 : 1;
    return std::all_of(fates.begin(), fates.end(), [](int lists) { return lists <= 1; });
}

std::string describe(std::span<const Event> events) {
    std::ostringstream out;
    auto show = [&](const OrderValue& v) { v ? out << *v : out << '-'; };
    for (const Event& e : events) {
        out << (e.flags.is_delete ? "D" : e.flags.update ? "U" : "u");
        if (e.flags.guarded) {
            out << '(';
            show(e.order[0]);
            out << ',';
            show(e.order[1]);
            out << ')';
        }
        out << ' ';
    }
    return out.str();
}

struct Shape {
    bool ordered;
    bool deletes;
    bool tombstones;
    bool conditions;  // update conditions that are not true for all
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
        std::vector<Event> events(length);
        for (Event& e : events) {
            e.flags.is_delete = shape.deletes && one_in(3);
            const bool tombstone = e.flags.is_delete && shape.tombstones && one_in(2);
            e.flags.guarded = shape.ordered && !tombstone;
            e.flags.update = !shape.conditions || !one_in(3);
            if (e.flags.guarded) e.order = order(values);
        }
        return events;
    }
    Stored row(const Shape& shape) {
        if (one_in(3)) return std::nullopt;
        return Row{order(8), shape.ordered ? shape.stored : 0, SIZE_MAX, SIZE_MAX};
    }

  private:
    std::mt19937_64 random_;
};

bool conditional(std::span<const Event> events) {
    return std::any_of(events.begin(), events.end(),
                       [](const Event& e) { return !e.flags.is_delete && !e.flags.update; });
}

// Whether some cut of the batch into smaller ones makes the loop end with `end`.
bool some_cut_gives(const Stored& end, const Stored& begin, std::span<const Event> events, size_t base,
                    int stored) {
    for (uint32_t cuts = 0; cuts < 1U << (events.size() - 1); ++cuts) {
        Stored row = begin;
        for (size_t i = 0; i < events.size(); ++i) {
            loop_step(row, events[i], base + i);
            if (cuts >> i & 1U) forget(row, stored);
        }
        if (same(row, end, stored)) return true;
    }
    return false;
}

TEST(FoldProperty, BatchesHaveTheEffectOfTheLoop) {
    constexpr uint64_t kSeed = 20'240'607;
    constexpr int kSequences = 300'000;
    Sequences random(kSeed);
    Folded result;
    std::array<size_t, 6> by_length{};
    size_t cut_needed = 0;

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

            fold(batch, FoldMode::Merge, result);
            const std::vector<FoldOperation>& operations = result.operations;
            for (const FoldOperation& operation : operations) apply(folded, operation, batch, first, stored);
            for (size_t i = 0; i < count; ++i) loop_step(looped, batch[i], first + i);
            forget(looped, stored);

            auto where = [&] {
                std::ostringstream out;
                out << "seed " << kSeed << " sequence " << n << " stored order columns " << stored << ": "
                    << describe(batch) << "from " << (begin ? "a row" : "no row");
                return out.str();
            };
            ASSERT_TRUE(each_has_one_fate(result, batch)) << where();
            if (!conditional(batch)) {
                ASSERT_LE(operations.size(), 2U) << where();
                ASSERT_TRUE(result.unchanged.empty()) << where();
            }
            if (!same(looped, folded, stored)) {
                // Allowed only where the contract's loop itself depends on the cut.
                ASSERT_FALSE(exact_order) << where();
                ASSERT_TRUE(conditional(batch)) << where();
                ASSERT_TRUE(some_cut_gives(folded, begin, batch, first, stored)) << where();
                ++cut_needed;
                looped = folded;
            }
            ++by_length[std::min(operations.size(), by_length.size() - 1)];
            first += count;
        }
    }
    // The generator reaches all of it: one operation, several, and cuts that matter.
    EXPECT_EQ(by_length[0], 0U);
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
            ASSERT_LE(operations.size(), 1U);
            for (const FoldOperation& operation : operations) {
                apply_update(folded, operation, batch, first, stored);
            }
            for (size_t i = 0; i < count; ++i) {
                if (looped && !batch[i].flags.is_delete) loop_step(looped, batch[i], first + i);
            }
            forget(looped, stored);
            ASSERT_TRUE(same(looped, folded, stored)) << describe(batch);
            ASSERT_TRUE(each_has_one_fate(result, batch)) << describe(batch);
            unchanged += result.unchanged.size();
            first += count;
        }
    }
    EXPECT_GT(unchanged, 1'000U);
}

Event put(int order) { return {{false, true, true}, {order, 0}}; }
Event put_if_absent(int order) { return {{false, true, false}, {order, 0}}; }
Event remove(int order) { return {{true, true, false}, {order, 0}}; }
Event tombstone() { return {{true, false, false}, {}}; }
Event put_unordered() { return {{false, false, true}, {}}; }

struct Fate {
    std::vector<FoldOperation> operations;
    size_t superseded;
    size_t unchanged;
    friend bool operator==(const Fate&, const Fate&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Fate& f) {
        for (const FoldOperation& o : f.operations) {
            out << (o.kind == Kind::Delete   ? "Delete"
                    : o.kind == Kind::Upsert ? "Upsert"
                                             : "InsertOnly")
                << '{' << o.event << ',' << o.first << "} ";
        }
        return out << "superseded " << f.superseded << " unchanged " << f.unchanged;
    }
};

Fate folded(std::vector<Event> events, FoldMode mode = FoldMode::Merge) {
    Folded f;
    fold(events, mode, f);
    EXPECT_TRUE(each_has_one_fate(f, events));
    return {f.operations, events.size() - f.operations.size() - f.unchanged.size(), f.unchanged.size()};
}

TEST(Fold, OneEventIsOneOperation) {
    EXPECT_EQ(folded({put(1)}), (Fate{{{Kind::Upsert, 0, 0}}, 0, 0}));
    EXPECT_EQ(folded({put_if_absent(1)}), (Fate{{{Kind::InsertOnly, 0, 0}}, 0, 0}));
    EXPECT_EQ(folded({remove(1)}), (Fate{{{Kind::Delete, 0, 0}}, 0, 0}));
    EXPECT_EQ(folded({put(1)}, FoldMode::Update), (Fate{{{Kind::Upsert, 0, 0}}, 0, 0}));
    EXPECT_EQ(folded({put_if_absent(1)}, FoldMode::Update), (Fate{{}, 0, 1}));
    EXPECT_EQ(folded({tombstone()}, FoldMode::Update), (Fate{{}, 0, 1}));
}

TEST(Fold, TheGreatestWinsAndTheLastOfTies) {
    EXPECT_EQ(folded({put(1), put(3), put(2)}), (Fate{{{Kind::Upsert, 1, 0}}, 2, 0}));
    EXPECT_EQ(folded({put(3), put(3), put(2)}), (Fate{{{Kind::Upsert, 1, 0}}, 2, 0}));
    EXPECT_EQ(folded({put_unordered(), put_unordered()}), (Fate{{{Kind::Upsert, 1, 0}}, 1, 0}));
}

TEST(Fold, ADeleteThatIsNotOlderEndsWhatCameBefore) {
    EXPECT_EQ(folded({put(1), remove(2)}), (Fate{{{Kind::Delete, 1, 1}}, 1, 0}));
    EXPECT_EQ(folded({put(2), remove(2)}), (Fate{{{Kind::Delete, 1, 1}}, 1, 0}));
    EXPECT_EQ(folded({put(9), tombstone()}), (Fate{{{Kind::Delete, 1, 1}}, 1, 0}));
    EXPECT_EQ(folded({put(1), remove(2), put(3), put(4)}),
              (Fate{{{Kind::Delete, 1, 1}, {Kind::Upsert, 3, 2}}, 2, 0}));
    EXPECT_EQ(folded({tombstone(), put(1), tombstone(), put(2)}),
              (Fate{{{Kind::Delete, 2, 2}, {Kind::Upsert, 3, 3}}, 2, 0}));
}

TEST(Fold, ADeleteOlderThanAnUpdateOfItsBatchDoesNothing) {
    EXPECT_EQ(folded({put(5), remove(3)}), (Fate{{{Kind::Upsert, 0, 0}}, 1, 0}));
    EXPECT_EQ(folded({remove(7), put(3), remove(5)}), (Fate{{{Kind::Delete, 0, 0}}, 2, 0}));
}

TEST(Fold, ATombstoneIsNotForgottenForALaterDelete) {
    // A stored row of order 9 goes with the tombstone, which the second delete alone would spare.
    EXPECT_EQ(folded({tombstone(), put(1), remove(2)}), (Fate{{{Kind::Delete, 0, 0}}, 2, 0}));
}

TEST(Fold, AFalseUpdateConditionStillInserts) {
    EXPECT_EQ(folded({put_if_absent(1), put(2)}), (Fate{{{Kind::Upsert, 1, 0}}, 1, 0}));
    EXPECT_EQ(folded({put_if_absent(5), put(2)}),
              (Fate{{{Kind::InsertOnly, 0, 0}, {Kind::Upsert, 1, 1}}, 0, 0}));
    EXPECT_EQ(folded({put(1), put_if_absent(2)}), (Fate{{{Kind::Upsert, 0, 0}}, 0, 1}));
    EXPECT_EQ(folded({put_if_absent(9), remove(5), put(6)}),
              (Fate{{{Kind::InsertOnly, 0, 0}, {Kind::Delete, 1, 1}, {Kind::Upsert, 2, 2}}, 0, 0}));
}

TEST(Fold, AHotKeyCostsFewComparisons) {
    std::vector<Event> events;
    for (int i = 0; i < 10'000; ++i) events.push_back(put(i));
    Folded result;
    int comparisons = 0;
    fold(events, FoldMode::Merge, result, &comparisons);
    EXPECT_EQ(comparisons, 9'999);
    EXPECT_EQ(result.operations, (std::vector<FoldOperation>{{Kind::Upsert, 9'999, 0}}));
}

TEST(Fold, SingleEventsDoNotAllocate) {
    Folded result;
    result.operations.reserve(1);
    const FoldOperation* memory = result.operations.data();
    auto never = [](uint32_t, uint32_t) -> int {
        ADD_FAILURE() << "a single event was compared";
        return 0;
    };
    for (const Event& event : {put(1), remove(1), put_if_absent(1), tombstone()}) {
        fold_key(std::span(&event.flags, 1), FoldMode::Merge, never, result);
        EXPECT_EQ(result.operations.size(), 1U);
        EXPECT_EQ(result.operations.data(), memory);
    }
}

}  // namespace
}  // namespace sluice
