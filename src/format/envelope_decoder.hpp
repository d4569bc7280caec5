// Decodes JSON that wraps a row: Kafka Connect's schema and payload, and the change events of Debezium, Canal
// and Maxwell. Must not know jobs: what a change does to a row is told by its metadata columns. Cells point
// into the text, the key or the caller's arena.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "format/json_plan.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace sluice {

struct JsonReading;

// Whether a path may be written in option `metadata`: some change format's message begins so.
bool is_change_path(std::string_view path);

class EnvelopeDecoder {
  public:
    // For the wanted columns of `part` and, of the value, those that tell of the change.
    static Result<EnvelopeDecoder> make(const RecordSpec& spec, Origin part);

    // Fills the cells of wanted columns and leaves others alone. The key tells which row is gone when a
    // deletion does not say it. What an update left alone and the event does not tell is Absent.
    std::optional<Error> decode(std::string_view text, Bytes key, Arena& arena, Row row) const;

  private:
    struct Members;
    struct Scratch;

    EnvelopeDecoder(Format format, JsonOptions options, Origin part, JsonPlan row_plan);

    Result<void> add_change_columns(const RecordSpec& spec);
    std::optional<Error> read_change(std::string_view text, Bytes key, Arena& arena, Row row) const;
    std::optional<Error> read_struct(std::string_view text, Origin part, Arena& arena, Row row) const;
    JsonReading reading_by(const Cell& schema, std::string_view name) const;
    std::optional<Error> read_image(std::string_view text, const Cell& image, const Cell& before,
                                    const Cell& schema, std::string_view name, Arena& arena, Row row) const;
    std::optional<Error> fill_unavailable(std::string_view text, const Cell& before, const Cell& schema,
                                          Arena& arena, Row row) const;
    std::optional<Error> read_deleted(Bytes key, Arena& arena, Row row) const;

    Format format_;
    JsonOptions options_;
    Origin part_;
    JsonPlan row_plan_;
    JsonPlan bare_, wrapped_;           // the message around the row, without and with a schema
    std::vector<size_t> change_cells_;  // in the row, of the change columns in order
    std::vector<bool> change_is_op_;
    std::shared_ptr<Scratch> scratch_;  // shared by copies, which belong to one thread
};

}  // namespace sluice
