// The options of server, user mapping, foreign table and column: which there are, which values they take, and
// the source they make together. Must not know PostgreSQL's catalog nor librdkafka: the roof passes the
// options as text and the check of Kafka property names. Everything is returned by value.
#pragma once

#include "base/result.hpp"
#include "job/source_spec.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Where an option is written.
enum class Scope { Server, UserMapping, Table, Column };

// Returns the dotted name of a Kafka property that may be written there, or says why it may not.
using PropertyCheck = Result<std::string> (*)(std::string_view name, Scope scope);

using OptionList = std::vector<std::pair<std::string, std::string>>;

struct ColumnOptions {
    std::string name;
    OptionList options;
};

struct SourceOptions {
    OptionList server;
    OptionList user_mapping;
    OptionList table;
    std::vector<ColumnOptions> columns;  // in table order
};

struct SourceOptionInfo {
    Scope scope;
    std::string_view name;
    std::string_view what;
    std::string_view values;  // in words; empty when it is free text
};

// All options that are not Kafka properties, for the manual and for hints.
std::span<const SourceOptionInfo> source_options();

// Checks one option by itself.
Result<void> check_option(Scope scope, std::string_view name, std::string_view value,
                          PropertyCheck properties);

// Checks the whole list of one object, what is missing in it and what contradicts: for the FDW's validator.
Result<void> check_options(Scope scope, const OptionList& options, PropertyCheck properties);

// The source that the options of all places make. Checks the lists again: a definition may be older than a
// rule. What the formats demand of their columns is left to RecordDecoder::make.
Result<SourceSpec> build_source(const SourceOptions& options, PropertyCheck properties);

// The reverse: lists that build the same source. All properties go to the server, so leave secrets out of
// `source`.
SourceOptions options_of(const SourceSpec& source);

// Kafka properties as options, with underscores: such names need no quotes in SQL.
OptionList property_options(const std::map<std::string, std::string>& properties);

}  // namespace sluice
