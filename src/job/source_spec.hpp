// A source as values: the cluster, the topic, its formats and columns, as server, user mapping and table
// options say. Must not know PostgreSQL's catalog, nor librdkafka. Plain values, owned by whoever holds them.
#pragma once

#include "format/format_spec.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

struct SourceSpec {
    std::string brokers;
    std::map<std::string, std::string>
        properties;  // Kafka names with dots; secrets of the user mapping included
    // Of the schema registry: options without the prefix registry_; empty when there is none.
    std::map<std::string, std::string> registry;
    std::string topic;
    std::optional<std::vector<int32_t>> partitions;  // unset: all, new ones too
    RecordSpec record;
};

}  // namespace sluice
