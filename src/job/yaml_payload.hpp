// Reads VALUE, KEY and META of a YAML job: formats, their options and columns.
// Must not know the rest of the document.
// Everything is returned by value; errors go to the reader.
#pragma once

#include "job/yaml.hpp"
#include "job/words.hpp"
#include "job/yaml_reader.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

class YamlPayloadReader {
  public:
    explicit YamlPayloadReader(YamlReader& reader) : reader_(reader) {}

    std::optional<YamlPayload> read_payload(const YamlItem& item, Origin part);
    std::vector<YamlMetaColumn> read_meta(const YamlItem& item);

  private:
    struct Column {
        YamlColumn column;
        YamlItem metadata;
        YamlItem header;
        YamlItem at;
    };

    std::vector<Column> read_columns(const YamlItem& part, KnownKeys keys);
    Column read_column(const YamlItem& item, KnownKeys keys);
    DelimitedOptions read_options(const YamlItem& item);
    void read_named_options(const YamlItem& item, KnownKeys keys, FormatSpec& format);
    template <class E, size_t N>
    std::optional<E> read_word(const YamlItem& map, std::string_view key, const Word<E> (&table)[N]);
    std::optional<std::string> read_option(const YamlItem& map, std::string_view key);
    void check_payload(const YamlItem& item, const YamlPayload& payload, Origin part);

    YamlReader& reader_;
    std::map<std::string, std::string> names_;  // columns of all parts, and where they stand
};

}  // namespace sluice
