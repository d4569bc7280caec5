#include "format/change_event.hpp"

#include "base/nearest.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice {

namespace {

// Times that the message itself tells have a unit that the options do not change.
std::optional<TimestampUnit> unit_of(const JsonPath& path, TimestampUnit seconds) {
    const std::string& name = path.back().name;
    if (name == "ts_ms" || name == "es") return TimestampUnit::Milliseconds;
    if (name == "ts_us") return TimestampUnit::Microseconds;
    if (name == "ts_ns") return TimestampUnit::Nanoseconds;
    if (name == "ts" && path.size() == 1) return seconds;
    return std::nullopt;
}

}  // namespace

Result<std::vector<ChangeColumn>> change_columns(const RecordSpec& spec,
                                                 std::span<const std::string_view> tells,
                                                 TimestampUnit seconds) {
    std::vector<ChangeColumn> found;
    for (size_t i = 0; i < spec.columns.size(); ++i) {
        const SourceColumn& column = spec.columns[i];
        if (column.origin != Origin::Metadata || column.metadata != Metadata::Change) continue;
        Result<JsonPath> path = parse_json_path(column.field);
        const std::string first = path && !path.value().empty() ? path.value().front().name : column.field;
        if (!path || std::find(tells.begin(), tells.end(), first) == tells.end()) {
            const std::string guess = nearest(first, std::vector(tells.begin(), tells.end()));
            Error error = Error::config(
                "22023",
                "column \"" + column.name + "\": the format has no metadata \"" + column.field + "\"", {},
                guess.empty() ? std::string() : "Perhaps you meant \"" + guess + "\".");
            error.column_name = column.name;
            return error;
        }
        if (!column.wanted) continue;
        ChangeColumn told{.cell = i, .path = std::move(path).value()};
        told.is_op = told.path.size() == 1 && first == "op";
        told.column = {.name = column.name, .shape = column.shape, .unit = unit_of(told.path, seconds)};
        found.push_back(std::move(told));
    }
    return found;
}

Error no_operation(std::string_view field, std::string_view hint) {
    return Error::data("2203A", "change event has no field \"" + std::string(field) + "\"", {},
                       std::string(hint));
}

Error unknown_operation() {
    return Error::data("22023", "change event has an unknown operation in field \"op\"",
                       "It must be c, r, u, d, t or m.");
}

Error no_image(std::string_view field, std::string_view operation) {
    return Error::data("2203C", "change event has no row in field \"" + std::string(field) + "\"",
                       "Its operation is \"" + std::string(operation) + "\".");
}

Error no_value_known(const JsonColumn& column) {
    Error error =
        Error::data("0A000", "field \"" + column.path + "\" is unavailable",
                    "The row was updated without touching this large value, and the event does not have it.",
                    "Set REPLICA IDENTITY FULL on the table that the event comes from, or leave the column "
                    "out of the job.");
    error.column_name = column.name;
    return error;
}

Error no_row_known() {
    return Error::data("22004", "change event deletes a row and does not say which",
                       "Its field \"before\" is null and the message has no key.",
                       "Give the table that the event comes from a primary key, or set REPLICA IDENTITY "
                       "FULL on it.");
}

void say_key_must_tell(Error& error, std::string_view hint) {
    error.detail += (error.detail.empty() ? "" : " ");
    error.detail += "The event deletes a row; its field \"before\" is null, so the key must tell which.";
    error.hint = "Set REPLICA IDENTITY FULL on the table that the event comes from, or " + std::string(hint);
}

}  // namespace sluice
