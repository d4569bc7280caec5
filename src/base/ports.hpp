// The few interfaces through which the floors meet: reading headers, waiting, the clock.
// Must not name PostgreSQL or librdkafka; the roof and the client implement them.
// Callers keep ownership of what they pass.
#pragma once

#include "base/types.hpp"

#include <chrono>
#include <vector>

namespace sluice {

// Reads a message's headers; they are parsed only when somebody asks.
class HeaderReader {
  public:
    virtual ~HeaderReader() = default;
    // Replaces `headers` by the headers of `message`, in message order; views live as long as the message.
    virtual void read(const MessageView& message, std::vector<Header>& headers) const = 0;
};

// Waits for a descriptor while the caller stays cancellable.
class Waiter {
  public:
    virtual ~Waiter() = default;
    // Returns when `fd` is readable or `timeout` has passed, true when readable. May throw to cancel the
    // caller.
    virtual bool wait_readable(int fd, std::chrono::milliseconds timeout) = 0;
};

class Clock {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    virtual ~Clock() = default;
    virtual time_point now() const = 0;
};

}  // namespace sluice
