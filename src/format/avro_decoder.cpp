#include "format/avro_decoder.hpp"

#include "format/avro_known.hpp"
#include "format/avro_row.hpp"
#include "format/change_event.hpp"
#include "format/json_row.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice {

namespace {

// What is read of the message around the row; the first ones are places. Cells of change columns follow.
enum : size_t { kAfter, kBefore, kPlaces, kOperation = kPlaces, kOwnCells };

bool is_there(const Cell& cell) { return cell.kind != CellKind::Null && cell.kind != CellKind::Absent; }

constexpr std::string_view kOperations = "crudtm";

}  // namespace

struct AvroDecoder::Scratch {
    std::optional<AvroKnownSchemas> schemas;
    std::optional<AvroKnownSchemas> key_schemas;  // for deletions that only their key tells
    std::string text;
    std::vector<Cell> cells;   // of the message around the row
    std::vector<Cell> before;  // of the row as it was
};

AvroDecoder::AvroDecoder(const RecordSpec& spec, Origin part)
    : part_(part),
      check_(spec.validate_utf8 ? TextCheck::Utf8 : TextCheck::NulOnly),
      scratch_(std::make_shared<Scratch>()) {
    const FormatSpec& format = part == Origin::Key ? *spec.key : *spec.value;
    options_ = format.json;
    // A key has no envelope.
    tells_change_ = format.format == Format::DebeziumAvro && part == Origin::Value;
}

Result<AvroDecoder> AvroDecoder::make(const RecordSpec& spec, Origin part, SchemaFinder* schemas) {
    Result<JsonPlan> columns = JsonPlan::make(spec, part);
    if (!columns) return std::move(columns.error());
    AvroDecoder decoder(spec, part);
    decoder.row_columns_ = std::make_shared<const JsonPlan>(std::move(columns).value());
    Result<void> prepared =
        decoder.tells_change_ ? decoder.prepare_change(spec, schemas) : decoder.prepare(spec, schemas);
    if (!prepared) return std::move(prepared.error());
    return decoder;
}

Result<void> AvroDecoder::prepare(const RecordSpec& spec, SchemaFinder* schemas) {
    const FormatSpec& format = part_ == Origin::Key ? *spec.key : *spec.value;
    const auto planning = [columns = row_columns_, options = options_](AvroKnown& known) -> Result<void> {
        Result<SharedAvroPlan> plan = AvroPlan::make(known.reading, known.reading->root(), columns, options);
        if (!plan) return std::move(plan.error());
        known.plan = std::move(plan).value();
        return {};
    };
    Result<AvroKnownSchemas> made = AvroKnownSchemas::make(format.schema, part_, schemas, planning);
    if (!made) return std::move(made.error());
    scratch_->schemas.emplace(std::move(made).value());
    return {};
}

Result<void> AvroDecoder::prepare_change(const RecordSpec& spec, SchemaFinder* schemas) {
    Result<std::vector<ChangeColumn>> told =
        change_columns(spec, kDebeziumTells, TimestampUnit::Milliseconds);
    if (!told) return std::move(told.error());
    JsonPlan around(false);
    around.add_column({.name = "after", .cell = kAfter}, {JsonStep::member("after")});
    around.add_column({.name = "before", .cell = kBefore}, {JsonStep::member("before")});
    around.add_column({.name = "op", .cell = kOperation}, {JsonStep::member("op")});
    for (ChangeColumn& column : told.value()) {
        column.column.cell = kOwnCells + change_cells_.size();
        change_cells_.push_back(column.cell);
        change_is_op_.push_back(column.is_op);
        around.add_column(std::move(column.column), column.path);
    }
    around_columns_ = std::make_shared<const JsonPlan>(std::move(around));
    scratch_->cells.resize(kOwnCells + change_cells_.size());
    scratch_->before.resize(spec.columns.size());

    const auto planning = [row = row_columns_, around = around_columns_,
                           options = options_](AvroKnown& known) -> Result<void> {
        Result<SharedAvroPlan> plan =
            AvroPlan::make(known.reading, known.reading->root(), around, JsonOptions(), kPlaces);
        if (!plan) return std::move(plan.error());
        known.plan = std::move(plan).value();
        for (uint32_t shape : known.plan->placed()) {
            Result<SharedAvroPlan> image = AvroPlan::make(known.reading, shape, row, options);
            if (!image) return std::move(image.error());
            known.images.emplace_back(shape, std::move(image).value());
        }
        return {};
    };
    Result<AvroKnownSchemas> made =
        AvroKnownSchemas::make(spec.value->schema, Origin::Value, schemas, planning);
    if (!made) return std::move(made.error());
    scratch_->schemas.emplace(std::move(made).value());

    if (!spec.key || !is_avro_format(spec.key->format)) return {};
    const auto key_planning = [row = row_columns_](AvroKnown& known) -> Result<void> {
        Result<SharedAvroPlan> plan =
            AvroPlan::make(known.reading, known.reading->root(), row, JsonOptions());
        if (!plan) return std::move(plan.error());
        known.plan = std::move(plan).value();
        return {};
    };
    Result<AvroKnownSchemas> key =
        AvroKnownSchemas::make(spec.key->schema, Origin::Key, schemas, key_planning);
    if (!key) return std::move(key.error());
    scratch_->key_schemas.emplace(std::move(key).value());
    return {};
}

AvroReadingOf AvroDecoder::reading_of(const AvroMessage& message, Origin part) const {
    return {options_, part, check_, message.known->name, message.begin};
}

