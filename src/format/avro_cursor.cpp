#include "format/avro_cursor.hpp"

namespace sluice {

bool AvroCursor::take_long_slowly(int64_t& value) {
    constexpr unsigned kMostBits = 64;
    uint64_t bits = 0;
    const char* at = at_;
    for (unsigned shift = 0; at < end_; shift += 7) {
        const auto byte = static_cast<uint8_t>(*at++);
        // The tenth byte has room for one bit.
        if (shift + 7 > kMostBits && byte > 1) return fail("a number has more than 64 bits");
        bits |= uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) {
            at_ = at;
            value = unzigzag(bits);
            return true;
        }
    }
    return fail("the bytes end inside a number");
}

bool AvroCursor::too_short(size_t size) {
    return fail(std::to_string(size) + (size == 1 ? " byte is" : " bytes are") + " needed, and " +
                std::to_string(left()) + (left() == 1 ? " is" : " are") + " left");
}

bool AvroCursor::bad_length(int64_t size, size_t rest) {
    return fail("a length is " + std::to_string(size) + ", and " + std::to_string(rest) +
                (rest == 1 ? " byte is" : " bytes are") + " left");
}

bool AvroCursor::too_deep() {
    return fail("it is nested deeper than " + std::to_string(kMostLevels) + " levels",
                AvroFault::Kind::Limit);
}

bool AvroCursor::take_block(uint64_t least, Block& block) {
    const size_t start = offset();
    int64_t count = 0;
    if (!take_long(count)) return false;
    block = {static_cast<uint64_t>(count), 0};
    if (count < 0) {
        // Then the block's size in bytes follows.
        block.count = -block.count;
        int64_t size = 0;
        if (!take_long(size)) return false;
        if (size < 0 || static_cast<uint64_t>(size) > left()) {
            const size_t rest = left();
            go_to(start);
            return bad_length(size, rest);
        }
        block.end = offset() + static_cast<size_t>(size);
    }
    if (least == 0 || block.count <= left() / least) return true;
    const size_t rest = left();
    go_to(start);
    return fail("a block has " + std::to_string(block.count) + " items, and " + std::to_string(rest) +
                (rest == 1 ? " byte is" : " bytes are") + " left");
}

bool AvroCursor::skip(const AvroReading& reading, uint32_t index, size_t level) {
    const AvroShape& shape = reading.shape(index);
    if (level == kMostLevels) return too_deep();
    switch (shape.wire) {
        case AvroWire::Null:
            return true;
        case AvroWire::Boolean: {
            bool ignored;
            return take_boolean(ignored);
        }
        case AvroWire::Int:
        case AvroWire::Long:
            return skip_varint();
        case AvroWire::Float:
        case AvroWire::Double:
        case AvroWire::Fixed: {
            std::string_view ignored;
            return take_fixed(shape.least, ignored);
        }
        case AvroWire::Bytes:
            return skip_bytes();
        case AvroWire::Enum: {
            uint32_t ignored;
            return take_index(shape.symbols.size(), ignored);
        }
        case AvroWire::Record:
            for (const AvroPart& part : shape.parts)
                if (part.written && !skip(reading, part.shape, level + 1)) return inside(part.name);
            return true;
        case AvroWire::Array:
        case AvroWire::Map:
            return skip_items(reading, shape, level);
        case AvroWire::Union: {
            uint32_t branch = 0;
            return take_index(shape.inner.size(), branch) && skip(reading, shape.inner[branch], level + 1);
        }
        case AvroWire::Unreadable:
            return skip(reading, shape.inner[0], level + 1);
    }
    return false;
}

bool AvroCursor::skip_items(const AvroReading& reading, const AvroShape& shape, size_t level) {
    const bool map = shape.wire == AvroWire::Map;
    const uint64_t least = reading.shape(shape.inner[0]).least + (map ? 1 : 0);
    uint64_t index = 0;
    for (Block block;;) {
        if (!take_block(least, block)) return false;
        if (block.count == 0) return true;
        if (block.end != 0) {
            go_to(block.end);
            index += block.count;
            continue;
        }
        // Items without bytes take no time either.
        if (least == 0) continue;
        for (uint64_t i = 0; i < block.count; ++i, ++index) {
            if ((map && !skip_bytes()) || !skip(reading, shape.inner[0], level + 1))
                return inside("[" + std::to_string(index) + "]");
        }
    }
}

}  // namespace sluice
