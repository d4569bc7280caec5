// Turns one cell into a value of one column's type, as the type's input function would.
// Must not know messages, formats or how many rows there are.
// By-reference values are palloc'd in the current context.
#pragma once

#include "base/types.hpp"

#include "pg/fast_input.hpp"

namespace sluice {

// Plain data in a memory context, so that PostgreSQL may longjmp out of every function here.
class CellConverter {
  public:
    // Looks up the column's type; what its input function remembers lives in the current context.
    void prepare(const FormData_pg_attribute& column);

    // The value of a cell that is neither Null nor Absent. Raises what the input function raises.
    Datum convert(const Cell& cell) {
        Datum value;
        // Here, because nearly all cells of text go no further.
        if (cell.kind == CellKind::Text && fast_ && !recode_ && fast_(cell.view(), typmod_, &value))
            return value;
        return convert_slowly(cell);
    }

    const char* name() const { return NameStr(*name_); }
    // Then an error may come from anywhere, and name a column of its own.
    bool runs_user_code() const { return runs_user_code_; }

  private:
    void prepare_nested();
    Datum convert_slowly(const Cell& cell);
    Datum from_text(std::string_view text);
    Datum from_integer(int64 number);
    Datum from_binary(std::string_view bytes);
    Datum from_timestamp(int64 milliseconds);
    Datum from_epoch(int64 microseconds);
    Datum from_json(std::string_view json);

    const NameData* name_;
    Oid type_;
    int32 typmod_;
    Oid io_parameter_;
    Oid base_;  // below domains
    bool runs_user_code_;
    bool recode_;  // the database's encoding is not that of messages
    FastInput fast_;
    FmgrInfo input_;
    TupleDesc record_;  // of the column alone, for arrays and composites; else null
    const char* record_begin_;
    FmgrInfo to_record_;
};

}  // namespace sluice
