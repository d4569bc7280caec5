// What the bytes of a message are, type by type: a writer's schema, as its reader's schema sees it.
// Must not know columns nor messages.
// Owns what it says of both schemas; immutable once made.
#pragma once

#include "format/avro_schema.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

// How a value is written.
enum class AvroWire : uint8_t {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,  // also text
    Fixed,
    Enum,
    Record,
    Array,
    Map,
    Union,
    Unreadable  // in a way that the reader's schema cannot take
};

struct AvroPart {
    std::string name{};  // as the reader calls it
    uint32_t shape = 0;
    bool kept = true;       // false: the reader's schema does not have it
    bool written = true;    // false: it takes its default
    std::string initial{};  // the bytes of the default
};

struct AvroShape {
    AvroWire wire = AvroWire::Null;
    AvroType type = AvroType::Null;  // what it is to the reader
    AvroMeaning meaning{};
    uint32_t size = 0;              // of fixed
    uint64_t least = 0;             // how many bytes each takes, or more
    std::vector<AvroPart> parts{};  // the fields of a record as they are written, then those that are not
    std::vector<uint32_t> inner{};  // the branches of a union; the one of items, values or what is unreadable
    std::vector<std::optional<std::string>> symbols{};  // by their numbers; none where the reader has none
    std::string problem{};                              // why it is unreadable
};

class AvroReading {
  public:
    static constexpr size_t kMostShapes = 200'000;

    // By the rules of the specification: promotion, aliases, defaults. Without a reader's schema everything
    // is as it was written. An error is one of configuration.
    static Result<std::shared_ptr<const AvroReading>> make(const AvroSchema& writer,
                                                           const AvroSchema* reader);

    const AvroShape& shape(uint32_t index) const { return shapes_[index]; }
    uint32_t root() const { return root_; }

  private:
    friend class AvroMatcher;

    std::vector<AvroShape> shapes_;
    uint32_t root_ = 0;
};

using SharedAvroReading = std::shared_ptr<const AvroReading>;

}  // namespace sluice
