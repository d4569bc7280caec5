#include "flow/recut.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

namespace sluice {
namespace {

using Kind = Recut::Step::Kind;

Error data_error(const std::string& constraint = "orders_check") {
    Error e = Error::data("23514", "new row violates check constraint", "Failing row contains (…).");
    e.constraint_name = constraint;
    e.stage = Stage::Write;
    return e;
}

const Error kUndecodable = Error::data("22P04", "extra data after last expected column");

// A table and its offset: commits messages in order, and keeps account of what that costs.
class FakeTable : public Applier {
  public:
    explicit FakeTable(size_t messages) : size(messages) {}

    ApplyResult apply(size_t first, size_t count) override {
        first += base;
        begin(first, count);
        if (fenced) return Fenced{};
        for (size_t i = first; i < first + count; ++i) {
            if (auto error = trouble(i)) return Failed{*error, std::nullopt};
            if (poison.count(i)) return Failed{poison[i], hints ? std::optional(i - base) : std::nullopt};
        }
        // Decode rejects go with the batch, as far as the budget bears them.
        Applied applied;
        for (size_t i = first; i < first + count; ++i) {
            if (undecodable.count(i)) applied.rejected.push_back(i - base);
        }
        if (const auto over = budget ? budget->first_over(first - base, applied.rejected) : std::nullopt) {
            return Failed{kUndecodable, over};
        }
        for (size_t i = first; i < first + count; ++i) {
            (undecodable.count(i) ? rejected : applied_messages).push_back(i);
        }
        offset = first + count;
        return applied;
    }

    ApplyResult apply_alone(size_t index, const Judge& judge) override {
        index += base;
        begin(index, 1);
        ++alone;
        if (fenced) return Fenced{};
        if (commit_fails.count(index)) return Failed{data_error(), std::nullopt};
        std::optional<Error> error = trouble(index);
        if (!error && poison.count(index)) error = poison[index];
        if (!error && undecodable.count(index)) error = kUndecodable;
        if (!error) {
            applied_messages.push_back(index);
            offset = index + 1;
            return Applied{};
        }
        const Verdict verdict = judge.judge(*error);
        if (verdict == Verdict::Leave) return Failed{*error, std::nullopt};
        if (verdict == Verdict::Block) {
            blocking.push_back(index);
        } else {
            rejected.push_back(index);
            offset = index + 1;
        }
        return Rejected{*error, verdict};
    }

    // Every message exactly once, in order.
    void expect_complete() const {
        EXPECT_EQ(offset, size);
        EXPECT_TRUE(std::is_sorted(applied_messages.begin(), applied_messages.end()));
        EXPECT_TRUE(std::is_sorted(rejected.begin(), rejected.end()));
        std::vector<size_t> all(applied_messages);
        all.insert(all.end(), rejected.begin(), rejected.end());
        std::sort(all.begin(), all.end());
        ASSERT_EQ(all.size(), size);
        for (size_t i = 0; i < size; ++i) ASSERT_EQ(all[i], i);
    }

    struct Trouble {
        Error error;
        int times;  // -1: for ever
    };
    size_t size;
    size_t base = 0;  // of the batch in the topic
    std::map<size_t, Error> poison;
    std::map<size_t, Trouble> transient;
    std::set<size_t> undecodable;
    std::set<size_t> commit_fails;
    bool hints = false;
    bool fenced = false;
    const ErrorBudget* budget = nullptr;

    size_t offset = 0;
    std::vector<size_t> applied_messages;
    std::vector<size_t> rejected;
    std::vector<size_t> blocking;
    std::vector<size_t> slices;
    size_t work = 0;  // messages in all transactions, also in those that failed
    size_t alone = 0;

