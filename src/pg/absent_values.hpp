// The values that the events of a batch do not tell: columns of the source, by row.
// Must not know formats, statements, nor what becomes of such an event.
// Owns its sets of columns, whose numbers are valid until `clear`.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

struct ResolvedJob;

// A column of the source that every event must tell, and what cannot do without it: `filter`.
struct NeededColumn {
    AttrNumber attnum = 0;
    std::string user;
};

// Which columns of the source an event need not tell, so that a stored row keeps what it has.
struct AbsentRules {
    bool accepted = false;             // some may be absent
    std::vector<NeededColumn> needed;  // not these
};

class AbsentValues {
  public:
    void clear();
    // A column of the row at hand, in ascending order; then which row it was, in ascending order, too.
    void add(AttrNumber column) { columns_.push_back(column); }
    void end_row(size_t row);

    // The rest is plain C, for the inside of `call`.

    bool empty() const { return rows_.empty(); }
    // The number of the set of columns that the row does not tell; 0: it tells all.
    uint32_t set_of(size_t row) const;
    const std::vector<AttrNumber>& columns(uint32_t set) const { return *sets_[set - 1]; }
    // Whether one of these, which are sorted, is in the set.
    bool touches(uint32_t set, std::span<const AttrNumber> columns) const;

  private:
    struct AbsentRow {
        uint32_t row;
        uint32_t set;
    };

    std::vector<AbsentRow> rows_;  // ascending; few have absent values
    std::map<std::vector<AttrNumber>, uint32_t> numbers_;
    std::vector<const std::vector<AttrNumber>*> sets_;  // keys of `numbers_`
    std::vector<AttrNumber> columns_;                   // of the row at hand
};

// Why the column must not be absent. Without rules none may: the source is read by a statement of a person.
std::optional<Error> check_absent(const AbsentRules* rules, const FormData_pg_attribute& column);

// For an event that does not tell the job's columns in the set, and so cannot make the row that is not there.
Error missing_row(const ResolvedJob& job, const AbsentValues& absent, uint32_t set);

}  // namespace sluice
