#include "format/metadata.hpp"

#include "base/json_text.hpp"

namespace sluice {

namespace {

Cell bytes_cell(Bytes bytes) { return bytes.is_null() ? Cell::null() : Cell::binary(bytes.view()); }

bool has_timestamp(const MessageView& message) {
    return message.timestamp_type != TimestampType::NotAvailable && message.timestamp_ms >= 0;
}

Cell timestamp_type_cell(TimestampType type) {
    switch (type) {
        case TimestampType::NotAvailable:
            return Cell::null();
        case TimestampType::CreateTime:
            return Cell::text("CreateTime");
        case TimestampType::LogAppendTime:
            return Cell::text("LogAppendTime");
    }
    return Cell::null();
}

bool shows_headers(Metadata metadata) {
    return metadata == Metadata::Headers || metadata == Metadata::Json || metadata == Metadata::Header;
}

}  // namespace

Result<MetadataDecoder> MetadataDecoder::make(const RecordSpec& spec, const HeaderReader* headers) {
    MetadataDecoder decoder(spec.validate_utf8 ? TextCheck::Utf8 : TextCheck::NulOnly, headers);
    for (size_t i = 0; i < spec.columns.size(); ++i) {
        const SourceColumn& column = spec.columns[i];
        if (column.origin != Origin::Metadata || column.metadata == Metadata::Change) continue;
        if (column.wanted && shows_headers(column.metadata) && headers == nullptr) {
            Error error;  // a bug of the caller
            error.message =
                "column \"" + column.name + "\" shows headers, but there is nothing to read them with";
            return error;
        }
        decoder.reads_headers_ |= column.wanted && column.metadata == Metadata::Header;
        decoder.columns_.push_back({i, column.metadata, column.wanted, column.field});
    }
    return decoder;
}

void MetadataDecoder::decode(const MessageView& message, Arena& arena, Row row) const {
    if (reads_headers_) headers_->read(message, *found_);
    for (const Column& column : columns_) {
        row[column.cell] = column.wanted ? cell_of(column, message, arena) : Cell::null();
    }
}

// As Kafka's own lastHeader: a name may be repeated.
Cell MetadataDecoder::header_cell(const std::string& name) const {
    for (size_t i = found_->size(); i-- > 0;)
        if ((*found_)[i].name == name) return bytes_cell((*found_)[i].value);
    return Cell::null();
}

Cell MetadataDecoder::cell_of(const Column& column, const MessageView& message, Arena& arena) const {
    switch (column.metadata) {
        case Metadata::Topic:
            return Cell::text(message.topic);
        case Metadata::Partition:
            return Cell::integer(message.partition.value);
        case Metadata::Offset:
            return Cell::integer(message.offset.value);
        case Metadata::Timestamp:
            return has_timestamp(message) ? Cell::timestamp_ms(message.timestamp_ms) : Cell::null();
        case Metadata::TimestampType:
            return timestamp_type_cell(message.timestamp_type);
        case Metadata::LeaderEpoch:
            return message.leader_epoch >= 0 ? Cell::integer(message.leader_epoch) : Cell::null();
        case Metadata::Key:
            return bytes_cell(message.key);
        case Metadata::Value:
            return bytes_cell(message.value);
        case Metadata::Header:
            return header_cell(column.header);
        case Metadata::Change:  // the value's decoder fills it
            return Cell::null();
        case Metadata::Headers: {
            std::string json;
            append_headers(json, message);
            return Cell::text(arena.copy(json));
        }
        case Metadata::Json: {
            std::string json;
            append_record(json, message);
            return Cell::text(arena.copy(json));
        }
    }
    return Cell::null();
}

// An array, because a message may repeat a header's name and their order means something.
void MetadataDecoder::append_headers(std::string& json, const MessageView& message) const {
    std::vector<Header> headers;
    headers_->read(message, headers);
    json += '[';
    for (size_t i = 0; i < headers.size(); ++i) {
        json += i == 0 ? "{" : ", {";
        append_member(json, "name", "name_base64", Bytes::of(headers[i].name));
        json += ", ";
        append_member(json, "value", "base64", headers[i].value);
        json += '}';
    }
    json += ']';
}

void MetadataDecoder::append_record(std::string& json, const MessageView& message) const {
    json += "{\"topic\": ";
    append_json_string(json, message.topic);
    json += ", \"partition\": " + std::to_string(message.partition.value);
    json += ", \"offset\": " + std::to_string(message.offset.value);
    json += ", \"timestamp\": " + (has_timestamp(message) ? std::to_string(message.timestamp_ms) : "null");
    json += ", ";
    append_member(json, "key", "key_base64", message.key);
    json += ", \"headers\": ";
    append_headers(json, message);
    json += '}';
}

// Bytes that are no text get another member name, so that a reader cannot take base64 for the text itself.
void MetadataDecoder::append_member(std::string& json, std::string_view name, std::string_view base64_name,
                                    Bytes value) const {
    const bool as_text = value.is_null() || json_safe_text(value.view(), check_);
    append_json_string(json, as_text ? name : base64_name);
    json += ": ";
    if (value.is_null()) {
        json += "null";
    } else if (as_text) {
        append_json_string(json, value.view());
    } else {
        append_json_base64(json, value.view());
    }
}

}  // namespace sluice
