// Reads Avro's binary encoding value by value, within its bytes whatever they claim.
// Must not know schemas, except how deep values may be; nor columns.
// Views point into the bytes. What is wrong with them is kept, until the caller asks.
#pragma once

#include "format/avro_shape.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct AvroFault {
    enum class Kind { Malformed, Encoding, Limit, Unreadable } kind = Kind::Malformed;
    size_t at = 0;
    std::string what{};
    std::vector<std::string> steps{};  // to the value at fault, from the inside
};

class AvroCursor {
  public:
    static constexpr size_t kMostLevels = 1000;  // of values in each other

    explicit AvroCursor(std::string_view bytes)
        : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

    size_t offset() const { return static_cast<size_t>(at_ - begin_); }
    size_t left() const { return static_cast<size_t>(end_ - at_); }
    void go_to(size_t offset) { at_ = begin_ + offset; }

    bool take_long(int64_t& value) {
        if (at_ < end_ && static_cast<int8_t>(*at_) >= 0) [[likely]] {
            value = unzigzag(static_cast<uint8_t>(*at_++));
            return true;
        }
        // Up to eight bytes at once: their highest bits say where it ends, the others are pushed together.
        uint64_t word = 0;
        if (const unsigned size = size_at_once(word)) [[likely]] {
            word &= (~uint64_t{0} >> (64 - 8 * size)) & 0x7F7F7F7F7F7F7F7Fu;
            word = (word & 0x007F007F007F007Fu) | (word & 0x7F007F007F007F00u) >> 1;
            word = (word & 0x00003FFF00003FFFu) | (word & 0x3FFF00003FFF0000u) >> 2;
            word = (word & 0x000000000FFFFFFFu) | (word & 0x0FFFFFFF00000000u) >> 4;
            at_ += size;
            value = unzigzag(word);
            return true;
        }
        return take_long_slowly(value);
    }
    bool take_int(int64_t& value) {
        const char* const start = at_;
        if (!take_long(value)) return false;
        if (value == static_cast<int32_t>(value)) [[likely]]
            return true;
        at_ = start;
        return fail("an int does not fit into 32 bits");
    }
    bool take_fixed(size_t size, std::string_view& bytes) {
        if (size > left()) [[unlikely]]
            return too_short(size);
        bytes = {at_, size};
        at_ += size;
        return true;
    }
    bool take_bytes(std::string_view& bytes) {
        const char* const start = at_;
        int64_t size = 0;
        if (!take_long(size)) return false;
        if (size < 0 || static_cast<uint64_t>(size) > left()) [[unlikely]] {
            const size_t rest = left();
            at_ = start;
            return bad_length(size, rest);
        }
        bytes = {at_, static_cast<size_t>(size)};
        at_ += size;
        return true;
    }
    bool take_boolean(bool& value) {
        std::string_view byte;
        if (!take_fixed(1, byte)) return false;
        value = byte[0] == 1;
        if (byte[0] == 0 || value) [[likely]]
            return true;
        --at_;
        return fail("a boolean is neither 0 nor 1");
    }
    template <class Number>
    bool take_number(Number& value) {
        std::string_view bytes;
        if (!take_fixed(sizeof value, bytes)) return false;
        std::memcpy(&value, bytes.data(), sizeof value);
        return true;
    }
    // A number below `most`, of a branch or a symbol.
    bool take_index(size_t most, uint32_t& index) {
        const char* const start = at_;
        int64_t value = 0;
        if (!take_long(value)) return false;
        index = static_cast<uint32_t>(value);
        if (value >= 0 && static_cast<uint64_t>(value) < most) [[likely]]
            return true;
        at_ = start;
        return fail("number " + std::to_string(value) + " is none of " + std::to_string(most));
    }

    // The next block of an array or a map; none is left when its count is 0. Each item takes `least` bytes or
    // more.
    struct Block {
        uint64_t count = 0;
        size_t end = 0;  // where it must end; 0: unknown
    };
    bool take_block(uint64_t least, Block& block);
    // After the last item of a block.
    bool end_block(const Block& block) {
        return block.end == 0 || block.end == offset() ||
               fail("a block does not have the bytes that it says");
    }

    // Without looking at more than lengths.
    bool skip(const AvroReading& reading, uint32_t shape, size_t level = 0);
    bool skip_varint() {
        uint64_t word = 0;
        if (const unsigned size = size_at_once(word)) [[likely]] {
            at_ += size;
            return true;
        }
        int64_t ignored;
        return take_long(ignored);
    }
    bool skip_bytes() {
        std::string_view ignored;
        return take_bytes(ignored);
    }

    bool fail(std::string what, AvroFault::Kind kind = AvroFault::Kind::Malformed) {
        fault_ = {kind, offset(), std::move(what), {}};
        return false;
    }
    // Where the value at fault stands, while its callers return.
    bool inside(std::string step) {
        fault_.steps.push_back(std::move(step));
        return false;
    }
    bool too_deep();
    const AvroFault& fault() const { return fault_; }

  private:
    static int64_t unzigzag(uint64_t value) {
        return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
    // How many bytes the number here has, when it has up to eight and eight are left; else 0.
    unsigned size_at_once(uint64_t& word) const {
        if (left() < sizeof word) return 0;
        std::memcpy(&word, at_, sizeof word);
        const uint64_t ends = ~word & 0x8080808080808080u;
        return ends == 0 ? 0 : static_cast<unsigned>(std::countr_zero(ends)) / 8 + 1;
    }
    bool take_long_slowly(int64_t& value);
    bool skip_items(const AvroReading& reading, const AvroShape& shape, size_t level);
    bool too_short(size_t size);
    bool bad_length(int64_t size, size_t rest);

    const char* begin_;
    const char* at_;
    const char* end_;
    AvroFault fault_;
};

}  // namespace sluice
