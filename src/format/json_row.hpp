// Fills the cells of one row from one JSON value, walking it beside the plan of its columns.
// Must not know formats that wrap the value into an envelope.
// Cells point into the text or the arena. Plain data on the stack of one decode.
#pragma once

#include "base/arena.hpp"
#include "base/types.hpp"
#include "format/json_cursor.hpp"
#include "format/json_plan.hpp"

#include <optional>

namespace sluice {

class JsonRow {
  public:
    JsonRow(const JsonPlan& plan, const JsonOptions& options, Origin part, JsonCursor& cursor, Arena& arena,
            Row row)
        : plan_(plan), options_(options), part_(part), cursor_(cursor), arena_(arena), row_(row) {}

    // The whole row from the value at the cursor, which is left behind it.
    std::optional<Error> read();

    // The error for what the cursor has found wrong.
    Error malformed() const;

  private:
    bool read_value(const JsonNode& node);
    bool read_object(const JsonNode& node);
    bool read_array(const JsonNode& node);
    bool fill(const JsonNode& node, std::string_view raw, bool escaped);
    bool fill_string(const JsonColumn& column, std::string_view raw, bool escaped);
    bool fill_number(const JsonColumn& column, std::string_view raw);
    bool unescape(std::string_view inner, std::string_view& text);
    void forget(const std::vector<uint32_t>& columns);
    std::optional<Error> finish();
    bool refuse(const JsonColumn& column, const char* sqlstate, std::string what, size_t at,
                std::string detail = {}, std::string hint = {});
    Error wrong_shape() const;

    const JsonPlan& plan_;
    const JsonOptions& options_;
    Origin part_;
    JsonCursor& cursor_;
    Arena& arena_;
    Row row_;
    std::optional<Error> error_;  // of a value that is well formed but cannot be a cell
};

// The error for a text that is not JSON; `path` may be empty.
Error json_error(const JsonFault& fault, Origin part, const std::string& path);

}  // namespace sluice
