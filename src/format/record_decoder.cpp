#include "format/record_decoder.hpp"

#include <utility>

namespace sluice {

namespace {

std::optional<Error> check_schemas(const std::optional<FormatSpec>& format, const SchemaFinder* schemas) {
    if (!format || !needs_schema(format->format) || PayloadDecoder::has_schemas(*format, schemas))
        return std::nullopt;
    return Error::config("22023", "there is no schema registry that knows the schemas of the messages",
                         "Option \"framing\" is confluent: messages name their schemas by an id.",
                         "Set option \"registry_url\" of the server.");
}

}  // namespace

Result<RecordDecoder> RecordDecoder::make(RecordSpec spec, const HeaderReader* headers,
                                          SchemaFinder* schemas) {
    Result<PayloadDecoder> value = PayloadDecoder::make(spec, Origin::Value, schemas);
    if (!value) return std::move(value.error());
    Result<PayloadDecoder> key = PayloadDecoder::make(spec, Origin::Key, schemas);
    if (!key) return std::move(key.error());
    for (const auto* format : {&spec.value, &spec.key})
        if (std::optional<Error> error = check_schemas(*format, schemas)) return *std::move(error);
    Result<MetadataDecoder> metadata = MetadataDecoder::make(spec, headers);
    if (!metadata) return std::move(metadata.error());
    return RecordDecoder(spec.columns.size(), std::move(value).value(), std::move(key).value(),
                         std::move(metadata).value());
}

RecordDecoder::RecordDecoder(size_t column_count, PayloadDecoder value, PayloadDecoder key,
                             MetadataDecoder metadata)
    : column_count_(column_count),
      value_(std::move(value)),
      key_(std::move(key)),
      metadata_(std::move(metadata)) {}

std::optional<Error> RecordDecoder::decode(const MessageView& message, Arena& arena, RowBuffer& rows) const {
    if (value_.makes_rows()) {
        const size_t before = rows.size();
        const Row row = rows.add();
        std::optional<Error> error = key_.decode(message.key, message.key, arena, row);
        if (!error) {
            // First, because every row of the value repeats it.
            metadata_.decode(message, arena, row);
            error = value_.decode_rows(message.value, arena, rows);
        }
        if (error) rows.truncate(before);
        return error;
    }
    std::optional<Error> error = decode(message, arena, rows.add());
    if (error) rows.truncate(rows.size() - 1);
    return error;
}

std::optional<Error> RecordDecoder::decode(const MessageView& message, Arena& arena, Row row) const {
    if (auto error = key_.decode(message.key, message.key, arena, row)) return error;
    std::optional<Error> error = value_.decode(message.value, message.key, arena, row);
    if (!error) metadata_.decode(message, arena, row);
    return error;
}

}  // namespace sluice
