#include "flow/backoff.hpp"

#include <algorithm>

namespace sluice {

using std::chrono::milliseconds;

// An interval of zero would be a busy loop.
Backoff::Backoff(milliseconds retry_interval, int max_retries, uint64_t seed)
    : interval_(std::max(retry_interval, milliseconds(1))),
      cap_(std::max(interval_, kCap)),
      whole_(interval_),
      max_retries_(max_retries),
      random_(static_cast<std::minstd_rand::result_type>(seed ^ (seed >> 32))) {}

std::optional<milliseconds> Backoff::next() {
    if (max_retries_ >= 0 && retries_ >= max_retries_) return std::nullopt;
    ++retries_;
    const milliseconds half = whole_ / 2;
    // Not std::uniform_int_distribution, whose numbers differ from library to library.
    const milliseconds jitter(
        static_cast<int64_t>(random_() % static_cast<uint64_t>((whole_ - half).count() + 1)));
    whole_ = whole_ > cap_ / 2 ? cap_ : whole_ * 2;
    return half + jitter;
}

void Backoff::succeeded() {
    retries_ = 0;
    whole_ = interval_;
}

}  // namespace sluice
