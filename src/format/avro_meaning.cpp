#include "format/avro_meaning.hpp"

#include "format/connect_types.hpp"

#include <algorithm>
#include <charconv>

namespace sluice {

namespace {

namespace dom = simdjson::dom;

struct Logical {
    std::string_view name;
    AvroType type;
    AvroMeaning meaning;
};

constexpr Logical kLogicals[] = {
    {"date", AvroType::Int, {AvroMeaning::Days}},
    {"time-millis", AvroType::Int, {AvroMeaning::Clock, TimestampUnit::Milliseconds}},
    {"time-micros", AvroType::Long, {AvroMeaning::Clock, TimestampUnit::Microseconds}},
    {"timestamp-millis", AvroType::Long, {AvroMeaning::Epoch, TimestampUnit::Milliseconds}},
    {"timestamp-micros", AvroType::Long, {AvroMeaning::Epoch, TimestampUnit::Microseconds}},
    {"timestamp-nanos", AvroType::Long, {AvroMeaning::Epoch, TimestampUnit::Nanoseconds}},
    {"local-timestamp-millis", AvroType::Long, {AvroMeaning::LocalEpoch, TimestampUnit::Milliseconds}},
    {"local-timestamp-micros", AvroType::Long, {AvroMeaning::LocalEpoch, TimestampUnit::Microseconds}},
    {"local-timestamp-nanos", AvroType::Long, {AvroMeaning::LocalEpoch, TimestampUnit::Nanoseconds}},
    {"uuid", AvroType::String, {AvroMeaning::Uuid}},
};

bool holds_bytes(AvroType type) { return type == AvroType::Bytes || type == AvroType::Fixed; }
bool is_whole(AvroType type) { return type == AvroType::Int || type == AvroType::Long; }

AvroMeaning logical_meaning(const dom::object& object, AvroType type, uint32_t size) {
    std::string_view name;
    if (object["logicalType"].get(name) != simdjson::SUCCESS) return {};
    for (const Logical& known : kLogicals)
        if (known.name == name && known.type == type) return known.meaning;
    if (name == "uuid" && type == AvroType::Fixed && size == 16) return {AvroMeaning::Uuid};
    if (name == "duration" && type == AvroType::Fixed && size == 12) return {AvroMeaning::Duration};
    if (name != "decimal" || !holds_bytes(type)) return {};
    int64_t precision = 0, scale = 0;
    if (object["precision"].get(precision) != simdjson::SUCCESS || precision <= 0) return {};
    dom::element written;
    if (object["scale"].get(written) == simdjson::SUCCESS && written.get(scale) != simdjson::SUCCESS)
        return {};
    if (scale < 0 || scale > precision || scale > kMostScale) return {};
    return {AvroMeaning::Decimal, {}, static_cast<int32_t>(scale)};
}

int32_t parameter(const dom::object& object, const char* name, int32_t most) {
    dom::object parameters;
    std::string_view text;
    if (object["connect.parameters"].get(parameters) != simdjson::SUCCESS ||
        parameters[name].get(text) != simdjson::SUCCESS)
        return 0;
    int32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::clamp(value, 0, most);
}

AvroMeaning connect_meaning(const dom::object& object, AvroType type) {
    std::string_view name;
    if (object["connect.name"].get(name) != simdjson::SUCCESS) return {};
    const ConnectField field = connect_field(name);
    switch (field.type) {
        case ConnectType::Days:
            if (is_whole(type)) return {AvroMeaning::Days};
            break;
        case ConnectType::Clock:
            if (is_whole(type)) return {AvroMeaning::Clock, field.unit};
            break;
        case ConnectType::Epoch:
            if (is_whole(type)) return {AvroMeaning::Epoch, field.unit};
            break;
        case ConnectType::Decimal:
            if (holds_bytes(type)) return {AvroMeaning::Decimal, {}, parameter(object, "scale", kMostScale)};
            break;
        case ConnectType::JsonText:
            if (type == AvroType::String) return {AvroMeaning::JsonText};
            break;
        case ConnectType::Bits:
            if (holds_bytes(type)) return {AvroMeaning::Bits, {}, parameter(object, "length", kMostBits)};
            break;
        case ConnectType::Plain:
            break;
    }
    if (name == "io.debezium.data.VariableScaleDecimal" && type == AvroType::Record)
        return {AvroMeaning::VariableDecimal};
    return {};
}

}  // namespace

AvroMeaning avro_meaning_of(const dom::object& object, AvroType type, uint32_t size) {
    const AvroMeaning meaning = logical_meaning(object, type, size);
    return meaning.kind == AvroMeaning::Plain ? connect_meaning(object, type) : meaning;
}

}  // namespace sluice
