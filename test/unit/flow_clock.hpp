// A clock that stands still until the test moves it.
// Must not know what is timed.
// Owns its time.
#pragma once

#include "base/ports.hpp"

namespace sluice {

class FakeClock : public Clock {
  public:
    time_point now() const override { return now_; }
    void advance(std::chrono::nanoseconds by) {
        now_ += std::chrono::duration_cast<time_point::duration>(by);
    }

  private:
    time_point now_{std::chrono::hours(1)};
};

}  // namespace sluice
