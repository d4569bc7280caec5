#include <algorithm>
#include <string>
#include <utility>

#include "pg/source_topic.hpp"
#include "pg/topic_scan.hpp"

namespace sluice {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kBrokerTimeout{8};
// Without a message or an end for so long, the brokers are asked whether they are there.
constexpr seconds kPatience{3};
constexpr seconds kLookAgain{1};
constexpr PollLimits kBatch{10'000, 4 * 1024 * 1024};

}  // namespace

TopicScan::TopicScan(Oid relation, SourceSpec source, TupleDesc tupdesc)
    : source_(std::move(source)),
      schemas_(RegistrySchemas::of(source_, relation)),
      decoder_(value_or_fail(
          RecordDecoder::make(source_.record, &headers_, schemas_ ? schemas_->finder() : nullptr))),
      reader_(decoder_, tupdesc) {}

bool TopicScan::next(TupleTableSlot* slot) {
    for (;;) {
        const bool found = reader_.next(slot);
        // Messages are decoded ahead; those before the undecodable one are returned first.
        if (!reader_.rejects().empty() && (!found || reader_.rejects().front().index < reader_.current()))
            airlock::enter([this] { raise_reject(); });
        if (found) return true;
        if (!airlock::enter([this] { return refill(); })) return false;
    }
}

void TopicScan::restart() {
    reader_.bind({});
    batch_.release();
    if (!consumer_) return;
    for (const auto& [partition, ends] : ends_)
        if (ends.low < ends.high) start(partition, ends.low);
}

void TopicScan::raise_reject() const { fail(reader_.rejects().front().error); }

void TopicScan::open() {
    ConsumerConfig config;
    config.client.brokers = source_.brokers;
    config.client.properties = source_.properties;
    auto consumer = value_or_fail(Consumer::open(config));
    const SourceTopic topic = ask_topic(source_, consumer->client(), waiter_, kBrokerTimeout);
    for (const auto& [partition, marks] : topic.marks) ends_[Partition{partition}] = marks;
    consumer_ = std::move(consumer);
    restart();
}

void TopicScan::start(Partition partition, NextOffset at) {
    value_or_fail(consumer_->assign({{source_.topic, partition, at}}));
    unfinished_[partition] = at;
}

void TopicScan::finish(Partition partition) {
    if (unfinished_.erase(partition) == 0) return;
    value_or_fail(consumer_->unassign({{source_.topic, partition}}));
}

// Binds the reader to messages that have arrived; false when there are none any more.
bool TopicScan::refill() {
    if (!consumer_) open();
    reader_.bind({});
    batch_.release();
    rows_.clear();
    for (auto progress = steady_clock::now(); !unfinished_.empty();) {
        call([] { CHECK_FOR_INTERRUPTS(); });
        consumer_->clear_wake();
        events_.clear();
        consumer_->poll(batch_, kBatch, events_);
        const bool came = take_messages();
        if (take_events() || came) progress = steady_clock::now();
        if (!rows_.empty()) {
            if (schemas_)
                if (auto error = schemas_->learn(rows_, waiter_)) fail(std::move(*error));
            reader_.bind(rows_);
            return true;
        }
        if (unfinished_.empty()) break;
        if (steady_clock::now() - progress >= kPatience) {
            ask_brokers();
            progress = steady_clock::now();
        }
        waiter_.wait_readable(consumer_->wake_fd(), kLookAgain);
    }
    batch_.release();
    return false;
}

// Keeps the messages of the batch that lie before the ends; true when any came.
bool TopicScan::take_messages() {
    const bool came = !batch_.empty();
    for (const MessageView& message : batch_.messages()) {
        if (!unfinished_.count(message.partition)) continue;
        const NextOffset end = ends_[message.partition].high;
        if (message.offset.value < end.value) rows_.push_back(message);
        if (after(message.offset) >= end) finish(message.partition);
    }
    if (rows_.empty()) batch_.release();
    return came;
}

// True when something went on.
bool TopicScan::take_events() {
    bool went_on = false;
    for (const ConsumerEvent& event : events_) {
        if (event.kind == ConsumerEvent::Kind::ClientProblem) {
            // librdkafka reconnects by itself; whether in time, patience will tell.
            if (event.error.kind != ErrorKind::Transient) fail(event.error);
            continue;
        }
        if (!unfinished_.count(event.partition)) continue;
        switch (event.kind) {
            // Also where messages of unfinished transactions begin.
            case ConsumerEvent::Kind::EndOfPartition:
                finish(event.partition);
                went_on = true;
                break;
            case ConsumerEvent::Kind::OffsetOutOfRange:
                start_at_new_low(event.partition, event.error);
                went_on = true;
                break;
            default:
                if (event.error.kind != ErrorKind::Transient) fail(event.error);
        }
    }
    return went_on;
}

// Messages were deleted under the scan, which reads from the oldest one that there is.
void TopicScan::start_at_new_low(Partition partition, const Error& error) {
    const auto ends = value_or_fail(
        fetch_watermarks(consumer_->client(), source_.topic, {partition}, kBrokerTimeout, waiter_));
    const NextOffset low = ends.front().low;
    if (low <= unfinished_[partition]) fail(error);
    if (low >= ends_[partition].high)
        finish(partition);
    else
        start(partition, low);
}

// Fails when the brokers do not answer.
void TopicScan::ask_brokers() {
    std::vector<Partition> partitions;
    for (const auto& [partition, at] : unfinished_) partitions.push_back(partition);
    value_or_fail(fetch_watermarks(consumer_->client(), source_.topic, partitions, kBrokerTimeout, waiter_));
}

}  // namespace sluice
