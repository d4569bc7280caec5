#include "kafka/consumer.hpp"

#include "kafka/errors.hpp"
#include "kafka/handles.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <utility>

namespace sluice {
namespace {

// Enough to spread the cost of a call, few enough that a batch's byte limit leaves little behind.
constexpr size_t kChunk = 1000;

constexpr size_t kMegabyte = 1024 * 1024;
constexpr size_t kLargestResponse = 2'147'483'000;

size_t bytes_of(const rd_kafka_message_t& message) { return message.key_len + message.len; }

// How librdkafka's limits follow from the memory: half of it for payload and half for what comes with each
// message, because it counts only the payload. It looks at them before a fetch, so a response may come on
// top.
struct QueueLimits {
    size_t messages;
    size_t payload;
    size_t response;  // of one fetch
    size_t largest;   // that is accepted at all; brokers send at least one message batch whatever its size

    explicit QueueLimits(size_t memory)
        : messages(std::clamp<size_t>(memory / 2 / kMessageOverhead, 100, 10'000'000)),
          payload(std::clamp<size_t>(memory / 2, 64 * 1024, kLargestResponse)),
          response(std::clamp<size_t>(memory / 8, 64 * 1024, 16 * kMegabyte)),
          largest(std::clamp<size_t>(memory, 2 * kMegabyte, kLargestResponse)) {}

    Properties properties() const {
        return {
            {"queued.min.messages", std::to_string(messages)},
            {"queued.max.messages.kbytes", std::to_string(payload / 1024)},
            {"message.max.bytes", std::to_string(std::min<size_t>(response, 1'000'000))},
            {"fetch.max.bytes", std::to_string(response)},
            {"fetch.message.max.bytes", std::to_string(response / 2)},
            {"receive.message.max.bytes", std::to_string(largest + 512)},
        };
    }
};

Properties owned_properties(const QueueLimits& limits) {
    Properties owned = limits.properties();
    owned["enable.auto.offset.store"] = "false";
    owned["auto.offset.reset"] = "error";
    owned["enable.partition.eof"] = "true";
    owned["check.crcs"] = "true";
    if (library_info().fetch_backoff) owned["fetch.queue.backoff.ms"] = "10";
    return owned;
}

ConsumerEvent::Kind kind_of(int code) {
    switch (code) {
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            return ConsumerEvent::Kind::EndOfPartition;
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            return ConsumerEvent::Kind::OffsetOutOfRange;
#if RD_KAFKA_VERSION >= 0x020100ff
        case RD_KAFKA_RESP_ERR__LOG_TRUNCATION:
            return ConsumerEvent::Kind::LogTruncated;
#endif
        default:
            return ConsumerEvent::Kind::PartitionProblem;
    }
}

MessageView view_of(const rd_kafka_message_t& message) {
    MessageView view;
    view.partition = Partition{message.partition};
    view.offset = Offset{message.offset};
#if RD_KAFKA_VERSION >= 0x020100ff
    view.leader_epoch = rd_kafka_message_leader_epoch(&message);
#endif
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
        view.timestamp_ms = timestamp;
        view.timestamp_type =
            type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? TimestampType::CreateTime : TimestampType::LogAppendTime;
    }
    view.topic = rd_kafka_topic_name(message.rkt);
    view.key = {static_cast<const char*>(message.key), message.key_len};
    view.value = {static_cast<const char*>(message.payload), message.len};
    view.native = &message;
    return view;
}

ConsumerEvent problem(int code, std::string_view text, const std::string& topic, int32_t partition,
                      int64_t offset, const Client& client) {
    ConsumerEvent event;
    event.kind = kind_of(code);
    event.topic = topic;
    event.partition = Partition{partition};
    std::string tried = "cannot read topic \"" + topic + "\" partition " + std::to_string(partition);
    if (offset >= 0) {
        event.position = NextOffset{offset};
        tried += " at offset " + std::to_string(offset);
    }
    if (event.kind != ConsumerEvent::Kind::EndOfPartition) event.error = client.error_of(code, tried, text);
    return event;
}

}  // namespace

struct Consumer::State {
    // A partition that is read, and the offset from which on its messages are new.
    using Positions = std::map<std::pair<std::string, int32_t>, int64_t>;

    explicit State(size_t memory) : limits(memory) {}

    ~State() {
        for (const auto& held : batches)
            if (const auto alive = held.lock()) alive->release();
        waiting.clear();
        if (queue) rd_kafka_queue_io_event_enable(queue.get(), -1, nullptr, 0);
        if (client) rd_kafka_queue_io_event_enable(client->main_queue(), -1, nullptr, 0);
        queue.reset();
        client.reset();
        if (wake >= 0) close(wake);
    }

