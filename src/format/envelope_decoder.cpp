#include "format/envelope_decoder.hpp"

#include "format/change_event.hpp"
#include "format/connect_types.hpp"
#include "format/json_row.hpp"
#include "format/json_tokens.hpp"
#include "format/text_check.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace sluice {

namespace {

// What is read of the message around the row; each is a cell before those of the change columns.
enum : size_t { kAfter, kBefore, kOperation, kSchema, kSecond, kOwnCells };

struct Change {
    std::string_view operation;
    char op;  // Debezium's letter
};

struct Dialect {
    Format format;
    std::array<std::string_view, kOwnCells> members;  // empty: there is none
    std::vector<std::string_view> tells;              // with which a metadata column may begin
    std::vector<Change> changes;
    TimestampUnit seconds;  // of plain numbers of time
};

const Dialect& dialect_of(Format format) {
    static const auto* const dialects = new std::vector<Dialect>{
        {Format::ConnectJson, {}, {}, {}, TimestampUnit::Milliseconds},
        {Format::DebeziumJson,
         {"after", "before", "op", "", ""},
         {std::begin(kDebeziumTells), std::end(kDebeziumTells)},
         {{"c", 'c'}, {"r", 'r'}, {"u", 'u'}, {"d", 'd'}, {"t", 't'}, {"m", 'm'}},
         TimestampUnit::Milliseconds},
        {Format::CanalJson,
         {"data[0]", "old[0]", "type", "", "data[1]"},
         {"op", "type", "database", "table", "es", "ts", "id", "isDdl", "pkNames", "sql", "sqlType",
          "mysqlType", "gtid", "old", "data"},
         {{"INSERT", 'c'}, {"UPDATE", 'u'}, {"DELETE", 'd'}},
         TimestampUnit::Milliseconds},
        {Format::MaxwellJson,
         {"data", "old", "type", "", ""},
         {"op", "type", "database", "table", "ts", "xid", "xoffset", "commit", "position", "gtid",
          "server_id", "thread_id", "schema_id", "primary_key", "primary_key_columns", "old", "data", "sql"},
         {{"insert", 'c'}, {"bootstrap-insert", 'r'}, {"update", 'u'}, {"delete", 'd'}},
         TimestampUnit::Seconds},
    };
    return *std::find_if(dialects->begin(), dialects->end(),
                         [&](const Dialect& dialect) { return dialect.format == format; });
}

JsonPath path_of(std::string_view text) { return parse_json_path(text).value(); }

// Where a cell's text stands in the message.
size_t place_in(std::string_view text, const Cell& cell) {
    return static_cast<size_t>(cell.data - text.data());
}

bool is_there(const Cell& cell) { return cell.kind == CellKind::Text; }

bool is_object(const Cell& cell) { return is_there(cell) && cell.size > 0 && cell.data[0] == '{'; }

// Connect writes the schema first, then the payload.
bool looks_wrapped(JsonCursor cursor) {
    std::string_view name;
    bool empty = false, escaped = false;
    return cursor.peek() == '{' && cursor.open('{', '}', empty) && !empty && cursor.take_key(name, escaped) &&
           (name == "schema" || name == "payload");
}

}  // namespace

bool is_change_path(std::string_view text) {
    const Result<JsonPath> path = parse_json_path(text);
    if (!path || path.value().empty() || path.value().front().is_item) return false;
    for (Format format : {Format::DebeziumJson, Format::CanalJson, Format::MaxwellJson}) {
        const auto& tells = dialect_of(format).tells;
        if (std::find(tells.begin(), tells.end(), path.value().front().name) != tells.end()) return true;
    }
    return false;
}

struct EnvelopeDecoder::Scratch {
    JsonTokens tokens, key_tokens;
    ConnectSchemas schemas, key_schemas;
    std::vector<Cell> cells;   // of the message around the row
    std::vector<Cell> before;  // of the row as it was
};

Result<EnvelopeDecoder> EnvelopeDecoder::make(const RecordSpec& spec, Origin part) {
    Result<JsonPlan> row_plan = JsonPlan::make(spec, part);
    if (!row_plan) return row_plan.error();
    const std::optional<FormatSpec>& format = part == Origin::Key ? spec.key : spec.value;
    // A key has no envelope: it is a struct of Connect, with or without its schema.
    EnvelopeDecoder decoder(part == Origin::Key ? Format::ConnectJson : format->format, format->json, part,
                            std::move(row_plan).value());
    if (part == Origin::Value)
        if (auto added = decoder.add_change_columns(spec); !added) return added.error();
    decoder.scratch_->cells.resize(kOwnCells + decoder.change_cells_.size());
    decoder.scratch_->before.resize(spec.columns.size());
    return decoder;
}

