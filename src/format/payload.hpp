// Decodes one part of a message, its value or its key, in the part's format.
// Must not know metadata nor the other part.
// Cells point into the payload or the caller's arena.
#pragma once

#include "format/avro_decoder.hpp"
#include "format/delimited_decoder.hpp"
#include "format/envelope_decoder.hpp"
#include "format/json_decoder.hpp"
#include "format/json_rows.hpp"
#include "format/protobuf_decoder.hpp"

#include <optional>
#include <vector>

namespace sluice {

class PayloadDecoder {
  public:
    // Checks the part's format and options against the columns that read from it. `schemas` knows what
    // framing names, and must outlive the decoder. Without the schemas that the options name there is nothing
    // to decode by, and only what can be told without them is checked: see `has_schemas`.
    static Result<PayloadDecoder> make(const RecordSpec& spec, Origin part, SchemaFinder* schemas = nullptr);

    // A null payload gives Null in every column. Columns of other parts are left alone. `key` is the
    // message's: some values need it.
    std::optional<Error> decode(Bytes payload, Bytes key, Arena& arena, Row row) const;

    // The format makes any number of rows of a payload, by `decode_rows`.
    bool makes_rows() const { return json_rows_.has_value(); }
    // The last of `rows` has what every row of the message repeats; the payload's rows take its place. A null
    // payload leaves it there, with Null in every column. After an error the rows mean nothing.
    std::optional<Error> decode_rows(Bytes payload, Arena& arena, RowBuffer& rows) const;

    // Values may be Absent: the message may say that it does not tell them.
    bool may_leave_absent() const { return envelope_.has_value(); }

    // The schemas are looked up, and whoever knows more of them is there.
    static bool has_schemas(const FormatSpec& format, const SchemaFinder* schemas);

  private:
    PayloadDecoder(Origin part, TextCheck check) : part_(part), check_(check) {}

    std::optional<Error> decode_json(std::string_view text, Bytes key, Arena& arena, Row row) const;

    Origin part_;
    TextCheck check_;
    Format format_ = Format::Binary;
    Framing framing_ = Framing::None;      // of JSON; formats with schemas take it off themselves
    Framing key_framing_ = Framing::None;  // likewise, for values that need the key
    std::vector<DelimitedColumn> columns_;
    std::vector<size_t> unwanted_;               // cells of the columns that nobody looks at
    bool wanted_ = false;                        // false: nobody looks into this part
    std::optional<DelimitedDecoder> delimited_;  // for csv and delimited when wanted
    std::optional<JsonDecoder> json_;            // for json when wanted
    std::optional<JsonRowsDecoder> json_rows_;   // for json when a message is not just one row
    std::optional<EnvelopeDecoder> envelope_;    // for other formats in JSON when wanted
    std::optional<AvroDecoder> avro_;            // for formats in Avro when wanted
    std::optional<ProtobufDecoder> protobuf_;    // for protobuf when wanted
};

}  // namespace sluice