  private:
    std::optional<Error> trouble(size_t message) {
        const auto found = transient.find(message);
        if (found == transient.end() || found->second.times == 0) return std::nullopt;
        --found->second.times;
        return found->second.error;
    }
    void begin(size_t first, size_t count) {
        ASSERT_EQ(first, offset) << "a transaction must begin at the stored offset";
        ASSERT_GT(count, 0U);
        ASSERT_LE(first + count, size);
        slices.push_back(count);
        work += count;
    }
};

ErrorLimit unlimited() { return {ErrorLimit::Kind::Unlimited, 0, 0}; }
ErrorLimit at_most(int64_t n) { return {ErrorLimit::Kind::Count, n, 0}; }

Recut::Step run(Recut& recut) {
    Recut::Step step = recut.step();
    while (step.kind == Kind::Progress) step = recut.step();
    return step;
}
Recut::Step run(Recut& recut, size_t count) {
    recut.begin(count);
    return run(recut);
}

TEST(Recut, ACleanBatchIsOneTransaction) {
    FakeTable table(50'000);
    ErrorBudget budget(at_most(0), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 50'000).kind, Kind::Done);
    EXPECT_EQ(table.slices, std::vector<size_t>{50'000});
    EXPECT_EQ(table.alone, 0U);
    table.expect_complete();
}

TEST(Recut, AnEmptyBatchIsNoTransaction) {
    FakeTable table(0);
    ErrorBudget budget(at_most(0), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 0).kind, Kind::Done);
    EXPECT_TRUE(table.slices.empty());
}

TEST(Recut, OnePoisonMessageCostsTwoBatchesMore) {
    constexpr size_t kBatch = 50'000;
    for (size_t at : {0UL, 1UL, 24'999UL, 25'000UL, 33'333UL, 49'998UL, 49'999UL}) {
        for (bool hints : {false, true}) {
            FakeTable table(kBatch);
            table.hints = hints;
            table.poison[at] = data_error();
            ErrorBudget budget(at_most(1), 10'000);
            Recut recut(table, budget);
            EXPECT_EQ(run(recut, kBatch).kind, Kind::Done);
            table.expect_complete();
            EXPECT_EQ(table.rejected, std::vector<size_t>{at});
            EXPECT_LE(table.work, 3 * kBatch + 100) << at;
            EXPECT_LE(table.slices.size(), 60U) << at;
            if (hints) {
                EXPECT_LE(table.work, 2 * kBatch) << at;
                EXPECT_LE(table.alone, 2U) << at;
            }
        }
    }
}

TEST(Recut, AHintIsCutExactlyThere) {
    FakeTable table(1'000);
    table.hints = true;
    table.poison[300] = data_error();
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 1'000).kind, Kind::Done);
    EXPECT_EQ(table.slices, (std::vector<size_t>{1'000, 300, 1, 600, 99}));
    table.expect_complete();
}

TEST(Recut, AHintOutsideTheSliceIsNoHint) {
    struct Liar : FakeTable {
        using FakeTable::FakeTable;
        ApplyResult apply(size_t first, size_t count) override {
            ApplyResult result = FakeTable::apply(first, count);
            if (auto* failed = std::get_if<Failed>(&result)) failed->at = first + count;
            return result;
        }
    } table(100);
    table.poison[37] = data_error();
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 100).kind, Kind::Done);
    table.expect_complete();
    EXPECT_EQ(table.rejected, std::vector<size_t>{37});
}

TEST(Recut, ManyPoisonMessagesStayLinear) {
    constexpr size_t kBatch = 50'000;
    struct Case {
        size_t one_in;
        double work;  // per message
    };
    for (const Case& c : {Case{100, 6}, Case{10, 6}, Case{2, 4}, Case{1, 3}}) {
        for (bool hints : {false, true}) {
            FakeTable table(kBatch);
            table.hints = hints;
            std::mt19937 random(7);
            for (size_t i = 0; i < kBatch; ++i) {
                // Of several kinds, or it would look like a broken job.
                if (random() % c.one_in == 0) table.poison[i] = data_error(std::to_string(i % 2));
            }
            ErrorBudget budget(unlimited(), 10'000);
            Recut recut(table, budget);
            EXPECT_EQ(run(recut, kBatch).kind, Kind::Done);
            table.expect_complete();
            EXPECT_EQ(table.rejected.size(), table.poison.size());
            EXPECT_LE(static_cast<double>(table.work), c.work * kBatch)
                << "one in " << c.one_in << " hints " << hints;
        }
    }
}

TEST(Recut, AmongPoisonMessagesEachCostsOneAttempt) {
    FakeTable table(10);
    for (size_t i = 0; i < 10; ++i) table.poison[i] = data_error();
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 10).kind, Kind::Done);
    EXPECT_EQ(table.slices, (std::vector<size_t>{10, 5, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(table.rejected.size(), 10U);
}

TEST(Recut, HowFinelyToCutIsRememberedFromBatchToBatch) {
    FakeTable table(20);
    table.poison[0] = data_error();
    table.poison[1] = data_error();
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 2).kind, Kind::Done);
    table.slices.clear();
    table.base = 2;
    EXPECT_EQ(run(recut, 18).kind, Kind::Done);
    EXPECT_EQ(table.slices, (std::vector<size_t>{1, 2, 4, 8, 3}));
    table.expect_complete();
}

TEST(Recut, RandomPoisonIsFoundWhateverItDoes) {
    for (uint32_t seed = 0; seed < 3'000; ++seed) {
        std::mt19937 random(seed);
        FakeTable table(1 + random() % 200);
        table.hints = random() % 2 == 0;
        const size_t one_in = 1 + random() % 50;
        for (size_t i = 0; i < table.size; ++i) {
            if (random() % one_in == 0) table.poison[i] = data_error(std::to_string(random() % 3));
            if (random() % 97 == 0) {
                const int times = 1 + static_cast<int>(random() % 3);
                table.transient[i] = {Error::transient("40P01", "deadlock detected"), times};
            }
        }
        ErrorBudget budget(unlimited(), 10'000);
        Recut recut(table, budget);
        recut.begin(table.size);
        Recut::Step step = run(recut);
        for (int waits = 0; step.kind == Kind::Transient; ++waits) {
            ASSERT_LT(waits, 10'000);
            step = run(recut);
        }
        if (step.kind == Kind::Config) {
            // Twenty in a row of the same kind do look like a broken job.
            ASSERT_TRUE(table.applied_messages.empty()) << seed;
            ASSERT_EQ(table.rejected.size(), 19U) << seed;
            continue;
        }
        ASSERT_EQ(step.kind, Kind::Done) << seed;
        ASSERT_EQ(recut.committed(), table.size) << seed;
        table.expect_complete();
        std::vector<size_t> poison;
        for (const auto& [i, error] : table.poison) poison.push_back(i);
        ASSERT_EQ(table.rejected, poison) << seed;
    }
}

TEST(Recut, OverBudgetEverythingBeforeIsCommittedAndTheMessageBlocks) {
    for (bool hints : {false, true}) {
        FakeTable table(1'000);
        table.hints = hints;
        for (size_t i : {100UL, 200UL, 612UL}) table.poison[i] = data_error();
        ErrorBudget budget(at_most(2), 10'000);
        Recut recut(table, budget);
        const Recut::Step step = run(recut, 1'000);
        EXPECT_EQ(step.kind, Kind::Blocked);
        EXPECT_EQ(step.error->sqlstate, "23514");
        EXPECT_EQ(recut.committed(), 612U);
        EXPECT_EQ(table.offset, 612U);
        EXPECT_EQ(table.applied_messages.size(), 610U);
        EXPECT_EQ(table.rejected, (std::vector<size_t>{100, 200}));
        EXPECT_EQ(table.blocking, std::vector<size_t>{612});
    }
}

TEST(Recut, WithoutABudgetTheFirstPoisonMessageBlocks) {
    FakeTable table(8);
    table.poison[0] = data_error();
    ErrorBudget budget(at_most(0), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 8).kind, Kind::Blocked);
    EXPECT_EQ(recut.committed(), 0U);
    EXPECT_EQ(table.blocking, std::vector<size_t>{0});
    EXPECT_TRUE(table.applied_messages.empty());
}

TEST(Recut, UndecodableMessagesGoWithTheBatchWhileTheBudgetBearsThem) {
    FakeTable table(1'000);
    table.undecodable = {10, 20, 30, 500};
    ErrorBudget budget(at_most(3), 10'000);
    table.budget = &budget;
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 40).kind, Kind::Done);
    EXPECT_EQ(table.slices, std::vector<size_t>{40});
    EXPECT_EQ(table.rejected, (std::vector<size_t>{10, 20, 30}));

    table.base = 40;
    const Recut::Step step = run(recut, 960);
    EXPECT_EQ(step.kind, Kind::Blocked);
    EXPECT_EQ(step.error->sqlstate, "22P04");
    EXPECT_EQ(recut.committed(), 460U);
    EXPECT_EQ(table.offset, 500U);
    EXPECT_EQ(table.blocking, std::vector<size_t>{500});
}

TEST(Recut, TransientTroubleKeepsTheSliceWhole) {
    FakeTable table(10'000);
    table.transient[77] = {Error::transient("55P03", "canceling statement due to lock timeout"), 30};
    ErrorBudget budget(at_most(0), 10'000);
    Recut recut(table, budget);
    recut.begin(10'000);
    for (int i = 0; i < 30; ++i) {
        const Recut::Step step = run(recut);
        ASSERT_EQ(step.kind, Kind::Transient);
        EXPECT_EQ(step.error->sqlstate, "55P03");
        EXPECT_EQ(recut.committed(), 0U);
    }
    EXPECT_EQ(run(recut).kind, Kind::Done);
    EXPECT_TRUE(std::all_of(table.slices.begin(), table.slices.end(), [](size_t n) { return n == 10'000; }));
    table.expect_complete();
}

TEST(Recut, TheSameTransientErrorFiveTimesAtOneMessageIsItsFault) {
    FakeTable table(1);
    table.transient[0] = {Error::transient("57014", "canceling statement due to statement timeout"), -1};
    ErrorBudget budget(at_most(1), 10'000);
    Recut recut(table, budget);
    recut.begin(1);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(run(recut).kind, Kind::Transient);
    EXPECT_TRUE(table.rejected.empty());
    EXPECT_EQ(run(recut).kind, Kind::Done);
    EXPECT_EQ(table.rejected, std::vector<size_t>{0});
    EXPECT_EQ(table.slices.size(), 5U);
}

TEST(Recut, AFullDiskIsNeverTheFaultOfAMessage) {
    for (size_t messages : {1, 10}) {
        FakeTable table(messages);
        table.transient[0] = {Error::transient("53100", "could not extend file"), 50};
        ErrorBudget budget({}, 10'000);
        Recut recut(table, budget);
        recut.begin(messages);
        for (int i = 0; i < 50; ++i) ASSERT_EQ(run(recut).kind, Kind::Transient) << i;
        EXPECT_EQ(run(recut).kind, Kind::Done);
        EXPECT_EQ(table.applied_messages.size(), messages);
        EXPECT_TRUE(table.rejected.empty() && table.blocking.empty());
    }
}

TEST(Recut, AnotherTransientErrorBeginsTheCountAnew) {
    FakeTable table(1);
    ErrorBudget budget(at_most(0), 10'000);
    Recut recut(table, budget);
    recut.begin(1);
    for (int i = 0; i < 20; ++i) {
        table.transient[0] = {Error::transient(i / 4 % 2 ? "40P01" : "40001", "try again"), -1};
        ASSERT_EQ(run(recut).kind, Kind::Transient) << i;
    }
    table.transient.clear();
    EXPECT_EQ(run(recut).kind, Kind::Done);
    table.expect_complete();
}

TEST(Recut, ProgramLimitsShrinkTheSlice) {
    struct Limited : FakeTable {
        using FakeTable::FakeTable;
        ApplyResult apply(size_t first, size_t count) override {
            ApplyResult result = FakeTable::apply(first, count);
            if (count <= 10) return result;
            offset = first;
            applied_messages.resize(first);
            return Failed{Error::data("54000", "too much at once"), std::nullopt};
        }
    } table(200);
    ErrorBudget budget(at_most(0), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 200).kind, Kind::Done);
    table.expect_complete();
    EXPECT_TRUE(table.rejected.empty());
}

TEST(Recut, ConfigErrorsStopAtOnce) {
    for (Error error : {Error::config("42P01", "relation \"shop.orders\" does not exist"), Error{}}) {
        FakeTable table(100);
        table.poison[50] = error;
        ErrorBudget budget(unlimited(), 10'000);
        Recut recut(table, budget);
        const Recut::Step step = run(recut, 100);
        EXPECT_EQ(step.kind, Kind::Config);
        EXPECT_EQ(step.error->kind, error.kind);
        EXPECT_EQ(table.slices.size(), 1U);
        EXPECT_EQ(recut.committed(), 0U);
    }
}

TEST(Recut, AConfigErrorOfAMessageAloneIsNotRejected) {
    FakeTable table(2);
    table.poison[0] = data_error();
    table.poison[1] = Error::config("42501", "permission denied for table orders");
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    EXPECT_EQ(run(recut, 2).kind, Kind::Config);
    EXPECT_EQ(recut.committed(), 1U);
    EXPECT_EQ(table.rejected, std::vector<size_t>{0});
    EXPECT_TRUE(table.blocking.empty());
}

TEST(Recut, TwentyMessagesThatAllFailAlikeAreTheJobsFault) {
    FakeTable table(1'000);
    for (size_t i = 0; i < 1'000; ++i) {
        Error e = data_error();
        e.message += " of message " + std::to_string(i);  // values differ, the trouble does not
        table.poison[i] = e;
    }
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    const Recut::Step step = run(recut, 1'000);
    EXPECT_EQ(step.kind, Kind::Config);
    EXPECT_EQ(step.error->kind, ErrorKind::Config);
    EXPECT_EQ(step.error->sqlstate, "23514");
    EXPECT_NE(step.error->hint.find("first 20 messages"), std::string::npos) << step.error->hint;
    EXPECT_EQ(recut.committed(), 19U);
    EXPECT_EQ(table.rejected.size(), 19U);
    EXPECT_TRUE(table.blocking.empty());
}

TEST(Recut, OneSuccessOrAnotherErrorClearsTheJob) {
    for (bool success : {true, false}) {
        FakeTable table(100);
        for (size_t i = 0; i < 100; ++i) table.poison[i] = data_error();
        if (success) {
            table.poison.erase(5);
        } else {
            table.poison[5] = data_error("another_check");
        }
        ErrorBudget budget(unlimited(), 10'000);
        Recut recut(table, budget);
        EXPECT_EQ(run(recut, 100).kind, Kind::Done);
        table.expect_complete();
        EXPECT_EQ(table.rejected.size(), success ? 99U : 100U);
    }
}

TEST(Recut, TransientErrorsOfTwentyMessagesAreTheJobsFaultToo) {
    FakeTable table(30);
    for (size_t i = 0; i < 30; ++i) {
        table.transient[i] = {Error::transient("57014", "canceling statement due to statement timeout"), -1};
    }
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    // One message a batch, as on a slow topic.
    for (table.base = 0; table.base < 20; ++table.base) {
        recut.begin(1);
        for (int i = 0; i < 4; ++i) ASSERT_EQ(run(recut).kind, Kind::Transient);
        ASSERT_EQ(run(recut).kind, table.base < 19 ? Kind::Done : Kind::Config);
    }
    EXPECT_EQ(table.rejected.size(), 19U);
}

TEST(Recut, AnErrorThatNobodyCanJudgeEndsTheJobNotTheMessage) {
    FakeTable table(10);
    table.poison[3] = data_error();
    table.commit_fails = {3};
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    const Recut::Step step = run(recut, 10);
    EXPECT_EQ(step.kind, Kind::Config);
    EXPECT_EQ(recut.committed(), 3U);
    EXPECT_TRUE(table.rejected.empty());
}

TEST(Recut, AnotherGenerationEndsItQuietly) {
    FakeTable table(10);
    table.fenced = true;
    ErrorBudget budget(unlimited(), 10'000);
    Recut recut(table, budget);
    const Recut::Step step = run(recut, 10);
    EXPECT_EQ(step.kind, Kind::Fenced);
    EXPECT_FALSE(step.error.has_value());
    EXPECT_EQ(recut.committed(), 0U);
}

}  // namespace
}  // namespace sluice
