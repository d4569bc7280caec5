#include "pg/source_topic.hpp"

#include <algorithm>

#include "pg/airlock.hpp"

namespace sluice {

namespace {

std::map<int32_t, NextOffset> by_partition(const std::vector<TopicOffset>& offsets) {
    std::map<int32_t, NextOffset> result;
    for (const TopicOffset& o : offsets) result[o.partition.value] = o.offset;
    return result;
}

std::vector<Partition> wanted_partitions(const SourceSpec& source, const TopicInfo& info) {
    std::vector<Partition> all;
    for (const PartitionInfo& p : info.partitions) all.push_back(p.partition);
    std::sort(all.begin(), all.end());
    if (!source.partitions) return all;
    std::vector<Partition> wanted;
    for (const int32_t p : *source.partitions) {
        if (!std::binary_search(all.begin(), all.end(), Partition{p}))
            fail(Error::config("42704",
                               "topic \"" + source.topic + "\" has no partition " + std::to_string(p),
                               "It has " + std::to_string(all.size()) + " partitions, numbered from 0.",
                               "Correct the option \"partitions\" of the foreign table."));
        wanted.push_back(Partition{p});
    }
    std::sort(wanted.begin(), wanted.end());
    return wanted;
}

}  // namespace

SourceTopic ask_topic(const SourceSpec& source, const SharedClient& client, Waiter& waiter,
                      std::chrono::milliseconds timeout) {
    const TopicInfo info = value_or_fail(fetch_topic(client, source.topic, timeout, waiter));
    SourceTopic topic;
    topic.name = source.topic;
    topic.id = info.topic_id;
    topic.partition_count = info.partitions.size();
    topic.partitions = wanted_partitions(source, info);
    const auto marks =
        value_or_fail(fetch_watermarks(client, source.topic, topic.partitions, timeout, waiter));
    for (size_t i = 0; i < marks.size(); ++i) topic.marks[topic.partitions[i].value] = marks[i];
    return topic;
}

std::map<int32_t, NextOffset> offsets_at(const Position& position, const SourceTopic& topic,
                                         const SharedClient& client, Waiter& waiter,
                                         std::chrono::milliseconds timeout) {
    std::map<int32_t, NextOffset> offsets;
    switch (position.kind) {
        case Position::Kind::Earliest:
            for (const auto& [p, mark] : topic.marks) offsets[p] = mark.low;
            break;
        case Position::Kind::Latest:
            for (const auto& [p, mark] : topic.marks) offsets[p] = mark.high;
            break;
        case Position::Kind::Timestamp:
            return by_partition(value_or_fail(offsets_for_time(client, topic.name, topic.partitions,
                                                               position.timestamp_ms, timeout, waiter)));
        case Position::Kind::Group:
            return by_partition(
                value_or_fail(committed_offsets(client, topic.name, topic.partitions, timeout, waiter)));
        case Position::Kind::Offsets:
            for (const auto& [p, offset] : position.offsets) offsets[p] = NextOffset{offset};
            break;
        case Position::Kind::Never:
            break;
    }
    return offsets;
}

}  // namespace sluice
