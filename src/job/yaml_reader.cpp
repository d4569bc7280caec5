#include "job/yaml_reader.hpp"

#include "job/identifier.hpp"
#include "job/values.hpp"
#include "job/words.hpp"

#include <algorithm>

namespace sluice {

namespace {

YamlItem find(const YamlItem& map, std::string_view key) {
    if (!map || map.node->kind != YamlNode::Kind::Map) return {};
    for (size_t i = 0; i < map.node->keys.size(); ++i)
        if (same_word(map.node->keys[i], key))
            return {&map.node->items[i], yaml_child(map.path, map.node->keys[i]), map.node->key_lines[i]};
    return {};
}

}  // namespace

YamlItem YamlReader::child(const YamlItem& map, std::string_view key) const {
    YamlItem item = find(map, key);
    return item && !item.node->is_null() ? item : YamlItem{};
}

YamlItem YamlReader::child_or_null_word(const YamlItem& map, std::string_view key) const {
    YamlItem item = find(map, key);
    return item && (!item.node->is_null() || same_word(item.node->text, "null")) ? item : YamlItem{};
}

std::vector<YamlItem> YamlReader::children(const YamlItem& item) const {
    std::vector<YamlItem> items;
    if (!item) return items;
    const YamlNode& node = *item.node;
    const bool map = node.kind == YamlNode::Kind::Map;
    for (size_t i = 0; i < node.items.size(); ++i)
        items.push_back({&node.items[i],
                         map ? yaml_child(item.path, clipped(node.keys[i])) : yaml_child(item.path, i + 1),
                         map ? node.key_lines[i] : node.items[i].line});
    return items;
}

bool YamlReader::open(const YamlItem& map, KnownKeys known) {
    if (!map) return false;
    if (map.node->kind != YamlNode::Kind::Map) {
        std::string keys;
        for (std::string_view key : known) keys += (keys.empty() ? "" : ", ") + std::string(key);
        fail(map, "42601", "this must be a map of keys and values", "Keys known here: " + keys + ".");
        return false;
    }
    for (size_t i = 0; i < map.node->keys.size(); ++i) {
        const std::string& key = map.node->keys[i];
        if (std::none_of(known.begin(), known.end(),
                         [&](std::string_view word) { return same_word(word, key); }))
            unknown_.push_back({yaml_child(map.path, clipped(key)), map.node->key_lines[i], key, known});
    }
    return true;
}

std::string YamlReader::text(const YamlItem& item) {
    if (!item) return {};
    if (item.node->kind == YamlNode::Kind::Text) return item.node->text;
    fail(item, "42601",
         std::string("this must be a single value, not a ") +
             (item.node->kind == YamlNode::Kind::List ? "list" : "map"));
    return {};
}

std::string YamlReader::number(const YamlItem& item, int64_t low, int64_t high) {
    const std::string written = text(item);
    const auto number = parse_integer(written);
    if (item && (!number || *number < low || *number > high))
        fail(item, "22023",
             "this must be a whole number between " + std::to_string(low) + " and " + std::to_string(high) +
                 ", not \"" + clipped(written) + "\"");
    return written;
}

std::string YamlReader::identifier(const YamlItem& item) {
    return item ? value(item, parse_identifier(text(item))) : std::string();
}

std::vector<std::string> YamlReader::identifiers(const YamlItem& item) {
    if (!item) return {};
    if (item.node->kind != YamlNode::Kind::List) return value(item, parse_identifiers(text(item)));
    std::vector<std::string> names;
    for (const YamlItem& name : children(item)) names.push_back(identifier(name));
    return names;
}

std::string YamlReader::joined(const YamlItem& item) {
    if (!item || item.node->kind != YamlNode::Kind::List) return text(item);
    std::string all;
    for (const YamlItem& part : children(item)) all += (all.empty() ? "" : ",") + text(part);
    return all;
}

void YamlReader::fail(const YamlItem& at, Error error) {
    if (first_) return;
    error.message = at.place() + ": " + error.message;
    first_ = std::move(error);
}

void YamlReader::fail(const YamlItem& at, std::string sqlstate, std::string message, std::string hint) {
    fail(at, Error::config(std::move(sqlstate), std::move(message), {}, std::move(hint)));
}

void YamlReader::missing(const YamlItem& map, std::string_view key, std::string hint) {
    fail(map, "42601", std::string(key) + " is missing", std::move(hint));
}

std::optional<Error> YamlReader::problem() const {
    constexpr std::string_view kNotSupported = "0A000";
    if (unknown_.empty() || (first_ && first_->sqlstate == kNotSupported)) return first_;
    return unknown_keys();
}

Error YamlReader::unknown_keys() const {
    constexpr size_t kShown = 10;
    std::string message, hint;
    for (size_t i = 0; i < std::min(unknown_.size(), kShown); ++i) {
        const UnknownKey& key = unknown_[i];
        message += (i > 0 ? "; " : "") + yaml_place(key.path, key.line) + ": unknown key";
        std::string near = nearest_hint(key.key, key.known);
        // {TYPE: numeric(10,2)} reads as TYPE: numeric(10 and a key 2)
        if (near.empty() && key.key.ends_with(')')) near = "Quote text with a comma in it: 'numeric(10,2)'.";
        if (near.empty()) continue;
        if (!hint.empty()) hint += "\n";
        hint += (unknown_.size() > 1 ? key.path + ": " : "") + near;
    }
    if (unknown_.size() > kShown) message += "; and " + std::to_string(unknown_.size() - kShown) + " more";
    std::string detail = "Keys known " + (unknown_.size() > 1 ? "beside " + unknown_[0].path : "here") + ": ";
    for (size_t i = 0; i < unknown_[0].known.size(); ++i)
        detail += (i > 0 ? ", " : "") + std::string(unknown_[0].known[i]);
    return Error::config("42601", std::move(message), detail + ".", std::move(hint));
}

}  // namespace sluice
