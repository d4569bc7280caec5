// How long to wait before the next attempt: exponential, capped, jittered.
// Must not know what is attempted, and does not wait itself.
// Owns its random numbers; the caller gives the seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace sluice {

class Backoff {
  public:
    static constexpr std::chrono::milliseconds kCap{60'000};

    // `max_retries` below zero is no limit. An interval above the cap is waited each time.
    Backoff(std::chrono::milliseconds retry_interval, int max_retries, uint64_t seed);

    // Before the next retry: between half and the whole of the interval, which doubles each time, so that
    // jobs that failed together do not come back together. Empty after `max_retries` without a success.
    std::optional<std::chrono::milliseconds> next();

    // Retries since the last success.
    int retries() const { return retries_; }
    void succeeded();

  private:
    std::chrono::milliseconds interval_;
    std::chrono::milliseconds cap_;
    std::chrono::milliseconds whole_;
    int max_retries_;
    int retries_ = 0;
    std::minstd_rand random_;
};

}  // namespace sluice
