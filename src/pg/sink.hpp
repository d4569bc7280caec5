// The port between the batch and the target: write the rows of a slice inside the current transaction.
// Must not know offsets, rejects or Kafka.
// The maker owns the sink; a sink holds saved plans and OIDs between batches, nothing of a transaction.
#pragma once

#include "pg/batch_reader.hpp"
#include "pg/resolved_job.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sluice {

class Sink {
  public:
    virtual ~Sink() = default;
    // Writes all rows that `reader` yields and says in `reader.outcomes()` what became of each. An error is a
    // PgError (or Failure); `reader.fault()` and `reader.stage()` then tell the message at fault and where,
    // when that is known. Undecodable messages are left in `reader.rejects()`. Runs as the current user,
    // which is the job's owner.
    virtual void write(BatchReader& reader) = 0;
    // What it runs, for explain_job: one text per statement with its plan.
    virtual std::vector<std::string> explain() = 0;
};

// Looks at nothing but `job`: it needs no transaction.
std::unique_ptr<Sink> make_sink(const ResolvedJob& job);

}  // namespace sluice
