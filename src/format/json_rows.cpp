#include "format/json_rows.hpp"

#include "format/json_row.hpp"
#include "format/text_check.hpp"

#include <algorithm>
#include <utility>

namespace sluice {

namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

// Calls `use` with each line that is not blank and its number from 1, until it returns false. A line break
// is never inside a JSON string.
template <class Use>
void each_line(std::string_view text, Use use) {
    for (size_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (!is_blank(line) && !use(line, number)) return;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

// An element has at least one token, and a comma or the closing bracket after it.
size_t most_elements(const JsonTokens& tokens, size_t begin, size_t end) {
    const uint32_t* const last = tokens.positions() + tokens.count();
    const uint32_t* const first = std::lower_bound(tokens.positions(), last, begin);
    return static_cast<size_t>(std::lower_bound(first, last, end) - first) / 2;
}

// Of an array that has been read before.
size_t count_elements(JsonCursor cursor) {
    size_t count = 0;
    bool more = false;
    if (!cursor.open('[', ']', more)) return 0;
    for (more = !more; more; ++count)
        if (!cursor.skip_value() || !cursor.next(']', more)) break;
    return count;
}

size_t bytes_of(Row row) {
    size_t bytes = 0;
    for (const Cell& cell : row) bytes += cell.size;
    return bytes;
}

}  // namespace

struct JsonRowsDecoder::Scratch {
    JsonTokens tokens;
    std::vector<Cell> around;
};

// One message on its way.
struct JsonRowsDecoder::Message {
    Arena& arena;
    RowBuffer& rows;      // the last one is the next to be filled
    size_t common;        // bytes that each row repeats of the message, besides the value
    size_t made = 0;      // rows
    size_t repeated = 0;  // bytes in them
};

bool JsonRowsDecoder::is_for(const JsonOptions& options) {
    return options.rows_path || options.newline_delimited.value_or(false);
}

Result<JsonRowsDecoder> JsonRowsDecoder::make(const RecordSpec& spec) {
    const JsonOptions& options = spec.value->json;
    const bool ignore_case = options.ignore_case.value_or(false);
    if (!options.rows_path) {
        Result<JsonPlan> row = JsonPlan::make(spec, Origin::Value);
        if (!row) return row.error();
        return JsonRowsDecoder(spec, JsonPlan(ignore_case), std::move(row).value());
    }
    const Result<JsonPath> rows_path = parse_json_path(*options.rows_path);
    if (!rows_path) {
        Error error = rows_path.error();
        error.message = "option \"rows_path\": " + error.message;
        return error;
    }
    JsonPlan around(ignore_case), row(ignore_case);
    std::vector<size_t> around_cells;
    for (size_t i = 0; i < spec.columns.size(); ++i) {
        const SourceColumn& column = spec.columns[i];
        if (column.origin != Origin::Value) continue;
        const Result<JsonPath> path = json_path_of(column);
        if (!path) return path.error();
        if (!column.wanted) continue;
        const bool is_around = is_of_message(column.field);
        JsonPlan& plan = is_around ? around : row;
        plan.add_column(
            {.name = column.name, .cell = is_around ? around_cells.size() : i, .shape = column.shape},
            path.value());
        if (is_around) around_cells.push_back(i);
    }
    around.add_column({.cell = around_cells.size(), .shape = ColumnShape::Json}, rows_path.value());
    JsonRowsDecoder decoder(spec, std::move(around), std::move(row));
    decoder.rows_path_ = to_text(rows_path.value());
    decoder.scratch_->around.resize(around_cells.size() + 1);
    decoder.around_cells_ = std::move(around_cells);
    return decoder;
}

JsonRowsDecoder::JsonRowsDecoder(const RecordSpec& spec, JsonPlan around, JsonPlan row)
    : options_(spec.value->json),
      columns_(std::max<size_t>(spec.columns.size(), 1)),
      around_(std::move(around)),
      row_(std::move(row)),
      scratch_(std::make_shared<Scratch>()) {}

std::optional<Error> JsonRowsDecoder::decode(std::string_view text, Arena& arena, RowBuffer& rows) const {
    Message message{arena, rows, bytes_of(rows.last())};
    std::optional<Error> error = options_.newline_delimited.value_or(false) ? decode_lines(message, text)
                                                                            : decode_text(message, text, 0);
    if (!error) rows.truncate(rows.size() - 1);
    return error;
}

std::optional<Error> JsonRowsDecoder::decode_lines(Message& message, std::string_view text) const {
    std::optional<Error> error;
    if (rows_path_.empty()) {
        size_t count = 0;
        each_line(text, [&](std::string_view, size_t) { return ++count <= most_rows(); });
        if ((error = over_budget(message, count, 0))) return error;
    }
    each_line(text, [&](std::string_view line, size_t number) {
        error = decode_text(message, line, number);
        return !error;
    });
    return error;
}

std::optional<Error> JsonRowsDecoder::decode_text(Message& message, std::string_view text,
                                                  size_t line) const {
    if (const auto fault = scratch_->tokens.scan(text)) return json_error(*fault, Origin::Value, {}, line);
    if (!rows_path_.empty()) return decode_elements(message, text, line);
    JsonCursor cursor(text, scratch_->tokens);
    JsonRow reader({row_, options_, Origin::Value, false, nullptr, line}, cursor, message.arena,
                   message.rows.last());
    std::optional<Error> error = reader.read();
    if (!error && !cursor.take_end()) error = reader.malformed();
    if (!error) error = reader.finish();
    if (!error) message.rows.repeat();
    return error;
}

// What is around the array may come after it, so it is read first.
std::optional<Error> JsonRowsDecoder::decode_elements(Message& message, std::string_view text,
                                                      size_t line) const {
    JsonCursor cursor(text, scratch_->tokens);
    const Row around(scratch_->around);
    JsonRow reader({around_, options_, Origin::Value, false, nullptr, line}, cursor, message.arena, around);
    std::optional<Error> error = reader.read();
    if (!error && !cursor.take_end()) error = reader.malformed();
    if (!error) error = reader.finish();
    const char* const kNoRows = "Without option \"missing_field\" such a message has no rows.";
    if (error && error->sqlstate == "2203A" && error->column_name.empty()) error->hint = kNoRows;
    if (error) return error;

    const Cell& array = around.back();
    const size_t begin = static_cast<size_t>(array.data - text.data());
    const std::string subject = rows_path_ == "$" ? "json value" : "field \"" + rows_path_ + "\"";
    if (array.kind == CellKind::Null) {
        if (options_.missing_field != MissingField::Error) return std::nullopt;
        return Error::data(
            "22039",
            subject + " is null instead of an array" + (line > 0 ? " in line " + std::to_string(line) : ""),
            {}, kNoRows);
    }
    if (array.data[0] != '[')
        return Error::data("22039", subject + " is not an array" + json_place(begin, Origin::Value, line), {},
                           "Option \"rows_path\" must lead to an array, whose elements become rows.");
    const Row row = message.rows.last();
    for (size_t i = 0; i < around_cells_.size(); ++i) row[around_cells_[i]] = around[i];
    return add_elements(message, text, array, bytes_of(around.first(around_cells_.size())), line);
}

std::optional<Error> JsonRowsDecoder::add_elements(Message& message, std::string_view text, const Cell& array,
                                                   size_t repeated, size_t line) const {
    JsonCursor cursor(text, scratch_->tokens);
    const size_t begin = static_cast<size_t>(array.data - text.data());
    cursor.go_to(begin);
    // Most arrays are too small to be counted.
    if (over_budget(message, most_elements(scratch_->tokens, begin, begin + array.size), repeated))
        if (auto error = over_budget(message, count_elements(cursor), repeated)) return error;
    bool more = false;
    cursor.open('[', ']', more);
    more = !more;
    for (size_t item = 0; more; ++item) {
        JsonRow reader({row_, options_, Origin::Value, false, nullptr, line, rows_path_, item}, cursor,
                       message.arena, message.rows.last());
        std::optional<Error> error = reader.read_any();
        if (!error) error = reader.finish();
        if (!error && !cursor.next(']', more)) error = reader.malformed();
        if (error) return error;
        message.rows.repeat();
        ++message.made;
        message.repeated += message.common + repeated;
    }
    return std::nullopt;
}

// Asked before there is memory for the rows.
std::optional<Error> JsonRowsDecoder::over_budget(const Message& message, size_t rows,
                                                  size_t repeated) const {
    if (message.made + rows > most_rows())
        return Error::data("54000", "json value makes more than " + std::to_string(most_rows()) + " rows",
                           "A message may become 1048576 cells: rows times columns of the foreign table, of "
                           "which there are " +
                               std::to_string(columns_) + ".",
                           "Let the producer write smaller messages, or use a foreign table with fewer "
                           "columns.");
    if (rows > 1 && message.repeated + rows * (message.common + repeated) > kMostRepeated)
        return Error::data(
            "54000",
            "json value makes " + std::to_string(message.made + rows) + " rows that repeat more than 256 MiB",
            "Each row has the message's key, headers and fields outside of the array.",
            "Let the producer write smaller messages, or leave out columns of which one value "
            "is large, such as those with field '$'.");
    return std::nullopt;
}

}  // namespace sluice
