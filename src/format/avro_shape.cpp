#include "format/avro_shape.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace sluice {

namespace {

constexpr size_t kMostLevels = 2 * AvroSchema::kMostChained;

AvroWire wire_of(AvroType type) {
    switch (type) {
        case AvroType::Null:
            return AvroWire::Null;
        case AvroType::Boolean:
            return AvroWire::Boolean;
        case AvroType::Int:
            return AvroWire::Int;
        case AvroType::Long:
            return AvroWire::Long;
        case AvroType::Float:
            return AvroWire::Float;
        case AvroType::Double:
            return AvroWire::Double;
        case AvroType::Bytes:
        case AvroType::String:
            return AvroWire::Bytes;
        case AvroType::Record:
            return AvroWire::Record;
        case AvroType::Enum:
            return AvroWire::Enum;
        case AvroType::Array:
            return AvroWire::Array;
        case AvroType::Map:
            return AvroWire::Map;
        case AvroType::Union:
            return AvroWire::Union;
        case AvroType::Fixed:
            return AvroWire::Fixed;
    }
    return AvroWire::Unreadable;
}

bool is_promoted(AvroType from, AvroType to) {
    switch (from) {
        case AvroType::Int:
            return to == AvroType::Long || to == AvroType::Float || to == AvroType::Double;
        case AvroType::Long:
            return to == AvroType::Float || to == AvroType::Double;
        case AvroType::Float:
            return to == AvroType::Double;
        case AvroType::String:
            return to == AvroType::Bytes;
        case AvroType::Bytes:
            return to == AvroType::String;
        default:
            return false;
    }
}

bool has_name(const AvroNode& reader, const std::string& name) {
    const auto is_it = [&](const std::string& alias) {
        return alias == name || short_name(alias) == short_name(name);
    };
    return is_it(reader.name) || std::any_of(reader.aliases.begin(), reader.aliases.end(), is_it);
}

std::string described(const AvroNode& node) {
    const std::string type(avro_type_name(node.type));
    return is_named(node.type) ? type + " \"" + node.name + "\"" : "\"" + type + "\"";
}

}  // namespace

class AvroMatcher {
  public:
    AvroMatcher(const AvroSchema& writer, const AvroSchema* reader)
        : writer_(writer),
          reader_(reader ? *reader : writer),
          same_(reader == nullptr),
          reading_(std::make_shared<AvroReading>()) {}

    Result<SharedAvroReading> run() {
        reading_->root_ = match(writer_.root(), reader_.root(), 0);
        if (too_large_)
            return Error::config("54000", writer_.name() + " is too large to be read by " + reader_.name(),
                                 {}, "Its types, or their combinations, are too many or too deep.");
        std::vector<bool> seen(reading_->shapes_.size());
        std::string path;
        if (const AvroShape* bad = find_unreadable(reading_->root_, seen, path))
            return Error::config("22023", writer_.name() + " cannot be read by " + reader_.name(),
                                 (path.empty() ? "" : "In field \"" + path + "\": ") + bad->problem + ".",
                                 "Avro's rules of schema resolution say what can be read.");
        measure();
        return SharedAvroReading(std::move(reading_));
    }

  private:
    AvroShape& at(uint32_t index) { return reading_->shapes_[index]; }

    uint32_t add(AvroShape shape) {
        if (reading_->shapes_.size() >= AvroReading::kMostShapes) too_large_ = true;
        reading_->shapes_.push_back(std::move(shape));
        return static_cast<uint32_t>(reading_->shapes_.size() - 1);
    }

    // It still can be skipped.
    uint32_t unreadable(uint32_t w, size_t level, std::string problem) {
        const uint32_t written = skipped(w, level);
        return add({.wire = AvroWire::Unreadable, .inner = {written}, .problem = std::move(problem)});
    }

