// Types of Protobuf messages as tables that a decoder walks beside the bytes.
// Must not know columns, nor libprotobuf, which only reads the schema.
// A set of types owns its tables, and never changes once it is shared.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sluice {

enum class ProtobufKind : uint8_t {
    Int32,
    Int64,
    UInt32,
    UInt64,
    SInt32,
    SInt64,
    Bool,
    Enum,
    Fixed32,
    SFixed32,
    Float,
    Fixed64,
    SFixed64,
    Double,
    String,
    Bytes,
    Message,
    Group
};

constexpr bool is_message(ProtobufKind kind) { return kind >= ProtobufKind::Message; }

// Types of Google's own whose JSON is not that of their fields.
enum class WellKnown : uint8_t {
    None,
    Timestamp,
    Duration,
    Wrapper,
    Struct,
    Value,
    ListValue,
    Any,
    FieldMask
};

// Positions by field number: most numbers are small.
class ProtobufNumbers {
  public:
    static constexpr uint32_t kNone = ~uint32_t{0};

    uint32_t find(uint32_t number) const {
        return number < dense_.size() ? dense_[number] : sparse_.empty() ? kNone : find_sparse(number);
    }
    void add(uint32_t number, uint32_t position);

  private:
    uint32_t find_sparse(uint32_t number) const;

    std::vector<uint32_t> dense_;
    std::vector<std::pair<uint32_t, uint32_t>> sparse_;  // number, position; ascending
};

struct ProtobufEnum {
    std::string name{};
    bool is_null = false;                                   // google.protobuf.NullValue, which is JSON's null
    std::vector<std::pair<int32_t, std::string>> values{};  // name in quotes; ascending, the first of aliases

    // The value's name in quotes; empty when the schema does not know it.
    std::string_view quoted(int32_t number) const;
};

struct ProtobufMessage;

struct ProtobufField {
    std::string name{};  // of an extension: its full name in brackets
    uint32_t number = 0;
    ProtobufKind kind = ProtobufKind::Int32;
    bool is_repeated = false;  // a map is, too
    bool is_map = false;
    bool has_default = false;  // one stands in for an absent field; else an absent field is missing
    uint32_t oneof = ProtobufNumbers::kNone;   // which of the message's it belongs to
    const ProtobufMessage* message = nullptr;  // of a message, a group, or a map's entry
    const ProtobufEnum* enumeration = nullptr;
    uint64_t default_bits = 0;  // as a varint or a fixed-size value has them
    std::string default_bytes{};
};

struct ProtobufMessage {
    std::string name{};  // in full
    WellKnown known = WellKnown::None;
    bool is_entry = false;                // of a map: nobody else can name it
    std::vector<ProtobufField> fields{};  // as the schema declares them, extensions last
    ProtobufNumbers numbers{};
    uint32_t oneofs = 0;
    std::vector<const ProtobufMessage*> nested{};  // declared inside, without the entries of maps

    const ProtobufField* find(uint32_t number) const {
        const uint32_t position = numbers.find(number);
        return position == ProtobufNumbers::kNone ? nullptr : &fields[position];
    }
    const ProtobufField* find(std::string_view name, bool ignore_case) const;
    // A map's entry has a key and a value.
    const ProtobufField& key() const { return fields[0]; }
    const ProtobufField& value() const { return fields[1]; }
};

struct ProtobufTypes {
    std::string schema{};  // as errors call it
    std::deque<ProtobufMessage> messages{};
    std::deque<ProtobufEnum> enums{};
    std::unordered_map<std::string_view, const ProtobufMessage*> by_name{};
    std::vector<const ProtobufMessage*> main{};  // at the top of the main file

    const ProtobufMessage* find(std::string_view full_name) const;

    // The type that a person names, in full or by the last part when that is enough.
    Result<const ProtobufMessage*> named(const std::string& name) const;
    // The one of the main file when nobody names it: an error when there are several.
    Result<const ProtobufMessage*> only() const;
    // The one that a frame names: which of the main file, which inside that, and so on; null when there is
    // none.
    const ProtobufMessage* at(std::span<const int32_t> indexes) const;
};

}  // namespace sluice
