#include "format/avro_plan.hpp"

#include <algorithm>
#include <utility>

namespace sluice {

namespace {

bool is_timed(ColumnShape shape) {
    return shape == ColumnShape::Date || shape == ColumnShape::Time || shape == ColumnShape::Clock;
}

AvroInto number_into(const JsonColumn& column, const JsonOptions& options, AvroTake& take) {
    const std::optional<TimestampUnit> unit = column.unit ? column.unit : options.timestamp_unit;
    if (!unit) return AvroInto::NoTime;
    take.unit = *unit;
    return column.shape == ColumnShape::Clock ? AvroInto::NumberClock : AvroInto::NumberTime;
}

AvroInto whole_into(const AvroMeaning& meaning, const JsonColumn& column, const JsonOptions& options,
                    AvroTake& take) {
    const bool dated = column.shape == ColumnShape::Date || column.shape == ColumnShape::Time;
    if (meaning.kind == AvroMeaning::Plain)
        return is_timed(column.shape) ? number_into(column, options, take) : AvroInto::Integer;
    if (column.shape == ColumnShape::Integer || column.shape == ColumnShape::Numeric)
        return AvroInto::Integer;
    if (meaning.kind == AvroMeaning::Days || meaning.kind == AvroMeaning::Epoch)
        return dated ? AvroInto::Epoch : AvroInto::Written;
    // A time without a zone is PostgreSQL's to place in the session's.
    if (meaning.kind == AvroMeaning::LocalEpoch && column.shape == ColumnShape::Date) return AvroInto::Epoch;
    return AvroInto::Written;
}

AvroInto into_of(const AvroShape& shape, const JsonColumn& column, const JsonOptions& options,
                 AvroTake& take) {
    const AvroMeaning::Kind meaning = shape.meaning.kind;
    if (column.shape == ColumnShape::Json)
        return meaning == AvroMeaning::JsonText ? AvroInto::Text : AvroInto::Json;
    switch (shape.type) {
        case AvroType::Boolean:
            return AvroInto::Boolean;
        case AvroType::Int:
        case AvroType::Long:
            return whole_into(shape.meaning, column, options, take);
        case AvroType::Float:
        case AvroType::Double:
            take.whole = column.shape == ColumnShape::Integer;
            return is_timed(column.shape) ? number_into(column, options, take) : AvroInto::Real;
        case AvroType::Enum:
            return AvroInto::Symbol;
        case AvroType::String:
            return column.shape == ColumnShape::Bytes ? AvroInto::Binary : AvroInto::Text;
        case AvroType::Bytes:
        case AvroType::Fixed:
            if (column.shape == ColumnShape::Bytes) return AvroInto::Binary;
            take.whole = column.shape == ColumnShape::Integer && meaning == AvroMeaning::Decimal;
            return meaning == AvroMeaning::Plain ? AvroInto::Text : AvroInto::Written;
        default:
            if (meaning == AvroMeaning::VariableDecimal && column.shape != ColumnShape::Nested) {
                take.whole = column.shape == ColumnShape::Integer;
                return AvroInto::Variable;
            }
            return column.shape == ColumnShape::Nested ? AvroInto::Nested : AvroInto::Json;
    }
}

}  // namespace

class AvroPlanner {
  public:
    AvroPlanner(AvroPlan& plan, const JsonOptions& options, size_t places)
        : plan_(plan),
          reading_(*plan.reading_),
          columns_(*plan.columns_),
          options_(options),
          places_(places) {}

    bool run(uint32_t shape) {
        plan_.places_.emplace_back();
        reached_.resize(columns_.columns().size());
        add(shape, JsonPlan::kRoot, true);
        add_step({});
        while (!pending_.empty()) {
            const Pending next = pending_.back();
            pending_.pop_back();
            plan_.inner_[next.inner].step = here();
            path_ = next.path;
            add(next.shape, next.node, next.surely);
            add_step({});
        }
        plan_.may_miss_ =
            !std::all_of(reached_.begin(), reached_.end(), [](bool reached) { return reached; });
        return plan_.steps_.size() < AvroPlan::kMostSteps;
    }

