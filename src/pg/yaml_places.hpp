// Where the parts of a YAML document stand, for problems that only the catalog can tell.
// Must not know what they mean.
// Owns the tree of the document; errors are returned by value.
#pragma once

#include "job/yaml_reader.hpp"
#include "job/yaml_tree.hpp"

#include <initializer_list>
#include <string_view>

namespace sluice {

class YamlPlaces {
  public:
    // Of a document that has been read without an error.
    explicit YamlPlaces(std::string_view document);
    YamlPlaces(const YamlPlaces&) = delete;
    YamlPlaces& operator=(const YamlPlaces&) = delete;

    // The error, headed by the place of a key; sections are looked for below KAFKA and beside it.
    Error at(std::initializer_list<std::string_view> path, Error error) const;
    // The same for the type of a column of VALUE, KEY or META, counted from 0.
    Error at_type(std::string_view part, size_t column, Error error) const;

  private:
    YamlItem find(std::initializer_list<std::string_view> path) const;

    YamlNode root_;
    YamlReader reader_;
};

}  // namespace sluice