    // The position of the message's partition; null when it is not assigned (any more).
    int64_t* position_of(const rd_kafka_message_t& message) {
        // Messages come in long runs of one partition, so one remembered entry saves nearly all look-ups.
        if (message.rkt == last_topic && message.partition == last_partition) return last_position;
        const auto found = positions.find({rd_kafka_topic_name(message.rkt), message.partition});
        last_topic = message.rkt;
        last_partition = message.partition;
        last_position = found == positions.end() ? nullptr : &found->second;
        return last_position;
    }

    // Errors come in the place of messages.
    void take_error(const rd_kafka_message_t& message, std::vector<ConsumerEvent>& events) {
        const char* text = rd_kafka_message_errstr(&message);
        if (!message.rkt) {
            // We ask the coordinator of a group only because librdkafka does not let us off.
            if (message.err != RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
                client->keep_error(message.err, text);
        } else if (position_of(message)) {
            events.push_back(problem(message.err, text, rd_kafka_topic_name(message.rkt), message.partition,
                                     message.offset, *client));
        }
    }

    // Such errors come without a partition, but begin with its name.
    void sort_queued_errors(std::vector<ConsumerEvent>& events) {
        for (const auto& [code, text] : client->take_queued_errors()) {
            const auto named = std::find_if(positions.begin(), positions.end(), [&](const auto& known) {
                const auto& [topic, partition] = known.first;
                return text.starts_with(topic + " [" + std::to_string(partition) + "]");
            });
            if (named == positions.end())
                client->keep_error(code, text);
            else
                events.push_back(problem(code, text, named->first.first, named->first.second, -1, *client));
        }
    }

    void forget_last() { last_topic = nullptr; }

    void drop_waiting(const std::string& topic, Partition partition) {
        std::erase_if(waiting, [&](const MessageHandle& message) {
            return message->rkt && message->partition == partition.value &&
                   topic == rd_kafka_topic_name(message->rkt);
        });
    }

    void know(const std::shared_ptr<MessageBatch::Held>& held) {
        std::erase_if(batches, [](const auto& known) { return known.expired(); });
        for (const auto& known : batches)
            if (known.lock() == held) return;
        batches.push_back(held);
    }

    // Messages that librdkafka's queue should be asked for, so that about `room` bytes come.
    size_t chunk_for(size_t room, size_t messages) const {
        const size_t size = average_size < 0 ? kMegabyte : static_cast<size_t>(average_size);
        return std::min({kChunk, messages, room / (size + 1) + 1});
    }

    void take_note(size_t bytes) {
        const auto size = static_cast<int64_t>(bytes);
        average_size = average_size < 0 ? size : average_size + (size - average_size) / 16;
        taken_bytes += bytes;
        ++taken_messages;
    }

    // Whatever was taken out, librdkafka may sleep over a full queue. Every eighth of it is early enough that
    // the rest lasts until more has come.
    void wake_fetchers() {
        if (taken_messages < limits.messages / 8 && taken_bytes < limits.payload / 8) return;
        client->nudge();
        taken_messages = 0;
        taken_bytes = 0;
    }

    QueueLimits limits;
    SharedClient client;
    QueueHandle queue;
    int wake = -1;
    Positions positions;
    // Taken from the queue, but beyond a limit; errors too, to keep the order.
    std::deque<MessageHandle> waiting;
    std::vector<std::weak_ptr<MessageBatch::Held>> batches;
    int64_t average_size = -1;  // of the latest messages; -1 before the first
    size_t taken_messages = 0, taken_bytes = 0;
    const rd_kafka_topic_t* last_topic = nullptr;
    int32_t last_partition = -1;
    int64_t* last_position = nullptr;
};

Consumer::Consumer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Consumer::~Consumer() = default;

Result<std::unique_ptr<Consumer>> Consumer::open(const ConsumerConfig& config) {
    auto state = std::make_unique<State>(config.queue_bytes);
    state->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (state->wake < 0)
        return Error::transient("53000", "cannot read from Kafka: no file descriptor is left");

    ClientConfig client = config.client;
    client.properties.emplace("isolation.level", "read_committed");
    auto opened = Client::open(client, owned_properties(state->limits));
    if (!opened) return opened.error();
    state->client = std::move(opened).value();
    state->queue.reset(rd_kafka_queue_get_consumer(state->client->native()));

    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(state->queue.get(), state->wake, &one, sizeof one);
    rd_kafka_queue_io_event_enable(state->client->main_queue(), state->wake, &one, sizeof one);
    eventfd_write(state->wake, 1);  // for what came before
    return std::unique_ptr<Consumer>(new Consumer(std::move(state)));
}

Result<void> Consumer::assign(const std::vector<Assignment>& assignments) {
    std::vector<TopicPartition> again;
    for (const Assignment& a : assignments)
        if (state_->positions.count({a.topic, a.partition.value})) again.push_back({a.topic, a.partition});
    if (!again.empty())
        if (auto done = unassign(again); !done) return done;

    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(assignments.size())));
    for (const Assignment& a : assignments) {
        auto* added = rd_kafka_topic_partition_list_add(list.get(), a.topic.c_str(), a.partition.value);
        added->offset = a.start.value;
#if RD_KAFKA_VERSION >= 0x020100ff
        rd_kafka_topic_partition_set_leader_epoch(added, a.leader_epoch);
#endif
    }
    if (const ErrorHandle error{rd_kafka_incremental_assign(state_->client->native(), list.get())})
        return state_->client->error_of(rd_kafka_error_code(error.get()), "cannot assign partitions",
                                        rd_kafka_error_string(error.get()));
    for (const Assignment& a : assignments) state_->positions[{a.topic, a.partition.value}] = a.start.value;
    state_->forget_last();
    return {};
}

