#include "format/protobuf_plan.hpp"

#include "base/nearest.hpp"
#include "format/json_plan.hpp"
#include "format/protobuf_value.hpp"

#include <algorithm>

namespace sluice {

namespace {

std::string described(const ProtobufField& field) {
    if (field.is_map) return "is a map";
    if (field.is_repeated) return "is repeated";
    return is_message(field.kind) ? "is a message" : "is a single value";
}

}  // namespace

class ProtobufPlanner {
  public:
    ProtobufPlanner(ProtobufPlan& plan, const ProtobufMessage& message, bool may_lack_fields)
        : plan_(plan), may_lack_fields_(may_lack_fields) {
        add_node(message, 0);
    }

    std::optional<Error> add(const SourceColumn& source, size_t cell, const JsonPath& path) {
        column_ = static_cast<uint32_t>(plan_.columns_.size());
        plan_.columns_.push_back(
            {.name = source.name, .path = to_text(path), .cell = cell, .shape = source.shape});
        if (!path.empty()) {
            descend(ProtobufPlan::kRoot, path, 0);
        } else {
            if (plan_.whole_ == ProtobufStep::kNone)
                plan_.whole_ = add_slot(ProtobufSlot::Of::Message, plan_.message(), nullptr, 0);
            take_in_slot(plan_.whole_);
        }
        return std::move(error_);
    }

    std::optional<Error> finish() {
        for (uint32_t node = 0; node < plan_.nodes_.size(); ++node) number_oneofs(node);
        for (uint32_t node = 0; node < plan_.nodes_.size(); ++node) {
            for (const ProtobufStep& step : plan_.nodes_[node].steps) {
                set_fallbacks(node, step);
                if (error_) return std::move(error_);
            }
        }
        for (ProtobufNode& node : plan_.nodes_)
            for (ProtobufStep& step : node.steps)
                if (step.oneof != ProtobufStep::kNone) empty_with(step, step);
        return std::nullopt;
    }

  private:
    // A step of a node, or of one item of a list or map. Steps move while the plan grows.
    struct Place {
        bool in_slot = false;
        uint32_t owner = 0;
        size_t position = 0;
        unsigned depth = 0;  // messages around the value
    };

    ProtobufStep& at(const Place& place) {
        return place.in_slot ? plan_.slots_[place.owner].picks[place.position].step
                             : plan_.nodes_[place.owner].steps[place.position];
    }

    ProtobufColumn& column() { return plan_.columns_[column_]; }

    void refuse(const char* sqlstate, std::string what, std::string hint = {}) {
        error_ = Error::config(sqlstate, "column \"" + column().name + "\": " + std::move(what), {},
                               std::move(hint));
        error_->column_name = column().name;
    }

    uint32_t add_node(const ProtobufMessage& message, unsigned depth) {
        ProtobufNode& added = plan_.nodes_.emplace_back();
        added.message = &message;
        added.depth = depth;
        return static_cast<uint32_t>(plan_.nodes_.size() - 1);
    }

    uint32_t add_slot(ProtobufSlot::Of of, const ProtobufMessage& message, const ProtobufField* field,
                      unsigned depth) {
        ProtobufSlot& added = plan_.slots_.emplace_back();
        added.of = of;
        added.message = &message;
        added.field = field;
        if (field != nullptr) added.name = field->name;
        added.depth = depth;
        return static_cast<uint32_t>(plan_.slots_.size() - 1);
    }

    size_t step_of(uint32_t node, const ProtobufField& field) {
        ProtobufNode& owner = plan_.nodes_[node];
        const uint32_t found = owner.numbers.find(field.number);
        if (found != ProtobufNumbers::kNone) return found;
        owner.numbers.add(field.number, static_cast<uint32_t>(owner.steps.size()));
        ProtobufStep& added = owner.steps.emplace_back();
        added.field = &field;
        added.type = wire_type_of(field.kind);
        return owner.steps.size() - 1;
    }

    // From a message to the field that the path names next.
    void descend(uint32_t node, const JsonPath& path, size_t next) {
        const ProtobufMessage& message = *plan_.nodes_[node].message;
        const JsonStep& name = path[next];
        if (name.is_item)
            return refuse("22023", "message type \"" + message.name + "\" is no list, and has no item [" +
                                       std::to_string(name.index) + "]");
        const ProtobufField* field = message.find(name.name, plan_.options_.ignore_case.value_or(false));
        if (field == nullptr) return no_field(message, name.name);
        const Place place{false, node, step_of(node, *field), plan_.nodes_[node].depth};
        if (field->is_repeated)
            several(place, path, next + 1);
        else
            one(place, path, next + 1);
    }

