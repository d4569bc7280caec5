// When a batch closes, and why; how much more may go into it, and how long to wait for that.
// Must not know messages, partitions or transactions, and does not wait itself.
// Owns its counters; the clock is the caller's and outlives it.
#pragma once

#include "base/ports.hpp"
#include "flow/rate_limit.hpp"
#include "job/job_spec.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice {

enum class EndReason { MaxCount, MaxBytes, QueueEmpty, StopPosition, StopRequested, Error };

// As `end_reason` in sluice.history.
std::string_view end_reason_name(EndReason reason);

struct BatchLimits {
    std::optional<size_t> max_count;  // a hard cap; unset: adaptive
    size_t max_bytes;                 // the message that passes it is the last one
    std::chrono::milliseconds interval;
    double max_rate;  // messages a second, 0: no limit

    // Of one of `workers` workers, who share the job's memory and rate.
    static BatchLimits of(const JobOptions& options, int workers);
};

// What the caller sees around the batch.
struct Surroundings {
    bool queue_empty = false;        // nothing to poll right now
    bool stop_reached = false;       // every partition is at its stop position
    bool stop_requested = false;     // finish and leave
    bool position_to_store = false;  // an offset moved without a message: control records, compaction
};

// An unset max_count begins at 10,000 and follows the time that full batches take: up to 100,000 while they
// stay short, down to 100 where rows are slow, so that transactions are neither many nor long.
class BatchPolicy {
  public:
    struct Decision {
        std::optional<EndReason> close;
        // When not to close: how long to wait for something to happen before asking again. 0: poll at once;
        // empty: until something happens, there being nothing to do.
        std::optional<std::chrono::milliseconds> wait;
    };

    BatchPolicy(const BatchLimits& limits, const Clock& clock);

    // For the next poll: never more than this. 0: ask `decide`.
    size_t room();
    size_t room_bytes() const;

    void took(size_t messages, size_t bytes);
    Decision decide(const Surroundings& around);
    // The batch is applied, which took `spent`; the next one begins, empty.
    void committed(std::chrono::milliseconds spent);

    size_t max_count() const { return max_count_; }

  private:
    BatchLimits limits_;
    const Clock& clock_;
    RateLimit rate_;
    size_t max_count_;
    size_t count_ = 0;
    size_t bytes_ = 0;
    std::optional<Clock::time_point> last_commit_;
};

}  // namespace sluice