std::optional<Error> AvroDecoder::decode(std::string_view payload, Bytes key, Arena& arena, Row row) const {
    AvroMessage message;
    if (auto error = scratch_->schemas->find(payload, part_, arena, message)) return error;
    return tells_change_ ? read_change(message, key, arena, row) : read_row(message, part_, arena, row);
}

std::optional<Error> AvroDecoder::read_row(const AvroMessage& message, Origin part, Arena& arena,
                                           Row row) const {
    AvroCursor cursor(message.body);
    const AvroReadingOf of = reading_of(message, part);
    AvroRow reader(*message.known->plan, of, cursor, arena, scratch_->text, row);
    if (auto error = reader.read()) return error;
    if (auto error = reader.end()) return error;
    if (reader.has_unavailable()) return fill_unavailable(message, nullptr, arena, row);
    // Of a deleted row no more than its key is known.
    if (part == part_) return reader.finish();
    for (const JsonColumn& column : row_columns_->columns())
        if (row[column.cell].kind == CellKind::Absent) row[column.cell] = Cell::null();
    return std::nullopt;
}

std::optional<Error> AvroDecoder::read_change(const AvroMessage& message, Bytes key, Arena& arena,
                                              Row row) const {
    const Row around(scratch_->cells);
    AvroCursor cursor(message.body);
    const AvroReadingOf of = reading_of(message, part_);
    AvroRow reader(*message.known->plan, of, cursor, arena, scratch_->text, around);
    if (auto error = reader.read()) return error;
    if (auto error = reader.end()) return error;

    const Cell operation = around[kOperation];
    if (operation.kind != CellKind::Text)
        return no_operation("op",
                            "The value must be written by Debezium with its envelope; a flattened event "
                            "is of format \"avro\".");
    const char op = operation.size == 1 ? operation.data[0] : '\0';
    if (op == '\0' || kOperations.find(op) == std::string_view::npos) return unknown_operation();
    for (size_t i = 0; i < change_cells_.size(); ++i) {
        const Cell& told = around[kOwnCells + i];
        Cell& cell = row[change_cells_[i]];
        cell = told.kind == CellKind::Absent ? Cell::null() : told;
        if (change_is_op_[i]) cell = operation;
    }
    for (const JsonColumn& column : row_columns_->columns()) row[column.cell] = Cell::null();
    if (op == 't' || op == 'm') return std::nullopt;  // of no row

    const Cell before = around[kBefore];
    const Cell image = op == 'd' ? before : around[kAfter];
    if (!is_there(image)) {
        if (op == 'd') return read_deleted(key, arena, row);
        return no_image("after", operation.view());
    }
    bool has_unavailable = false;
    auto error = read_image(message, image, arena, row, has_unavailable);
    if (!error && has_unavailable) error = fill_unavailable(message, &before, arena, row);
    return error;
}

// The row at a place of the message.
std::optional<Error> AvroDecoder::read_image(const AvroMessage& message, const Cell& image, Arena& arena,
                                             Row row, bool& has_unavailable) const {
    const auto& images = message.known->images;
    const auto plan =
        std::find_if(images.begin(), images.end(), [&](const auto& one) { return one.first == image.size; });
    AvroCursor cursor(message.body);
    cursor.go_to(static_cast<size_t>(image.number));
    const AvroReadingOf of = reading_of(message, part_);
    AvroRow reader(*plan->second, of, cursor, arena, scratch_->text, row);
    if (auto error = reader.read()) return error;
    has_unavailable = reader.has_unavailable();
    if (has_unavailable) return std::nullopt;  // finished when they are filled
    return reader.finish();
}

// An UPDATE does not tell large values that it leaves alone. The row as it was may have them.
std::optional<Error> AvroDecoder::fill_unavailable(const AvroMessage& message, const Cell* before,
                                                   Arena& arena, Row row) const {
    scratch_->before.resize(std::max(scratch_->before.size(), row.size()));
    const Row old(scratch_->before);
    std::fill(old.begin(), old.end(), Cell::absent());
    bool still = false;
    if (before != nullptr && is_there(*before))
        if (auto error = read_image(message, *before, arena, old, still)) return error;
    for (const JsonColumn& column : row_columns_->columns()) {
        Cell& cell = row[column.cell];
        if (JsonRow::is_unavailable(cell)) {
            cell = old[column.cell];
            // A null there stands for what the table's replica identity leaves out.
            if (!is_there(cell)) return no_value_known(column);
        } else if (cell.kind == CellKind::Absent) {
            cell = Cell::null();
        }
    }
    return std::nullopt;
}

// Where the table's replica identity is nothing but its key, only the message's key tells the row.
std::optional<Error> AvroDecoder::read_deleted(Bytes key, Arena& arena, Row row) const {
    if (key.is_null()) return no_row_known();
    if (!scratch_->key_schemas) {
        Error error = no_row_known();
        error.detail = "Its field \"before\" is null, and nothing says how to read the key.";
        error.hint =
            "Set option \"key_format\" to avro, with \"key_schema\" or \"key_framing\", or set REPLICA "
            "IDENTITY "
            "FULL on the table that the event comes from.";
        return error;
    }
    AvroMessage message;
    std::optional<Error> error = scratch_->key_schemas->find(key.view(), Origin::Key, arena, message);
    if (!error) error = read_row(message, Origin::Key, arena, row);
    if (error && error->kind == ErrorKind::Data)
        say_key_must_tell(*error, "let the producer write keys in Avro.");
    return error;
}

}  // namespace sluice
