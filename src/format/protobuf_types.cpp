#include "format/protobuf_types.hpp"

#include "base/nearest.hpp"

#include <algorithm>

namespace sluice {

namespace {

constexpr uint32_t kMostDense = 256;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_but_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

std::string quoted_list(const std::vector<std::string>& names) {
    constexpr size_t kMost = 10;
    std::string list;
    for (size_t i = 0; i < std::min(names.size(), kMost); ++i) list += (i ? ", \"" : "\"") + names[i] + "\"";
    return names.size() > kMost ? list + " and others" : list;
}

}  // namespace

void ProtobufNumbers::add(uint32_t number, uint32_t position) {
    if (number < kMostDense) {
        if (number >= dense_.size()) dense_.resize(number + 1, kNone);
        dense_[number] = position;
        return;
    }
    const std::pair entry{number, position};
    sparse_.insert(std::upper_bound(sparse_.begin(), sparse_.end(), entry), entry);
}

uint32_t ProtobufNumbers::find_sparse(uint32_t number) const {
    const auto found = std::lower_bound(sparse_.begin(), sparse_.end(), std::pair{number, uint32_t{0}});
    return found != sparse_.end() && found->first == number ? found->second : kNone;
}

std::string_view ProtobufEnum::quoted(int32_t number) const {
    const auto found = std::lower_bound(values.begin(), values.end(), number,
                                        [](const auto& value, int32_t n) { return value.first < n; });
    return found != values.end() && found->first == number ? std::string_view(found->second)
                                                           : std::string_view();
}

const ProtobufField* ProtobufMessage::find(std::string_view field, bool ignore_case) const {
    for (const ProtobufField& one : fields)
        if (one.name == field) return &one;
    if (!ignore_case) return nullptr;
    for (const ProtobufField& one : fields)
        if (same_but_case(one.name, field)) return &one;
    return nullptr;
}

const ProtobufMessage* ProtobufTypes::find(std::string_view full_name) const {
    const auto found = by_name.find(full_name);
    return found == by_name.end() ? nullptr : found->second;
}

Result<const ProtobufMessage*> ProtobufTypes::named(const std::string& name) const {
    if (const ProtobufMessage* message = find(name)) return message;
    std::vector<std::string> ending;
    std::vector<std::string_view> known;
    for (const ProtobufMessage& message : messages) {
        if (message.is_entry) continue;
        if (message.name.ends_with("." + name)) ending.push_back(message.name);
        known.push_back(message.name);
    }
    if (ending.size() == 1) return find(ending.front());
    if (!ending.empty())
        return Error::config("42725", schema + " has several message types \"" + name + "\"", {},
                             "Name one in full: " + quoted_list(ending) + ".");
    std::string guess = nearest(name, known);
    // A person who writes the last part alone may have misspelt that.
    std::vector<std::string> parts;
    for (const ProtobufMessage& message : messages) parts.push_back(last_part(message.name));
    if (guess.empty()) guess = nearest(name, std::vector<std::string_view>(parts.begin(), parts.end()));
    return Error::config("42704", schema + " has no message type \"" + name + "\"", {},
                         guess.empty() ? std::string() : "Perhaps you meant \"" + guess + "\".");
}

Result<const ProtobufMessage*> ProtobufTypes::only() const {
    if (main.size() == 1) return main.front();
    if (main.empty()) return Error::config("22023", schema + " declares no message type");
    std::vector<std::string> names;
    for (const ProtobufMessage* message : main) names.push_back(message->name);
    return Error::config("22023", schema + " declares several message types",
                         "They are " + quoted_list(names) + ".", "Set option \"message\" to one of them.");
}

const ProtobufMessage* ProtobufTypes::at(std::span<const int32_t> indexes) const {
    const std::vector<const ProtobufMessage*>* among = &main;
    const ProtobufMessage* message = nullptr;
    for (const int32_t index : indexes) {
        if (index < 0 || static_cast<size_t>(index) >= among->size()) return nullptr;
        message = (*among)[static_cast<size_t>(index)];
        among = &message->nested;
    }
    return message;
}

}  // namespace sluice
