#include "flow/batch_policy.hpp"

#include "flow_clock.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

BatchLimits limits() { return BatchLimits::of(JobOptions{}, 1); }
const Surroundings kEmpty{.queue_empty = true};
const Surroundings kMore{};

TEST(BatchLimits, ComeFromTheJobAndAreSharedByItsWorkers) {
    JobOptions options;
    EXPECT_FALSE(limits().max_count.has_value());
    EXPECT_EQ(limits().max_bytes, 16U * 1024 * 1024);
    EXPECT_EQ(limits().interval, milliseconds(10));
    EXPECT_EQ(limits().max_rate, 0);

    options.max_rate = 1'000;
    EXPECT_EQ(BatchLimits::of(options, 4).max_bytes, 4U * 1024 * 1024);
    EXPECT_EQ(BatchLimits::of(options, 4).max_rate, 250);

    options.max_bytes = 1'000;
    options.max_count = 500;
    options.interval_ms = 1'000;
    EXPECT_EQ(BatchLimits::of(options, 4).max_bytes, 1'000U);
    EXPECT_EQ(BatchLimits::of(options, 4).max_count, 500U);
    EXPECT_EQ(BatchLimits::of(options, 4).interval, seconds(1));
}

TEST(BatchPolicy, ASingleMessageOnAnIdleTopicIsAppliedAtOnce) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(policy.decide(kEmpty).close, std::nullopt);
        EXPECT_EQ(policy.decide(kEmpty).wait, std::nullopt) << "nothing to do until something happens";
        policy.took(1, 115);
        EXPECT_EQ(policy.decide(kEmpty).close, EndReason::QueueEmpty);
        policy.committed(milliseconds(1));
        clock.advance(seconds(1));
    }
}

TEST(BatchPolicy, UnderATrickleCommitsComeAtMostEveryInterval) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    int commits = 0;
    size_t messages = 0;
    for (int i = 0; i < 10'000; ++i) {  // a message every 0.3 ms for 3 s
        policy.took(1, 115);
        ++messages;
        if (policy.decide(kEmpty).close == EndReason::QueueEmpty) {
            policy.committed(milliseconds(0));
            ++commits;
        }
        clock.advance(microseconds(300));
    }
    EXPECT_GE(commits, 290);
    EXPECT_LE(commits, 301);
}

TEST(BatchPolicy, TellsHowLongToWait) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    policy.took(1, 1);
    policy.committed(milliseconds(1));
    clock.advance(microseconds(3'400));
    policy.took(1, 1);
    const auto decision = policy.decide(kEmpty);
    EXPECT_EQ(decision.close, std::nullopt);
    EXPECT_EQ(decision.wait, milliseconds(7)) << "6.6 ms, rounded up: not asked again too early";
    clock.advance(*decision.wait);
    EXPECT_EQ(policy.decide(kEmpty).close, EndReason::QueueEmpty);
}

TEST(BatchPolicy, GoesOnWhileThereIsMore) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    policy.took(5'000, 5'000 * 115);
    clock.advance(seconds(5));
    EXPECT_EQ(policy.decide(kMore).close, std::nullopt);
    EXPECT_EQ(policy.decide(kMore).wait, milliseconds(0));
    EXPECT_EQ(policy.room(), 5'000U);
}

TEST(BatchPolicy, MaxCountIsAHardCapAndDoesNotWaitForTheInterval) {
    FakeClock clock;
    BatchLimits yaml = limits();
    yaml.max_count = 500;
    yaml.interval = seconds(1);
    BatchPolicy policy(yaml, clock);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(policy.room(), 500U);
        policy.took(policy.room(), 100);
        EXPECT_EQ(policy.room(), 0U);
        EXPECT_EQ(policy.decide(kMore).close, EndReason::MaxCount);
        EXPECT_EQ(policy.decide(kEmpty).close, EndReason::MaxCount);
        policy.committed(milliseconds(1));
    }
    EXPECT_EQ(policy.max_count(), 500U) << "not adaptive when it is given";
    policy.took(499, 100);
    EXPECT_EQ(policy.room(), 1U);
    EXPECT_EQ(policy.decide(kEmpty).close, std::nullopt) << "MINIMAL_INTERVAL";
    EXPECT_EQ(policy.decide(kEmpty).wait, seconds(1));
}

