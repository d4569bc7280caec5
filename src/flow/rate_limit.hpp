// A token bucket: how many messages may be taken now, and how long until there may be more.
// Must not know what a message is, and does not wait itself.
// Owns its bucket; the clock is the caller's and outlives it.
#pragma once

#include "base/ports.hpp"

#include <chrono>
#include <cstddef>

namespace sluice {

// Holds at most a tenth of a second's messages, so that a pause is not made up for by a burst.
class RateLimit {
  public:
    // `per_second` 0 is no limit; it may be a fraction.
    RateLimit(double per_second, const Clock& clock);

    size_t available();  // SIZE_MAX: no limit
    void take(size_t messages);
    // Until half the bucket is filled, or one message fits: waking for every single message would be a busy
    // loop.
    std::chrono::milliseconds until_more();

  private:
    void refill();

    const double per_second_;
    const double capacity_;
    const Clock& clock_;
    double tokens_;
    Clock::time_point refilled_;
};

}  // namespace sluice
