// Reads the nodes of a YAML tree as texts, names and maps of known keys, and words their errors with path and
// line. Must not know what a job is. Points into the tree, which must outlive it.
#pragma once

#include "base/result.hpp"
#include "job/yaml_tree.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// A node and where it stands; without a node it is absent.
struct YamlItem {
    const YamlNode* node = nullptr;
    std::string path;
    int line = 0;  // of the key, or of the item of a list

    explicit operator bool() const { return node != nullptr; }
    std::string place() const { return yaml_place(path, line); }
};

using KnownKeys = std::span<const std::string_view>;

// Keeps the first error and goes on, so that its callers read straight on; what is read after an error means
// nothing.
class YamlReader {
  public:
    explicit YamlReader(const YamlNode& root) : root_(root) {}

    YamlItem root() const { return {&root_, {}, root_.line}; }

    // The value of a key in any case; absent when it is not there or null.
    YamlItem child(const YamlItem& map, std::string_view key) const;
    // The same where the plain word null is text, as in SQL.
    YamlItem child_or_null_word(const YamlItem& map, std::string_view key) const;
    // All items of a list, or all values of a map.
    std::vector<YamlItem> children(const YamlItem& item) const;

    // False when the item is absent or no map. Notes the keys that are not known.
    bool open(const YamlItem& map, KnownKeys known);

    std::string text(const YamlItem& item);
    // A number in a range.
    std::string number(const YamlItem& item, int64_t low, int64_t high);
    std::string identifier(const YamlItem& item);
    // A list of names, or one text of names with commas between them.
    std::vector<std::string> identifiers(const YamlItem& item);
    // The texts of a list with commas between them, or one text.
    std::string joined(const YamlItem& item);

    void fail(const YamlItem& at, Error error);
    void fail(const YamlItem& at, std::string sqlstate, std::string message, std::string hint = {});
    void missing(const YamlItem& map, std::string_view key, std::string hint = {});

    // The value of a result, or the default after its error is kept as the error of `at`.
    template <class T>
    T value(const YamlItem& at, Result<T> result) {
        if (result) return std::move(result).value();
        fail(at, std::move(result.error()));
        return T{};
    }

    // What is wrong with the document. Unknown keys come first: what they were meant to say is missing
    // elsewhere. But a feature that does not exist yet has keys that are unknown too.
    std::optional<Error> problem() const;

  private:
    struct UnknownKey {
        std::string path;
        int line;
        std::string key;
        KnownKeys known;
    };
    Error unknown_keys() const;

    const YamlNode& root_;
    std::optional<Error> first_;
    std::vector<UnknownKey> unknown_;
};

}  // namespace sluice
