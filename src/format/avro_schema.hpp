// An Avro schema as values: its types by number, with the names, defaults and meanings that reading needs.
// Must not know messages, nor how two schemas are matched.
// A schema owns all its text and never changes; types refer to each other by number and may be recursive.
#pragma once

#include "base/result.hpp"
#include "format/format_spec.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class AvroType : uint8_t {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,  // the primitive ones end here
    Record,
    Enum,
    Array,
    Map,
    Union,
    Fixed
};

std::string_view avro_type_name(AvroType type);

// What a value means beyond its type, by a logical type of Avro or a name of Kafka Connect's.
struct AvroMeaning {
    enum Kind : uint8_t {
        Plain,
        Decimal,          // of `parameter` digits after the point
        VariableDecimal,  // a record of scale and value
        Uuid,
        Days,        // since 1970
        Clock,       // since midnight, in `unit`
        Epoch,       // since 1970 UTC, in `unit`
        LocalEpoch,  // the same by a clock on some wall
        Duration,    // months, days and milliseconds
        JsonText,
        Bits,  // `parameter` of them, the lowest byte first
    };
    Kind kind = Plain;
    TimestampUnit unit = TimestampUnit::Milliseconds;
    int32_t parameter = 0;
};

struct AvroField {
    std::string name{};
    std::vector<std::string> aliases{};
    uint32_t type = 0;
    bool has_default = false;
    std::optional<std::string> initial{};  // the default in Avro's binary encoding, when it is a value
};

struct AvroNode {
    AvroType type = AvroType::Null;
    AvroMeaning meaning{};
    std::string name{};                  // full; of records, enums and fixed
    std::vector<std::string> aliases{};  // full, likewise
    std::vector<AvroField> fields{};
    std::vector<uint32_t> types{};  // the branches of a union; the one of items or values
    std::vector<std::string> symbols{};
    std::optional<uint32_t> initial_symbol{};
    uint32_t size = 0;  // of fixed
};

constexpr bool is_named(AvroType type) {
    return type == AvroType::Record || type == AvroType::Enum || type == AvroType::Fixed;
}

// Without its namespace.
std::string_view short_name(std::string_view full_name);

class AvroSchema {
  public:
    static constexpr size_t kMostBytes = size_t{4} << 20;  // of a schema's text with its references
    static constexpr size_t kMostNodes = 100'000;
    static constexpr size_t kMostBranches = 4096;
    static constexpr size_t kMostLevels = 100;    // of types written in each other
    static constexpr size_t kMostChained = 1000;  // of types by their names too

    // Errors are of configuration; they name the schema and the place in it.
    static Result<std::shared_ptr<const AvroSchema>> parse(const SchemaText& text);

    const AvroNode& node(uint32_t index) const { return nodes_[index]; }
    size_t size() const { return nodes_.size(); }
    uint32_t root() const { return root_; }
    const std::string& name() const { return name_; }  // as errors call it

  private:
    friend class AvroParser;

    std::deque<AvroNode> nodes_;  // which stay where they are while others are added
    uint32_t root_ = 0;
    std::string name_;
};

using SharedAvroSchema = std::shared_ptr<const AvroSchema>;

}  // namespace sluice
