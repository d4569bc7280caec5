// What became of each row of a slice, and the counts that come of it, which add up because each row has one
// outcome. Must not know messages, statements or why.
// Owns a byte for each row, and keeps its memory from slice to slice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

enum class Outcome : uint8_t {
    Filtered,  // nothing came of it; where every row begins
    Rejected,
    Inserted,
    Updated,
    Written,  // inserted or updated, the server cannot tell
    Deleted,
    Superseded,
    Unchanged,
    Stale,
    Unmatched,
};
inline constexpr size_t kOutcomes = static_cast<size_t>(Outcome::Unmatched) + 1;

constexpr const char* outcome_name(Outcome outcome) {
    constexpr std::array<const char*, kOutcomes> names = {"filtered", "rejected", "inserted",   "updated",
                                                          "written",  "deleted",  "superseded", "unchanged",
                                                          "stale",    "unmatched"};
    return names[static_cast<size_t>(outcome)];
}

struct RowCounts {
    std::array<int64_t, kOutcomes> rows{};

    int64_t operator[](Outcome outcome) const { return rows[static_cast<size_t>(outcome)]; }
    int64_t written() const {
        return (*this)[Outcome::Inserted] + (*this)[Outcome::Updated] + (*this)[Outcome::Written];
    }
    bool split_known() const { return (*this)[Outcome::Written] == 0; }

    // The outcome of one row; "2 inserted, 1 stale" for several, "no rows" for none.
    std::string in_words() const {
        std::string words;
        int64_t all = 0;
        for (size_t i = 0; i < kOutcomes; ++i) all += rows[i];
        for (size_t i = 0; i < kOutcomes; ++i) {
            if (rows[i] == 0) continue;
            if (!words.empty()) words += ", ";
            if (all > 1) words += std::to_string(rows[i]) + " ";
            words += outcome_name(static_cast<Outcome>(i));
        }
        return words.empty() ? "no rows" : words;
    }
};

class RowOutcomes {
  public:
    void clear() { outcomes_.clear(); }
    void add(Outcome outcome) { outcomes_.push_back(outcome); }
    size_t size() const { return outcomes_.size(); }

    // Plain C, for the inside of `call`.
    Outcome at(size_t row) const { return outcomes_[row]; }
    void set(size_t row, Outcome outcome) { outcomes_[row] = outcome; }

    RowCounts count(size_t first, size_t rows) const {
        RowCounts counts;
        for (size_t i = first; i < first + rows; ++i) ++counts.rows[static_cast<size_t>(outcomes_[i])];
        return counts;
    }

  private:
    std::vector<Outcome> outcomes_;
};

}  // namespace sluice
