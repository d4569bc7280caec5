#include "format/json_plan.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice {

namespace {

template <class Word>
uint64_t load(const char* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// First and last bytes tell most names apart. Messages cannot make it slow: only columns are in the table.
size_t hash_of(std::string_view name) {
    const char* const first = name.data();
    const char* const last = first + name.size();
    uint64_t a = 0, b = 0;
    if (name.size() >= 8) {
        a = load<uint64_t>(first);
        b = load<uint64_t>(last - 8);
    } else if (name.size() >= 4) {
        a = load<uint32_t>(first);
        b = load<uint32_t>(last - 4);
    } else if (!name.empty()) {
        a = static_cast<uint8_t>(first[0]);
        b = static_cast<uint8_t>(first[name.size() / 2]) << 8 | static_cast<uint8_t>(last[-1]);
    }
    const uint64_t mixed = (a ^ (b << 29 | b >> 35) ^ name.size()) * 0x9E3779B97F4A7C15u;
    return static_cast<size_t>(mixed ^ mixed >> 32);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void fold(std::string_view name, char* out) { std::transform(name.begin(), name.end(), out, lower); }

}  // namespace

uint32_t JsonMembers::find(std::string_view name) const {
    if (name.size() > longest_) return kNone;
    return ignore_case_ ? find_folded(name) : look_up(name);
}

uint32_t JsonMembers::find_folded(std::string_view name) const {
    std::array<char, 256> small;
    if (name.size() <= small.size()) {
        fold(name, small.data());
        return look_up({small.data(), name.size()});
    }
    std::string folded(name);
    fold(name, folded.data());
    return look_up(folded);
}

uint32_t JsonMembers::look_up(std::string_view name) const {
    if (slots_.empty()) return kNone;
    for (size_t at = hash_of(name);; ++at) {
        const Slot& slot = slots_[at & (slots_.size() - 1)];
        if (slot.node == kNone || slot.name == name) return slot.node;
    }
}

void JsonMembers::add(std::string_view name, uint32_t node) {
    std::string key(name);
    if (ignore_case_) fold(name, key.data());
    if (2 * (count_ + 1) > slots_.size()) {
        std::vector<Slot> before(std::max<size_t>(4, 2 * slots_.size()));
        before.swap(slots_);
        for (const Slot& slot : before)
            if (slot.node != kNone) place(slot.name, slot.node);
    }
    place(key, node);
    ++count_;
    longest_ = std::max(longest_, key.size());
}

void JsonMembers::place(std::string_view name, uint32_t node) {
    size_t at = hash_of(name);
    while (slots_[at & (slots_.size() - 1)].node != kNone) ++at;
    slots_[at & (slots_.size() - 1)] = {std::string(name), node};
}

void JsonMemberOrder::note(size_t place, std::string_view name, uint32_t node) {
    if (place >= kMostMembers || name.size() > kLongestName) return;
    if (place >= members_.size()) members_.resize(place + 1);
    members_[place].quoted.assign(name).push_back('"');
    members_[place].node = node;
}

Result<JsonPath> json_path_of(const SourceColumn& column) {
    if (column.field.empty()) return JsonPath{JsonStep::member(column.name)};
    Result<JsonPath> path = parse_json_path(column.field);
    if (!path) path.error().column_name = column.name;
    return path;
}

Result<JsonPlan> JsonPlan::make(const RecordSpec& spec, Origin part) {
    const std::optional<FormatSpec>& format = part == Origin::Key ? spec.key : spec.value;
    JsonPlan plan(format && format->json.ignore_case.value_or(false));
    for (size_t i = 0; i < spec.columns.size(); ++i) {
        const SourceColumn& column = spec.columns[i];
        if (column.origin != part) continue;
        const Result<JsonPath> path = json_path_of(column);
        if (!path) return path.error();
        if (column.wanted)
            plan.add_column({.name = column.name, .cell = i, .shape = column.shape}, path.value());
    }
    return plan;
}

bool JsonPlan::same_name(std::string_view column, std::string_view field) const {
    return std::equal(column.begin(), column.end(), field.begin(), field.end(),
                      [&](char a, char b) { return ignore_case_ ? lower(a) == lower(b) : a == b; });
}

uint32_t JsonPlan::add_node() {
    nodes_.push_back({.members = JsonMembers(ignore_case_), .items = {}, .columns = {}, .below = {}});
    return static_cast<uint32_t>(nodes_.size() - 1);
}

uint32_t JsonPlan::child(uint32_t parent, const JsonStep& step) {
    if (!step.is_item) {
        uint32_t found = nodes_[parent].members.find(step.name);
        if (found == JsonMembers::kNone) {
            found = add_node();
            nodes_[parent].members.add(step.name, found);
        }
        return found;
    }
    const auto by_index = [&](const auto& item) { return item.first == step.index; };
    const auto& items = nodes_[parent].items;
    const auto found = std::find_if(items.begin(), items.end(), by_index);
    if (found != items.end()) return found->second;
    const uint32_t added = add_node();
    auto& extended = nodes_[parent].items;
    extended.emplace_back(step.index, added);
    std::sort(extended.begin(), extended.end());
    return added;
}

void JsonPlan::add_column(JsonColumn column, const JsonPath& path) {
    const auto index = static_cast<uint32_t>(columns_.size());
    uint32_t at = kRoot;
    for (const JsonStep& step : path) {
        nodes_[at].below.push_back(column.cell);
        at = child(at, step);
    }
    nodes_[at].columns.push_back(index);
    column.path = to_text(path);
    if (path.size() == 1 && !path[0].is_item) column.member = path[0].name;
    columns_.push_back(std::move(column));
}

}  // namespace sluice
