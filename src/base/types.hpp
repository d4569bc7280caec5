// The words every floor shares: strong ids and positions, views of message bytes, cells and rows.
// Knows neither PostgreSQL nor Kafka nor any format.
// Owns nothing: every view points into memory of the batch or arena it came from.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice {

// An integer that cannot be mixed up with another one: a partition is not an offset.
template <class Tag, class Rep>
struct Strong {
    Rep value{};
    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

using Partition = Strong<struct PartitionTag, int32_t>;
// Offset of one message.
using Offset = Strong<struct OffsetTag, int64_t>;
// Offset of the next message to read: one past the last one that was applied.
using NextOffset = Strong<struct NextOffsetTag, int64_t>;
using JobId = Strong<struct JobIdTag, int32_t>;

constexpr NextOffset after(Offset offset) { return NextOffset{offset.value + 1}; }

// Payload bytes that may be null. Null is not empty: a null value is a tombstone, an empty one is data.
struct Bytes {
    const char* data = nullptr;
    size_t size = 0;

    constexpr bool is_null() const { return data == nullptr; }
    constexpr std::string_view view() const { return {data, size}; }
    static constexpr Bytes of(std::string_view text) { return {text.data() ? text.data() : "", text.size()}; }
};

struct Header {
    std::string_view name;
    Bytes value;
};

// Numbers as in the Kafka protocol.
enum class TimestampType : int8_t { NotAvailable = -1, CreateTime = 0, LogAppendTime = 1 };

// One Kafka message as the consumer hands it out; trivially destructible, valid until its batch is released.
struct MessageView {
    Partition partition;
    Offset offset;
    int32_t leader_epoch = -1;
    TimestampType timestamp_type = TimestampType::NotAvailable;
    int64_t timestamp_ms = -1;
    std::string_view topic;
    Bytes key;
    Bytes value;
    const void* native = nullptr;  // the client's own message, for HeaderReader
};

enum class CellKind : uint8_t {
    Null,
    Absent,  // the event says nothing about this column: a stored value stays as it is
    Text,    // characters in the message's encoding, as PostgreSQL's text input functions expect
    Binary,  // raw bytes
    Int,
    TimestampMs,  // milliseconds since 1970-01-01 UTC in `number`
    EpochUs,      // microseconds since 1970-01-01; a column without time zone shows them as of UTC
    Json,         // an array or object for a column whose type is neither: its elements become values
};

// One decoded value. Text and Binary point into the message or the arena.
struct Cell {
    union {
        const char* data;
        int64_t number;
    };
    uint32_t size = 0;
    CellKind kind = CellKind::Null;

    constexpr Cell() : data(nullptr) {}
    constexpr std::string_view view() const { return {data, size}; }

    static constexpr Cell null() { return Cell{}; }
    static constexpr Cell text(std::string_view v) { return bytes(v, CellKind::Text); }
    static constexpr Cell binary(std::string_view v) { return bytes(v, CellKind::Binary); }
    static constexpr Cell integer(int64_t v) { return num(v, CellKind::Int); }
    static constexpr Cell timestamp_ms(int64_t v) { return num(v, CellKind::TimestampMs); }
    static constexpr Cell epoch_us(int64_t v) { return num(v, CellKind::EpochUs); }
    static constexpr Cell json(std::string_view v) { return bytes(v, CellKind::Json); }
    static constexpr Cell absent() {
        Cell c;
        c.kind = CellKind::Absent;
        return c;
    }

  private:
    static constexpr Cell bytes(std::string_view v, CellKind k) {
        Cell c;
        c.data = v.data();
        c.size = static_cast<uint32_t>(v.size());
        c.kind = k;
        return c;
    }
    static constexpr Cell num(int64_t v, CellKind k) {
        Cell c;
        c.number = v;
        c.kind = k;
        return c;
    }
};
static_assert(sizeof(Cell) == 16);

// A row is a cell for each column of the source, in column order.
using Row = std::span<Cell>;

}  // namespace sluice
