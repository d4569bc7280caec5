#include "kafka_helpers.hpp"

#include <fstream>
#include <map>
#include <set>
#include <filesystem>

namespace sluice {
namespace {

using namespace sluice::testing;
using Kind = ConsumerEvent::Kind;

constexpr auto kTopic = "orders";

class KafkaConsumer : public ::testing::Test {
  protected:
    void SetUp() override { cluster_.create_topic(kTopic, 4); }

    void produce_numbers(int32_t partition, int count) {
        for (int i = 0; i < count; ++i) cluster_.produce(kTopic, partition, std::to_string(i));
        cluster_.flush();
    }
    std::unique_ptr<Consumer> read_from(std::vector<Assignment> assignments) {
        auto consumer = open_consumer(consumer_config(cluster_.brokers_text()));
        auto assigned = consumer->assign(assignments);
        EXPECT_TRUE(assigned) << assigned.error().message << assigned.error().detail;
        return consumer;
    }
    bool poll_messages(Consumer& consumer, size_t count) {
        return poll_until(consumer, batch_, events_, [&] { return batch_.size() >= count; });
    }
    const ConsumerEvent* poll_event(Consumer& consumer, Kind kind) {
        poll_until(consumer, batch_, events_, [&] { return find_event(events_, kind); });
        return find_event(events_, kind);
    }

    MockCluster cluster_;
    MessageBatch batch_;
    std::vector<ConsumerEvent> events_;
};

TEST_F(KafkaConsumer, ReadsEachPartitionInOrderFromItsStart) {
    produce_numbers(0, 5000);
    produce_numbers(3, 5000);
    const auto consumer =
        read_from({{kTopic, Partition{0}, NextOffset{0}}, {kTopic, Partition{3}, NextOffset{1000}}});
    ASSERT_TRUE(poll_messages(*consumer, 9000));
    std::map<int, int64_t> next{{0, 0}, {3, 1000}};
    for (const MessageView& m : batch_.messages()) {
        ASSERT_EQ(m.topic, kTopic);
        ASSERT_EQ(m.offset.value, next[m.partition.value]++);
        ASSERT_EQ(m.value.view(), std::to_string(m.offset.value));
    }
    EXPECT_EQ(next, (std::map<int, int64_t>{{0, 5000}, {3, 5000}}));
    EXPECT_EQ(batch_.size(), 9000u);
}

TEST_F(KafkaConsumer, KeepsNullAndEmptyApart) {
    cluster_.produce(kTopic, 0, Produced{std::nullopt, std::nullopt});
    cluster_.produce(kTopic, 0, Produced{"", ""});
    cluster_.produce(kTopic, 0, Produced{"k", std::string("a\0b", 3)});
    cluster_.flush();
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_messages(*consumer, 3));
    EXPECT_TRUE(batch_[0].key.is_null());
    EXPECT_TRUE(batch_[0].value.is_null());
    EXPECT_FALSE(batch_[1].key.is_null());
    EXPECT_FALSE(batch_[1].value.is_null());
    EXPECT_EQ(batch_[1].key.size + batch_[1].value.size, 0u);
    EXPECT_EQ(batch_[2].key.view(), "k");
    EXPECT_EQ(batch_[2].value.view(), std::string_view("a\0b", 3));
    EXPECT_EQ(batch_.bytes(), 4u);
}

TEST_F(KafkaConsumer, ReadsHeadersAndTimestamps) {
    cluster_.produce(kTopic, 0,
                     Produced{"k", "v", {{"a", "1"}, {"b", std::nullopt}, {"a", ""}}, 1'600'000'000'123});
    cluster_.produce(kTopic, 0, "bare");
    cluster_.flush();
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_messages(*consumer, 2));
    std::vector<Header> headers{{"left over", {}}};
    const MessageHeaders reader;
    reader.read(batch_[0], headers);
    ASSERT_EQ(headers.size(), 3u);
    EXPECT_EQ(headers[0].name, "a");
    EXPECT_EQ(headers[0].value.view(), "1");
    EXPECT_EQ(headers[1].name, "b");
    EXPECT_TRUE(headers[1].value.is_null());
    EXPECT_EQ(headers[2].name, "a");
    EXPECT_FALSE(headers[2].value.is_null());
    EXPECT_EQ(headers[2].value.size, 0u);
    EXPECT_EQ(batch_[0].timestamp_ms, 1'600'000'000'123);
    EXPECT_EQ(batch_[0].timestamp_type, TimestampType::CreateTime);
    reader.read(batch_[1], headers);
    EXPECT_TRUE(headers.empty());
}

