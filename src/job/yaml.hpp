// A job and its source as one YAML document: read, and written back.
// Must not know the catalog nor librdkafka; what it says of the database, the role and the types is checked
// above. Everything is returned by value; secrets are in `secrets` and nowhere else.
#pragma once

#include "base/result.hpp"
#include "job/job_spec.hpp"
#include "job/source_options.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct YamlColumn {
    std::string name;
    std::string type;     // as SQL spells it; not checked here
    std::string field{};  // where the value is in the message; empty: by name or place
    friend bool operator==(const YamlColumn&, const YamlColumn&) = default;
};

struct YamlPayload {
    FormatSpec format;
    std::vector<YamlColumn> columns;
};

struct YamlMetaColumn {
    YamlColumn column;
    Metadata metadata = Metadata::Json;
    friend bool operator==(const YamlMetaColumn&, const YamlMetaColumn&) = default;
};

struct YamlJob {
    // name and source are empty: the document does not say them. target is the quoted name of `table`, with
    // `schema` before it when that is given. options.group_id and options.start hold what PROPERTIES said of
    // them; `hints` holds host, port, poll_batchsize, poll_timeout.
    JobSpec job;
    std::string database;  // empty: not said
    std::string user;      // empty: not said
    std::optional<int64_t> version;
    bool password_given = false;  // it is not kept

    std::string server;        // an existing server; empty: make one from brokers and properties
    std::string brokers;       // empty only when `server` is given
    std::string registry_url;  // of the schema registry; empty: none, or that of `server`
    std::map<std::string, std::string> properties;  // dotted names, for the server
    std::map<std::string, std::string> secrets;     // dotted names, for the user mapping
    std::string topic;
    std::optional<std::vector<int32_t>> partitions;
    std::optional<YamlPayload> value;
    std::optional<YamlPayload> key;
    std::vector<YamlMetaColumn> meta;

    std::string schema;  // of the target; empty: found through search_path
    std::string table;
    std::string metadata_schema;  // where the foreign table lies; empty: the target's schema

    std::vector<std::string> notices;
    std::vector<std::string> warnings;
};

// Reads a document. Its errors begin with key path and line: `KAFKA.OUTPUT.MODE (line 23): …`.
Result<YamlJob> parse_yaml_job(std::string_view document, PropertyCheck properties);

// Writes the document that reads as the same job; secrets and passwords are left out.
// The only possible error is text that is not UTF-8.
Result<std::string> to_yaml(const YamlJob& job);

// What CREATE SERVER, CREATE USER MAPPING and CREATE FOREIGN TABLE need; the columns are value's, key's, then
// meta's.
SourceOptions source_options_of(const YamlJob& job);

// The types of those columns, in the same order.
std::vector<std::string> column_types_of(const YamlJob& job);

// A job that was defined in SQL as a document: `types` has the SQL type of each column of the source.
// The caller fills in `server` or the target's schema and table, which only the catalog knows.
YamlJob yaml_job_of(const JobSpec& job, const SourceSpec& source, std::span<const std::string> types);

}  // namespace sluice
