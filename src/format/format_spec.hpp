// How the bytes of a source are to be read: formats, their options, and where each column comes from.
// Must not know how the options were written (SQL, YAML) nor PostgreSQL's types.
// Plain values, owned by whoever holds them.
#pragma once

#include "format/schema.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sluice {

enum class Format {
    Csv,
    Delimited,
    Text,
    Binary,
    Json,
    ConnectJson,
    DebeziumJson,
    CanalJson,
    MaxwellJson,
    DebeziumAvro,
    Avro,
    Protobuf
};

// Whose values are JSON, whatever is around the row.
constexpr bool is_json_format(Format format) {
    return format >= Format::Json && format <= Format::MaxwellJson;
}
// Whose messages tell a change of a row.
constexpr bool is_change_format(Format format) {
    return format >= Format::DebeziumJson && format <= Format::DebeziumAvro;
}
constexpr bool is_avro_format(Format format) {
    return format == Format::DebeziumAvro || format == Format::Avro;
}
// Whose messages cannot be read without the schema that wrote them.
constexpr bool needs_schema(Format format) { return is_avro_format(format) || format == Format::Protobuf; }

// Options of `csv` and `delimited`, as the user wrote them; RecordDecoder::make checks them.
// Unset ones take the format's default. csv: `,` `"`, the quote as escape, empty NULL. delimited: a tab,
// backslash escapes, NULL `\N`; once a quote is set it reads like csv, with csv's defaults for escape and
// NULL.
struct DelimitedOptions {
    std::optional<std::string> delimiter{};  // one byte for csv, one or more for delimited
    std::optional<std::string> quote{};      // one byte
    std::optional<std::string> escape{};     // one byte
    std::optional<std::string> null_string{};
    std::vector<std::string> force_not_null{};  // column names
    std::vector<std::string> force_null{};
};

enum class MissingField { Null, Error };
enum class TimestampUnit { Seconds, Milliseconds, Microseconds, Nanoseconds };

// Options of formats in JSON, as the user wrote them.
struct JsonOptions {
    std::optional<MissingField> missing_field{};    // unset: Null
    std::optional<TimestampUnit> timestamp_unit{};  // unset: a number is no time
    std::optional<bool> ignore_case{};              // of ASCII letters in names; unset: false
    std::optional<std::string> rows_path{};         // of an array whose elements are rows; unset: one row
    std::optional<bool> newline_delimited{};        // each line is a value of its own; unset: false
    friend bool operator==(const JsonOptions&, const JsonOptions&) = default;
};

// What stands before the bytes of a message that say which schema wrote it.
enum class Framing {
    None,
    Confluent,    // a zero byte and the schema's id in the registry, four bytes, big-endian
    SingleObject  // of Avro: C3 01 and the schema's fingerprint, eight bytes, little-endian
};

// Options of formats with schemas, as the user wrote them, and the schemas that they name.
struct SchemaOptions {
    std::optional<Framing> framing{};            // unset: None
    std::vector<std::string> schema{};           // names of the schemas that messages are written by
    std::optional<std::string> reader_schema{};  // of Avro: the schema that they are read by
    std::optional<std::string> message{};        // of Protobuf: the full name of the message's type
    std::vector<SharedSchema> writers{};         // what `schema` names; the roof looks them up
    SharedSchema reader{};                       // what `reader_schema` names; likewise
    friend bool operator==(const SchemaOptions&, const SchemaOptions&) = default;
};

struct FormatSpec {
    Format format = Format::Csv;
    DelimitedOptions delimited{};
    JsonOptions json{};
    SchemaOptions schema{};
};

// What a format that has types must know of the column's: csv and the like leave all to the input function.
enum class ColumnShape {
    Scalar,   // takes text
    Integer,  // takes digits only, though 1e2 and 100.0 are whole numbers too
    Json,     // takes JSON as it stands in the message
    Bytes,    // takes bytes
    Date,     // may also be counted from 1970
    Time,     // a timestamp, which may also be counted from 1970
    Clock,    // a time of day, which may also be counted from midnight
    Numeric,  // takes text
    Nested,   // an array or a composite
};

enum class Origin { Value, Key, Metadata };
enum class Metadata {
    Topic,
    Partition,
    Offset,
    Timestamp,
    TimestampType,
    LeaderEpoch,
    Key,
    Value,
    Headers,
    Json,
    Header,  // the one that `field` names
    Change   // what a message that tells a change says of it; `field` is the path
};

// One column of the foreign table, in table order.
struct SourceColumn {
    std::string name{};
    Origin origin = Origin::Value;
    Metadata metadata = Metadata::Topic;  // meaningful when origin is Metadata
    bool wanted = true;                   // false: no definition uses it, it is neither decoded nor checked
    std::string field{};  // where in the part or the change it stands, or which header; empty: by its name or
                          // its place
    ColumnShape shape = ColumnShape::Scalar;
};

// Everything a decoder needs to know of a source.
struct RecordSpec {
    std::optional<FormatSpec> value;
    std::optional<FormatSpec> key;
    std::vector<SourceColumn> columns;
    bool validate_utf8 =
        true;  // false: the database has another encoding, only NUL bytes are refused in text
};

}  // namespace sluice
