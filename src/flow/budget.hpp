// Decides whether a job bears one more reject.
// Must not know what a reject is, where it is kept, or what happens when the budget is passed.
// Owns its memory of the last messages: for a share at most eight bytes for each reject in the window.
#pragma once

#include "job/job_spec.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>

namespace sluice {

// Counts messages, not rows. A share (5 %) is one of the last `window` messages, the one in question
// included; while fewer than 100 have been seen it is a share of 100, or the first message of a topic could
// stop its job.
class ErrorBudget {
  public:
    // `rejected_so_far` continues a count that was begun by an earlier worker; it means nothing for a share.
    ErrorBudget(const ErrorLimit& limit, int64_t window, int64_t rejected_so_far = 0);

    // Whether the next message may be rejected.
    bool allows_reject() const;

    // Of the messages `rejected` (ascending) in a slice of the batch that begins with the message `first`,
    // the first one that may not be rejected.
    std::optional<size_t> first_over(size_t first, std::span<const size_t> rejected) const;

    // The slice [first, first + count) is committed, `rejected` (ascending) being rejects.
    void committed(size_t first, size_t count, std::span<const size_t> rejected);

    // The job was resumed by a person: what was rejected before is accepted.
    void reset();

  private:
    ErrorLimit limit_;
    int64_t window_;
    int64_t messages_ = 0;
    int64_t rejected_;
    std::deque<int64_t> recent_;  // numbers of the rejects among the last messages; for a share only
};

}  // namespace sluice
