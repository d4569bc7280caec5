// The table of the options of server, foreign table and column, and the check of each value by itself.
// Must not know how options stand together: source_options does. Nor Kafka properties, which the roof checks.
// The table is a constant; errors own their text.
#pragma once

#include "base/result.hpp"
#include "job/source_options.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct SourceRule {
    SourceOptionInfo info;
    // `subject` names the option for the error; null when any text will do.
    Result<void> (*check)(const std::string& subject, std::string_view value);
};

std::span<const SourceRule> source_rules();

// "server", "user mapping", "foreign table", "column"
std::string_view scope_name(Scope scope);

// Host names or addresses with commas between them, each with a port or not.
Result<void> check_brokers(const std::string& subject, std::string_view value);

Result<void> check_topic(const std::string& subject, std::string_view value);

// Addresses with commas between them: http or https, a host, a port or not, a path or not, and nothing else.
// The error never repeats what may hold a password.
Result<void> check_registry_url(const std::string& subject, std::string_view value);

// `0,1,2` or `(0,1,2)`, in ascending order.
Result<std::vector<int32_t>> parse_partitions(const std::string& subject, std::string_view value);

}  // namespace sluice
