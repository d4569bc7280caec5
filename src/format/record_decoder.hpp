// Turns messages into rows: value and key by their formats, metadata by itself.
// Must not know PostgreSQL's types, jobs, nor where messages come from.
// Cells point into the message or the caller's arena, never into the decoder.
#pragma once

#include "base/arena.hpp"
#include "base/ports.hpp"
#include "base/result.hpp"
#include "base/row_buffer.hpp"
#include "base/types.hpp"
#include "format/format_spec.hpp"
#include "format/metadata.hpp"
#include "format/payload.hpp"

#include <optional>
#include <vector>

namespace sluice {

// One per source, built once, used for every message.
class RecordDecoder {
  public:
    // Checks every option. `headers` must outlive the decoder; it may be null when no wanted column shows
    // headers. So must `schemas`, which may be null when no format has a framing that names schemas. The
    // schemas that options name must be looked up.
    static Result<RecordDecoder> make(RecordSpec spec, const HeaderReader* headers,
                                      SchemaFinder* schemas = nullptr);

    size_t column_count() const { return column_count_; }
    // Cells may be Absent.
    bool may_leave_absent() const { return value_.may_leave_absent() || key_.may_leave_absent(); }

    // Adds the message's rows of column_count() cells; unwanted ones are Null and unchecked. Empty means
    // success; after an error no row was added. The error never says the position: the caller adds it.
    std::optional<Error> decode(const MessageView& message, Arena& arena, RowBuffer& rows) const;

    // The same where each message is one row by its format. After an error its content means nothing.
    std::optional<Error> decode(const MessageView& message, Arena& arena, Row row) const;

  private:
    RecordDecoder(size_t column_count, PayloadDecoder value, PayloadDecoder key, MetadataDecoder metadata);

    size_t column_count_;
    PayloadDecoder value_;
    PayloadDecoder key_;
    MetadataDecoder metadata_;
};

}  // namespace sluice
