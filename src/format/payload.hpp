// Decodes one part of a message, its value or its key, in the part's format.
// Must not know metadata nor the other part.
// Cells point into the payload or the caller's arena.
#pragma once

#include "format/delimited_decoder.hpp"
#include "format/envelope_decoder.hpp"
#include "format/json_decoder.hpp"

#include <optional>
#include <vector>

namespace sluice {

class PayloadDecoder {
  public:
    // Checks the part's format and options against the columns that read from it.
    static Result<PayloadDecoder> make(const RecordSpec& spec, Origin part);

    // A null payload gives Null in every column. Columns of other parts are left alone. `key` is the
    // message's: some values need it.
    std::optional<Error> decode(Bytes payload, Bytes key, Arena& arena, Row row) const;

  private:
    PayloadDecoder(Origin part, TextCheck check) : part_(part), check_(check) {}

    Origin part_;
    TextCheck check_;
    Format format_ = Format::Binary;
    std::vector<DelimitedColumn> columns_;
    bool wanted_ = false;                        // false: nobody looks into this part
    std::optional<DelimitedDecoder> delimited_;  // for csv and delimited when wanted
    std::optional<JsonDecoder> json_;            // for json when wanted
    std::optional<EnvelopeDecoder> envelope_;    // for other formats in JSON when wanted
};

}  // namespace sluice
