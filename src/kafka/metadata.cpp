#include "kafka/metadata.hpp"

#include "base/signal_guard.hpp"
#include "kafka/handles.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a waiting call looks whether the brokers have refused it, which librdkafka itself would retry.
constexpr milliseconds kLook{100};
// A broker that cannot describe a topic lets the time run out, and the id is not worth much of it.
[[maybe_unused]] constexpr milliseconds kTopicIdLimit{1000};
// librdkafka keeps its time-outs roughly.
constexpr milliseconds kGrace{500};

// What the helper thread brings home; the Error is made by the caller's thread, which alone may ask the
// Client.
template <class T>
struct Answer {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    T value{};
};

// Shared by the caller and its helper thread: whoever leaves last cleans up.
template <class T>
struct Call {
    SharedClient client;
    std::function<Answer<T>(rd_kafka_t*)> ask;
    int wake = -1;
    std::promise<Answer<T>> promise;

    ~Call() {
        if (wake >= 0) close(wake);
    }
};

Error failure(const Client& client, int code, const std::string& tried) {
    Error error = client.error_of(code, tried);
    // A question is the first thing a client does: it did not lose a connection, it never had one.
    if (error.sqlstate == "08006" && client.last_error()) error.sqlstate = "08001";
    return error;
}

bool refused(const Client& client) {
    return client.last_error() && client.last_error()->kind == ErrorKind::Config;
}

template <class T>
Result<T> run(const SharedClient& client, const std::string& tried, milliseconds timeout, Waiter& waiter,
              std::function<Answer<T>(rd_kafka_t*)> ask) {
    auto call = std::make_shared<Call<T>>();
    call->client = client;
    call->ask = std::move(ask);
    call->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (call->wake < 0) return Error::transient("53000", tried + ": no file descriptor is left");
    auto future = call->promise.get_future();
    // What was said before explains a time-out, since librdkafka does not repeat itself; but it ends no new
    // call.
    const bool refused_before = refused(*client);
    try {
        SignalGuard no_signals;
        std::thread([call] {
            try {
                call->promise.set_value(call->ask(call->client->native()));
            } catch (...) {  // out of memory: the caller's trouble, when it still waits
                call->promise.set_exception(std::current_exception());
            }
            eventfd_write(call->wake, 1);
        }).detach();
    } catch (const std::system_error&) {
        return Error::transient("53000", tried + ": no thread can be started");
    }

    for (const auto end = steady_clock::now() + timeout + kGrace;;) {
        const bool answered = waiter.wait_readable(call->wake, kLook);
        client->serve();
        if (answered) {
            Answer<T> answer = future.get();
            if (answer.code) return failure(*client, answer.code, tried);
            client->forget_last_error();
            return std::move(answer.value);
        }
        if ((refused(*client) && !refused_before) || steady_clock::now() > end)
            return failure(*client, RD_KAFKA_RESP_ERR__TIMED_OUT, tried);
    }
}

int millis(milliseconds timeout) {
    return static_cast<int>(std::clamp<milliseconds::rep>(timeout.count(), 1, 3'600'000));
}

PartitionList make_list(const std::string& topic, const std::vector<Partition>& partitions, int64_t offset) {
    PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (Partition p : partitions)
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p.value)->offset = offset;
    return list;
}

TopicInfo info_of(const rd_kafka_metadata_t& metadata, const rd_kafka_metadata_topic_t& topic) {
    TopicInfo info{topic.topic, {}, {}};
    for (int i = 0; i < topic.partition_cnt; ++i) {
        const auto& from = topic.partitions[i];
        PartitionInfo partition{Partition{from.id}, from.leader, {}};
        for (int b = 0; b < metadata.broker_cnt; ++b)
            if (metadata.brokers[b].id == from.leader)
                partition.leader_address =
                    std::string(metadata.brokers[b].host) + ":" + std::to_string(metadata.brokers[b].port);
        info.partitions.push_back(std::move(partition));
    }
    std::sort(info.partitions.begin(), info.partitions.end(),
              [](const PartitionInfo& a, const PartitionInfo& b) { return a.partition < b.partition; });
    return info;
}

std::string topic_id_of([[maybe_unused]] rd_kafka_t* handle, [[maybe_unused]] const std::string& topic,
                        [[maybe_unused]] milliseconds timeout) {
#if RD_KAFKA_VERSION >= 0x020300ff
    using Collection =
        std::unique_ptr<rd_kafka_TopicCollection_t, FreeWith<rd_kafka_TopicCollection_destroy>>;
    using Options = std::unique_ptr<rd_kafka_AdminOptions_t, FreeWith<rd_kafka_AdminOptions_destroy>>;
    const char* names[] = {topic.c_str()};
    const Collection topics(rd_kafka_TopicCollection_of_topic_names(names, 1));
    const Options options(rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS));
    char text[256];
    rd_kafka_AdminOptions_set_request_timeout(options.get(), millis(timeout), text, sizeof text);
    const QueueHandle queue(rd_kafka_queue_new(handle));
    rd_kafka_DescribeTopics(handle, topics.get(), options.get(), queue.get());
    const EventHandle event(rd_kafka_queue_poll(queue.get(), millis(timeout)));
    if (!event || rd_kafka_event_error(event.get())) return {};
    size_t count = 0;
    const auto* described =
        rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event.get()), &count);
    // A user who may read but not describe gets no id; then a re-created topic is noticed by its offsets
    // only.
    if (count != 1 || rd_kafka_error_code(rd_kafka_TopicDescription_error(described[0]))) return {};
    return rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(described[0]));
#else
    return {};
#endif
}

