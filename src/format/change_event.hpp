// What formats of changes have in common, whatever their bytes: the columns that tell of the change, and what
// is said of an event that does not tell enough. Must not know JSON nor Avro.
// Plain values; errors own their text.
#pragma once

#include "base/result.hpp"
#include "format/json_plan.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice {

// With which a metadata column of Debezium's formats may begin.
inline constexpr std::string_view kDebeziumTells[] = {"op",          "ts_ms",  "ts_us", "ts_ns",  "source",
                                                      "transaction", "before", "after", "message"};

// A column that tells of the change.
struct ChangeColumn {
    size_t cell = 0;  // in the row
    JsonPath path{};
    bool is_op = false;
    JsonColumn column{};  // but for its cell in the message around the row
};

// The wanted ones. `seconds` is the unit of a plain `ts`.
Result<std::vector<ChangeColumn>> change_columns(const RecordSpec& spec,
                                                 std::span<const std::string_view> tells,
                                                 TimestampUnit seconds);

Error no_operation(std::string_view field, std::string_view hint);
Error unknown_operation();
Error no_image(std::string_view field, std::string_view operation);
// A value that neither image has.
Error no_value_known(const JsonColumn& column);
// A deletion without `before`, by a message without a key.
Error no_row_known();
// Adds to the error of a key that had to tell the row.
void say_key_must_tell(Error& error, std::string_view hint);

}  // namespace sluice
