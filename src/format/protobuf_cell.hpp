// Turns single values of a Protobuf message into cells, as the type of their column wants them.
// Must not know where a value stands in the message.
// Cells point into the message or the arena.
#pragma once

#include "base/arena.hpp"
#include "base/types.hpp"
#include "format/format_spec.hpp"
#include "format/protobuf_types.hpp"
#include "format/protobuf_wire.hpp"
#include "format/text_check.hpp"

#include <optional>
#include <string>

namespace sluice {

// How a column takes the values of its field; known before the first message.
enum class ProtobufFill : uint8_t {
    Integer,
    Boolean,
    EnumName,
    EnumJson,
    Real,
    RealInteger,
    RealJson,
    Epoch,
    Clock,
    Text,
    TextJson,
    Binary,
    Base64,
    // Of messages, lists and maps; they need all of the value's pieces.
    Timestamp,
    TimestampText,
    Duration,
    Value,
    Document
};

constexpr bool is_scalar(ProtobufFill fill) { return fill < ProtobufFill::Timestamp; }

struct ProtobufColumn {
    std::string name{};
    std::string path{};
    size_t cell = 0;
    ColumnShape shape = ColumnShape::Scalar;
    ProtobufFill fill = ProtobufFill::Text;
    Cell fallback = Cell::absent();  // of an absent field
    uint32_t node = 0;               // of the plan: the message that must be there for that
};

// For the values of a field, one by one.
ProtobufFill fill_of(const ProtobufField& field, ColumnShape shape);
// For all of a message.
ProtobufFill fill_of(const ProtobufMessage& message, ColumnShape shape);

enum class ProtobufCellFault {
    None,
    Text,    // bytes that no text can have
    NoUnit,  // a number for a time, and nobody said what it counts
    TooLate  // a number that no time is
};

// What one value is read with, and memory for what is written.
struct ProtobufReading {
    TextCheck check;
    std::optional<TimestampUnit> unit{};  // of numbers for times
    Arena& arena;
    std::string& scratch;
};

// Fills a cell from one value, by a fill that is a scalar's.
ProtobufCellFault fill_scalar(ProtobufFill fill, const ProtobufField& field, const WireValue& value,
                              const ProtobufReading& reading, Cell& cell);

}  // namespace sluice
