// A YAML document as a tree of text, lists and maps, every node with its line; hostile documents are refused
// early. Must not know what the keys mean. The tree owns its text.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct YamlNode {
    enum class Kind { Text, List, Map };

    Kind kind = Kind::Text;
    int line = 0;                   // from 1
    std::string text;               // of a Text
    bool plain = false;             // a Text without quotes
    std::vector<YamlNode> items;    // of a List, or the values of a Map
    std::vector<std::string> keys;  // of a Map, as written
    std::vector<int> key_lines;

    // Nothing written, ~ or null: the same as a key that is absent.
    bool is_null() const;
};

// Where a node stands, for errors: `KAFKA.OUTPUT.MODE (line 23)`; the root is `document (line 1)`.
std::string yaml_place(std::string_view path, int line);

// The path of a child. Items of a list are counted from 1.
std::string yaml_child(std::string_view path, std::string_view key);
std::string yaml_child(std::string_view path, size_t item);

// Refuses what a job never needs and attackers do: anchors, aliases, tags, duplicate keys (upper and lower
// case being equal), more than 16 levels, more than 1 MB, NUL, invalid UTF-8, several documents. The root is
// a Map.
Result<YamlNode> parse_yaml_tree(std::string_view document);

}  // namespace sluice