EnvelopeDecoder::EnvelopeDecoder(Format format, JsonOptions options, Origin part, JsonPlan row_plan)
    : format_(format),
      options_(options),
      part_(part),
      row_plan_(std::move(row_plan)),
      bare_(false),
      wrapped_(false),
      scratch_(std::make_shared<Scratch>()) {
    const Dialect& dialect = dialect_of(format);
    for (size_t i = 0; i < kOwnCells; ++i) {
        const auto shape = i == kOperation ? ColumnShape::Scalar : ColumnShape::Json;
        const JsonColumn column{.name = std::string(dialect.members[i]), .cell = i, .shape = shape};
        if (!dialect.members[i].empty()) {
            JsonPath path = path_of(dialect.members[i]);
            bare_.add_column(column, path);
            path.insert(path.begin(), JsonStep::member("payload"));
            wrapped_.add_column(column, path);
        }
    }
    wrapped_.add_column({.name = "schema", .cell = kSchema, .shape = ColumnShape::Json}, path_of("schema"));
}

Result<void> EnvelopeDecoder::add_change_columns(const RecordSpec& spec) {
    const Dialect& dialect = dialect_of(format_);
    Result<std::vector<ChangeColumn>> columns = change_columns(spec, dialect.tells, dialect.seconds);
    if (!columns) return std::move(columns.error());
    for (ChangeColumn& told : columns.value()) {
        told.column.cell = kOwnCells + change_cells_.size();
        change_cells_.push_back(told.cell);
        change_is_op_.push_back(told.is_op);
        bare_.add_column(told.column, told.path);
        told.path.insert(told.path.begin(), JsonStep::member("payload"));
        wrapped_.add_column(std::move(told.column), told.path);
    }
    return {};
}

std::optional<Error> EnvelopeDecoder::decode(std::string_view text, Bytes key, Arena& arena, Row row) const {
    return format_ == Format::ConnectJson ? read_struct(text, part_, arena, row)
                                          : read_change(text, key, arena, row);
}

std::optional<Error> EnvelopeDecoder::read_change(std::string_view text, Bytes key, Arena& arena,
                                                  Row row) const {
    const Dialect& dialect = dialect_of(format_);
    JsonTokens& tokens = scratch_->tokens;
    if (const auto fault = tokens.scan(text)) return json_error(*fault, part_, {});
    JsonCursor cursor(text, tokens);
    const JsonPlan& plan = looks_wrapped(cursor) ? wrapped_ : bare_;
    const Row around(scratch_->cells);
    std::fill(around.begin(), around.end(), Cell::absent());
    static const JsonOptions kNoOptions;
    JsonRow reader({plan, kNoOptions, part_}, cursor, arena, around);
    if (auto error = reader.read()) return error;
    if (!cursor.take_end()) return reader.malformed();

    const Cell& operation = around[kOperation];
    const std::string name(dialect.members[kOperation]);
    if (!is_there(operation))
        return no_operation(name,
                            "The value must be in the format that option \"format\" says; a flattened event "
                            "is of format \"json\" or \"connect-json\".");
    const auto change =
        std::find_if(dialect.changes.begin(), dialect.changes.end(),
                     [&](const Change& known) { return known.operation == operation.view(); });
    const bool known = change != dialect.changes.end();
    if (!known && format_ == Format::DebeziumJson) return unknown_operation();
    if (is_there(around[kSecond]))
        return Error::data("0A000", "change event has several rows", "One message is one row.",
                           "Let the producer write an event for each row.");

    for (size_t i = 0; i < change_cells_.size(); ++i) {
        Cell& cell = row[change_cells_[i]];
        cell = around[kOwnCells + i];
        if (change_is_op_[i]) cell = known ? Cell::text({&change->op, 1}) : Cell::null();
        if (cell.kind == CellKind::Absent) cell = Cell::null();
    }
    for (const JsonColumn& column : row_plan_.columns()) row[column.cell] = Cell::null();
    const char op = known ? change->op : 't';
    if (op == 't' || op == 'm') return std::nullopt;  // of no row

    const bool debezium = format_ == Format::DebeziumJson;
    const Cell& image = around[debezium && op == 'd' ? kBefore : kAfter];
    if (debezium && op == 'd' && !is_object(image)) return read_deleted(key, arena, row);
    if (!is_object(image))
        return no_image(dialect.members[debezium && op == 'd' ? kBefore : kAfter], operation.view());
    return read_image(text, image, around[kBefore], around[kSchema],
                      debezium ? (op == 'd' ? "before" : "after") : "", arena, row);
}

