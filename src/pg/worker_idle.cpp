// What a worker says and looks for between batches: positions, live numbers, the end of a run, new
// partitions.
#include <algorithm>

#include "pg/job_lock.hpp"
#include "pg/worker_engagement.hpp"
#include "pg/worker_session.hpp"

namespace sluice {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = Clock::time_point;

constexpr seconds kLiveNumbers{1};
constexpr seconds kMemoryNumbers{60};
constexpr seconds kBrokerTimeout{10};

}  // namespace

bool Worker::all_partitions_stopped(Engagement& e) {
    if (e.messages_left && *e.messages_left - static_cast<int64_t>(e.batch.size()) <= 0) return true;
    bool any = false;
    for (const auto& [partition, state] : e.ledger->partitions()) {
        if (!state.stop) return false;
        any = true;
        NextOffset position = state.next;
        const auto polled = e.polled.find(partition);
        if (polled != e.polled.end()) position = std::max(position, polled->second);
        const auto end = e.ends.find(partition);
        if (end != e.ends.end()) position = std::max(position, end->second);
        if (position < *state.stop) return false;
    }
    return any;
}

// False when other workers still have partitions to end.
bool Worker::finish(Engagement& e) {
    spi::Transaction transaction;
    const bool all = e.messages_left || [&] {
        Bookkeeping bookkeeping;
        return spi::run(
                   "SELECT 1 FROM sluice.offsets WHERE job_id = $1 AND topic = $2"
                   " AND (stop_offset IS NULL OR next_offset < stop_offset)",
                   {spi::Param::int4(e.job.id.value), spi::Param::text(e.topic())})
            .empty();
    }();
    if (all) {
        catalog::set_finished(
            e.job.id, e.job.generation,
            e.messages_left ? "the number of messages is reached" : "the stop position is reached");
        wake_at_commit(e.job.id);
    }
    transaction.commit();
    return all;
}

// Stores positions that moved without a message: control records of transactions, compaction.
void Worker::store_positions(Engagement& e) {
    std::vector<Advance> advances;
    std::vector<Partition> partitions;
    for (const auto& [partition, end] : e.ends) {
        const PartitionState& state = e.ledger->at(Partition{partition});
        const NextOffset position = state.stop ? std::min(end, *state.stop) : end;
        if (position <= state.next) continue;
        Advance a;
        a.partition = Partition{partition};
        a.start = state.next;
        a.end = position;
        if (const auto marks = e.consumer->watermarks(e.topic(), a.partition)) {
            a.low_watermark = marks->low;
            a.high_watermark = std::max(marks->high, position);
            e.told_high[partition] = *a.high_watermark;
        }
        advances.push_back(a);
        partitions.push_back(a.partition);
    }
    e.ends.clear();
    e.told_at = clock_.now();
    if (advances.empty()) return;
    spi::Transaction transaction;
    if (!e.ledger->open(partitions)) {
        e.next = Next::Leave;
        return;
    }
    e.ledger->advance(advances, "QUEUE_EMPTY", {});
    transaction.commit();
    e.ledger->committed();
}

// Watermarks and memory while nothing is applied; writes only what has changed.
void Worker::tell_live_numbers(Engagement& e) {
    const Time now = clock_.now();
    if (now - e.told_at < kLiveNumbers) return;
    e.told_at = now;
    prove();
    if (e.client_trouble && now >= e.trouble_probe_at) {
        std::vector<Partition> partitions = e.own_partitions();
        const auto marks =
            fetch_watermarks(e.consumer->client(), e.topic(), partitions, kBrokerTimeout, waiter_);
        if (marks) {
            e.client_trouble = false;
            apply_done(e);
        } else {
            const auto wait = backoff_->next();
            if (!wait) fail(marks.error());
            e.trouble_probe_at = clock_.now() + *wait;
            spi::Transaction transaction;
            catalog::set_retry(e.job.id, e.job.generation, marks.error(), marks.error().message,
                               backoff_->retries(), *wait);
            transaction.commit();
        }
    }
    std::vector<std::pair<Partition, Watermarks>> changed;
    for (const auto& [partition, state] : e.ledger->partitions()) {
        const auto marks = e.consumer->watermarks(e.topic(), Partition{partition});
        if (!marks) continue;
        const auto told = e.told_high.find(partition);
        if (told != e.told_high.end() && told->second == marks->high) continue;
        changed.emplace_back(Partition{partition}, *marks);
    }
    const bool memory = now - e.memory_told_at >= kMemoryNumbers;
    if (changed.empty() && !memory) return;
    spi::Transaction transaction;
    for (const auto& [partition, marks] : changed) {
        e.ledger->write_watermarks(partition, marks.low, marks.high);
        e.told_high[partition.value] = marks.high;
    }
    if (memory) {
        e.memory_told_at = now;
        write_worker_state(arguments_, e.own_partitions());
    }
    transaction.commit();
}

// False when the topic has other partitions than at the claim.
bool Worker::look_for_partitions(Engagement& e) {
    e.partitions_looked_at = clock_.now();
    const auto topic = fetch_topic(e.consumer->client(), e.topic(), kBrokerTimeout, waiter_);
    // A problem of the brokers shows up as an event; this look only adds partitions.
    if (!topic) return true;
    return topic.value().partitions.size() == e.topic_partition_count;
}

}  // namespace sluice
