// Decodes Avro: rows, and the change events of Debezium around them.
// Must not know jobs, nor where schemas are kept.
// Cells point into the payload, the key or the caller's arena.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "format/json_plan.hpp"
#include "format/text_check.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice {

struct AvroMessage;
struct AvroReadingOf;

class AvroDecoder {
  public:
    // For the wanted columns of `part` and, of a value that tells a change, those that tell of it. The
    // schemas of the options are looked up; `schemas` knows those that frames name, and must outlive the
    // decoder.
    static Result<AvroDecoder> make(const RecordSpec& spec, Origin part, SchemaFinder* schemas);

    // Fills the cells of wanted columns and leaves others alone. The key tells which row is gone when a
    // deletion does not say it.
    std::optional<Error> decode(std::string_view payload, Bytes key, Arena& arena, Row row) const;

  private:
    struct Scratch;
    using SharedColumns = std::shared_ptr<const JsonPlan>;

    AvroDecoder(const RecordSpec& spec, Origin part);

    Result<void> prepare(const RecordSpec& spec, SchemaFinder* schemas);
    Result<void> prepare_change(const RecordSpec& spec, SchemaFinder* schemas);
    AvroReadingOf reading_of(const AvroMessage& message, Origin part) const;
    std::optional<Error> read_row(const AvroMessage& message, Origin part, Arena& arena, Row row) const;
    std::optional<Error> read_change(const AvroMessage& message, Bytes key, Arena& arena, Row row) const;
    std::optional<Error> read_image(const AvroMessage& message, const Cell& image, Arena& arena, Row row,
                                    bool& has_unavailable) const;
    std::optional<Error> fill_unavailable(const AvroMessage& message, const Cell* before, Arena& arena,
                                          Row row) const;
    std::optional<Error> read_deleted(Bytes key, Arena& arena, Row row) const;

    JsonOptions options_;
    Origin part_;
    TextCheck check_;
    bool tells_change_;
    SharedColumns row_columns_;
    SharedColumns around_columns_;      // of the message around the row
    std::vector<size_t> change_cells_;  // in the row, of the change columns in order
    std::vector<bool> change_is_op_;
    std::shared_ptr<Scratch> scratch_;  // shared by copies, which belong to one thread
};

}  // namespace sluice
