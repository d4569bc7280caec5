// Questions to the cluster that take a round trip: which topics and partitions, how far they reach, which
// offsets. Must not block the caller beyond its Waiter: the call runs on a thread of its own and is left
// behind when cancelled. Results are copies. The thread shares the Client, so that a cancelled call may end
// after its caller.
#pragma once

#include "base/ports.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "kafka/client.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

struct PartitionInfo {
    Partition partition;
    int32_t leader = -1;  // broker id; -1: none at the moment
    std::string leader_address;
};

struct TopicInfo {
    std::string name;
    std::string topic_id;  // empty when the library cannot tell
    std::vector<PartitionInfo> partitions;
};

struct Watermarks {
    NextOffset low;   // offset of the oldest message
    NextOffset high;  // one past the newest
};

struct TopicOffset {
    Partition partition;
    NextOffset offset;
};

// One topic. Unknown: Config, 42704. Not reachable: Transient, 08001 or 08006. Wrong log-in: Config, 28P01 or
// 28000. Throws what the waiter throws; the same holds for all functions here.
Result<TopicInfo> fetch_topic(const SharedClient& client, const std::string& topic,
                              std::chrono::milliseconds timeout, Waiter& waiter);

// All topics of the cluster, without those that are internal to Kafka.
Result<std::vector<TopicInfo>> fetch_topics(const SharedClient& client, std::chrono::milliseconds timeout,
                                            Waiter& waiter);

// In the order of `partitions`.
Result<std::vector<Watermarks>> fetch_watermarks(const SharedClient& client, const std::string& topic,
                                                 const std::vector<Partition>& partitions,
                                                 std::chrono::milliseconds timeout, Waiter& waiter);

// For each partition the offset of its first message at or after the time; its end when there is none.
Result<std::vector<TopicOffset>> offsets_for_time(const SharedClient& client, const std::string& topic,
                                                  const std::vector<Partition>& partitions,
                                                  int64_t timestamp_ms, std::chrono::milliseconds timeout,
                                                  Waiter& waiter);

// What the client's group has committed; partitions without a committed offset are left out.
Result<std::vector<TopicOffset>> committed_offsets(const SharedClient& client, const std::string& topic,
                                                   const std::vector<Partition>& partitions,
                                                   std::chrono::milliseconds timeout, Waiter& waiter);

}  // namespace sluice
