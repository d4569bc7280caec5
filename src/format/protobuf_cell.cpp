#include "format/protobuf_cell.hpp"

#include "base/json_text.hpp"
#include "format/json_value.hpp"
#include "format/protobuf_value.hpp"
#include "format/utf8.hpp"

#include <cmath>
#include <cstdio>

namespace sluice {

namespace {

bool is_time(ColumnShape shape) { return shape == ColumnShape::Date || shape == ColumnShape::Time; }

Cell number_text(ProtobufKind kind, uint64_t bits, Arena& arena) {
    char* out = arena.allocate(kMostNumberText);
    const bool real = kind == ProtobufKind::Float || kind == ProtobufKind::Double;
    return Cell::text({out, real ? write_real(kind, bits, out) : write_integer(kind, bits, out)});
}

Cell integer(ProtobufKind kind, uint64_t bits, Arena& arena) {
    return is_beyond(kind, bits) ? number_text(kind, bits, arena) : Cell::integer(integer_of(kind, bits));
}

Cell real_as_integer(ProtobufKind kind, uint64_t bits, Arena& arena) {
    constexpr double kBeyond = 9223372036854775808.0;
    const double value = real_of(kind, bits);
    const bool fits = value >= -kBeyond && value < kBeyond && value == std::trunc(value);
    return fits ? Cell::integer(static_cast<int64_t>(value)) : number_text(kind, bits, arena);
}

// In quotes when it is no number.
Cell real_as_json(ProtobufKind kind, uint64_t bits, Arena& arena) {
    const Cell text = number_text(kind, bits, arena);
    return std::isfinite(real_of(kind, bits)) ? text
                                              : Cell::text(arena.copy('"' + std::string(text.view()) + '"'));
}

ProtobufCellFault fill_time(ProtobufFill fill, ProtobufKind kind, uint64_t bits,
                            const ProtobufReading& reading, Cell& cell) {
    if (!reading.unit) return ProtobufCellFault::NoUnit;
    const bool real = kind == ProtobufKind::Float || kind == ProtobufKind::Double;
    if (real && !std::isfinite(real_of(kind, bits))) return ProtobufCellFault::TooLate;
    char digits[kMostNumberText];
    const size_t size = real ? write_real(kind, bits, digits) : write_integer(kind, bits, digits);
    const std::optional<int64_t> time = epoch_us(std::string_view(digits, size), *reading.unit);
    if (!time) return ProtobufCellFault::TooLate;
    if (fill == ProtobufFill::Epoch) {
        cell = Cell::epoch_us(*time);
        return ProtobufCellFault::None;
    }
    constexpr int64_t kSecond = 1'000'000, kDay = 86400 * kSecond;
    if (*time < 0 || *time > kDay) return ProtobufCellFault::TooLate;
    constexpr size_t kSize = sizeof "HH:MM:SS.ffffff" - 1;
    char* out = reading.arena.allocate(kSize + 1);
    const int64_t seconds = *time / kSecond;
    std::snprintf(out, kSize + 1, "%02d:%02d:%02d.%06d", static_cast<int>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                  static_cast<int>(*time % kSecond));
    cell = Cell::text({out, kSize});
    return ProtobufCellFault::None;
}

}  // namespace

ProtobufFill fill_of(const ProtobufField& field, ColumnShape shape) {
    const bool json = shape == ColumnShape::Json;
    switch (field.kind) {
        case ProtobufKind::Bool:
            return ProtobufFill::Boolean;
        case ProtobufKind::Enum:
            if (shape == ColumnShape::Integer || shape == ColumnShape::Numeric) return ProtobufFill::Integer;
            return json ? ProtobufFill::EnumJson : ProtobufFill::EnumName;
        case ProtobufKind::Float:
        case ProtobufKind::Double:
            if (is_time(shape)) return ProtobufFill::Epoch;
            if (shape == ColumnShape::Clock) return ProtobufFill::Clock;
            if (shape == ColumnShape::Integer) return ProtobufFill::RealInteger;
            return json ? ProtobufFill::RealJson : ProtobufFill::Real;
        case ProtobufKind::String:
            if (shape == ColumnShape::Bytes) return ProtobufFill::Binary;
            return json ? ProtobufFill::TextJson : ProtobufFill::Text;
        case ProtobufKind::Bytes:
            if (shape == ColumnShape::Bytes) return ProtobufFill::Binary;
            return json ? ProtobufFill::Base64 : ProtobufFill::Text;
        case ProtobufKind::Message:
        case ProtobufKind::Group:
            return fill_of(*field.message, shape);
        default:
            if (is_time(shape)) return ProtobufFill::Epoch;
            return shape == ColumnShape::Clock ? ProtobufFill::Clock : ProtobufFill::Integer;
    }
}

ProtobufFill fill_of(const ProtobufMessage& message, ColumnShape shape) {
    if (shape == ColumnShape::Json) return ProtobufFill::Document;
    switch (message.known) {
        case WellKnown::Timestamp:
            return is_time(shape) ? ProtobufFill::Timestamp : ProtobufFill::TimestampText;
        case WellKnown::Duration:
            return ProtobufFill::Duration;
        case WellKnown::Value:
            return ProtobufFill::Value;
        default:
            return ProtobufFill::Document;
    }
}

ProtobufCellFault fill_scalar(ProtobufFill fill, const ProtobufField& field, const WireValue& value,
                              const ProtobufReading& reading, Cell& cell) {
    Arena& arena = reading.arena;
    reading.scratch.clear();
    switch (fill) {
        case ProtobufFill::Integer:
            cell = integer(field.kind, value.bits, arena);
            break;
        case ProtobufFill::Boolean:
            cell = Cell::text(value.bits != 0 ? "true" : "false");
            break;
        case ProtobufFill::EnumName:
        case ProtobufFill::EnumJson: {
            if (field.enumeration->is_null) {
                cell = Cell::null();
                break;
            }
            std::string_view name = field.enumeration->quoted(static_cast<int32_t>(value.bits));
            if (name.empty()) {
                cell = integer(field.kind, value.bits, arena);
                break;
            }
            if (fill == ProtobufFill::EnumName) name = name.substr(1, name.size() - 2);
            cell = Cell::text(arena.copy(name));
            break;
        }
        case ProtobufFill::Real:
            cell = number_text(field.kind, value.bits, arena);
            break;
        case ProtobufFill::RealInteger:
            cell = real_as_integer(field.kind, value.bits, arena);
            break;
        case ProtobufFill::RealJson:
            cell = real_as_json(field.kind, value.bits, arena);
            break;
        case ProtobufFill::Epoch:
        case ProtobufFill::Clock:
            return fill_time(fill, field.kind, value.bits, reading, cell);
        case ProtobufFill::Text:
            if (!clean_text(value.bytes, reading.check)) return ProtobufCellFault::Text;
            cell = Cell::text(value.bytes);
            break;
        case ProtobufFill::TextJson:
            // Whether it may have a NUL is up to the column's type.
            if (!valid_utf8(value.bytes)) return ProtobufCellFault::Text;
            append_json_string(reading.scratch, value.bytes);
            cell = Cell::text(arena.copy(reading.scratch));
            break;
        case ProtobufFill::Binary:
            cell = Cell::binary(value.bytes);
            break;
        case ProtobufFill::Base64:
            append_json_base64(reading.scratch, value.bytes);
            cell = Cell::text(arena.copy(reading.scratch));
            break;
        case ProtobufFill::Timestamp:
        case ProtobufFill::TimestampText:
        case ProtobufFill::Duration:
        case ProtobufFill::Value:
        case ProtobufFill::Document:
            break;
    }
    return ProtobufCellFault::None;
}

}  // namespace sluice