TEST_F(KafkaConsumer, FindsNoHeadersInASampleThatKafkaNeverSaw) {
    std::vector<Header> headers{{"left over", Bytes::of("x")}};
    MessageHeaders().read(MessageView{}, headers);
    EXPECT_TRUE(headers.empty());
}

TEST_F(KafkaConsumer, TellsTheEndOfAPartitionAgainWheneverItIsReached) {
    produce_numbers(0, 3);
    const auto consumer =
        read_from({{kTopic, Partition{0}, NextOffset{0}}, {kTopic, Partition{1}, NextOffset{0}}});
    const auto ends = [&] {
        std::map<int, int64_t> found;
        for (const auto& e : events_)
            if (e.kind == Kind::EndOfPartition) found[e.partition.value] = e.position->value;
        return found;
    };
    ASSERT_TRUE(poll_until(*consumer, batch_, events_, [&] { return ends().size() == 2; }));
    EXPECT_EQ(ends(), (std::map<int, int64_t>{{0, 3}, {1, 0}}));
    EXPECT_EQ(batch_.size(), 3u);
    ASSERT_TRUE(consumer->watermarks(kTopic, Partition{0}));
    EXPECT_EQ(consumer->watermarks(kTopic, Partition{0})->high, NextOffset{3});
    EXPECT_FALSE(consumer->watermarks(kTopic, Partition{2}));

    events_.clear();
    produce_numbers(0, 2);
    ASSERT_TRUE(poll_until(*consumer, batch_, events_, [&] { return ends().size() == 1; }));
    EXPECT_EQ(ends(), (std::map<int, int64_t>{{0, 5}}));
}

TEST_F(KafkaConsumer, GivesOnlyWhatTheLimitsAllowAndKeepsTheRestInOrder) {
    produce_numbers(0, 3000);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    int64_t next = 0;
    while (next < 3000) {
        ASSERT_TRUE(
            poll_until(*consumer, batch_, events_, [&] { return !batch_.empty(); }, 15s, {700, 2000}));
        ASSERT_LE(batch_.size(), 700u);
        ASSERT_LE(batch_.bytes(), 2000u);
        for (const MessageView& m : batch_.messages()) ASSERT_EQ(m.offset.value, next++);
        // The end must not overtake messages that still wait.
        ASSERT_TRUE(next == 3000 || !find_event(events_, Kind::EndOfPartition));
        batch_.release();
        EXPECT_EQ(batch_.bytes(), 0u);
    }
    ASSERT_TRUE(poll_event(*consumer, Kind::EndOfPartition));
}

