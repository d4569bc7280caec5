// Makes the rows of one JSON value: of the elements of an array in it, of its lines, or of both.
// Must not know keys nor metadata, except that rows repeat them.
// Cells point into the text or the caller's arena.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/row_buffer.hpp"
#include "format/json_plan.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class JsonRowsDecoder {
  public:
    // Of one message: rows times columns, wanted or not.
    static constexpr size_t kMostCells = size_t{1} << 20;
    // Of one message: bytes that its rows have in common, once for each row.
    static constexpr size_t kMostRepeated = size_t{256} << 20;

    // Whether the options make something else than one row of a value.
    static bool is_for(const JsonOptions& options);
    static Result<JsonRowsDecoder> make(const RecordSpec& spec);

    // The last of `rows` has what all rows of the message repeat, and Null in the value's columns; the
    // value's rows take its place. After an error what was added means nothing.
    std::optional<Error> decode(std::string_view text, Arena& arena, RowBuffer& rows) const;

  private:
    struct Scratch;
    struct Message;

    JsonRowsDecoder(const RecordSpec& spec, JsonPlan around, JsonPlan row);

    std::optional<Error> decode_lines(Message& message, std::string_view text) const;
    std::optional<Error> decode_text(Message& message, std::string_view text, size_t line) const;
    std::optional<Error> decode_elements(Message& message, std::string_view text, size_t line) const;
    std::optional<Error> add_elements(Message& message, std::string_view text, const Cell& array,
                                      size_t repeated, size_t line) const;
    std::optional<Error> over_budget(const Message& message, size_t rows, size_t repeated) const;
    size_t most_rows() const { return kMostCells / columns_; }

    JsonOptions options_;
    size_t columns_;
    std::string rows_path_;             // as errors show it; empty: each text is one row
    JsonPlan around_;                   // the columns that are not in the array, then the array
    std::vector<size_t> around_cells_;  // of those columns in a row
    JsonPlan row_;
    std::shared_ptr<Scratch> scratch_;  // shared by copies, which belong to one thread
};

}  // namespace sluice