  private:
    struct Pending {
        uint32_t inner, shape, node;
        JsonPath path;
        bool surely;
    };

    uint32_t here() const { return static_cast<uint32_t>(plan_.steps_.size()); }
    bool is_full() const { return plan_.steps_.size() >= AvroPlan::kMostSteps; }

    uint32_t add_step(AvroStep step) {
        if (step.code != AvroStep::End && step.code != AvroStep::Jump) step.place = place();
        plan_.steps_.push_back(step);
        return here() - 1;
    }

    // Steps beside each other are mostly of one place.
    uint32_t place() {
        std::string text = path_.empty() ? std::string() : to_text(path_);
        if (plan_.places_.back() != text) plan_.places_.push_back(std::move(text));
        return static_cast<uint32_t>(plan_.places_.size() - 1);
    }

    void skip(uint32_t index) {
        const AvroShape& shape = reading_.shape(index);
        if (shape.wire == AvroWire::Null || shape.least == 0) return;
        switch (shape.wire) {
            case AvroWire::Int:
            case AvroWire::Long:
                add_step({.code = AvroStep::SkipVarint});
                return;
            case AvroWire::Bytes:
                add_step({.code = AvroStep::SkipBytes});
                return;
            case AvroWire::Float:
            case AvroWire::Double:
            case AvroWire::Fixed:
                add_step({.code = AvroStep::SkipFixed, .target = static_cast<uint32_t>(shape.least)});
                return;
            default:
                add_step({.code = AvroStep::Skip, .shape = index});
        }
    }

    // `surely`: the value is there in each message.
    void add(uint32_t index, uint32_t node_index, bool surely) {
        if (is_full()) return;
        const AvroShape& shape = reading_.shape(index);
        const JsonNode& node = columns_.node(node_index);
        if (shape.wire == AvroWire::Union) return add_branches(index, node_index, surely);
        if (shape.wire == AvroWire::Unreadable) {
            add_step({.code = AvroStep::Unreadable, .shape = index});
            return;
        }
        const bool record = shape.wire == AvroWire::Record && !node.members.empty();
        const bool map = shape.wire == AvroWire::Map && !node.members.empty();
        const bool array = shape.wire == AvroWire::Array && !node.items.empty();
        const bool inside = record || map || array;
        if (node_index == JsonPlan::kRoot && !node.is_leaf() && !inside)
            add_step({.code = AvroStep::WrongShape, .shape = index});
        if (!node.columns.empty()) {
            add_takes(index, node, inside);
            if (surely)
                for (uint32_t column : node.columns) reached_[column] = true;
        } else if (!inside) {
            skip(index);
        }
        if (record)
            add_fields(index, node, surely);
        else if (map)
            add_members(index, node);
        else if (array)
            add_items(index, node);
    }

    void add_takes(uint32_t index, const JsonNode& node, bool inside) {
        const AvroShape& shape = reading_.shape(index);
        const auto first = static_cast<uint32_t>(plan_.takes_.size());
        for (uint32_t column : node.columns) {
            const JsonColumn& wanted = columns_.columns()[column];
            AvroTake take{.column = column, .cell = static_cast<uint32_t>(wanted.cell)};
            if (wanted.cell < places_) {
                take.into = AvroInto::Place;
                plan_.placed_.push_back(index);
            } else {
                take.into = into_of(shape, wanted, options_, take);
            }
            plan_.takes_.push_back(take);
        }
        const auto code = shape.wire == AvroWire::Null ? AvroStep::Null
                          : inside                     ? AvroStep::Look
                                                       : AvroStep::Take;
        add_step({.code = code,
                  .shape = index,
                  .first = first,
                  .last = static_cast<uint32_t>(plan_.takes_.size())});
    }