TEST_F(KafkaConsumer, GivesAMessageThatIsLargerThanTheLimit) {
    cluster_.produce(kTopic, 0, std::string(10'000, 'x'));
    cluster_.produce(kTopic, 0, std::string(10'000, 'y'));
    cluster_.flush();
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_until(*consumer, batch_, events_, [&] { return !batch_.empty(); }, 15s, {10, 100}));
    EXPECT_EQ(batch_.size(), 1u);
    EXPECT_EQ(batch_[0].value.size, 10'000u);
}

TEST_F(KafkaConsumer, StartsAnewWhenAPartitionIsAssignedAgain) {
    produce_numbers(0, 3000);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{2000}}});
    ASSERT_TRUE(poll_until(*consumer, batch_, events_, [&] { return !batch_.empty(); }, 15s, {10, 1000}));
    EXPECT_EQ(batch_[0].offset.value, 2000);
    for (int64_t start : {100, 2500, 0}) {
        ASSERT_TRUE(consumer->assign({{kTopic, Partition{0}, NextOffset{start}}}));
        batch_.release();
        events_.clear();
        ASSERT_TRUE(poll_messages(*consumer, static_cast<size_t>(3000 - start)));
        for (size_t i = 0; i < batch_.size(); ++i)
            ASSERT_EQ(batch_[i].offset.value, start + static_cast<int64_t>(i));
    }
}

TEST_F(KafkaConsumer, AddsAndGivesUpPartitionsWhileReading) {
    for (int p : {0, 1}) produce_numbers(p, 100);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_messages(*consumer, 100));
    ASSERT_TRUE(consumer->assign({{kTopic, Partition{1}, NextOffset{50}}}));
    ASSERT_TRUE(poll_messages(*consumer, 150));
    EXPECT_EQ(batch_[100].partition, Partition{1});
    EXPECT_EQ(batch_[100].offset, Offset{50});
    ASSERT_TRUE(consumer->unassign({{kTopic, Partition{0}}}));
    batch_.release();
    for (int p : {0, 1}) produce_numbers(p, 10);
    ASSERT_TRUE(poll_messages(*consumer, 10));
    for (const MessageView& m : batch_.messages()) EXPECT_EQ(m.partition, Partition{1});
}

TEST_F(KafkaConsumer, TellsThatAnOffsetIsOutOfRangeAndGoesOnWhenAssignedAnew) {
    produce_numbers(0, 10);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{1000}}});
    const ConsumerEvent* event = poll_event(*consumer, Kind::OffsetOutOfRange);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->topic, kTopic);
    EXPECT_EQ(event->partition, Partition{0});
    EXPECT_EQ(event->position, NextOffset{1000});
    EXPECT_EQ(event->error.kind, ErrorKind::Config);
    EXPECT_EQ(event->error.sqlstate, "55000");
    EXPECT_EQ(event->error.message,
              "cannot read topic \"orders\" partition 0 at offset 1000: Kafka does not have this offset (any "
              "more)");
    EXPECT_NE(event->error.hint.find("sluice.set_offsets"), std::string::npos);
    EXPECT_TRUE(batch_.empty());

    ASSERT_TRUE(consumer->assign({{kTopic, Partition{0}, NextOffset{4}}}));
    ASSERT_TRUE(poll_messages(*consumer, 6));
    EXPECT_EQ(batch_[0].offset, Offset{4});
}

TEST_F(KafkaConsumer, TellsThatTheTopicIsMissing) {
    rd_kafka_mock_topic_set_error(cluster_.native(), "missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    auto config = consumer_config(cluster_.brokers_text());
    config.client.properties["topic.metadata.propagation.max.ms"] = "100";
    const auto consumer = open_consumer(config);
    ASSERT_TRUE(consumer->assign({{"missing", Partition{0}, NextOffset{0}}}));
    const ConsumerEvent* event = poll_event(*consumer, Kind::PartitionProblem);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->topic, "missing");
    EXPECT_EQ(event->error.kind, ErrorKind::Config);
    EXPECT_EQ(event->error.sqlstate, "42704");
    EXPECT_NE(event->error.message.find("the topic does not exist"), std::string::npos);
}

TEST_F(KafkaConsumer, TellsThatTheTopicMayNotBeRead) {
    produce_numbers(0, 1);
    rd_kafka_mock_push_request_errors(cluster_.native(), 1 /*Fetch*/, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    const ConsumerEvent* event = poll_event(*consumer, Kind::PartitionProblem);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->error.sqlstate, "42501");
}

TEST_F(KafkaConsumer, TellsThatNoBrokerIsThereAndGoesOnWhenOneIsBack) {
    produce_numbers(0, 5);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_messages(*consumer, 5));
    rd_kafka_mock_broker_set_down(cluster_.native(), 1);
    const ConsumerEvent* event = poll_event(*consumer, Kind::ClientProblem);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->error.kind, ErrorKind::Transient);
    EXPECT_EQ(event->error.sqlstate, "08006");
    EXPECT_EQ(event->error.message, "cannot read from Kafka: no broker can be reached");
    EXPECT_NE(event->error.detail.find(cluster_.brokers_text()), std::string::npos);
    rd_kafka_mock_broker_set_up(cluster_.native(), 1);
    produce_numbers(0, 5);
    EXPECT_TRUE(poll_messages(*consumer, 10));
}

