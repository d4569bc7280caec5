// A cluster inside the test (librdkafka's mock) that can be filled, and waiting for a Consumer.
// Must not know what is tested.
// A MockCluster owns its broker threads; strings that it returns are copies.
#pragma once

#include "base/signal_guard.hpp"
#include "kafka/consumer.hpp"
#include "kafka/handles.hpp"

#include <librdkafka/rdkafka_mock.h>

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::testing {

using namespace std::chrono_literals;

struct Produced {
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers = {};
    int64_t timestamp_ms = 0;  // 0: now
};

class MockCluster {
  public:
    explicit MockCluster(int brokers = 1) {
        SignalGuard no_signals;
        char text[512];
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        for (auto [name, value] :
             {std::pair{"linger.ms", "5"}, {"message.max.bytes", "20000000"}, {"batch.num.messages", "200"}})
            rd_kafka_conf_set(conf, name, value, text, sizeof text);
        handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
        if (!handle_) throw std::runtime_error(text);
        cluster_ = rd_kafka_mock_cluster_new(handle_, brokers);
        if (!cluster_) throw std::runtime_error("no mock cluster");
        rd_kafka_brokers_add(handle_, brokers_text().c_str());
    }
    ~MockCluster() {
        rd_kafka_mock_cluster_destroy(cluster_);
        rd_kafka_destroy(handle_);
    }
    MockCluster(const MockCluster&) = delete;
    MockCluster& operator=(const MockCluster&) = delete;

    std::string brokers_text() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    rd_kafka_mock_cluster_t* native() const { return cluster_; }

    void create_topic(const char* topic, int partitions) {
        if (rd_kafka_mock_topic_create(cluster_, topic, partitions, 1)) throw std::runtime_error("no topic");
    }

    void produce(const char* topic, int32_t partition, const Produced& message) {
        rd_kafka_headers_t* headers = rd_kafka_headers_new(1);
        for (const auto& [name, value] : message.headers)
            rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()),
                                value ? value->data() : nullptr,
                                value ? static_cast<ssize_t>(value->size()) : 0);
        const auto data = [](const std::optional<std::string>& text) {
            return text ? const_cast<char*>(text->data()) : nullptr;
        };
        const auto size = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
        for (;;) {
            const auto code =
                rd_kafka_producev(handle_, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                                  RD_KAFKA_V_KEY(data(message.key), size(message.key)),
                                  RD_KAFKA_V_VALUE(data(message.value), size(message.value)),
                                  RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_TIMESTAMP(message.timestamp_ms),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
            if (!code) return;
            if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) throw std::runtime_error(rd_kafka_err2str(code));
            rd_kafka_poll(handle_, 10);
        }
    }
    void produce(const char* topic, int32_t partition, const std::string& value) {
        produce(topic, partition, Produced{std::nullopt, value});
    }
    void flush() {
        if (rd_kafka_flush(handle_, 10'000)) throw std::runtime_error("mock cluster: flush timed out");
    }

  private:
    rd_kafka_t* handle_;
    rd_kafka_mock_cluster_t* cluster_;
};

// The mock answers an empty fetch only after its wait, so that must be short.
inline ConsumerConfig consumer_config(const std::string& brokers, size_t queue_bytes = 32 << 20) {
    return {{brokers, {{"fetch.wait.max.ms", "10"}, {"reconnect.backoff.ms", "20"}}, ""}, queue_bytes};
}

inline std::unique_ptr<Consumer> open_consumer(const ConsumerConfig& config) {
    auto opened = Consumer::open(config);
    if (!opened) throw std::runtime_error(opened.error().message + " " + opened.error().detail);
    return std::move(opened).value();
}

class PollWaiter : public Waiter {
  public:
    bool wait_readable(int fd, std::chrono::milliseconds timeout) override {
        pollfd waited{fd, POLLIN, 0};
        return ::poll(&waited, 1, static_cast<int>(timeout.count())) > 0;
    }
};

inline constexpr PollLimits kNoLimit{1'000'000, 1 << 30};

// Waits for the consumer's descriptor and polls, until `done` holds or the time is over. Returns what `done`
// said last.
template <class Done>
bool poll_until(Consumer& consumer, MessageBatch& batch, std::vector<ConsumerEvent>& events, Done done,
                std::chrono::milliseconds timeout = 15s, PollLimits limits = kNoLimit) {
    PollWaiter waiter;
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        if (!waiter.wait_readable(consumer.wake_fd(), 1s)) continue;
        consumer.clear_wake();
        consumer.poll(batch, limits, events);
    }
    return true;
}

inline const ConsumerEvent* find_event(const std::vector<ConsumerEvent>& events, ConsumerEvent::Kind kind) {
    for (const ConsumerEvent& event : events)
        if (event.kind == kind) return &event;
    return nullptr;
}

}  // namespace sluice::testing
