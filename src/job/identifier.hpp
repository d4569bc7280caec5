// Names of SQL objects in option texts and YAML: folded and quoted as in SQL.
// Must not know what a name stands for.
// Returns copies.
#pragma once

#include "base/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// One name: Orders means orders, "Orders" means Orders. The error's message says only what is wrong with the
// text.
Result<std::string> parse_identifier(std::string_view text);

// Names separated by commas, in parentheses or not: (id, "Version").
Result<std::vector<std::string>> parse_identifiers(std::string_view text);

// The text that parse_identifier turns into `name`: in double quotes unless it is a plain lower-case name.
std::string quote_identifier(std::string_view name);

// The names with commas between them.
std::string quote_identifiers(std::span<const std::string> names);

}  // namespace sluice
