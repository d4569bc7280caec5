// Fills the cells of one row from one Protobuf message, walking its bytes beside the plan of its columns.
// Must not know frames nor where schemas come from.
// Cells point into the message, the plan or the arena. Plain data on the stack of one decode.
#pragma once

#include "base/arena.hpp"
#include "base/types.hpp"
#include "format/protobuf_json.hpp"
#include "format/protobuf_plan.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sluice {

// Memory of one row that is used again for the next.
struct ProtobufState {
    ProtobufScratch scratch{};
    std::vector<uint8_t> seen{};    // which nodes' messages are there
    std::vector<uint32_t> cases{};  // which step of a oneof has the value
    std::vector<PieceList> slots{};
    std::vector<uint32_t> picked{};  // which entry of a map each column takes
};

class ProtobufRow {
  public:
    // `payload` is the part of which errors tell the byte; the message is inside it.
    ProtobufRow(const ProtobufPlan& plan, Origin part, TextCheck check, std::string_view payload,
                ProtobufState& state, Arena& arena, Row row)
        : plan_(plan),
          part_(part),
          check_(check),
          payload_(payload),
          state_(state),
          scratch_(state.scratch),
          reading_{check, plan.options().timestamp_unit, arena, scratch_.json},
          arena_(arena),
          row_(row) {}

    std::optional<Error> read(std::string_view message);

  private:
    bool take_fields(std::string_view message);
    bool walk(const ProtobufNode& node, std::string_view bytes);
    bool take(const ProtobufStep& step, WireType type, const WireValue& value);
    bool enter(uint32_t node, std::string_view bytes);
    void choose(const ProtobufStep& step);
    bool finish(const ProtobufSlot& slot, PieceList pieces);
    bool pick_items(const ProtobufSlot& slot, PieceList pieces);
    bool pick_entries(const ProtobufSlot& slot, PieceList pieces);
    void forget(size_t cell);
    bool fill(const ProtobufColumn& column, ProtobufFill fill, const ProtobufField& field,
              const WireValue& value);
    bool refuse_value(const ProtobufColumn& column, ProtobufFill fill, const WireValue& value,
                      ProtobufCellFault fault);
    bool fill_message(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces);
    bool fill_time(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces);
    bool fill_value(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces);
    bool fill_document(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces);

    bool refuse(const ProtobufColumn& column, const char* sqlstate, const std::string& what, const char* at,
                std::string hint = {});
    // What is wrong is in `fault_`, with or without the column that it concerns.
    bool fail(const ProtobufColumn& column, TextCheck check = TextCheck::Utf8);
    bool malformed(const WireReader& reader);
    bool inside(std::string_view field);
    Error error_of(const ProtobufFault& fault, const ProtobufColumn* column,
                   TextCheck check = TextCheck::Utf8) const;
    Error missing(const ProtobufColumn& column) const;
    std::string place(const char* at) const;

    const ProtobufPlan& plan_;
    Origin part_;
    TextCheck check_;
    std::string_view payload_;
    ProtobufState& state_;
    ProtobufScratch& scratch_;
    ProtobufReading reading_;
    Arena& arena_;
    Row row_;
    ProtobufFault fault_;
    std::optional<Error> error_;
    // Of values that are errors unless another one takes their place.
    std::vector<std::pair<size_t, Error>> bad_cells_;
};

}  // namespace sluice