    void add_branches(uint32_t index, uint32_t node, bool surely) {
        const std::vector<uint32_t>& branches = reading_.shape(index).inner;
        const auto first = static_cast<uint32_t>(plan_.targets_.size());
        plan_.targets_.resize(first + branches.size());
        add_step({.code = AvroStep::Union,
                  .shape = index,
                  .first = first,
                  .last = static_cast<uint32_t>(plan_.targets_.size())});
        std::vector<uint32_t> jumps;
        const std::vector<bool> before = reached_;
        std::vector<bool> in_all(reached_.size(), true);
        for (size_t i = 0; i < branches.size() && !is_full(); ++i) {
            plan_.targets_[first + i] = here();
            reached_ = before;
            add(branches[i], node, surely);
            for (size_t column = 0; column < in_all.size(); ++column)
                in_all[column] = in_all[column] && reached_[column];
            jumps.push_back(add_step({.code = AvroStep::Jump}));
        }
        reached_ = std::move(in_all);
        for (uint32_t jump : jumps) plan_.steps_[jump].target = here();
    }

    void add_fields(uint32_t index, const JsonNode& node, bool surely) {
        const AvroShape& shape = reading_.shape(index);
        for (size_t i = 0; i < shape.parts.size() && !is_full(); ++i) {
            const AvroPart& part = shape.parts[i];
            path_.push_back(JsonStep::member(part.name));
            const uint32_t member = part.kept ? node.members.find(part.name) : JsonMembers::kNone;
            if (member == JsonMembers::kNone) {
                if (part.written) skip(part.shape);
            } else if (part.written) {
                add(part.shape, member, surely);
            } else {
                const uint32_t inner = add_inner(0, part.shape, member, surely);
                add_step({.code = AvroStep::Initial,
                          .shape = index,
                          .first = inner,
                          .target = static_cast<uint32_t>(i)});
                if (surely)
                    for (uint32_t column : columns_.node(member).columns) reached_[column] = true;
            }
            path_.pop_back();
        }
    }

    // Its steps come when those at hand are all there.
    uint32_t add_inner(uint32_t key, uint32_t shape, uint32_t node, bool surely) {
        const auto inner = static_cast<uint32_t>(plan_.inner_.size());
        plan_.inner_.push_back({key, 0});
        pending_.push_back({inner, shape, node, path_, surely});
        return inner;
    }

    void add_items(uint32_t index, const JsonNode& node) {
        const auto first = static_cast<uint32_t>(plan_.inner_.size());
        for (const auto& [item, item_node] : node.items) {
            path_.push_back(JsonStep::item(item));
            add_inner(item, reading_.shape(index).inner[0], item_node, false);
            path_.pop_back();
        }
        add_step({.code = AvroStep::Items,
                  .shape = index,
                  .first = first,
                  .last = static_cast<uint32_t>(plan_.inner_.size())});
    }

    void add_members(uint32_t index, const JsonNode& node) {
        const auto first = static_cast<uint32_t>(plan_.inner_.size());
        const auto self = static_cast<uint32_t>(&node - &columns_.node(0));
        node.members.each(
            [&](uint32_t member) { add_inner(member, reading_.shape(index).inner[0], member, false); });
        add_step({.code = AvroStep::Members,
                  .shape = index,
                  .first = first,
                  .last = static_cast<uint32_t>(plan_.inner_.size()),
                  .target = self});
    }

    AvroPlan& plan_;
    const AvroReading& reading_;
    const JsonPlan& columns_;
    const JsonOptions& options_;
    size_t places_;
    JsonPath path_;
    std::vector<Pending> pending_;
    std::vector<bool> reached_;
};

Result<SharedAvroPlan> AvroPlan::make(SharedAvroReading reading, uint32_t shape,
                                      std::shared_ptr<const JsonPlan> columns, const JsonOptions& options,
                                      size_t places) {
    auto plan = std::make_shared<AvroPlan>();
    plan->reading_ = std::move(reading);
    plan->columns_ = std::move(columns);
    if (!AvroPlanner(*plan, options, places).run(shape))
        return Error::config("54000", "the fields of the columns stand at too many places of the schema", {},
                             "Choose shorter paths, or take a field whole into a column of type jsonb.");
    return SharedAvroPlan(std::move(plan));
}

}  // namespace sluice