Result<void> Consumer::unassign(const std::vector<TopicPartition>& partitions) {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const TopicPartition& p : partitions)
        rd_kafka_topic_partition_list_add(list.get(), p.topic.c_str(), p.partition.value);
    if (const ErrorHandle error{rd_kafka_incremental_unassign(state_->client->native(), list.get())})
        return state_->client->error_of(rd_kafka_error_code(error.get()), "cannot give up partitions",
                                        rd_kafka_error_string(error.get()));
    for (const TopicPartition& p : partitions) {
        state_->positions.erase({p.topic, p.partition.value});
        state_->drop_waiting(p.topic, p.partition);
    }
    state_->forget_last();
    return {};
}

int Consumer::wake_fd() const { return state_->wake; }

void Consumer::clear_wake() {
    eventfd_t ignored;
    (void)eventfd_read(state_->wake, &ignored);
}

size_t Consumer::poll(MessageBatch& batch, const PollLimits& limits, std::vector<ConsumerEvent>& events) {
    State& state = *state_;
    MessageBatch::Held& held = *batch.held_;
    state.know(batch.held_);
    const size_t before = held.views.size();
    for (bool more = true; more;) {
        while (!state.waiting.empty()) {
            MessageHandle& next = state.waiting.front();
            if (next->err) {
                state.take_error(*next, events);
            } else if (int64_t* position = state.position_of(*next); position && next->offset >= *position) {
                const size_t bytes = bytes_of(*next);
                const bool first = held.views.empty();
                if (held.views.size() >= limits.messages || (!first && held.bytes + bytes > limits.bytes)) {
                    more = false;
                    break;
                }
                held.natives.push_back(nullptr);  // before ownership moves, since it may throw
                held.views.push_back(view_of(*next));
                held.natives.back() = next.release();
                held.bytes += bytes;
                *position = held.views.back().offset.value + 1;
                state.take_note(bytes);
            }
            state.waiting.pop_front();
        }
        if (!more || held.views.size() >= limits.messages) break;

        std::array<rd_kafka_message_t*, kChunk> chunk;
        const size_t room = limits.bytes > held.bytes ? limits.bytes - held.bytes : 0;
        const ssize_t came = rd_kafka_consume_batch_queue(
            state.queue.get(), 0, chunk.data(), state.chunk_for(room, limits.messages - held.views.size()));
        more = came > 0;
        for (ssize_t i = 0; i < came; ++i) state.waiting.emplace_back(chunk[i]);
    }

    state.client->serve();
    state.sort_queued_errors(events);
    for (Error& error : state.client->take_errors()) {
        events.emplace_back();
        events.back().error = std::move(error);
    }
    state.wake_fetchers();
    // librdkafka signals only what is new; what stays here must wake us too.
    if (queued_messages() > 0) eventfd_write(state.wake, 1);
    return held.views.size() - before;
}

std::optional<Watermarks> Consumer::watermarks(const std::string& topic, Partition partition) const {
    Watermarks ends;
    const auto code = rd_kafka_get_watermark_offsets(state_->client->native(), topic.c_str(), partition.value,
                                                     &ends.low.value, &ends.high.value);
    if (code || ends.high.value < 0 || ends.low.value < 0) return {};
    return ends;
}

size_t Consumer::queued_messages() const {
    return rd_kafka_queue_length(state_->queue.get()) + state_->waiting.size();
}

size_t Consumer::queued_memory() const {
    return queued_messages() *
           (static_cast<size_t>(std::max<int64_t>(state_->average_size, 0)) + kMessageOverhead);
}

const SharedClient& Consumer::client() const { return state_->client; }

}  // namespace sluice
