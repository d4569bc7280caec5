// Fills the cells of one row from one JSON value, walking it beside the plan of its columns.
// Must not know formats that wrap the value into an envelope.
// Cells point into the text or the arena. Plain data on the stack of one decode.
#pragma once

#include "base/arena.hpp"
#include "base/types.hpp"
#include "format/connect_types.hpp"
#include "format/json_cursor.hpp"
#include "format/json_plan.hpp"

#include <optional>

namespace sluice {

// How the values of a row are to be taken.
struct JsonReading {
    const JsonPlan& plan;
    const JsonOptions& options;
    Origin part;
    bool connect = false;                               // Kafka Connect wrote it
    const std::vector<ConnectField>* fields = nullptr;  // of each column, when Connect sent a schema
    size_t line = 0;               // which line of the part the text is, from 1; 0: it is the part
    std::string_view rows_path{};  // of the array whose item the value is; empty: it is no item
    size_t item = 0;
};

// Debezium's word for a value that the change did not touch and that it does not know.
constexpr std::string_view kUnavailable = "__debezium_unavailable_value";
// The word itself as JSON, an array of it, or for bytes its base64.
bool is_unavailable_json(std::string_view raw);

class JsonRow {
  public:
    JsonRow(const JsonReading& reading, JsonCursor& cursor, Arena& arena, Row row)
        : plan_(reading.plan),
          options_(reading.options),
          part_(reading.part),
          connect_(reading.connect),
          fields_(reading.fields),
          line_(reading.line),
          rows_path_(reading.rows_path),
          item_(reading.item),
          cursor_(cursor),
          arena_(arena),
          row_(row) {}

    // Fills the cells from the value at the cursor, which is left behind it. Those of missing fields are
    // Absent, and so are unavailable values.
    std::optional<Error> read();
    // The same of a value that need not be an object: then its fields are missing.
    std::optional<Error> read_any();
    // Makes what is Absent Null, or says what is missing. Unavailable values stay Absent.
    std::optional<Error> finish();

    // A value that Debezium does not know was among them.
    bool has_unavailable() const { return has_unavailable_; }
    static bool is_unavailable(const Cell& cell) { return cell.kind == CellKind::Absent && cell.size > 0; }

    // The error for what the cursor has found wrong.
    Error malformed() const;

  private:
    bool read_value(const JsonNode& node);
    bool read_object(const JsonNode& node);
    bool find_member(const JsonNode& node, size_t place, uint32_t& member);
    bool read_array(const JsonNode& node);
    bool fill(const JsonNode& node, std::string_view raw, bool escaped);
    bool fill_string(const JsonColumn& column, std::string_view raw, bool escaped);
    bool fill_number(const JsonColumn& column, std::string_view raw);
    bool fill_clock(const JsonColumn& column, std::string_view raw, TimestampUnit unit);
    bool fill_epoch(const JsonColumn& column, std::string_view raw, TimestampUnit unit);
    bool fill_bytes(const JsonColumn& column, std::string_view text, size_t at);
    bool fill_decimal(const JsonColumn& column, std::string_view text, int64_t scale, size_t at);
    bool fill_bits(const JsonColumn& column, std::string_view text, int32_t length, size_t at);
    bool fill_connect(uint32_t index, std::string_view raw, bool escaped, bool& taken);
    bool fill_variable_decimal(const JsonColumn& column, std::string_view raw, bool& taken);
    bool unescape(const JsonColumn& column, std::string_view raw, bool escaped, std::string_view& text);
    size_t begin_of(std::string_view raw) const {
        return static_cast<size_t>(raw.data() - cursor_.text().data());
    }
    bool refuse(const JsonColumn& column, const char* sqlstate, std::string what, size_t at,
                std::string detail = {}, std::string hint = {});
    Error wrong_shape() const;
    std::string path_of(const JsonColumn& column) const;
    std::string place(size_t at) const;

    const JsonPlan& plan_;
    const JsonOptions& options_;
    Origin part_;
    bool connect_;
    const std::vector<ConnectField>* fields_;
    size_t line_;
    std::string_view rows_path_;
    size_t item_;
    size_t begin_ = 0;
    JsonCursor& cursor_;
    Arena& arena_;
    Row row_;
    bool has_unavailable_ = false;
    std::optional<Error> error_;  // of a value that is well formed but cannot be a cell
};

// The error for a text that is not JSON; `path` may be empty.
Error json_error(const JsonFault& fault, Origin part, const std::string& path, size_t line = 0);

// " at byte 7 of the value", and of which line of it.
std::string json_place(size_t at, Origin part, size_t line);

}  // namespace sluice
