#include "flow/backoff.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheCapWithJitter) {
    for (uint64_t seed = 0; seed < 200; ++seed) {
        Backoff backoff(milliseconds(1'000), -1, seed);
        milliseconds whole(1'000);
        for (int i = 0; i < 30; ++i) {
            const auto wait = backoff.next();
            ASSERT_TRUE(wait.has_value());
            ASSERT_GE(*wait, whole / 2);
            ASSERT_LE(*wait, whole);
            whole = std::min(whole * 2, Backoff::kCap);
        }
        EXPECT_EQ(backoff.retries(), 30);
    }
}

TEST(Backoff, JobsThatFailedTogetherDoNotComeBackTogether) {
    std::set<milliseconds> waits;
    for (uint64_t seed = 0; seed < 50; ++seed) waits.insert(*Backoff(milliseconds(1'000), -1, seed).next());
    EXPECT_GT(waits.size(), 30U);

    Backoff a(milliseconds(1'000), -1, 42);
    Backoff b(milliseconds(1'000), -1, 42);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Backoff, EndsAfterMaxRetriesAndBeginsAnewAfterASuccess) {
    Backoff backoff(milliseconds(10), 3, 1);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(backoff.next().has_value());
    EXPECT_FALSE(backoff.next().has_value());
    EXPECT_EQ(backoff.retries(), 3);
    backoff.succeeded();
    EXPECT_EQ(backoff.retries(), 0);
    EXPECT_LE(*backoff.next(), milliseconds(10));

    EXPECT_FALSE(Backoff(milliseconds(10), 0, 1).next().has_value());
}

TEST(Backoff, OddIntervals) {
    Backoff zero(milliseconds(0), -1, 3);
    milliseconds sum(0);
    for (int i = 0; i < 10; ++i) sum += *zero.next();
    EXPECT_GE(sum, milliseconds(500)) << "grows from a millisecond, not from nothing";

    Backoff long_one(milliseconds(300'000), -1, 3);
    for (int i = 0; i < 10; ++i) {
        const milliseconds wait = *long_one.next();
        EXPECT_GE(wait, milliseconds(150'000));
        EXPECT_LE(wait, milliseconds(300'000));
    }
}

}  // namespace
}  // namespace sluice
