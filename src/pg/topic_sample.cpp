#include "pg/topic_sample.hpp"

#include <chrono>
#include <optional>

#include "pg/airlock.hpp"

namespace sluice {

namespace {

using std::chrono::steady_clock;

// How long an idle topic is waited for before what has come is taken.
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kLookAgain{200};

}  // namespace

MessageBatch read_sample(Consumer& consumer, const std::vector<Assignment>& assignments,
                         const PollLimits& limits, Waiter& waiter) {
    value_or_fail(consumer.assign(assignments));
    MessageBatch batch;
    std::vector<ConsumerEvent> events;
    size_t ended = 0;
    std::optional<Error> trouble;
    const auto until = steady_clock::now() + kPatience;
    while (batch.size() < limits.messages && ended < assignments.size() && steady_clock::now() < until) {
        consumer.clear_wake();
        events.clear();
        const size_t came = consumer.poll(batch, limits, events);
        for (const ConsumerEvent& event : events) {
            if (event.kind == ConsumerEvent::Kind::EndOfPartition)
                ++ended;
            else if (event.error.kind == ErrorKind::Transient)
                trouble = event.error;
            else
                fail(event.error);
        }
        if (came == 0 && batch.bytes() >= limits.bytes) break;
        if (batch.size() < limits.messages && ended < assignments.size())
            waiter.wait_readable(consumer.wake_fd(), kLookAgain);
    }
    if (batch.empty() && ended < assignments.size() && trouble) fail(*trouble);
    return batch;
}

}  // namespace sluice
