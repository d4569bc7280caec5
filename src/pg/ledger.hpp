// The books of a job: offsets, rejects and history, written in the transaction that writes the rows.
// Must not know how rows are decoded or written, nor Kafka.
// Holds the worker's beliefs (next offsets) between batches; they change only when a transaction has
// committed.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pg/bookkeeping.hpp"
#include "pg/row_outcomes.hpp"

namespace sluice {

// What the books say of one partition.
struct PartitionState {
    Partition partition;
    NextOffset next;
    int32_t leader_epoch = -1;
    std::optional<NextOffset> stop;  // of this run
};

// What one transaction adds to a partition.
struct Advance {
    Partition partition;
    NextOffset start;
    NextOffset end;
    int32_t leader_epoch = -1;
    int64_t messages = 0;
    int64_t bytes = 0;
    int64_t last_timestamp_ms = -1;
    std::optional<NextOffset> low_watermark;
    std::optional<NextOffset> high_watermark;
    RowCounts rows;
};

// What a batch took, for sluice.history. Milliseconds; `commit` is that of the batch before.
struct Timings {
    double fetch = 0;
    double decode = 0;  // part of `apply`
    double apply = 0;
    std::optional<double> commit;
};

class Ledger {
  public:
    Ledger(Oid job_table, JobId job, std::string job_name, std::string topic, int64_t generation);

    // Adopts what the books say, after a start or a fence.
    void adopt(std::vector<PartitionState> partitions);
    const std::map<int32_t, PartitionState>& partitions() const { return partitions_; }
    PartitionState& at(Partition partition) { return partitions_.at(partition.value); }

    // Opens a batch inside the caller's transaction: takes the job's lock, locks the rows of the partitions
    // in key order and compares. False: the definition has changed or another state is wanted, leave quietly.
    // An offset that is not the one believed in, under the same generation, is an alarm: throws Failure
    // (Bug).
    bool open(std::span<const Partition> partitions);

    // Writes offsets and counters, and merges the batch into this second's history row.
    void advance(std::span<const Advance> advances, const std::string& end_reason, const Timings& timings);

    // Keeps a message that could not be applied. `status` is "open" or "blocking"; a later attempt at the
    // same position updates the row and counts the attempt. `headers_json` may be empty.
    void reject(const MessageView& message, std::string_view headers_json, const Error& error,
                const std::string& status);

    // The transaction of the last open/advance has committed or was rolled back: the beliefs follow.
    void committed();
    void rolled_back();

    // Marks the blocking reject of this job that now lies below the offsets as applied.
    void settle_blocking(std::span<const Advance> advances);

    // Live numbers without a batch, in a transaction of the caller.
    void write_watermarks(Partition partition, std::optional<NextOffset> low, std::optional<NextOffset> high);

  private:
    struct HistoryRow {
        int64_t id = 0;
        double started = 0;  // monotonic seconds
    };

    Oid job_table_;
    JobId job_;
    std::string job_name_;
    std::string topic_;
    int64_t generation_;
    std::map<int32_t, PartitionState> partitions_;
    std::map<int32_t, HistoryRow> history_;
    // Of the open transaction; taken over by `committed`.
    std::vector<Advance> pending_;
    std::map<int32_t, HistoryRow> pending_history_;
    bool has_blocking_ = true;  // looked at once, then known
};

}  // namespace sluice
