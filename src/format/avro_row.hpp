// Fills the cells of one row from one Avro value, by the plan of its schema and columns.
// Must not know framing nor formats that wrap the row into an envelope.
// Cells point into the message or the arena. Plain data on the stack of one decode.
#pragma once

#include "base/arena.hpp"
#include "base/types.hpp"
#include "format/avro_cursor.hpp"
#include "format/avro_plan.hpp"
#include "format/avro_scalar.hpp"
#include "format/text_check.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// How a value is to be taken.
struct AvroReadingOf {
    const JsonOptions& options;
    Origin part;
    TextCheck check;
    std::string_view schema;  // as errors call it
    size_t begin = 0;         // of the value in the part
};

class AvroRow {
  public:
    AvroRow(const AvroPlan& plan, const AvroReadingOf& of, AvroCursor& cursor, Arena& arena,
            std::string& scratch, Row row)
        : plan_(plan), of_(of), cursor_(cursor), arena_(arena), scratch_(scratch), row_(row) {}

    // Fills the cells from the value at the cursor, which is left behind it. Those of missing fields are
    // Absent, and so are unavailable values.
    std::optional<Error> read();
    // Nothing may stand behind the value.
    std::optional<Error> end();
    // Makes what is Absent Null, or says what is missing.
    std::optional<Error> finish();

    bool has_unavailable() const { return has_unavailable_; }

  private:
    bool run(uint32_t step);
    bool take(const AvroStep& step);
    bool fill(const AvroTake& take, const AvroShape& shape, const AvroScalar& scalar, size_t at);
    bool fill_number_time(const AvroTake& take, const AvroShape& shape, const AvroScalar& scalar, size_t at);
    bool fill_text(const AvroTake& take, std::string_view text, size_t at);
    bool fill_written(const AvroTake& take);
    bool take_json(const AvroTake& take, uint32_t shape);
    bool take_variable(const AvroTake& take, const AvroShape& shape, size_t at);
    bool run_items(const AvroStep& step);
    bool run_members(const AvroStep& step);
    bool run_initial(const AvroStep& step);
    void forget(uint32_t node);
    bool set_unavailable(const AvroTake& take);
    bool refuse(const AvroTake& take, const char* sqlstate, std::string what, size_t at,
                std::string hint = {});
    Error malformed() const;
    std::string place(size_t at) const;

    const AvroPlan& plan_;
    const AvroReadingOf& of_;
    AvroCursor& cursor_;
    Arena& arena_;
    std::string& scratch_;
    Row row_;
    uint32_t at_ = 0;  // the step at work
    bool has_unavailable_ = false;
    bool initial_ = false;        // the bytes are of a default, and live as long as the arena
    std::optional<Error> error_;  // of a value that is well formed but cannot be a cell
};

}  // namespace sluice