// The time that is left of `timeout` for one of several calls in a row.
class Remaining {
  public:
    explicit Remaining(milliseconds timeout) : end_(steady_clock::now() + timeout) {}
    milliseconds get() const {
        return std::max(milliseconds(1),
                        std::chrono::duration_cast<milliseconds>(end_ - steady_clock::now()));
    }

  private:
    steady_clock::time_point end_;
};

rd_kafka_resp_err_t query_watermarks(rd_kafka_t* handle, const std::string& topic, Partition partition,
                                     const Remaining& time, Watermarks& out) {
    return rd_kafka_query_watermark_offsets(handle, topic.c_str(), partition.value, &out.low.value,
                                            &out.high.value, millis(time.get()));
}

}  // namespace

Result<TopicInfo> fetch_topic(const SharedClient& client, const std::string& topic, milliseconds timeout,
                              Waiter& waiter) {
    return run<TopicInfo>(
        client, "cannot find topic \"" + topic + "\"", timeout, waiter, [=](rd_kafka_t* handle) {
            const Remaining time(timeout);
            const TopicHandle known(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
            if (!known) return Answer<TopicInfo>{rd_kafka_last_error()};
            const rd_kafka_metadata_t* raw = nullptr;
            const auto code = rd_kafka_metadata(handle, 0, known.get(), &raw, millis(timeout));
            const MetadataHandle metadata(raw);
            if (code) return Answer<TopicInfo>{code};
            if (metadata->topic_cnt == 0) return Answer<TopicInfo>{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART};
            if (metadata->topics[0].err) return Answer<TopicInfo>{metadata->topics[0].err};
            Answer<TopicInfo> answer{RD_KAFKA_RESP_ERR_NO_ERROR, info_of(*metadata, metadata->topics[0])};
            answer.value.topic_id = topic_id_of(handle, topic, std::min(time.get(), kTopicIdLimit));
            return answer;
        });
}

Result<std::vector<TopicInfo>> fetch_topics(const SharedClient& client, milliseconds timeout,
                                            Waiter& waiter) {
    using Topics = std::vector<TopicInfo>;
    return run<Topics>(client, "cannot list the topics", timeout, waiter, [=](rd_kafka_t* handle) {
        const rd_kafka_metadata_t* raw = nullptr;
        Answer<Topics> answer{rd_kafka_metadata(handle, 1, nullptr, &raw, millis(timeout))};
        const MetadataHandle metadata(raw);
        if (answer.code) return answer;
        for (int t = 0; t < metadata->topic_cnt; ++t)
            if (!metadata->topics[t].err && !std::string_view(metadata->topics[t].topic).starts_with("__"))
                answer.value.push_back(info_of(*metadata, metadata->topics[t]));
        return answer;
    });
}

Result<std::vector<Watermarks>> fetch_watermarks(const SharedClient& client, const std::string& topic,
                                                 const std::vector<Partition>& partitions,
                                                 milliseconds timeout, Waiter& waiter) {
    using Ends = std::vector<Watermarks>;
    return run<Ends>(
        client, "cannot find the ends of topic \"" + topic + "\"", timeout, waiter, [=](rd_kafka_t* handle) {
            const Remaining time(timeout);
            Answer<Ends> answer;
            for (Partition p : partitions) {
                answer.code = query_watermarks(handle, topic, p, time, answer.value.emplace_back());
                if (answer.code) break;
            }
            return answer;
        });
}

Result<std::vector<TopicOffset>> offsets_for_time(const SharedClient& client, const std::string& topic,
                                                  const std::vector<Partition>& partitions,
                                                  int64_t timestamp_ms, milliseconds timeout,
                                                  Waiter& waiter) {
    using Offsets = std::vector<TopicOffset>;
    return run<Offsets>(client, "cannot find the offsets of a time in topic \"" + topic + "\"", timeout,
                        waiter, [=](rd_kafka_t* handle) {
                            const Remaining time(timeout);
                            Answer<Offsets> answer;
                            const PartitionList list = make_list(topic, partitions, timestamp_ms);
                            answer.code = rd_kafka_offsets_for_times(handle, list.get(), millis(timeout));
                            for (int i = 0; i < list->cnt && !answer.code; ++i) {
                                const auto& found = list->elems[i];
                                answer.code = found.err;
                                NextOffset at{found.offset};
                                if (!answer.code && at.value < 0) {  // nothing as new as that: the end
                                    Watermarks ends;
                                    answer.code = query_watermarks(handle, topic, Partition{found.partition},
                                                                   time, ends);
                                    at = ends.high;
                                }
                                answer.value.push_back({Partition{found.partition}, at});
                            }
                            return answer;
                        });
}

Result<std::vector<TopicOffset>> committed_offsets(const SharedClient& client, const std::string& topic,
                                                   const std::vector<Partition>& partitions,
                                                   milliseconds timeout, Waiter& waiter) {
    using Offsets = std::vector<TopicOffset>;
    auto committed = run<Offsets>(
        client, "cannot read the committed offsets of topic \"" + topic + "\"", timeout, waiter,
        [=](rd_kafka_t* handle) {
            Answer<Offsets> answer;
            const PartitionList list = make_list(topic, partitions, RD_KAFKA_OFFSET_INVALID);
            answer.code = rd_kafka_committed(handle, list.get(), millis(timeout));
            for (int i = 0; i < list->cnt && !answer.code; ++i) {
                const auto& found = list->elems[i];
                answer.code = found.err;
                if (found.offset >= 0)
                    answer.value.push_back({Partition{found.partition}, NextOffset{found.offset}});
            }
            return answer;
        });
    // librdkafka does not say so: without the privilege it looks for the coordinator until the time is over.
    if (!committed && committed.error().kind == ErrorKind::Transient)
        committed.error().hint += " The Kafka user also needs DESCRIBE and READ on the group.";
    return committed;
}

}  // namespace sluice
