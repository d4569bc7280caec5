// Which Kafka properties a user may write, where, and with which values: an allow-list, because some are a
// shell. Must not know how options were written (SQL, YAML) nor who asks: the caller says whether it is a
// superuser. Results own their text.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace sluice {

// Where a property is written: CREATE SERVER, CREATE USER MAPPING, CREATE FOREIGN TABLE.
enum class PropertyScope { Server, UserMapping, Table };

struct CanonicalProperty {
    std::string name;     // dotted, lower case, aliases resolved
    bool secret = false;  // must not be shown; belongs to the user mapping
    bool superuser_only =
        false;  // reads files, reaches other hosts: whatever its value, only a superuser sets it
};

// Accepts dots or underscores and any case. The error names the reason, and the nearest property that exists.
Result<CanonicalProperty> check_property(std::string_view name, PropertyScope scope);

enum class Trust { User, Superuser };

// Checks range and form with librdkafka, and refuses values that weaken security unless a superuser sets
// them.
Result<void> check_property_value(const CanonicalProperty& property, std::string_view value, Trust trust);

// The same for what all properties of one server can tell: SASL without a mechanism.
Result<void> check_server_properties(const std::map<std::string, std::string>& properties);

// The same for all properties of server, user mapping and table.
Result<void> check_property_combination(const std::map<std::string, std::string>& properties);

// True when `name` (canonical) holds a secret.
bool is_secret_property(std::string_view name);

}  // namespace sluice
