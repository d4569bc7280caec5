#include "format/protobuf_row.hpp"

#include "format/delimited_rules.hpp"
#include "format/json_value.hpp"
#include "format/protobuf_value.hpp"
#include "format/text_check.hpp"

#include <algorithm>
#include <utility>

namespace sluice {

std::optional<Error> ProtobufRow::read(std::string_view message) {
    scratch_.clear();
    state_.seen.assign(plan_.nodes().size(), 0);
    state_.cases.assign(plan_.oneofs(), ProtobufStep::kNone);
    state_.slots.assign(plan_.slots().size(), {});
    for (const ProtobufColumn& column : plan_.columns()) row_[column.cell] = Cell::absent();
    if (plan_.whole() != ProtobufStep::kNone) state_.slots[plan_.whole()] = scratch_.list_of(message);
    if (!take_fields(message)) return error_ ? std::move(error_) : error_of(fault_, nullptr);
    if (!bad_cells_.empty()) return std::move(bad_cells_.front().second);
    for (const ProtobufColumn& column : plan_.columns()) {
        Cell& cell = row_[column.cell];
        if (cell.kind != CellKind::Absent) continue;
        if (column.fallback.kind != CellKind::Absent && state_.seen[column.node] != 0) {
            cell = column.fallback;
            // The plan may be gone before the row is.
            if (cell.kind == CellKind::Text) cell = Cell::text(arena_.copy(cell.view()));
            continue;
        }
        if (plan_.options().missing_field == MissingField::Error) return missing(column);
        cell = Cell::null();
    }
    return std::nullopt;
}

bool ProtobufRow::take_fields(std::string_view message) {
    if (!plan_.nodes()[ProtobufPlan::kRoot].steps.empty() && !enter(ProtobufPlan::kRoot, message))
        return false;
    // Taking an item may fill slots, which come later.
    for (size_t i = 0; i < plan_.slots().size(); ++i)
        if (!state_.slots[i].empty() && !finish(plan_.slots()[i], state_.slots[i])) return false;
    return true;
}

bool ProtobufRow::enter(uint32_t index, std::string_view bytes) {
    state_.seen[index] = 1;
    return walk(plan_.nodes()[index], bytes);
}

bool ProtobufRow::walk(const ProtobufNode& node, std::string_view bytes) {
    WireReader reader(bytes, node.depth);
    uint32_t number;
    WireType type;
    WireValue value;
    while (reader.next(number, type) && reader.take(number, type, value)) {
        const uint32_t position = node.numbers.find(number);
        if (position == ProtobufNumbers::kNone) continue;
        const ProtobufStep& step = node.steps[position];
        if (type != step.type && !has_wire_type(*step.field, type)) continue;
        if (!take(step, type, value)) return false;
    }
    return reader.fault() == nullptr || malformed(reader);
}

bool ProtobufRow::take(const ProtobufStep& step, WireType type, const WireValue& value) {
    if (step.oneof != ProtobufStep::kNone) choose(step);
    for (const uint32_t column : step.columns)
        if (!fill(plan_.columns()[column], plan_.columns()[column].fill, *step.field, value)) return false;
    if (step.slot != ProtobufStep::kNone) scratch_.append(state_.slots[step.slot], type, value);
    return step.node == ProtobufStep::kNone || enter(step.node, value.bytes) || inside(step.field->name);
}

void ProtobufRow::choose(const ProtobufStep& step) {
    uint32_t& set = state_.cases[step.oneof];
    if (set == step.field->number) return;
    const bool other = set != ProtobufStep::kNone;
    set = step.field->number;
    if (!other) return;
    for (const ProtobufStep& member : plan_.nodes()[plan_.node_of(step.oneof)].steps) {
        if (member.oneof != step.oneof || &member == &step) continue;
        for (const uint32_t cell : member.cells) forget(cell);
        for (const uint32_t slot : member.slots) state_.slots[slot] = {};
        for (const uint32_t node : member.nodes) state_.seen[node] = 0;
        for (const uint32_t oneof : member.oneofs) state_.cases[oneof] = ProtobufStep::kNone;
    }
}

bool ProtobufRow::finish(const ProtobufSlot& slot, PieceList pieces) {
    for (const uint32_t column : slot.columns)
        if (!fill_message(plan_.columns()[column], slot, pieces)) return false;
    if (slot.picks.empty()) return true;
    return slot.of == ProtobufSlot::Of::Map ? pick_entries(slot, pieces) : pick_items(slot, pieces);
}

bool ProtobufRow::pick_items(const ProtobufSlot& slot, PieceList pieces) {
    auto pick = slot.picks.begin();
    uint32_t index = 0;
    const auto take_item = [&](WireType type, const WireValue& value) {
        if (pick->index != index++) return true;
        return take((pick++)->step, type, value);
    };
    const WireType type = wire_type_of(slot.field->kind);
    for (uint32_t at = pieces.first; at != PieceList::kNone && pick != slot.picks.end();
         at = scratch_.after(pieces, at)) {
        // A copy, because taking it may add pieces.
        const Piece piece = scratch_.pieces[at];
        if (piece.type == type) {
            if (!take_item(type, piece.value)) return false;
            continue;
        }
        WireReader packed(piece.value.bytes, slot.depth);
        WireValue value;
        while (pick != slot.picks.end() && packed.next_packed(type, value))
            if (!take_item(type, value)) return false;
        if (packed.fault() != nullptr) return malformed(packed) || inside(slot.name);
    }
    return true;
}

bool ProtobufRow::pick_entries(const ProtobufSlot& slot, PieceList pieces) {
    const ProtobufMessage& entry = *slot.field->message;
    const ProtobufField& key = entry.key();
    // The last entry of a key counts.
    std::vector<uint32_t>& last = state_.picked;
    last.assign(slot.picks.size(), PieceList::kNone);
    char digits[kMostNumberText];
    for (uint32_t at = pieces.first; at != PieceList::kNone; at = scratch_.after(pieces, at)) {
        ProtobufFields fields(scratch_);
        if (!fields.read(entry, {at, at}, slot.depth + 1, fault_)) return inside(slot.name);
        const Piece* const piece = fields.last(0);
        const WireValue value = piece == nullptr ? WireValue{} : piece->value;
        fields.release();
        std::string_view name = value.bytes;
        if (key.kind == ProtobufKind::Bool)
            name = value.bits != 0 ? "true" : "false";
        else if (key.kind != ProtobufKind::String)
            name = {digits, write_integer(key.kind, value.bits, digits)};
        for (size_t i = 0; i < slot.picks.size(); ++i)
            if (slot.picks[i].key == name) last[i] = at;
    }
    for (size_t i = 0; i < slot.picks.size(); ++i) {
        if (last[i] == PieceList::kNone) continue;
        const ProtobufStep& step = slot.picks[i].step;
        ProtobufFields fields(scratch_);
        if (!fields.read(entry, {last[i], last[i]}, slot.depth + 1, fault_)) return inside(slot.name);
        const PieceList values = fields[1];
        // The pieces stay: slots may refer to them.
        fields.release_fields();
        if (values.empty() && !take(step, step.type, {step.field->default_bits, step.field->default_bytes}))
            return false;
        for (uint32_t at = values.first; at != PieceList::kNone; at = scratch_.after(values, at)) {
            const Piece piece = scratch_.pieces[at];
            if (!take(step, piece.type, piece.value)) return false;
        }
    }
    return true;
}

void ProtobufRow::forget(size_t cell) {
    row_[cell] = Cell::absent();
    std::erase_if(bad_cells_, [&](const auto& bad) { return bad.first == cell; });
}

bool ProtobufRow::fill(const ProtobufColumn& column, ProtobufFill fill, const ProtobufField& field,
                       const WireValue& value) {
    if (!bad_cells_.empty()) [[unlikely]]
        forget(column.cell);
    const ProtobufCellFault fault = fill_scalar(fill, field, value, reading_, row_[column.cell]);
    if (fault == ProtobufCellFault::None) return true;
    (void)refuse_value(column, fill, value, fault);
    bad_cells_.emplace_back(column.cell, *std::exchange(error_, std::nullopt));
    return true;
}

bool ProtobufRow::refuse_value(const ProtobufColumn& column, ProtobufFill fill, const WireValue& value,
                               ProtobufCellFault fault) {
    const char* const at = value.bytes.data();
    switch (fault) {
        case ProtobufCellFault::Text:
            fault_.kind = ProtobufFault::Kind::Text;
            fault_.at = at;
            fault_.text = value.bytes;
            return fail(column, fill == ProtobufFill::Text ? check_ : TextCheck::Utf8);
        case ProtobufCellFault::NoUnit:
            return refuse(column, "22007", "is a number, not a date or time", at,
                          "Set option \"timestamp_unit\" to s, ms or us if it counts from 1970-01-01 UTC, or "
                          "from midnight.");
        case ProtobufCellFault::TooLate:
        case ProtobufCellFault::None:
            break;
    }
    return refuse(column, "22008",
                  fill == ProtobufFill::Clock ? "is a number that is out of range for a time of day"
                                              : "is a number that is out of range for a time",
                  at);
}

bool ProtobufRow::fill_message(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces) {
    switch (column.fill) {
        case ProtobufFill::Timestamp:
        case ProtobufFill::TimestampText:
        case ProtobufFill::Duration:
            return fill_time(column, slot, pieces);
        case ProtobufFill::Value:
            return fill_value(column, slot, pieces);
        default:
            return fill_document(column, slot, pieces);
    }
}

bool ProtobufRow::fill_time(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces) {
    ProtobufFields fields(scratch_);
    if (!fields.read(*slot.message, pieces, slot.depth, fault_)) return fail(column);
    const ProtobufTime time = time_of(fields);
    fields.release();
    const bool duration = slot.message->known == WellKnown::Duration;
    if (duration ? !is_duration(time) : !is_timestamp(time))
        return refuse(column, "22008",
                      duration ? "is out of range for a Duration" : "is out of range for a Timestamp",
                      scratch_.pieces[pieces.first].value.bytes.data());
    if (column.fill == ProtobufFill::Timestamp) {
        row_[column.cell] = Cell::epoch_us(epoch_us(time));
        return true;
    }
    char* out = arena_.allocate(kMostTimeText);
    row_[column.cell] = Cell::text({out, duration ? write_duration(time, out) : write_timestamp(time, out)});
    return true;
}

bool ProtobufRow::fill_value(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces) {
    ProtobufFields fields(scratch_);
    if (!fields.read(*slot.message, pieces, slot.depth, fault_)) return fail(column);
    const ProtobufField* const held = held_by_value(*slot.message, fields);
    if (held == nullptr) {
        row_[column.cell] = Cell::null();
        fields.release();
        return true;
    }
    if (is_message(held->kind)) {
        fields.release();
        return fill_document(column, slot, pieces);
    }
    const WireValue value = fields.last(static_cast<size_t>(held - slot.message->fields.data()))->value;
    fields.release();
    return fill(column, fill_of(*held, column.shape), *held, value);
}

bool ProtobufRow::fill_document(const ProtobufColumn& column, const ProtobufSlot& slot, PieceList pieces) {
    const bool nested = column.shape == ColumnShape::Nested;
    ProtobufJson json(plan_.types(), scratch_,
                      nested ? ProtobufJson::BytesAs::Hex : ProtobufJson::BytesAs::Base64);
    scratch_.json.clear();
    const bool written = slot.of == ProtobufSlot::Of::Message
                             ? json.write_message(*slot.message, pieces, slot.depth)
                             : json.write_field(*slot.field, pieces, slot.depth);
    if (!written) {
        fault_ = std::move(json.fault());
        return fail(column);
    }
    const std::string_view text = arena_.copy(scratch_.json);
    const bool holds_text = text.front() == '"' && column.shape != ColumnShape::Json;
    if (holds_text) {
        char* out = arena_.allocate(text.size());
        const JsonUnescaped unescaped = unescape_json(text.substr(1, text.size() - 2), out);
        row_[column.cell] = Cell::text({out, unescaped.size});
        return true;
    }
    row_[column.cell] = nested ? Cell::json(text) : Cell::text(text);
    return true;
}

std::string ProtobufRow::place(const char* at) const {
    const char* const begin = payload_.data();
    const bool inside = at != nullptr && at >= begin && at <= begin + payload_.size();
    return inside ? " at byte " + std::to_string(at - begin) + " of the " + std::string(part_name(part_))
                  : std::string();
}

bool ProtobufRow::refuse(const ProtobufColumn& column, const char* sqlstate, const std::string& what,
                         const char* at, std::string hint) {
    error_ = Error::data(sqlstate, "field \"" + column.path + "\" " + what + place(at), {}, std::move(hint));
    error_->column_name = column.name;
    return false;
}

bool ProtobufRow::malformed(const WireReader& reader) {
    fault_.kind = ProtobufFault::Kind::Malformed;
    fault_.at = reader.fault_at();
    fault_.what = reader.fault();
    return false;
}

bool ProtobufRow::inside(std::string_view field) {
    fault_.path.push_back(field);
    return false;
}

bool ProtobufRow::fail(const ProtobufColumn& column, TextCheck check) {
    error_ = error_of(fault_, &column, check);
    return false;
}

Error ProtobufRow::error_of(const ProtobufFault& fault, const ProtobufColumn* column, TextCheck check) const {
    const std::string subject = "protobuf " + std::string(part_name(part_));
    std::string path = column == nullptr || column->path == "$" ? std::string() : column->path;
    for (auto name = fault.path.rbegin(); name != fault.path.rend(); ++name)
        path += (path.empty() ? "" : ".") + std::string(*name);
    const std::string detail = path.empty() ? std::string() : "In field \"" + path + "\".";
    Error error;
    switch (fault.kind) {
        case ProtobufFault::Kind::Text:
            error = text_fault(fault.text, check, static_cast<size_t>(fault.text.data() - payload_.data()),
                               part_, column->name);
            error.detail = detail;
            break;
        case ProtobufFault::Kind::Limit:
            error =
                Error::data("54001", subject + " is too large" + place(fault.at) + ": " + fault.what, detail);
            break;
        case ProtobufFault::Kind::Time:
            error = Error::data("22008", "field \"" + path + "\" " + fault.what + place(fault.at));
            break;
        case ProtobufFault::Kind::Malformed:
            error = Error::data("22P03",
                                subject + " is no message of type \"" + plan_.message().name + "\"" +
                                    place(fault.at) + ": " + fault.what,
                                detail,
                                "The producer must write one message of this type, and nothing before it "
                                "that option \"" +
                                    option_name("framing", part_) + "\" does not name.");
            break;
    }
    if (column != nullptr) error.column_name = column->name;
    return error;
}

Error ProtobufRow::missing(const ProtobufColumn& column) const {
    Error error = Error::data(
        "2203A", "protobuf " + std::string(part_name(part_)) + " has no field \"" + column.path + "\"", {},
        "Without option \"missing_field\" such a column is NULL.");
    error.column_name = column.name;
    return error;
}

}  // namespace sluice
