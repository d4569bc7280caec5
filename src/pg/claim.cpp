#include "job/position.hpp"

#include <map>
#include <optional>
#include <string>

#include "pg/claim.hpp"
#include "pg/job_lock.hpp"
#include "pg/processes.hpp"
#include "pg/source_topic.hpp"

namespace sluice {

namespace {

using spi::Param;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBrokerTimeout = seconds(10);

struct Stored {
    NextOffset next;
    int32_t leader_epoch = -1;
    std::string topic_id;
    std::optional<NextOffset> stop;
};
using StoredOffsets = std::map<int32_t, Stored>;

class Claimer {
  public:
    Claimer(Oid table, const catalog::StoredJob& job, const SourceSpec& source, const SharedClient& client,
            Waiter& waiter, int worker_no, int worker_count)
        : table_(table),
          job_(job),
          source_(source),
          client_(client),
          waiter_(waiter),
          worker_no_(worker_no),
          worker_count_(worker_count) {}

    Claim run() {
        Claim claim;
        topic_ = ask_topic(source_, client_, waiter_, kBrokerTimeout);
        claim.topic_partition_count = topic_.partition_count;
        bool first;
        {
            spi::Transaction transaction;
            first = read_offsets().empty();
            transaction.commit();
        }
        // The brokers are asked before the job is locked: nothing waits for the network under a lock.
        if (first && !job_.started) ask_start();
        ask_stop();

        spi::Transaction transaction;
        lock_job_for_change(table_, job_.id);
        const auto now = catalog::read_job(job_.id);
        if (!now || now->generation != job_.generation || now->wanted != "running" || now->failed) {
            claim.fenced = true;
            transaction.commit();
            return claim;
        }
        StoredOffsets stored = read_offsets();
        if (stored.empty() && now->started) fail(offsets_missing());
        create_missing(stored);
        check_range(stored);
        set_stop(stored);
        if (!now->started) mark_started();
        transaction.commit();

        for (const auto& [partition, state] : stored)
            if (topic_.has(partition) && is_mine(partition))
                claim.partitions.push_back(
                    {Partition{partition}, state.next, state.leader_epoch, state.stop});
        return claim;
    }

  private:
    bool is_mine(int32_t partition) const {
        return partition_belongs_to(Partition{partition}, worker_no_, worker_count_);
    }

    // Partitions that the position leaves out are read from their beginning.
    void ask_start() {
        for (const auto& [p, mark] : topic_.marks) start_[p] = mark.low;
        for (const auto& [p, offset] : ask_offsets(job_.spec.options.start)) start_[p] = offset;
    }

    void ask_stop() {
        Position stop = job_.spec.options.stop;
        if (job_.run_until) stop = value_or_fail(parse_stop("argument until", *job_.run_until));
        stop_ = ask_offsets(stop);
    }

    std::map<int32_t, NextOffset> ask_offsets(const Position& position) {
        return offsets_at(position, topic_, client_, waiter_, kBrokerTimeout);
    }

    StoredOffsets read_offsets() {
        Bookkeeping bookkeeping;
        const spi::Rows rows = spi::run(
            "SELECT partition, next_offset, COALESCE(leader_epoch, -1), COALESCE(topic_id, ''), stop_offset"
            " FROM sluice.offsets WHERE job_id = $1 AND topic = $2 ORDER BY partition",
            {Param::int4(job_.id.value), Param::text(source_.topic)});
        StoredOffsets stored;
        for (size_t i = 0; i < rows.size(); ++i) {
            Stored s{NextOffset{rows.integer(i, 1)},
                     static_cast<int32_t>(rows.integer(i, 2)),
                     rows.text(i, 3),
                     {}};
            if (!rows.is_null(i, 4)) s.stop = NextOffset{rows.integer(i, 4)};
            stored[static_cast<int32_t>(rows.integer(i, 0))] = s;
        }
        return stored;
    }

    Error offsets_missing() const {
        return Error::config("55000",
                             "job \"" + job_.spec.name +
                                 "\" has run before, but has no offsets for topic \"" + source_.topic + "\"",
                             "It was restored without its offsets, or its source reads another topic now. "
                             "Starting anywhere could lose "
                             "or repeat messages.",
                             "Say where to go on: SELECT sluice.set_offsets('" + job_.spec.name +
                                 "', 'earliest'), 'latest', a time, or "
                                 "offsets by partition.");
    }

    void create_missing(StoredOffsets& stored) {
        const bool first = stored.empty();
        Bookkeeping bookkeeping;
        for (const auto& [partition, mark] : topic_.marks) {
            if (stored.count(partition)) continue;
            // A partition that appears later is read from its beginning: its messages are all new to the job.
            const NextOffset next = first ? start_.at(partition) : mark.low;
            spi::run(
                "INSERT INTO sluice.offsets (job_id, topic, partition, next_offset, topic_id, generation,"
                "  low_watermark, high_watermark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                {Param::int4(job_.id.value), Param::text(source_.topic), Param::int4(partition),
                 Param::int8(next.value), Param::text_or_null(topic_.id), Param::int8(job_.generation),
                 Param::int8(mark.low.value), Param::int8(mark.high.value)});
            stored[partition] = {next, -1, topic_.id, {}};
            if (!first)
                catalog::record_event(job_.id, catalog::Level::Info, "partition_added",
                                      "topic " + source_.topic + " has a new partition " +
                                          std::to_string(partition) + ", read from offset " +
                                          std::to_string(next.value),
                                      "sluice");
        }
    }

