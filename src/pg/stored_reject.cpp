#include "pg/stored_reject.hpp"

#include <charconv>

namespace sluice {

namespace {

using spi::Param;

std::optional<std::string> from_hex(const std::optional<std::string>& hex) {
    if (!hex) return std::nullopt;
    std::string bytes(hex->size() / 2, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
        unsigned value = 0;
        std::from_chars(hex->data() + 2 * i, hex->data() + 2 * i + 2, value, 16);
        bytes[i] = static_cast<char>(value);
    }
    return bytes;
}

Bytes bytes_of(const std::optional<std::string>& text) { return text ? Bytes::of(*text) : Bytes{}; }

}  // namespace

std::optional<StoredReject> StoredReject::lock(int64_t error_id) {
    const spi::Rows rows = spi::run(
        "SELECT status = 'blocking', kafka_topic, kafka_partition, kafka_offset,"
        "  (EXTRACT(epoch FROM kafka_timestamp) * 1000)::pg_catalog.int8, pg_catalog.encode(kafka_key, "
        "'hex'),"
        "  pg_catalog.encode(raw_message, 'hex'), kafka_headers::pg_catalog.text"
        " FROM sluice.reject WHERE error_id = $1 AND status IN ('open', 'blocking') FOR UPDATE",
        {Param::int8(error_id)});
    if (rows.empty()) return std::nullopt;
    StoredReject reject;
    reject.id_ = error_id;
    reject.blocking_ = rows.boolean(0, 0);
    reject.topic_ = rows.text(0, 1);
    reject.partition_ = Partition{static_cast<int32_t>(rows.integer(0, 2))};
    reject.offset_ = Offset{rows.integer(0, 3)};
    if (!rows.is_null(0, 4)) reject.timestamp_ms_ = rows.integer(0, 4);
    reject.key_ = from_hex(rows.at(0, 5));
    reject.value_ = from_hex(rows.at(0, 6));
    reject.headers_json_ = rows.text(0, 7);
    if (reject.headers_json_.empty()) return reject;
    const spi::Rows headers = spi::run(
        "SELECT pg_catalog.encode(COALESCE(pg_catalog.decode(h ->> 'name_base64', 'base64'),"
        "    pg_catalog.convert_to(h ->> 'name', 'UTF8')), 'hex'),"
        "  pg_catalog.encode(COALESCE(pg_catalog.decode(h ->> 'base64', 'base64'),"
        "    pg_catalog.convert_to(h ->> 'value', 'UTF8')), 'hex')"
        " FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) h",
        {Param::text(reject.headers_json_)});
    for (size_t i = 0; i < headers.size(); ++i)
        reject.headers_.push_back({from_hex(headers.at(i, 0)).value_or(""), from_hex(headers.at(i, 1))});
    return reject;
}

MessageView StoredReject::message() const {
    MessageView message;
    message.topic = topic_;
    message.partition = partition_;
    message.offset = offset_;
    message.timestamp_ms = timestamp_ms_;
    if (timestamp_ms_ >= 0) message.timestamp_type = TimestampType::CreateTime;
    message.key = bytes_of(key_);
    message.value = bytes_of(value_);
    return message;
}

void StoredReject::headers(std::vector<Header>& headers) const {
    for (const StoredHeader& h : headers_) headers.push_back({h.name, bytes_of(h.value)});
}

}  // namespace sluice
