// What single values of a Protobuf message mean: numbers by their kind, times, and how they are written as
// text. Must not know columns nor messages. Text goes to memory of the caller.
#pragma once

#include "format/protobuf_types.hpp"
#include "format/protobuf_wire.hpp"

#include <bit>
#include <cstdint>
#include <string>

namespace sluice {

constexpr WireType wire_type_of(ProtobufKind kind) {
    if (kind < ProtobufKind::Fixed32) return WireType::Varint;
    if (kind < ProtobufKind::Fixed64) return WireType::Fixed32;
    if (kind < ProtobufKind::String) return WireType::Fixed64;
    return kind == ProtobufKind::Group ? WireType::GroupBegin : WireType::Bytes;
}

// Whether a list of them may stand in one value, without tags.
constexpr bool is_packable(ProtobufKind kind) { return kind < ProtobufKind::String; }

// Whether a value of this wire type is one of the field, or several packed ones; others are unknown fields.
constexpr bool has_wire_type(const ProtobufField& field, WireType type) {
    return type == wire_type_of(field.kind) ||
           (type == WireType::Bytes && field.is_repeated && is_packable(field.kind));
}

// Of every integer, boolean and enum; what is unsigned and has 64 bits keeps them.
constexpr int64_t integer_of(ProtobufKind kind, uint64_t bits) {
    switch (kind) {
        case ProtobufKind::Int32:
        case ProtobufKind::Enum:
        case ProtobufKind::SFixed32:
            return static_cast<int32_t>(bits);
        case ProtobufKind::UInt32:
        case ProtobufKind::Fixed32:
            return static_cast<uint32_t>(bits);
        case ProtobufKind::SInt32: {
            const auto low = static_cast<uint32_t>(bits);
            return static_cast<int32_t>(low >> 1 ^ (0u - (low & 1)));
        }
        case ProtobufKind::SInt64:
            return static_cast<int64_t>(bits >> 1 ^ (uint64_t{0} - (bits & 1)));
        case ProtobufKind::Bool:
            return bits != 0;
        default:
            return static_cast<int64_t>(bits);
    }
}

// More than an int64_t can hold.
constexpr bool is_beyond(ProtobufKind kind, uint64_t bits) {
    return (kind == ProtobufKind::UInt64 || kind == ProtobufKind::Fixed64) && bits > uint64_t{INT64_MAX};
}

inline double real_of(ProtobufKind kind, uint64_t bits) {
    return kind == ProtobufKind::Float ? std::bit_cast<float>(static_cast<uint32_t>(bits))
                                       : std::bit_cast<double>(bits);
}

constexpr size_t kMostNumberText = 40;
// These write the shortest text that reads as the same number: digits, or NaN, Infinity, -Infinity.
size_t write_integer(ProtobufKind kind, uint64_t bits, char* out);
size_t write_real(ProtobufKind kind, uint64_t bits, char* out);

// Of google.protobuf.Timestamp, since 1970, and of google.protobuf.Duration.
struct ProtobufTime {
    int64_t seconds = 0;
    int64_t nanos = 0;
};

// What Google's definition allows: a time of the years 1 to 9999, a duration of ten thousand years.
bool is_timestamp(const ProtobufTime& time);
bool is_duration(const ProtobufTime& time);

constexpr size_t kMostTimeText = 40;
// RFC 3339 in UTC, as in 2024-05-06T07:08:09.5Z with 0, 3, 6 or 9 digits behind the point.
size_t write_timestamp(const ProtobufTime& time, char* out);
// Seconds, as in -1.500s; PostgreSQL reads it as an interval.
size_t write_duration(const ProtobufTime& time, char* out);
// Rounded to the nearest. The time is one.
int64_t epoch_us(const ProtobufTime& time);

}  // namespace sluice
