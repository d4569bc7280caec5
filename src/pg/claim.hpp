// Where a worker goes on: the partitions that are its own, with next offsets checked against what the topic
// still has. Must not read messages. Never resets an offset silently: it raises, or follows `fallback_offset`
// and records the gap. Returns values; leaves no transaction open.
#pragma once

#include "base/ports.hpp"
#include "job/source_spec.hpp"
#include "kafka/metadata.hpp"

#include <vector>

#include "pg/catalog.hpp"
#include "pg/ledger.hpp"

namespace sluice {

struct Claim {
    std::vector<PartitionState> partitions;  // of this worker
    size_t topic_partition_count = 0;        // of the whole topic, to notice new ones
    bool fenced = false;                     // the job has changed meanwhile: leave quietly
};

// Reads positions of all partitions of the job, creates those that are missing (the whole job at its first
// start, new partitions later, from their beginning), checks the range, sets stop offsets of this run. Throws
// Failure: Transient when the brokers do not answer, Config for a gap that needs a person (exact numbers in
// the message).
Claim claim_partitions(Oid job_table, const catalog::StoredJob& job, const SourceSpec& source,
                       const SharedClient& client, Waiter& waiter, int worker_no, int worker_count);

}  // namespace sluice
