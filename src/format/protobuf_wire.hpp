// The wire format of Protobuf: tags, varints, lengths and groups, out of any bytes.
// Must not know types.
// Views point into the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class WireType : uint8_t { Varint, Fixed64, Bytes, GroupBegin, GroupEnd, Fixed32 };

// One value as it stands in the message. A group's bytes are those between its tags.
struct WireValue {
    uint64_t bits = 0;  // of a varint or a fixed-size value
    std::string_view bytes{};
};

constexpr unsigned kMostProtobufDepth = 100;  // of messages in messages, as in Google's own readers

class WireReader {
  public:
    // `depth` counts the messages and groups around the bytes.
    WireReader(std::string_view bytes, unsigned depth)
        : at_(bytes.data()), end_(bytes.data() + bytes.size()), depth_(depth) {}

    // The tag of the next field: false at the end, and at a fault.
    bool next(uint32_t& number, WireType& type) {
        if (at_ == end_) return false;
        const char* const begin = at_;
        uint64_t tag = static_cast<uint8_t>(*at_);
        if (tag < 0x80) {
            ++at_;
        } else if (!varint(tag)) {
            return false;
        }
        type = static_cast<WireType>(tag & 7);
        number = static_cast<uint32_t>(tag >> 3);
        if (tag > UINT32_MAX || at_ - begin > 5 || number == 0 || (tag & 7) > 5) [[unlikely]]
            return fail(begin, "there is no such field tag");
        tag_ = begin;
        return true;
    }

    // Its value.
    bool take(uint32_t number, WireType type, WireValue& value) {
        const char* const begin = at_;
        switch (type) {
            case WireType::Varint:
                if (!varint(value.bits)) return false;
                break;
            case WireType::Fixed64:
                if (!fixed<8>(value.bits)) return false;
                break;
            case WireType::Fixed32:
                if (!fixed<4>(value.bits)) return false;
                break;
            case WireType::Bytes: {
                uint64_t size;
                if (!varint(size)) return false;
                if (size > static_cast<uint64_t>(end_ - at_))
                    return fail(begin, "a length goes beyond the end of the message");
                value.bytes = {at_, static_cast<size_t>(size)};
                at_ += size;
                return true;
            }
            case WireType::GroupBegin:
                return group(number, value.bytes);
            case WireType::GroupEnd:
                return fail(tag_, "a group ends that has not begun");
        }
        value.bytes = {begin, static_cast<size_t>(at_ - begin)};
        return true;
    }

    bool skip(uint32_t number, WireType type) {
        WireValue value;
        return take(number, type, value);
    }

    // The next value of a packed list: false at its end, and at a fault.
    bool next_packed(WireType type, WireValue& value) { return at_ != end_ && take(0, type, value); }

    // What is wrong; null when nothing is.
    const char* fault() const { return fault_; }
    const char* fault_at() const { return fault_at_; }

  private:
    bool fail(const char* at, const char* why) {
        fault_ = why;
        fault_at_ = at;
        return false;
    }

    template <size_t Size>
    bool fixed(uint64_t& value) {
        if (static_cast<size_t>(end_ - at_) < Size) return fail(at_, "the message ends inside a number");
        value = 0;
        for (size_t i = 0; i < Size; ++i) value |= uint64_t{static_cast<uint8_t>(at_[i])} << (8 * i);
        at_ += Size;
        return true;
    }

    bool varint(uint64_t& value) {
        if (at_ != end_ && static_cast<uint8_t>(*at_) < 0x80) {
            value = static_cast<uint8_t>(*at_++);
            return true;
        }
        return long_varint(value);
    }

    bool long_varint(uint64_t& value) {
        const char* const begin = at_;
        value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            if (at_ == end_) return fail(begin, "the message ends inside a number");
            const auto byte = static_cast<uint8_t>(*at_++);
            value |= uint64_t{byte & 0x7Fu} << shift;
            if (byte < 0x80) return true;
        }
        return fail(begin, "a number has more than ten bytes");
    }

    bool group(uint32_t number, std::string_view& inside) {
        if (depth_ >= kMostProtobufDepth) return fail(tag_, "messages are nested more than 100 deep");
        const char* const begin = at_;
        ++depth_;
        uint32_t field;
        WireType type;
        while (next(field, type)) {
            if (type == WireType::GroupEnd) {
                if (field != number) return fail(tag_, "a group ends that has not begun");
                --depth_;
                inside = {begin, static_cast<size_t>(tag_ - begin)};
                return true;
            }
            if (!skip(field, type)) return false;
        }
        return fault_ != nullptr ? false : fail(begin, "the message ends inside a group");
    }

    const char* at_;
    const char* end_;
    unsigned depth_;
    const char* tag_ = nullptr;
    const char* fault_ = nullptr;
    const char* fault_at_ = nullptr;
};

}  // namespace sluice