    void no_field(const ProtobufMessage& message, const std::string& name) {
        if (may_lack_fields_) return;
        std::vector<std::string_view> known;
        for (const ProtobufField& field : message.fields) known.push_back(field.name);
        const std::string guess = nearest(name, known);
        refuse("42703", "message type \"" + message.name + "\" has no field \"" + name + "\"",
               guess.empty() ? "Option \"field\" names one, as in details.items[0].sku."
                             : "Perhaps you meant \"" + guess + "\"; option \"field\" names it.");
    }

    void take_in_slot(uint32_t slot) {
        const ProtobufSlot& taken = plan_.slots_[slot];
        column().fill = taken.of == ProtobufSlot::Of::Message ? fill_of(*taken.message, column().shape)
                                                              : ProtobufFill::Document;
        plan_.slots_[slot].columns.push_back(column_);
    }

    // A list or a map, or one of its items.
    void several(const Place& place, const JsonPath& path, size_t next) {
        const ProtobufField& field = *at(place).field;
        if (at(place).slot == ProtobufStep::kNone) {
            const auto of = field.is_map ? ProtobufSlot::Of::Map : ProtobufSlot::Of::List;
            const uint32_t slot = add_slot(of, *plan_.nodes_[place.owner].message, &field, place.depth);
            at(place).slot = slot;
        }
        const uint32_t slot = at(place).slot;
        if (next == path.size()) return take_in_slot(slot);
        const JsonStep& item = path[next];
        if (!field.is_map && !item.is_item)
            return refuse("22023", "field \"" + field.name + "\" is repeated",
                          "Write which item is meant, as in " + field.name + "[0]." + item.name + ".");
        const std::string key = item.is_item ? std::to_string(item.index) : item.name;
        auto& picks = plan_.slots_[slot].picks;
        const auto same = [&](const ProtobufSlot::Pick& pick) {
            return field.is_map ? pick.key == key : pick.index == item.index;
        };
        auto pick = std::find_if(picks.begin(), picks.end(), same);
        if (pick == picks.end()) {
            ProtobufSlot::Pick added;
            added.index = item.index;
            if (field.is_map) added.key = key;
            added.step.field = field.is_map ? &field.message->value() : &field;
            added.step.type = wire_type_of(added.step.field->kind);
            pick = std::find_if(picks.begin(), picks.end(), [&](const ProtobufSlot::Pick& other) {
                return !field.is_map && other.index > item.index;
            });
            pick = picks.insert(pick, std::move(added));
        }
        // A map's entry is a message, too.
        one({true, slot, static_cast<size_t>(pick - picks.begin()), place.depth + (field.is_map ? 1 : 0)},
            path, next + 1);
    }

    // A single value, or something inside it.
    void one(const Place& place, const JsonPath& path, size_t next) {
        const ProtobufField& field = *at(place).field;
        const bool ends = next == path.size();
        if (!is_message(field.kind)) {
            if (!ends)
                return refuse(
                    "22023", "field \"" + field.name + "\" " + described(field) + ", and has nothing inside");
            return take_scalar(place, field);
        }
        const bool wrapper = field.message->known == WellKnown::Wrapper;
        if (ends && !wrapper) {
            if (at(place).slot == ProtobufStep::kNone) {
                const uint32_t slot =
                    add_slot(ProtobufSlot::Of::Message, *field.message, nullptr, place.depth + 1);
                plan_.slots_[slot].name = field.name;
                at(place).slot = slot;
            }
            return take_in_slot(at(place).slot);
        }
        if (at(place).node == ProtobufStep::kNone) {
            const uint32_t node = add_node(*field.message, place.depth + 1);
            at(place).node = node;
        }
        const uint32_t node = at(place).node;
        if (!ends) return descend(node, path, next);
        const ProtobufField& value = field.message->fields[0];
        take_scalar({false, node, step_of(node, value), place.depth + 1}, value);
    }

