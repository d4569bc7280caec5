#include "flow/rate_limit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sluice {

RateLimit::RateLimit(double per_second, const Clock& clock)
    : per_second_(per_second),
      capacity_(std::max(per_second / 10, 1.0)),
      clock_(clock),
      tokens_(capacity_),
      refilled_(clock.now()) {}

void RateLimit::refill() {
    const Clock::time_point now = clock_.now();
    const double seconds = std::chrono::duration<double>(now - refilled_).count();
    tokens_ = std::min(tokens_ + seconds * per_second_, capacity_);
    refilled_ = now;
}

size_t RateLimit::available() {
    if (per_second_ <= 0) return SIZE_MAX;
    refill();
    return tokens_ < 1 ? 0 : static_cast<size_t>(tokens_);
}

void RateLimit::take(size_t messages) {
    if (per_second_ > 0) tokens_ -= static_cast<double>(messages);
}

std::chrono::milliseconds RateLimit::until_more() {
    if (per_second_ <= 0) return std::chrono::milliseconds(0);
    refill();
    const double missing = std::max(capacity_ / 2, 1.0) - tokens_;
    if (missing <= 0) return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(missing / per_second_ * 1000)));
}

}  // namespace sluice
