#include "format/avro_schema.hpp"

#include "base/nearest.hpp"
#include "format/avro_default.hpp"
#include "format/avro_meaning.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace sluice {

namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kTypeNames[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                           "string", "record",  "enum", "array", "map",   "union",  "fixed"};
constexpr size_t kPrimitives = 8;

std::optional<AvroType> type_of(std::string_view name) {
    const auto* found = std::find(std::begin(kTypeNames), std::end(kTypeNames), name);
    // Protocols call a record that is thrown so.
    if (name == "error") return AvroType::Record;
    if (found == std::end(kTypeNames) || name == "union") return std::nullopt;
    return static_cast<AvroType>(found - kTypeNames);
}

bool is_primitive(std::string_view name) {
    const auto* const end = kTypeNames + kPrimitives;
    return std::find(kTypeNames, end, name) != end;
}

// A name from a schema may be anything.
std::string shown(std::string_view text) {
    constexpr size_t kMost = 100;
    if (text.size() <= kMost) return std::string(text);
    size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "...";
}

std::string_view namespace_of(std::string_view full_name) {
    const size_t dot = full_name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : full_name.substr(0, dot);
}

std::string full_name(std::string_view name, std::string_view space) {
    // A leading dot is how some say that there is no namespace.
    if (name.starts_with('.')) return std::string(name.substr(1));
    if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
    return std::string(space) + "." + std::string(name);
}

}  // namespace

