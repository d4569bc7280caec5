#include "flow_fold_helpers.hpp"

namespace sluice {
namespace {

Event put(int order) { return {{false, true, true}, {order, 0}}; }
Event put_if_absent(int order) { return {{false, true, false}, {order, 0}}; }
Event remove(int order) { return {{true, true, false}, {order, 0}}; }
Event tombstone() { return {{true, false, false}, {}}; }
Event partial(int order, uint32_t absent = 1) { return {{false, true, true, absent}, {order, 0}}; }
Event put_unordered() { return {{false, false, true}, {}}; }

struct Fate {
    std::vector<FoldOperation> operations;
    size_t superseded;
    size_t unchanged;
    friend bool operator==(const Fate&, const Fate&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Fate& f) {
        for (const FoldOperation& o : f.operations) {
            out << (o.kind == Kind::Delete    ? "Delete"
                    : o.kind == Kind::Upsert  ? "Upsert"
                    : o.kind == Kind::Partial ? "Partial"
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

TEST(Fold, EventsThatDoNotTellAllColumnsAreNotMixedWithOthers) {
    EXPECT_EQ(folded({partial(1)}), (Fate{{{Kind::Partial, 0, 0}}, 0, 0}));
    EXPECT_EQ(folded({put(1), partial(2)}), (Fate{{{Kind::Upsert, 0, 0}, {Kind::Partial, 1, 1}}, 0, 0}));
    EXPECT_EQ(folded({partial(1, 1), partial(2, 2)}),
              (Fate{{{Kind::Partial, 0, 0}, {Kind::Partial, 1, 1}}, 0, 0}));
    // Those before it may meet no row, which is an error; those behind it do not.
    EXPECT_EQ(folded({partial(1), partial(3), partial(2), put(4), partial(5), put(6)}),
              (Fate{{{Kind::Partial, 1, 0}, {Kind::Upsert, 5, 3}}, 4, 0}));
    EXPECT_EQ(folded({put(1), partial(2), remove(3)}), (Fate{{{Kind::Delete, 2, 2}}, 2, 0}));
    // A row of order 3 keeps what the last event does not tell.
    EXPECT_EQ(folded({put(2), partial(5), put(4)}),
              (Fate{{{Kind::Upsert, 0, 0}, {Kind::Partial, 1, 1}, {Kind::Upsert, 2, 2}}, 0, 0}));
    Event unconditional = partial(1);
    unconditional.flags.update = false;
    EXPECT_EQ(folded({unconditional, unconditional}), (Fate{{{Kind::Partial, 0, 0}}, 0, 1}));
    EXPECT_EQ(folded({unconditional, unconditional}, FoldMode::Update), (Fate{{}, 0, 2}));
    Event gone = remove(1);
    gone.flags.absent = 1;
    EXPECT_EQ(folded({gone, put(1)}), (Fate{{{Kind::Delete, 0, 0}, {Kind::Upsert, 1, 1}}, 0, 0}));
}

TEST(Fold, AHotKeyIsAFewOperationsWhateverItsEventsTell) {
    std::vector<Event> events;
    for (int i = 0; i < 1'000; ++i) events.push_back(i % 3 == 0 ? put(i) : partial(i, 7));
    Folded result;
    fold(events, FoldMode::Merge, result);
    EXPECT_EQ(result.operations, (std::vector<FoldOperation>{{Kind::Upsert, 999, 0}}));
    events.push_back(partial(1'000, 7));
    fold(events, FoldMode::Merge, result);
    EXPECT_EQ(result.operations,
              (std::vector<FoldOperation>{{Kind::Upsert, 999, 0}, {Kind::Partial, 1'000, 1'000}}));
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