TEST_F(KafkaConsumer, NeedsNoGroup) {
    rd_kafka_mock_push_request_errors(
        cluster_.native(), 10 /*FindCoordinator*/, 3, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    produce_numbers(0, 5);
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_event(*consumer, Kind::EndOfPartition));
    EXPECT_EQ(batch_.size(), 5u);
    EXPECT_EQ(events_.size(), 1u);
}

TEST_F(KafkaConsumer, RefusesAMessageThatIsLargerThanItsMemory) {
    cluster_.produce(kTopic, 0, std::string(3 << 20, 'x'));
    cluster_.flush();
    const auto consumer = open_consumer(consumer_config(cluster_.brokers_text(), 1 << 20));
    ASSERT_TRUE(consumer->assign({{kTopic, Partition{0}, NextOffset{0}}}));
    const ConsumerEvent* event = poll_event(*consumer, Kind::ClientProblem);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->error.kind, ErrorKind::Config);
    EXPECT_EQ(event->error.sqlstate, "54000");
    EXPECT_NE(event->error.detail.find("3145"), std::string::npos) << event->error.detail;
    EXPECT_NE(event->error.hint.find("\"memory\""), std::string::npos);
    EXPECT_TRUE(batch_.empty());
}

TEST_F(KafkaConsumer, ClosesWhileMessagesAreHeld) {
    produce_numbers(0, 1000);
    auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_messages(*consumer, 10));
    MessageBatch second;
    consumer->poll(second, {10, 1000}, events_);
    MessageBatch moved = std::move(batch_);
    consumer.reset();
    EXPECT_TRUE(moved.empty());
    EXPECT_TRUE(second.empty());
    batch_ = std::move(moved);
    batch_.release();
}

TEST_F(KafkaConsumer, ClosesWhenNoBrokerAnswers) {
    auto consumer = open_consumer(consumer_config("127.0.0.1:1"));
    ASSERT_TRUE(consumer->assign({{kTopic, Partition{0}, NextOffset{0}}}));
    ASSERT_TRUE(poll_event(*consumer, Kind::ClientProblem));
    consumer.reset();
}

TEST_F(KafkaConsumer, DoesNotWakeWithoutNews) {
    const auto consumer = read_from({{kTopic, Partition{0}, NextOffset{0}}});
    ASSERT_TRUE(poll_event(*consumer, Kind::EndOfPartition));
    PollWaiter waiter;
    int wakes = 0;
    for (const auto end = std::chrono::steady_clock::now() + 1s; std::chrono::steady_clock::now() < end;)
        if (waiter.wait_readable(consumer->wake_fd(), 100ms)) {
            ++wakes;
            consumer->clear_wake();
            consumer->poll(batch_, kNoLimit, events_);
        }
    EXPECT_LE(wakes, 2);
}

// Signals that thread `task` blocks, as the kernel says.
uint64_t blocked_signals(const std::filesystem::path& task) {
    std::ifstream status(task / "status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigBlk:")) return std::stoull(line.substr(7), nullptr, 16);
    return 0;
}

TEST(KafkaThreads, BlockAllSignals) {
    std::set<std::string> before;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
        before.insert(task.path());
    const auto consumer = open_consumer(consumer_config("127.0.0.1:1"));
    ASSERT_TRUE(consumer->assign({{kTopic, Partition{0}, NextOffset{0}}}));
    int started = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (before.count(task.path())) continue;
        ++started;
        for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGQUIT})
            EXPECT_TRUE(blocked_signals(task) >> (signal - 1) & 1) << signal << " in " << task.path();
    }
    EXPECT_GE(started, 2);
    sigset_t mine;
    pthread_sigmask(SIG_SETMASK, nullptr, &mine);
    EXPECT_FALSE(sigismember(&mine, SIGTERM));
}

}  // namespace
}  // namespace sluice
