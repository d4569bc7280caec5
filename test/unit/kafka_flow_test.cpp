// The steady flow: a full queue makes librdkafka sleep up to a second, which a fast consumer must not feel,
// and a slow consumer must not make it keep more than its memory.
#include "kafka_helpers.hpp"

#include <algorithm>
#include <thread>

namespace sluice {
namespace {

using namespace sluice::testing;
using std::chrono::steady_clock;

constexpr auto kTopic = "orders";
constexpr size_t kMemory = 2 << 20;
constexpr int kPartitions = 2;
constexpr int kRows = 25'000;  // of 115 bytes: below what a partition of the mock can keep

class KafkaFlow : public ::testing::Test {
  protected:
    KafkaFlow() {
        cluster_.create_topic(kTopic, kPartitions);
        for (int i = 0; i < kRows; ++i)
            for (int p = 0; p < kPartitions; ++p) cluster_.produce(kTopic, p, std::string(115, 'x'));
        cluster_.flush();
        consumer_ = open_consumer(consumer_config(cluster_.brokers_text(), kMemory));
        std::vector<Assignment> all;
        for (int p = 0; p < kPartitions; ++p) all.push_back({kTopic, Partition{p}, NextOffset{0}});
        EXPECT_TRUE(consumer_->assign(all));
    }

    // Returns when librdkafka has stopped to fetch, because the queue is full.
    void wait_until_full() {
        size_t before = 0, now = 0;
        do {
            before = now;
            std::this_thread::sleep_for(200ms);
            now = consumer_->queued_messages();
        } while (now == 0 || now > before);
    }

    MockCluster cluster_;
    std::unique_ptr<Consumer> consumer_;
    MessageBatch batch_;
    std::vector<ConsumerEvent> events_;
    PollWaiter waiter_;
};

TEST_F(KafkaFlow, NeverStarvesAFastConsumer) {
    wait_until_full();
    ASSERT_LT(consumer_->queued_messages(), kRows * kPartitions / 2u)
        << "the queue must be full to test anything";
    size_t messages = 0;
    steady_clock::duration longest{};
    for (auto last = steady_clock::now(); messages < kRows * kPartitions;) {
        ASSERT_TRUE(waiter_.wait_readable(consumer_->wake_fd(), 10s));
        consumer_->clear_wake();
        if (consumer_->poll(batch_, {500, 1 << 20}, events_) == 0) continue;
        messages += batch_.size();
        batch_.release();
        const auto now = steady_clock::now();
        longest = std::max(longest, now - last);
        last = now;
    }
    const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(longest).count();
    RecordProperty("longest_gap_ms", static_cast<int>(gap));
    EXPECT_LT(gap, 500);
    EXPECT_EQ(messages, static_cast<size_t>(kRows * kPartitions));
}

TEST_F(KafkaFlow, KeepsASlowConsumerWithinItsMemory) {
    size_t most = 0;
    const auto look = [&] { most = std::max(most, consumer_->queued_messages() * (115 + kMessageOverhead)); };
    for (size_t messages = 0; messages < kRows * kPartitions;) {
        if (messages % 5000 == 0) wait_until_full();
        look();
        ASSERT_TRUE(waiter_.wait_readable(consumer_->wake_fd(), 10s));
        consumer_->clear_wake();
        messages += consumer_->poll(batch_, {1000, 1 << 20}, events_);
        batch_.release();
        std::this_thread::sleep_for(20ms);
        if (messages > kRows * kPartitions / 2) break;
        look();
    }
    RecordProperty("most_kbytes", static_cast<int>(most / 1024));
    EXPECT_GT(most, kMemory / 8);
    EXPECT_LE(most, 2 * kMemory);
}

}  // namespace
}  // namespace sluice
