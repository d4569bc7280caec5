#include "pg/yaml_places.hpp"

#include "pg/airlock.hpp"

namespace sluice {

namespace {

Error headed(const YamlItem& item, Error error) {
    error.message = item.place() + ": " + error.message;
    return error;
}

}  // namespace

YamlPlaces::YamlPlaces(std::string_view document)
    : root_(value_or_fail(parse_yaml_tree(document))), reader_(root_) {}

YamlItem YamlPlaces::find(std::initializer_list<std::string_view> path) const {
    // What stands inside a section may also be one of its own: SERVER.
    for (const auto* first : {path.begin(), path.end() - 1})
        for (YamlItem at : {reader_.child(reader_.root(), "KAFKA"), reader_.root()}) {
            for (const auto* key = first; key != path.end(); ++key) at = reader_.child(at, *key);
            if (at) return at;
        }
    return reader_.root();
}

Error YamlPlaces::at(std::initializer_list<std::string_view> path, Error error) const {
    return headed(find(path), std::move(error));
}

Error YamlPlaces::at_type(std::string_view part, size_t column, Error error) const {
    const YamlItem item = reader_.children(find({"INPUT", part, "COLUMNS"})).at(column);
    const YamlItem type = reader_.child(item, "TYPE");
    // Columns may also be written as a map of name and type.
    return headed(type ? type : item, std::move(error));
}

}  // namespace sluice