    void take_scalar(const Place& place, const ProtobufField& field) {
        column().fill = fill_of(field, column().shape);
        const bool counts = column().fill == ProtobufFill::Epoch || column().fill == ProtobufFill::Clock;
        if (counts && !plan_.options_.timestamp_unit)
            return refuse("22007", "field \"" + field.name + "\" is a number, not a date or time",
                          "Set option \"timestamp_unit\" to s, ms or us if it counts from 1970-01-01 UTC, "
                          "or from midnight.");
        at(place).columns.push_back(column_);
    }

    // A value of one member empties the others, also those that no column wants.
    void number_oneofs(uint32_t node) {
        const ProtobufMessage& message = *plan_.nodes_[node].message;
        for (uint32_t oneof = 0; oneof < message.oneofs; ++oneof) {
            const auto& steps = plan_.nodes_[node].steps;
            const auto wanted = [&](const ProtobufStep& step) { return step.field->oneof == oneof; };
            if (std::none_of(steps.begin(), steps.end(), wanted)) continue;
            const auto number = static_cast<uint32_t>(plan_.oneofs_.size());
            plan_.oneofs_.push_back(node);
            for (const ProtobufField& field : message.fields) {
                if (field.oneof != oneof) continue;
                const size_t step = step_of(node, field);
                plan_.nodes_[node].steps[step].oneof = number;
            }
        }
    }

    void set_fallbacks(uint32_t node, const ProtobufStep& step) {
        const ProtobufField& field = *step.field;
        if (!field.has_default) return;
        std::string scratch;
        for (const uint32_t index : step.columns) {
            column_ = index;
            column().node = node;
            const WireValue value{field.default_bits, field.default_bytes};
            const auto fault = fill_scalar(
                column().fill, field, value,
                {TextCheck::Utf8, plan_.options_.timestamp_unit, *plan_.arena_, scratch}, column().fallback);
            if (fault != ProtobufCellFault::None)
                return refuse("22023", "the default of field \"" + field.name + "\" does not fit");
        }
        if (step.slot == ProtobufStep::kNone) return;
        for (const uint32_t index : plan_.slots_[step.slot].columns) {
            const std::string_view empty = field.is_map ? "{}" : "[]";
            ProtobufColumn& taking = plan_.columns_[index];
            taking.node = node;
            taking.fallback = taking.shape == ColumnShape::Nested ? Cell::json(empty) : Cell::text(empty);
        }
    }

    // What is empty when `step` has no value, added to `member`. Items of lists are taken later.
    void empty_with(const ProtobufStep& step, ProtobufStep& member) {
        for (const uint32_t column : step.columns) member.cells.push_back(cell_of(column));
        if (step.slot != ProtobufStep::kNone) {
            member.slots.push_back(step.slot);
            for (const uint32_t column : plan_.slots_[step.slot].columns)
                member.cells.push_back(cell_of(column));
        }
        if (step.node == ProtobufStep::kNone) return;
        member.nodes.push_back(step.node);
        for (const ProtobufStep& inner : plan_.nodes_[step.node].steps) {
            if (inner.oneof != ProtobufStep::kNone) member.oneofs.push_back(inner.oneof);
            empty_with(inner, member);
        }
    }

    uint32_t cell_of(uint32_t column) const { return static_cast<uint32_t>(plan_.columns_[column].cell); }

    ProtobufPlan& plan_;
    bool may_lack_fields_;
    uint32_t column_ = 0;
    std::optional<Error> error_;
};

Result<ProtobufPlan> ProtobufPlan::make(const RecordSpec& spec, Origin part,
                                        std::shared_ptr<const ProtobufTypes> types,
                                        const ProtobufMessage& message, bool may_lack_fields) {
    ProtobufPlan plan(std::move(types));
    const std::optional<FormatSpec>& format = part == Origin::Key ? spec.key : spec.value;
    if (format) plan.options_ = format->json;
    ProtobufPlanner planner(plan, message, may_lack_fields);
    for (size_t i = 0; i < spec.columns.size(); ++i) {
        const SourceColumn& column = spec.columns[i];
        if (column.origin != part) continue;
        const Result<JsonPath> path = json_path_of(column);
        if (!path) return path.error();
        if (!column.wanted) continue;
        if (auto error = planner.add(column, i, path.value())) return *std::move(error);
    }
    if (auto error = planner.finish()) return *std::move(error);
    return plan;
}

}  // namespace sluice
