// Events as a person writes them, folded by the code under test.
// Must not know what a fold should come to.
// Plain values.
#pragma once

#include "flow/fold.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace sluice {

using Kind = FoldOperation::Kind;

constexpr int kOrderColumns = 2;
using OrderValue = std::optional<int>;  // NULL is lowest, as nullopt is
using OrderValues = std::array<OrderValue, kOrderColumns>;

// Of an event that does not tell the first update column, the second one, and the insert-only column. Any of
// them makes that a row cannot be inserted.
constexpr int kUpdateColumns = 2;
constexpr uint32_t kAbsentSets = 8;

struct Event {
    FoldEvent flags{};
    OrderValues order{};
    size_t number = 0;

    bool partial() const { return !flags.is_delete && flags.absent != 0; }
    bool tells(int column) const { return (flags.absent >> column & 1U) == 0; }
};

inline int compare(const OrderValues& a, const OrderValues& b, int columns) {
    for (int i = 0; i < columns; ++i) {
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

inline void fold(std::span<const Event> events, FoldMode mode, Folded& folded, int* comparisons = nullptr) {
    std::vector<FoldEvent> flags;
    for (const Event& e : events) flags.push_back(e.flags);
    auto order = [&](uint32_t a, uint32_t b) {
        EXPECT_TRUE(events[a].flags.guarded && events[b].flags.guarded);
        if (comparisons) ++*comparisons;
        return compare(events[a].order, events[b].order, kOrderColumns);
    };
    fold_key(flags, mode, order, folded);
}

// No event is in two lists, and none is unchanged that had its update condition fulfilled.
inline bool each_has_one_fate(const Folded& folded, std::span<const Event> events) {
    std::vector<int> fates(events.size());
    for (const FoldOperation& operation : folded.operations) ++fates[operation.event];
    for (const uint32_t i : folded.unchanged)
        fates[i] += events[i].flags.update && !events[i].flags.is_delete ? 2 : 1;
    return std::all_of(fates.begin(), fates.end(), [](int lists) { return lists <= 1; });
}

inline std::string describe(std::span<const Event> events) {
    std::ostringstream out;
    auto show = [&](const OrderValue& v) { v ? out << *v : out << '-'; };
    for (const Event& e : events) {
        out << (e.flags.is_delete ? "D" : e.flags.update ? "U" : "u");
        if (e.flags.guarded) {
            out << '(';
            show(e.order[0]);
            out << ',';
            show(e.order[1]);
            out << ')';
        }
        if (e.partial()) out << '-' << e.flags.absent;
        out << ' ';
    }
    return out.str();
}

}  // namespace sluice