    uint32_t match(uint32_t w, uint32_t r, size_t level) {
        const uint64_t key = uint64_t{w} << 32 | r;
        if (const auto found = known_.find(key); found != known_.end()) return found->second;
        if (level == kMostLevels) too_large_ = true;
        if (too_large_) return 0;
        const AvroNode &from = writer_.node(w), &to = reader_.node(r);
        if (from.type == AvroType::Union) {
            const uint32_t index = known_[key] = add({.wire = AvroWire::Union, .type = AvroType::Union});
            for (size_t i = 0; i < from.types.size() && !too_large_; ++i) {
                const uint32_t branch = match(from.types[i], same_ ? to.types[i] : r, level + 1);
                at(index).inner.push_back(branch);
            }
            return index;
        }
        if (to.type == AvroType::Union) return known_[key] = match_one_of(w, to, level);
        if (!same_ && !fits(from, to))
            return known_[key] =
                       unreadable(w, level, described(from) + " cannot be read as " + described(to));
        const uint32_t index = known_[key] =
            add({.wire = wire_of(from.type), .type = to.type, .meaning = to.meaning, .size = from.size});
        switch (from.type) {
            case AvroType::Record:
                match_fields(from, to, level, index);
                break;
            case AvroType::Array:
            case AvroType::Map: {
                const uint32_t inner = match(from.types[0], to.types[0], level + 1);
                at(index).inner.push_back(inner);
                break;
            }
            case AvroType::Enum:
                match_symbols(from, to, at(index));
                break;
            default:
                break;
        }
        return index;
    }

    static bool fits(const AvroNode& from, const AvroNode& to) {
        if (from.type != to.type) return is_promoted(from.type, to.type);
        if (!is_named(from.type)) return true;
        return has_name(to, from.name) && from.size == to.size;
    }

    // The same type by its full name comes before one by a short name, and that before a promotion.
    uint32_t match_one_of(uint32_t w, const AvroNode& to, size_t level) {
        const AvroNode& from = writer_.node(w);
        const auto is_same = [&](const AvroNode& branch) {
            return branch.type == from.type && branch.name == from.name;
        };
        const auto is_like = [&](const AvroNode& branch) {
            return branch.type == from.type && fits(from, branch);
        };
        const auto is_fit = [&](const AvroNode& branch) { return fits(from, branch); };
        const auto find = [&](const auto& is_it) {
            return std::find_if(to.types.begin(), to.types.end(),
                                [&](uint32_t branch) { return is_it(reader_.node(branch)); });
        };
        auto found = find(is_same);
        if (found == to.types.end()) found = find(is_like);
        if (found == to.types.end()) found = find(is_fit);
        if (found != to.types.end()) return match(w, *found, level + 1);
        return unreadable(w, level, described(from) + " can be read as no branch of the reader's union");
    }

    void match_fields(const AvroNode& from, const AvroNode& to, size_t level, uint32_t index) {
        std::unordered_map<std::string_view, const AvroField*>
            written_as;  // the reader's, by the writer's name
        if (!same_) {
            std::unordered_map<std::string_view, const AvroField*> written;
            for (const AvroField& field : from.fields) written.emplace(field.name, &field);
            for (const AvroField& field : to.fields) {
                auto found = written.find(field.name);
                for (size_t i = 0; found == written.end() && i < field.aliases.size(); ++i)
                    found = written.find(field.aliases[i]);
                if (found != written.end()) written_as.emplace(found->first, &field);
            }
        }
        for (const AvroField& field : from.fields) {
            if (too_large_) return;
            const auto found = written_as.find(field.name);
            const AvroField* const taken = same_                       ? &field
                                           : found == written_as.end() ? nullptr
                                                                       : found->second;
            AvroPart part{.name = taken ? taken->name : field.name, .kept = taken != nullptr};
            part.shape = taken ? match(field.type, taken->type, level + 1) : skipped(field.type, level + 1);
            at(index).parts.push_back(std::move(part));
        }
        if (same_) return;
        std::unordered_set<const AvroField*> taken;
        for (const auto& [name, field] : written_as) taken.insert(field);
        for (const AvroField& field : to.fields) {
            if (taken.contains(&field)) continue;
            if (too_large_) return;
            AvroPart part{.name = field.name, .written = false, .initial = field.initial.value_or("")};
            if (field.initial)
                part.shape = add_initial(field.type, level + 1);
            else
                part.shape =
                    add({.wire = AvroWire::Unreadable,
                         .problem = field.has_default
                                        ? "it is not written, and its default is no value of its type"
                                        : "it is not written and has no default"});
            at(index).parts.push_back(std::move(part));
        }
    }

