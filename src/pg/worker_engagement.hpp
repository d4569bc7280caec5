// What a worker holds while it reads: everything that is built from one definition and one claim of
// partitions. Must not be known outside the worker.
// Members are destroyed in reverse order: the messages go back before their consumer is closed.
#pragma once

#include <chrono>

#include "pg/source_reader.hpp"
#include "pg/worker.hpp"

namespace sluice {

struct Worker::Engagement {
    catalog::StoredJob job;
    ResolvedJob resolved;
    MessageHeaders headers;
    std::optional<SourceReader> source;
    std::unique_ptr<Consumer> consumer;
    std::unique_ptr<Sink> sink;
    std::optional<Ledger> ledger;
    std::optional<ErrorBudget> budget;
    std::optional<BatchApplier> applier;
    std::optional<Recut> recut;
    std::optional<BatchPolicy> policy;

    size_t topic_partition_count = 0;
    MessageBatch batch;
    std::vector<MessageView> ordered;  // the batch by partition, without what lies beyond a stop offset
    std::vector<ConsumerEvent> events;
    std::map<int32_t, NextOffset> polled;     // past the newest message that was taken
    std::map<int32_t, NextOffset> ends;       // positions past control records, not stored yet
    std::map<int32_t, NextOffset> told_high;  // high watermarks as stored
    std::optional<int64_t> messages_left;     // of run_job's max_messages; such a run has one worker
    Clock::time_point batch_started{};
    Clock::time_point looked_at{};
    Clock::time_point told_at{};
    Clock::time_point memory_told_at{};
    Clock::time_point partitions_looked_at{};
    bool next_does_not_fit = false;
    bool in_trouble = false;  // RETRYING is shown
    Clock::time_point trouble_probe_at{};
    bool client_trouble = false;  // the brokers do not answer; ask them now and then
    std::optional<Next> next;     // decided while handling an event

    const std::string& topic() const { return source->spec().topic; }

    std::vector<Partition> own_partitions() const {
        std::vector<Partition> result;
        for (const auto& [p, state] : ledger->partitions()) result.push_back(Partition{p});
        return result;
    }
};

}  // namespace sluice