    void check_range(StoredOffsets& stored) {
        for (auto& [partition, state] : stored) {
            // Another worker may have moved on since the brokers were asked.
            if (!is_mine(partition)) continue;
            const std::string where = "topic " + source_.topic + ", partition " + std::to_string(partition);
            if (!topic_.has(partition)) {
                // Option `partitions` leaves it out now; its offset is kept.
                if (static_cast<size_t>(partition) < topic_.partition_count) continue;
                gap(partition, state,
                    where + " no longer exists (the topic has " + std::to_string(topic_.partition_count) +
                        " partitions)");
                continue;
            }
            const Watermarks& mark = topic_.marks.at(partition);
            if (!state.topic_id.empty() && !topic_.id.empty() && state.topic_id != topic_.id)
                gap(partition, state,
                    where + " was deleted and created again: its id was " + state.topic_id + " and is " +
                        topic_.id + "; the next offset was " + std::to_string(state.next.value));
            else if (state.next < mark.low)
                gap(partition, state,
                    where + ": offsets " + std::to_string(state.next.value) + " to " +
                        std::to_string(mark.low.value - 1) + " are no longer in Kafka (" +
                        std::to_string(mark.low.value - state.next.value) + " offsets); the oldest is " +
                        std::to_string(mark.low.value));
            else if (state.next > mark.high)
                gap(partition, state,
                    where + ": next offset " + std::to_string(state.next.value) + " is beyond the end " +
                        std::to_string(mark.high.value) +
                        "; the topic was deleted and created again, or truncated");
        }
    }

    // Messages are gone that the job has not seen, or its position means other messages now.
    void gap(int32_t partition, Stored& state, const std::string& what) {
        const Fallback fallback = job_.spec.options.fallback_offset;
        if (fallback == Fallback::Error)
            fail(Error::config(
                "55000", what, "The job has not moved: nothing is skipped unless you say so.",
                "Call sluice.set_offsets('" + job_.spec.name +
                    "', ...) to choose where to go on, or set option fallback_offset to earliest or "
                    "latest."));
        if (!topic_.has(partition)) {
            catalog::record_event(job_.id, catalog::Level::Warning, "gap", what, "sluice");
            Bookkeeping bookkeeping;
            spi::run("DELETE FROM sluice.offsets WHERE job_id = $1 AND topic = $2 AND partition = $3",
                     {Param::int4(job_.id.value), Param::text(source_.topic), Param::int4(partition)});
            return;
        }
        const Watermarks& mark = topic_.marks.at(partition);
        state.next = fallback == Fallback::Earliest ? mark.low : mark.high;
        state.leader_epoch = -1;
        catalog::record_event(job_.id, catalog::Level::Warning, "gap",
                              what + "; goes on at " + std::to_string(state.next.value) +
                                  " (fallback_offset " +
                                  (fallback == Fallback::Earliest ? "earliest" : "latest") + ")",
                              "sluice");
        Bookkeeping bookkeeping;
        spi::run(
            "UPDATE sluice.offsets SET next_offset = $4, leader_epoch = NULL, topic_id = $5,"
            " low_watermark = $6, high_watermark = $7 WHERE job_id = $1 AND topic = $2 AND partition = $3",
            {Param::int4(job_.id.value), Param::text(source_.topic), Param::int4(partition),
             Param::int8(state.next.value), Param::text_or_null(topic_.id), Param::int8(mark.low.value),
             Param::int8(mark.high.value)});
    }

    // Fixed by the worker that comes first, so that all workers of a run stop at the same place.
    void set_stop(StoredOffsets& stored) {
        Bookkeeping bookkeeping;
        for (auto& [partition, state] : stored) {
            const auto stop = stop_.find(partition);
            if (state.stop || stop == stop_.end()) continue;
            state.stop = stop->second;
            spi::run(
                "UPDATE sluice.offsets SET stop_offset = $4 WHERE job_id = $1 AND topic = $2 AND partition = "
                "$3",
                {Param::int4(job_.id.value), Param::text(source_.topic), Param::int4(partition),
                 Param::int8(stop->second.value)});
        }
    }

    void mark_started() {
        Bookkeeping bookkeeping;
        spi::run("UPDATE sluice.job SET started = true WHERE job_id = $1", {Param::int4(job_.id.value)});
    }

    Oid table_;
    const catalog::StoredJob& job_;
    const SourceSpec& source_;
    const SharedClient& client_;
    Waiter& waiter_;
    int worker_no_;
    int worker_count_;
    SourceTopic topic_;
    std::map<int32_t, NextOffset> start_;
    std::map<int32_t, NextOffset> stop_;
};

}  // namespace

Claim claim_partitions(Oid job_table, const catalog::StoredJob& job, const SourceSpec& source,
                       const SharedClient& client, Waiter& waiter, int worker_no, int worker_count) {
    return Claimer(job_table, job, source, client, waiter, worker_no, worker_count).run();
}

}  // namespace sluice
