// The port between the batch and the target: write the rows of one batch inside the current transaction.
// Must not know offsets, rejects or Kafka.
// The maker owns the sink; a sink holds saved plans and OIDs between batches, nothing of a transaction.
#pragma once

#include "pg/batch_reader.hpp"
#include "pg/resolved_job.hpp"

#include <memory>
#include <string>

namespace sluice {

// Where each decoded row of a batch ended; the sum of all but inserted and updated is the number of rows.
struct RowCounts {
    int64_t written = 0;  // inserted + updated
    int64_t inserted = 0;
    int64_t updated = 0;
    bool split_known = true;  // false: the server cannot tell inserted from updated
    int64_t deleted = 0;
    int64_t superseded = 0;
    int64_t unchanged = 0;
    int64_t stale = 0;
    int64_t unmatched = 0;
    int64_t filtered = 0;
    int64_t rejected = 0;

    int64_t total() const {
        return written + deleted + superseded + unchanged + stale + unmatched + filtered + rejected;
    }
};

class Sink {
  public:
    virtual ~Sink() = default;
    // Writes all rows that `reader` yields. An error is a PgError (or Failure); `reader.current()` and
    // `reader.stage()` then tell the message at fault and where, when that is known. Undecodable messages are
    // left in `reader.rejects()` and counted as rejected. Runs as the current user, which is the job's owner.
    virtual RowCounts write(BatchReader& reader) = 0;
    // What it runs, for explain_job: one text per statement with its plan.
    virtual std::vector<std::string> explain() = 0;
};

// Looks at nothing but `job`: it needs no transaction.
std::unique_ptr<Sink> make_sink(const ResolvedJob& job);

}  // namespace sluice
