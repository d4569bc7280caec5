// The topic of a source as the brokers have it: the partitions that the source wants, how far they reach, and
// what a position means in offsets. Must not know what a job has read.
// Plain values; the client is the caller's.
#pragma once

#include "base/ports.hpp"
#include "job/job_spec.hpp"
#include "job/source_spec.hpp"
#include "kafka/metadata.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice {

struct SourceTopic {
    std::string name;
    std::string id;                     // empty when the library cannot tell
    size_t partition_count = 0;         // of the whole topic
    std::vector<Partition> partitions;  // that the source wants, ascending
    std::map<int32_t, Watermarks> marks;

    bool has(int32_t partition) const { return marks.contains(partition); }
};

// Failure: Transient when the brokers do not answer, Config when there is no such topic, or no partition that
// the source names.
SourceTopic ask_topic(const SourceSpec& source, const SharedClient& client, Waiter& waiter,
                      std::chrono::milliseconds timeout);

// By partition; empty for Never. Partitions without a committed offset, or that a position by offsets does
// not name, are left out, and those it names need not be in the topic.
std::map<int32_t, NextOffset> offsets_at(const Position& position, const SourceTopic& topic,
                                         const SharedClient& client, Waiter& waiter,
                                         std::chrono::milliseconds timeout);

}  // namespace sluice