TEST(BatchPolicy, MaxBytesCloses) {
    FakeClock clock;
    BatchLimits small = limits();
    small.max_bytes = 1'000;
    BatchPolicy policy(small, clock);
    EXPECT_EQ(policy.room_bytes(), 1'000U);
    policy.took(1, 999);
    EXPECT_EQ(policy.room_bytes(), 1U);
    EXPECT_EQ(policy.decide(kMore).close, std::nullopt);
    policy.took(1, 5'000);  // a single large message is not refused here
    EXPECT_EQ(policy.room(), 0U);
    EXPECT_EQ(policy.room_bytes(), 0U);
    EXPECT_EQ(policy.decide(kMore).close, EndReason::MaxBytes);
    policy.committed(milliseconds(1));
    EXPECT_EQ(policy.room_bytes(), 1'000U);
}

TEST(BatchPolicy, StopsCloseWhateverIsInTheBatch) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    policy.committed(milliseconds(1));
    EXPECT_EQ(policy.decide({.stop_reached = true}).close, EndReason::StopPosition);
    EXPECT_EQ(policy.decide({.stop_requested = true}).close, EndReason::StopRequested);
    policy.took(3, 3);
    EXPECT_EQ(policy.decide({.stop_reached = true, .stop_requested = true}).close, EndReason::StopPosition);
    EXPECT_EQ(policy.decide({.stop_requested = true}).close, EndReason::StopRequested);
}

TEST(BatchPolicy, AnOffsetThatMovedWithoutAMessageIsStoredToo) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    policy.committed(milliseconds(1));
    const Surroundings moved{.queue_empty = true, .position_to_store = true};
    EXPECT_EQ(policy.decide(moved).close, std::nullopt);
    EXPECT_EQ(policy.decide(moved).wait, milliseconds(10));
    clock.advance(milliseconds(10));
    EXPECT_EQ(policy.decide(moved).close, EndReason::QueueEmpty);
}

TEST(BatchPolicy, AnUnsetMaxCountFollowsTheTimeBatchesTake) {
    FakeClock clock;
    BatchPolicy policy(limits(), clock);
    EXPECT_EQ(policy.max_count(), 10'000U);
    for (int i = 0; i < 10; ++i) {
        policy.took(policy.room(), 1);
        policy.committed(milliseconds(200));
    }
    EXPECT_EQ(policy.max_count(), 100'000U);

    policy.took(policy.room(), 1);
    policy.committed(milliseconds(400));
    EXPECT_EQ(policy.max_count(), 100'000U) << "neither short nor long";

    for (int i = 0; i < 20; ++i) {
        policy.took(policy.room(), 1);
        policy.committed(seconds(10));
    }
    EXPECT_EQ(policy.max_count(), 100U);

    policy.took(5, 1);
    policy.committed(milliseconds(1));
    EXPECT_EQ(policy.max_count(), 100U) << "a batch that was not full says nothing about larger ones";
}

TEST(BatchPolicy, MaxRateHolds) {
    FakeClock clock;
    BatchLimits slow = limits();
    slow.max_rate = 1'000;
    BatchPolicy policy(slow, clock);
    size_t messages = 0;
    int wakes = 0;
    const auto begin = clock.now();
    while (clock.now() - begin < seconds(10)) {
        const size_t room = policy.room();
        policy.took(room, room);
        messages += room;
        const auto decision = policy.decide(kMore);
        if (decision.close) {
            EXPECT_EQ(decision.close, EndReason::QueueEmpty)
                << "what the rate keeps back is as good as not there";
            policy.committed(milliseconds(0));
            continue;
        }
        ASSERT_TRUE(decision.wait.has_value());
        clock.advance(*decision.wait);
        ++wakes;
    }
    EXPECT_GE(messages, 9'900U);
    EXPECT_LE(messages, 10'200U);
    EXPECT_LE(wakes, 1'000);
}

TEST(RateLimit, IsExactBelowOneASecond) {
    FakeClock clock;
    RateLimit rate(0.25, clock);
    EXPECT_EQ(rate.available(), 1U);
    rate.take(1);
    EXPECT_EQ(rate.available(), 0U);
    EXPECT_EQ(rate.until_more(), seconds(4));
    clock.advance(milliseconds(3'999));
    EXPECT_EQ(rate.available(), 0U);
    clock.advance(rate.until_more());
    EXPECT_EQ(rate.available(), 1U);
}

TEST(RateLimit, DoesNotMakeUpForAPause) {
    FakeClock clock;
    RateLimit rate(10'000, clock);
    rate.take(rate.available());
    clock.advance(std::chrono::hours(1));
    EXPECT_EQ(rate.available(), 1'000U);
}

TEST(RateLimit, ZeroIsNoLimit) {
    FakeClock clock;
    RateLimit rate(0, clock);
    rate.take(1'000'000'000);
    EXPECT_EQ(rate.available(), SIZE_MAX);
    EXPECT_EQ(rate.until_more(), milliseconds(0));
}

TEST(EndReason, IsSpelledAsInHistory) {
    EXPECT_EQ(end_reason_name(EndReason::MaxCount), "MAX_COUNT");
    EXPECT_EQ(end_reason_name(EndReason::MaxBytes), "MAX_BYTES");
    EXPECT_EQ(end_reason_name(EndReason::QueueEmpty), "QUEUE_EMPTY");
    EXPECT_EQ(end_reason_name(EndReason::StopPosition), "STOP_POSITION");
    EXPECT_EQ(end_reason_name(EndReason::StopRequested), "STOP_REQUESTED");
    EXPECT_EQ(end_reason_name(EndReason::Error), "ERROR");
}

}  // namespace
}  // namespace sluice