// `name` is the row's place in the schema.
JsonReading EnvelopeDecoder::reading_by(const Cell& schema, std::string_view name) const {
    JsonReading reading{row_plan_, options_, part_, true};
    if (is_object(schema)) reading.fields = scratch_->schemas.find(schema.view(), name, row_plan_);
    return reading;
}

// The row that is written as the JSON object in `image`.
std::optional<Error> EnvelopeDecoder::read_image(std::string_view text, const Cell& image, const Cell& before,
                                                 const Cell& schema, std::string_view name, Arena& arena,
                                                 Row row) const {
    JsonCursor cursor(text, scratch_->tokens);
    cursor.go_to(place_in(text, image));
    JsonRow reader(reading_by(schema, name), cursor, arena, row);
    if (auto error = reader.read()) return error;
    if (reader.has_unavailable() && is_object(before))
        if (auto error = fill_unavailable(text, before, schema, arena, row)) return error;
    return reader.finish();
}

// An UPDATE does not tell large values that it leaves alone. The row as it was may have them.
std::optional<Error> EnvelopeDecoder::fill_unavailable(std::string_view text, const Cell& before,
                                                       const Cell& schema, Arena& arena, Row row) const {
    const Row old(scratch_->before);
    std::fill(old.begin(), old.end(), Cell::absent());
    JsonCursor cursor(text, scratch_->tokens);
    cursor.go_to(place_in(text, before));
    if (auto error = JsonRow(reading_by(schema, "before"), cursor, arena, old).read()) return error;
    for (const JsonColumn& column : row_plan_.columns()) {
        const Cell& known = old[column.cell];
        // A null there stands for what the table's replica identity leaves out.
        if (known.kind == CellKind::Absent || known.kind == CellKind::Null) continue;
        if (JsonRow::is_unavailable(row[column.cell])) row[column.cell] = known;
    }
    return std::nullopt;
}

// Where the table's replica identity is nothing but its key, only the message's key tells the row.
std::optional<Error> EnvelopeDecoder::read_deleted(Bytes key, Arena& arena, Row row) const {
    if (key.is_null()) return no_row_known();
    std::optional<Error> error = read_struct(key.view(), Origin::Key, arena, row);
    if (error) say_key_must_tell(*error, "let the producer write keys in JSON.");
    return error;
}

// A struct of Connect: the row itself, or a schema and the row as payload.
std::optional<Error> EnvelopeDecoder::read_struct(std::string_view text, Origin part, Arena& arena,
                                                  Row row) const {
    const bool own = part == part_;
    JsonTokens& tokens = own ? scratch_->tokens : scratch_->key_tokens;
    if (const auto fault = tokens.scan(text)) return json_error(*fault, part, {});
    JsonCursor cursor(text, tokens);
    JsonReading reading{row_plan_, options_, part, true};
    std::array<Cell, 2> around{Cell::absent(), Cell::absent()};
    if (looks_wrapped(cursor)) {
        static const JsonOptions kNoOptions;
        static const auto* const kPlan = [] {
            auto* plan = new JsonPlan(false);
            plan->add_column({.cell = 0, .shape = ColumnShape::Json}, path_of("payload"));
            plan->add_column({.cell = 1, .shape = ColumnShape::Json}, path_of("schema"));
            return plan;
        }();
        JsonRow outside({*kPlan, kNoOptions, part}, cursor, arena, around);
        if (auto error = outside.read()) return error;
        if (!cursor.take_end()) return outside.malformed();
        if (around[0].kind == CellKind::Null)
            return Error::data("22004",
                               "json " + std::string(part_name(part)) + " has a payload that is null", {},
                               "A message without a value is a tombstone, one with this payload is not.");
        // Something else than Connect's two fields may be called so.
        const bool wraps = is_there(around[0]);
        if (wraps && is_object(around[1]))
            reading.fields =
                (own ? scratch_->schemas : scratch_->key_schemas).find(around[1].view(), "", row_plan_);
        cursor.go_to(wraps ? place_in(text, around[0]) : 0);
    }
    JsonRow reader(reading, cursor, arena, row);
    if (auto error = reader.read()) return error;
    if (!is_there(around[0]) && !cursor.take_end()) return reader.malformed();
    // Of a deleted row no more than its key is known.
    if (!own) {
        for (const JsonColumn& column : row_plan_.columns())
            if (row[column.cell].kind == CellKind::Absent) row[column.cell] = Cell::null();
        return std::nullopt;
    }
    return reader.finish();
}

}  // namespace sluice