std::string_view avro_type_name(AvroType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::string_view short_name(std::string_view full_name) { return full_name.substr(full_name.rfind('.') + 1); }

class AvroParser {
  public:
    AvroParser() : schema_(std::make_shared<AvroSchema>()) {}

    Result<SharedAvroSchema> run(const SchemaText& text) {
        schema_->name_ = text.name;
        size_t bytes = text.body.size();
        for (const SchemaText::Reference& reference : text.references) bytes += reference.body.size();
        if (bytes > AvroSchema::kMostBytes)
            return refuse("54000", "has " + std::to_string(bytes) + " bytes",
                          "At most " + std::to_string(AvroSchema::kMostBytes) + " can be read.");
        // What is known of types by name outlives their documents, defaults do not.
        for (const SchemaText::Reference& reference : text.references)
            if (!read_document(reference.body, "in reference \"" + shown(reference.name) + "\""))
                return *error_;
        if (!read_document(text.body, {})) return *error_;
        schema_->root_ = root_;
        if (!check_walks()) return *error_;
        size_t budget = kMostDefaultWork;
        for (const Default& one : defaults_) {
            std::string bytes_of_it;
            AvroField& field = schema_->nodes_[one.record].fields[one.field];
            if (encode_avro_default(*schema_, field.type, one.value, bytes_of_it, budget))
                field.initial = std::move(bytes_of_it);
        }
        return SharedAvroSchema(std::move(schema_));
    }

  private:
    struct Default {
        uint32_t record;
        size_t field;
        dom::element value;
    };

    Error refuse(const char* sqlstate, const std::string& what, std::string detail = {},
                 std::string hint = {}) const {
        return Error::config(sqlstate, schema_->name_ + " " + what, std::move(detail), std::move(hint));
    }

    bool fail(std::string what, std::string hint = {}) {
        std::string path;
        for (const std::string& step : path_) path += (path.empty() ? "" : ".") + step;
        if (!path.empty()) what = "in \"" + shown(path) + "\": " + what;
        if (!where_.empty()) what = where_ + ": " + what;
        what[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(what[0])));
        error_ = refuse("22P02", "cannot be read", what + (what.ends_with('.') ? "" : "."), std::move(hint));
        return false;
    }

    bool read_document(const std::string& text, std::string where) {
        where_ = std::move(where);
        parsers_.push_back(std::make_unique<dom::parser>());
        dom::element document;
        const auto code = parsers_.back()->parse(text.data(), text.size()).get(document);
        if (code != simdjson::SUCCESS) {
            // A name alone need not be JSON in the registries that people have.
            if (is_primitive(text)) {
                root_ = add({.type = *type_of(text)});
                return true;
            }
            return fail(std::string("it is not valid JSON: ") + simdjson::error_message(code));
        }
        return read_type(document, {}, 0, root_);
    }

    uint32_t add(AvroNode node) {
        schema_->nodes_.push_back(std::move(node));
        return static_cast<uint32_t>(schema_->nodes_.size() - 1);
    }

    bool read_type(const dom::element& json, const std::string& space, size_t level, uint32_t& index) {
        if (level == AvroSchema::kMostLevels)
            return fail("it is nested deeper than " + std::to_string(level) + " levels");
        if (schema_->nodes_.size() >= AvroSchema::kMostNodes)
            return fail("it has more than " + std::to_string(AvroSchema::kMostNodes) + " types");
        std::string_view name;
        if (json.get(name) == simdjson::SUCCESS) return read_name(name, space, index);
        dom::array branches;
        if (json.get(branches) == simdjson::SUCCESS) return read_union(branches, space, level, index);
        dom::object object;
        if (json.get(object) != simdjson::SUCCESS)
            return fail("an Avro schema is an object, an array or the name of a type");
        dom::element type;
        if (object["type"].get(type) != simdjson::SUCCESS) return fail("a type's object has no \"type\"");
        if (type.get(name) != simdjson::SUCCESS) return read_type(type, space, level + 1, index);
        const auto known = type_of(name);
        if (!known) return read_name(name, space, index);
        switch (*known) {
            case AvroType::Record:
            case AvroType::Enum:
            case AvroType::Fixed:
                return read_named(*known, object, space, level, index);
            case AvroType::Array:
            case AvroType::Map: {
                const char* const of = *known == AvroType::Array ? "items" : "values";
                dom::element inner;
                if (object[of].get(inner) != simdjson::SUCCESS)
                    return fail(std::string(name) + " has no \"" + of + "\"");
                index = add({.type = *known});
                uint32_t inside = 0;
                if (!read_type(inner, space, level + 1, inside)) return false;
                schema_->nodes_[index].types = {inside};
                return true;
            }
            default:
                index = add({.type = *known});
                schema_->nodes_[index].meaning = avro_meaning_of(object, *known, 0);
                return true;
        }
    }

    bool read_name(std::string_view name, const std::string& space, uint32_t& index) {
        if (is_primitive(name)) {
            index = add({.type = *type_of(name)});
            return true;
        }
        auto found = names_.find(full_name(name, space));
        if (found == names_.end()) found = names_.find(std::string(name));
        if (found != names_.end()) {
            index = found->second;
            return true;
        }
        std::vector<std::string_view> known(kTypeNames, kTypeNames + std::size(kTypeNames));
        for (const auto& [one, node] : names_) known.push_back(one);
        const std::string guess = name.size() > 100 ? std::string() : nearest(name, known);
        return fail("type \"" + shown(name) + "\" is not known",
                    guess.empty() ? "Types of other schemas must be given as references of this one."
                                  : "Perhaps you meant \"" + guess + "\".");
    }

    bool read_union(const dom::array& branches, const std::string& space, size_t level, uint32_t& index) {
        index = add({.type = AvroType::Union});
        for (const dom::element& branch : branches) {
            uint32_t inside = 0;
            if (!read_type(branch, space, level + 1, inside)) return false;
            if (schema_->nodes_[inside].type == AvroType::Union)
                return fail("a union stands in a union directly");
            schema_->nodes_[index].types.push_back(inside);
        }
        const size_t branches_read = schema_->nodes_[index].types.size();
        if (branches_read == 0) return fail("a union has no branches");
        if (branches_read > AvroSchema::kMostBranches)
            return fail("a union has more than " + std::to_string(AvroSchema::kMostBranches) + " branches");
        return true;
    }

    bool read_named(AvroType type, const dom::object& object, const std::string& outer, size_t level,
                    uint32_t& index) {
        std::string_view name, space(outer);
        if (object["name"].get(name) != simdjson::SUCCESS || name.empty())
            return fail("a " + std::string(avro_type_name(type)) + " has no \"name\"");
        std::string_view given;
        if (object["namespace"].get(given) == simdjson::SUCCESS) space = given;
        index = add({.type = type, .name = full_name(name, space)});
        const std::string own = schema_->nodes_[index].name, inner(namespace_of(own));
        if (is_primitive(own) || !names_.emplace(own, index).second)
            return fail("type \"" + shown(own) + "\" is defined twice");
        for (std::string& alias : texts_of(object, "aliases"))
            schema_->nodes_[index].aliases.push_back(full_name(alias, inner));
        path_.emplace_back(short_name(own));
        bool read = false;
        if (type == AvroType::Record)
            read = read_fields(object, inner, level, index);
        else if (type == AvroType::Enum)
            read = read_symbols(object, index);
        else
            read = read_size(object, index);
        if (!read) return false;
        path_.pop_back();
        schema_->nodes_[index].meaning = avro_meaning_of(object, type, schema_->nodes_[index].size);
        return true;
    }

    bool read_fields(const dom::object& object, const std::string& space, size_t level, uint32_t record) {
        dom::array fields;
        if (object["fields"].get(fields) != simdjson::SUCCESS) return fail("a record has no \"fields\"");
        for (const dom::element& one : fields) {
            std::string_view name;
            dom::element type;
            if (one["name"].get(name) != simdjson::SUCCESS) return fail("a field has no \"name\"");
            path_.emplace_back(name);
            if (one["type"].get(type) != simdjson::SUCCESS) return fail("a field has no \"type\"");
            AvroField field{.name = std::string(name), .aliases = texts_of(one, "aliases")};
            if (!read_type(type, space, level + 1, field.type)) return false;
            dom::element initial;
            field.has_default = one["default"].get(initial) == simdjson::SUCCESS;
            auto& added = schema_->nodes_[record].fields;
            if (field.has_default) defaults_.push_back({record, added.size(), initial});
            added.push_back(std::move(field));
            path_.pop_back();
        }
        std::vector<std::string_view> sorted;
        for (const AvroField& field : schema_->nodes_[record].fields) sorted.push_back(field.name);
        std::sort(sorted.begin(), sorted.end());
        const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
        return twice == sorted.end() || fail("field \"" + shown(*twice) + "\" is there twice");
    }

    bool read_symbols(const dom::object& object, uint32_t index) {
        AvroNode& node = schema_->nodes_[index];
        node.symbols = texts_of(object, "symbols");
        if (node.symbols.empty()) return fail("an enum has no \"symbols\"");
        std::string_view initial;
        if (object["default"].get(initial) != simdjson::SUCCESS) return true;
        const auto found = std::find(node.symbols.begin(), node.symbols.end(), initial);
        if (found != node.symbols.end())
            node.initial_symbol = static_cast<uint32_t>(found - node.symbols.begin());
        return true;
    }

    bool read_size(const dom::object& object, uint32_t index) {
        uint64_t size = 0;
        if (object["size"].get(size) != simdjson::SUCCESS || size > INT32_MAX)
            return fail("a fixed has no \"size\" from 0 to 2147483647");
        schema_->nodes_[index].size = static_cast<uint32_t>(size);
        return true;
    }

    template <class Json>
    std::vector<std::string> texts_of(const Json& json, const char* key) {
        std::vector<std::string> texts;
        dom::array array;
        if (json[key].get(array) != simdjson::SUCCESS) return texts;
        for (const dom::element& one : array) {
            std::string_view text;
            if (one.get(text) == simdjson::SUCCESS && texts.size() < AvroSchema::kMostNodes)
                texts.emplace_back(text);
        }
        return texts;
    }

    // A record that holds itself, by nothing but records, has no end. Whoever walks over the types needs
    // stack.
    bool check_walks() {
        if (!walk({root_}, true)) return false;
        std::vector<uint32_t> all(schema_->nodes_.size());
        std::iota(all.begin(), all.end(), 0);
        return walk(all, false);
    }

    bool walk(const std::vector<uint32_t>& firsts, bool beyond_records) {
        enum State : uint8_t { New, Open, Done };
        std::vector<State> states(schema_->nodes_.size(), New);
        std::vector<std::pair<uint32_t, size_t>> open;  // a type, and the next one in it
        for (uint32_t first : firsts) {
            if (states[first] != New) continue;
            open.emplace_back(first, 0);
            states[first] = Open;
            while (!open.empty()) {
                auto& [index, at] = open.back();
                const AvroNode& node = schema_->nodes_[index];
                const bool record = node.type == AvroType::Record;
                if (at == (record ? node.fields.size() : beyond_records ? node.types.size() : 0)) {
                    states[index] = Done;
                    open.pop_back();
                    continue;
                }
                const uint32_t next = record ? node.fields[at].type : node.types[at];
                ++at;
                if (states[next] == Open && !beyond_records)
                    return fail("record \"" + shown(schema_->nodes_[next].name) + "\" contains itself");
                if (states[next] != New) continue;
                if (beyond_records && open.size() == AvroSchema::kMostChained)
                    return fail("its types lead deeper than " + std::to_string(open.size()) + " levels");
                states[next] = Open;
                open.emplace_back(next, 0);
            }
        }
        return true;
    }

    std::shared_ptr<AvroSchema> schema_;
    std::unordered_map<std::string, uint32_t> names_;
    std::vector<std::unique_ptr<dom::parser>> parsers_;  // which own what defaults point to
    std::vector<Default> defaults_;
    std::vector<std::string> path_;
    std::string where_;
    std::optional<Error> error_;
    uint32_t root_ = 0;
};

Result<SharedAvroSchema> AvroSchema::parse(const SchemaText& text) { return AvroParser().run(text); }

}  // namespace sluice
