// Which columns stand at which paths of a structured value, as a tree that is walked beside the value.
// Must not know the bytes of a message.
// Owns its names. Immutable once built, but for the order of members that it has seen last: a plan belongs to
// one thread.
#pragma once

#include "base/result.hpp"
#include "format/format_spec.hpp"
#include "format/json_path.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// The names of an object's members that lead to columns.
class JsonMembers {
  public:
    static constexpr uint32_t kNone = ~uint32_t{0};

    explicit JsonMembers(bool ignore_case) : ignore_case_(ignore_case) {}

    // The node of the member; kNone when no column needs it.
    uint32_t find(std::string_view name) const;
    // Names are added before the first find.
    void add(std::string_view name, uint32_t node);
    bool empty() const { return count_ == 0; }
    // Calls with the node of each.
    template <class Call>
    void each(const Call& call) const {
        for (const Slot& slot : slots_)
            if (slot.node != kNone) call(slot.node);
    }

  private:
    struct Slot {
        std::string name;
        uint32_t node = kNone;
    };

    uint32_t find_folded(std::string_view name) const;
    uint32_t look_up(std::string_view name) const;
    void place(std::string_view name, uint32_t node);

    std::vector<Slot> slots_;  // a power of two of them, at most half are taken
    size_t count_ = 0;
    size_t longest_ = 0;
    bool ignore_case_;
};

// In which order the members of an object came the last time: producers hardly ever change it, and to compare
// a name with the one that is expected costs less than to look it up.
class JsonMemberOrder {
  public:
    struct Member {
        std::string quoted;  // the name, without escapes, and the closing quote; empty: not known
        uint32_t node = JsonMembers::kNone;
    };

    const Member* at(size_t place) const { return place < members_.size() ? &members_[place] : nullptr; }
    void note(size_t place, std::string_view name, uint32_t node);

  private:
    // An object with more members or longer names is looked up.
    static constexpr size_t kMostMembers = 256, kLongestName = 100;

    std::vector<Member> members_;
};

struct JsonColumn {
    std::string name{};
    std::string path{};
    std::string member{};  // when the path is one name
    size_t cell = 0;
    ColumnShape shape = ColumnShape::Scalar;
    std::optional<TimestampUnit> unit{};  // known for this column, whatever the options say
};

struct JsonNode {
    JsonMembers members;
    std::vector<std::pair<uint32_t, uint32_t>> items;  // index, node; ascending
    std::vector<uint32_t> columns;                     // that take the value itself
    std::vector<size_t> below;                         // cells of those that take something inside it
    mutable JsonMemberOrder order{};

    bool is_leaf() const { return members.empty() && items.empty(); }
};

// Where a column's value is. A column without a field has the one of its name.
Result<JsonPath> json_path_of(const SourceColumn& column);

class JsonPlan {
  public:
    static constexpr uint32_t kRoot = 0;

    // For the wanted columns of `part`.
    static Result<JsonPlan> make(const RecordSpec& spec, Origin part);

    explicit JsonPlan(bool ignore_case) : ignore_case_(ignore_case) { add_node(); }
    void add_column(JsonColumn column, const JsonPath& path);

    // Whether a field's name is a column's; by the rule of ignore_case.
    bool same_name(std::string_view column, std::string_view field) const;

    const JsonNode& node(uint32_t index) const { return nodes_[index]; }
    const std::vector<JsonColumn>& columns() const { return columns_; }

  private:
    uint32_t add_node();
    uint32_t child(uint32_t parent, const JsonStep& step);

    std::vector<JsonNode> nodes_;
    std::vector<JsonColumn> columns_;
    bool ignore_case_;
};

}  // namespace sluice
