// A few messages of a topic for an ordinary session: to try a job on them, or to see what they look like.
// Must not know which of the two.
// The messages belong to the batch, which lives as long as the consumer.
#pragma once

#include "base/ports.hpp"
#include "kafka/consumer.hpp"

#include <vector>

namespace sluice {

// Reads from the assignments until there are as many messages as the limits allow, all partitions have ended,
// or nothing more has come for seconds. Failure when the brokers refuse, or nothing came because of trouble.
MessageBatch read_sample(Consumer& consumer, const std::vector<Assignment>& assignments,
                         const PollLimits& limits, Waiter& waiter);

}  // namespace sluice
