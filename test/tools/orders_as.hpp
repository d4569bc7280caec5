// Rows of the orders table, which Orders makes as CSV, in the other formats that messages have.
// Must not know: Kafka, files, how sluice reads them.
// Everything is returned by value; times are UTC.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

// What `flood --format` takes; null for a name that is none.
using OrderForm = std::string (*)(std::string_view csv);
OrderForm order_form(std::string_view name);

namespace forms {

inline constexpr std::array<std::string_view, 9> kNames = {
    "id", "version", "customer_id", "sku", "quantity", "price", "status", "ordered_at", "note"};
enum Field : size_t { kId, kVersion, kCustomer, kSku, kQuantity, kPrice, kStatus, kOrderedAt, kNote };

// Only notes are quoted, and they come last.
inline std::vector<std::string> fields_of(std::string_view csv) {
    std::vector<std::string> fields;
    while (fields.size() + 1 < kNames.size()) {
        const size_t comma = csv.find(',');
        fields.emplace_back(csv.substr(0, comma));
        csv.remove_prefix(comma + 1);
    }
    std::string& note = fields.emplace_back();
    for (size_t i = 1; i + 1 < csv.size(); ++i) {
        note += csv[i];
        if (csv[i] == '"') ++i;
    }
    return fields;
}

inline std::string json_row(const std::vector<std::string>& fields) {
    std::string json = "{";
    for (size_t i = 0; i < fields.size(); ++i) {
        json += (i ? ",\"" : "\"") + std::string(kNames[i]) + "\":";
        if (i <= kCustomer || i == kQuantity || i == kPrice) {
            json += fields[i];
            continue;
        }
        json += '"';
        for (const char c : fields[i]) (c == '"' ? json += '\\' : json) += c;
        json += '"';
    }
    return json + "}";
}

// 2025-01-31T23:59:59.999Z, in microseconds since 1970.
inline int64_t microseconds(const std::string& text) {
    std::tm time{};
    const auto number = [&](size_t at, size_t digits) { return std::atoi(text.substr(at, digits).c_str()); };
    time.tm_year = number(0, 4) - 1900;
    time.tm_mon = number(5, 2) - 1;
    time.tm_mday = number(8, 2);
    time.tm_hour = number(11, 2);
    time.tm_min = number(14, 2);
    time.tm_sec = number(17, 2);
    return static_cast<int64_t>(timegm(&time)) * 1'000'000 + number(20, 3) * 1000;
}

inline void put_varint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

inline void put_zigzag(std::string& out, int64_t value) {
    put_varint(out, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
}

inline void put_avro_bytes(std::string& out, std::string_view bytes) {
    put_zigzag(out, static_cast<int64_t>(bytes.size()));
    out += bytes;
}

// A number without its point, highest byte first.
inline std::string unscaled(std::string price) {
    price.erase(price.find('.'), 1);
    std::string digits;
    for (int64_t rest = std::atoll(price.c_str()); rest > 0 || digits.empty(); rest >>= 8)
        digits.insert(digits.begin(), static_cast<char>(rest & 0xFF));
    if (digits.front() < 0) digits.insert(digits.begin(), '\0');
    return digits;
}

inline void put_protobuf(std::string& out, int field, uint64_t value) {
    put_varint(out, static_cast<uint64_t>(field) << 3);
    put_varint(out, value);
}

inline void put_protobuf(std::string& out, int field, std::string_view bytes) {
    put_varint(out, static_cast<uint64_t>(field) << 3 | 2);
    put_varint(out, bytes.size());
    out += bytes;
}

inline std::string as_json(std::string_view csv) { return json_row(fields_of(csv)); }

inline std::string as_debezium(std::string_view csv) {
    return R"({"before":null,"after":)" + as_json(csv) +
           R"(,"source":{"version":"3.0.0.Final","connector":"postgresql","name":"shop","ts_ms":1763733600000,)"
           R"("db":"shop","schema":"public","table":"orders","lsn":24023128},"op":"c","ts_ms":1763733600123})";
}

// By bench/orders.avsc.
inline std::string as_avro(std::string_view csv) {
    const std::vector<std::string> fields = fields_of(csv);
    std::string out;
    for (const size_t i : {kId, kVersion, kCustomer}) put_zigzag(out, std::atoll(fields[i].c_str()));
    put_avro_bytes(out, fields[kSku]);
    put_zigzag(out, std::atoll(fields[kQuantity].c_str()));
    put_avro_bytes(out, unscaled(fields[kPrice]));
    put_avro_bytes(out, fields[kStatus]);
    put_zigzag(out, microseconds(fields[kOrderedAt]));
    put_zigzag(out, 1);  // of null and string
    put_avro_bytes(out, fields[kNote]);
    return out;
}

// By bench/orders.proto.
inline std::string as_protobuf(std::string_view csv) {
    const std::vector<std::string> fields = fields_of(csv);
    std::string out, time;
    const int64_t at = microseconds(fields[kOrderedAt]);
    put_protobuf(time, 1, static_cast<uint64_t>(at / 1'000'000));
    if (at % 1'000'000 != 0) put_protobuf(time, 2, static_cast<uint64_t>(at % 1'000'000 * 1000));
    for (size_t i = 0; i < fields.size(); ++i) {
        const int number = static_cast<int>(i) + 1;
        if (i <= kCustomer || i == kQuantity)
            put_protobuf(out, number, static_cast<uint64_t>(std::atoll(fields[i].c_str())));
        else
            put_protobuf(out, number, i == kOrderedAt ? std::string_view(time) : std::string_view(fields[i]));
    }
    return out;
}

}  // namespace forms

inline OrderForm order_form(std::string_view name) {
    if (name == "json") return forms::as_json;
    if (name == "debezium-json") return forms::as_debezium;
    if (name == "avro") return forms::as_avro;
    if (name == "protobuf") return forms::as_protobuf;
    return nullptr;
}

}  // namespace sluice::tools
