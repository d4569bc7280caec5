// Which columns stand where in a message of one type, as steps by field number that are taken beside the
// bytes. Must not know the bytes of a message. Owns its columns and shares the types; immutable once built.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "format/json_path.hpp"
#include "format/protobuf_cell.hpp"
#include "format/protobuf_types.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

// What is done with a value of one field: any of these.
struct ProtobufStep {
    static constexpr uint32_t kNone = ~uint32_t{0};

    const ProtobufField* field = nullptr;
    WireType type = WireType::Varint;
    std::vector<uint32_t> columns{};  // take it at once
    uint32_t node = kNone;            // of a message: some of its fields are taken
    uint32_t slot = kNone;            // it is kept until all of the message is read

    // Of a member of a oneof.
    uint32_t oneof = kNone;                                     // counted over the whole plan
    std::vector<uint32_t> cells{}, nodes{}, slots{}, oneofs{};  // that another member's value empties
};

// Values that can be taken only when all of them are known: of lists, maps, and whole messages.
struct ProtobufSlot {
    struct Pick {
        uint32_t index = 0;  // of a list
        std::string key{};   // of a map
        ProtobufStep step{};
    };
    enum class Of { Message, List, Map } of = Of::Message;
    const ProtobufMessage* message = nullptr;  // of a message
    const ProtobufField* field = nullptr;      // of a list or map
    std::string_view name{};
    unsigned depth = 0;               // messages around the value
    std::vector<uint32_t> columns{};  // take everything
    std::vector<Pick> picks{};        // by index, ascending
};

// The fields of a message that columns need.
struct ProtobufNode {
    const ProtobufMessage* message = nullptr;
    unsigned depth = 0;
    ProtobufNumbers numbers{};
    std::vector<ProtobufStep> steps{};
};

class ProtobufPlan {
  public:
    static constexpr uint32_t kRoot = 0;

    // For the wanted columns of `part`. A field that the type does not have is an error, or missing when
    // another version of the schema may have it.
    static Result<ProtobufPlan> make(const RecordSpec& spec, Origin part,
                                     std::shared_ptr<const ProtobufTypes> types,
                                     const ProtobufMessage& message, bool may_lack_fields);

    const ProtobufTypes& types() const { return *types_; }
    const ProtobufMessage& message() const { return *nodes_[kRoot].message; }
    const JsonOptions& options() const { return options_; }
    const std::vector<ProtobufColumn>& columns() const { return columns_; }
    const std::vector<ProtobufNode>& nodes() const { return nodes_; }
    const std::vector<ProtobufSlot>& slots() const { return slots_; }
    size_t oneofs() const { return oneofs_.size(); }
    uint32_t node_of(uint32_t oneof) const { return oneofs_[oneof]; }
    // Where the whole message is kept; kNone when no column wants it.
    uint32_t whole() const { return whole_; }

  private:
    friend class ProtobufPlanner;
    explicit ProtobufPlan(std::shared_ptr<const ProtobufTypes> types)
        : types_(std::move(types)), arena_(std::make_unique<Arena>(1024)) {}

    std::shared_ptr<const ProtobufTypes> types_;
    std::unique_ptr<Arena> arena_;  // of what absent fields fall back to
    JsonOptions options_;
    std::vector<ProtobufColumn> columns_;
    std::vector<ProtobufNode> nodes_;
    std::vector<ProtobufSlot> slots_;
    std::vector<uint32_t> oneofs_;
    uint32_t whole_ = ProtobufStep::kNone;
};

}  // namespace sluice
