#include "flow/budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace sluice {
namespace {

ErrorLimit count(int64_t n) { return {ErrorLimit::Kind::Count, n, 0}; }
ErrorLimit percent(double p) { return {ErrorLimit::Kind::Percent, 0, p}; }
ErrorLimit unlimited() { return {ErrorLimit::Kind::Unlimited, 0, 0}; }

void pass(ErrorBudget& budget, size_t messages) { budget.committed(0, messages, {}); }
void reject(ErrorBudget& budget) {
    const size_t only = 0;
    budget.committed(0, 1, {&only, 1});
}

TEST(ErrorBudget, ACountBearsThatManyAndNotOneMore) {
    ErrorBudget none(count(0), 10'000);
    EXPECT_FALSE(none.allows_reject());

    ErrorBudget two(count(2), 10'000);
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(two.allows_reject());
        reject(two);
        pass(two, 1'000'000);
    }
    EXPECT_FALSE(two.allows_reject());
    two.reset();
    EXPECT_TRUE(two.allows_reject());
}

TEST(ErrorBudget, ACountGoesOnInTheNextWorker) {
    EXPECT_TRUE(ErrorBudget(count(5), 10'000, 4).allows_reject());
    EXPECT_FALSE(ErrorBudget(count(5), 10'000, 5).allows_reject());
    // The limit was lowered meanwhile.
    EXPECT_FALSE(ErrorBudget(count(3), 10'000, 5).allows_reject());
}

TEST(ErrorBudget, UnlimitedBearsEverything) {
    ErrorBudget budget(unlimited(), 10);
    const std::vector<size_t> all = {0, 1, 2, 3, 4};
    for (int i = 0; i < 1'000; ++i) budget.committed(0, 5, all);
    EXPECT_TRUE(budget.allows_reject());
    EXPECT_FALSE(budget.first_over(0, all).has_value());
}

TEST(ErrorBudget, AShareIsOneOfAHundredMessagesAtFirst) {
    ErrorBudget budget(percent(5), 10'000);
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(budget.allows_reject()) << i;
        reject(budget);
    }
    EXPECT_FALSE(budget.allows_reject());
    pass(budget, 114);  // 119 messages: the next one is the 120th, and six of those are 5 %
    EXPECT_TRUE(budget.allows_reject());
    reject(budget);
    EXPECT_FALSE(budget.allows_reject());
}

TEST(ErrorBudget, AShareForgetsWhatLeftTheWindow) {
    ErrorBudget budget(percent(1), 1'000);
    pass(budget, 5'000);
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(budget.allows_reject());
        reject(budget);
    }
    EXPECT_FALSE(budget.allows_reject());
    pass(budget, 989);
    EXPECT_FALSE(budget.allows_reject()) << "the first of the ten is the first of a thousand";
    pass(budget, 1);
    EXPECT_TRUE(budget.allows_reject());
}

TEST(ErrorBudget, ExtremeShares) {
    ErrorBudget all(percent(100), 50);
    ErrorBudget none(percent(0), 50);
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(all.allows_reject());
        reject(all);
    }
    pass(none, 1'000);
    EXPECT_FALSE(none.allows_reject());
}

TEST(ErrorBudget, NamesTheFirstMessageOverIt) {
    ErrorBudget budget(count(2), 10'000);
    reject(budget);
    const std::vector<size_t> rejected = {10, 17, 30};
    EXPECT_EQ(budget.first_over(10, rejected), 17U);
    EXPECT_FALSE(budget.first_over(10, std::span(rejected).first(1)).has_value());
    EXPECT_FALSE(budget.first_over(10, {}).has_value());

    ErrorBudget share(percent(2), 100);
    EXPECT_EQ(share.first_over(10, rejected), 30U);
    const std::vector<size_t> apart = {10, 17,
                                       110};  // by then the first one is no longer among the last hundred
    EXPECT_FALSE(share.first_over(10, apart).has_value());
}

// Slices of any size, and messages one by one, give the same answers.
TEST(ErrorBudget, AShareDoesNotDependOnTheCut) {
    for (uint32_t seed = 0; seed < 300; ++seed) {
        std::mt19937 random(seed);
        const int64_t window = 1 + random() % 300;
        const ErrorLimit limit = percent(static_cast<double>(random() % 40));
        ErrorBudget sliced(limit, window);
        ErrorBudget single(limit, window);
        std::deque<bool> last;  // the naive window
        for (int n = 0; n < 60; ++n) {
            const size_t first = random() % 1'000;
            const size_t messages = 1 + random() % 50;
            std::vector<size_t> rejected;
            for (size_t i = 0; i < messages; ++i) {
                if (random() % 10 == 0) rejected.push_back(first + i);
            }
            std::optional<size_t> over;
            for (size_t i = 0, r = 0; i < messages; ++i) {
                const bool bad = r < rejected.size() && rejected[r] == first + i;
                if (bad && !over && !single.allows_reject()) over = first + i;
                const size_t only = 0;
                single.committed(0, 1, std::span(&only, bad ? 1 : 0));
                last.push_back(bad);
                while (static_cast<int64_t>(last.size()) > window) last.pop_front();
                if (bad) ++r;
            }
            ASSERT_EQ(sliced.first_over(first, rejected), over) << seed;
            sliced.committed(first, messages, rejected);
            ASSERT_EQ(sliced.allows_reject(), single.allows_reject());
        }
        // The window of the next message is the last `window` - 1 ones and itself.
        if (static_cast<int64_t>(last.size()) == window) {
            last.pop_front();
            const auto bad = static_cast<double>(std::count(last.begin(), last.end(), true) + 1);
            ASSERT_EQ(sliced.allows_reject(), bad * 100 <= limit.percent * static_cast<double>(window))
                << seed;
        }
    }
}

}  // namespace
}  // namespace sluice