    // A default is written by the reader's own schema.
    uint32_t add_initial(uint32_t type, size_t level) {
        return by_itself(reader_, type, level, known_initial_);
    }

    uint32_t skipped(uint32_t type, size_t level) { return by_itself(writer_, type, level, known_skipped_); }

    // A type of one schema as it is written.
    uint32_t by_itself(const AvroSchema& schema, uint32_t type, size_t level,
                       std::unordered_map<uint64_t, uint32_t>& known) {
        AvroMatcher alone(schema, nullptr);
        alone.reading_ = reading_;
        alone.known_.swap(known);
        const uint32_t index = alone.match(type, type, level);
        alone.known_.swap(known);
        too_large_ = too_large_ || alone.too_large_;
        return index;
    }

    static void match_symbols(const AvroNode& from, const AvroNode& to, AvroShape& shape) {
        const std::unordered_set<std::string_view> known(to.symbols.begin(), to.symbols.end());
        for (const std::string& symbol : from.symbols) {
            if (known.contains(symbol))
                shape.symbols.emplace_back(symbol);
            else if (to.initial_symbol)
                shape.symbols.emplace_back(to.symbols[*to.initial_symbol]);
            else
                shape.symbols.emplace_back();
        }
    }

    // Branches of unions may never be met.
    const AvroShape* find_unreadable(uint32_t index, std::vector<bool>& seen, std::string& path) {
        const AvroShape& shape = at(index);
        if (shape.wire == AvroWire::Unreadable) return &shape;
        if (shape.wire == AvroWire::Union || seen[index]) return nullptr;
        seen[index] = true;
        const size_t before = path.size();
        for (const AvroPart& part : shape.parts) {
            path += (path.empty() ? "" : ".") + part.name;
            if (const AvroShape* bad = find_unreadable(part.shape, seen, path)) return bad;
            path.resize(before);
        }
        for (uint32_t inner : shape.inner)
            if (const AvroShape* bad = find_unreadable(inner, seen, path)) return bad;
        return nullptr;
    }

    // No record holds itself by nothing but records, so this ends.
    void measure() {
        std::vector<bool> known(reading_->shapes_.size());
        for (uint32_t index = 0; index < known.size(); ++index) measure(index, known);
    }

    uint64_t measure(uint32_t index, std::vector<bool>& known) {
        constexpr uint64_t kMost = uint64_t{1} << 40;
        AvroShape& shape = at(index);
        if (known[index]) return shape.least;
        known[index] = true;
        switch (shape.wire) {
            case AvroWire::Null:
                break;
            case AvroWire::Unreadable:
                if (!shape.inner.empty()) shape.least = measure(shape.inner[0], known);
                break;
            case AvroWire::Float:
                shape.least = sizeof(float);
                break;
            case AvroWire::Double:
                shape.least = sizeof(double);
                break;
            case AvroWire::Fixed:
                shape.least = shape.size;
                break;
            case AvroWire::Record:
                for (const AvroPart& part : shape.parts)
                    if (part.written) shape.least = std::min(kMost, shape.least + measure(part.shape, known));
                break;
            default:
                shape.least = 1;
        }
        return shape.least;
    }

    const AvroSchema& writer_;
    const AvroSchema& reader_;
    const bool same_;
    std::shared_ptr<AvroReading> reading_;
    std::unordered_map<uint64_t, uint32_t> known_, known_initial_, known_skipped_;  // by the two types
    bool too_large_ = false;
};

Result<SharedAvroReading> AvroReading::make(const AvroSchema& writer, const AvroSchema* reader) {
    return AvroMatcher(writer, reader).run();
}

}  // namespace sluice
