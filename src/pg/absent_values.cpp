#include "pg/absent_values.hpp"

#include <algorithm>

#include "pg/resolved_job.hpp"

namespace sluice {

namespace {

constexpr const char* kUntouched =
    "The row was updated without touching this large value, and the event does not have it.";
constexpr const char* kFull = "Set REPLICA IDENTITY FULL on the table that the event comes from";

}  // namespace

void AbsentValues::clear() {
    rows_.clear();
    numbers_.clear();
    sets_.clear();
    columns_.clear();
}

void AbsentValues::end_row(size_t row) {
    if (columns_.empty()) return;
    const auto [set, is_new] = numbers_.try_emplace(columns_, static_cast<uint32_t>(sets_.size() + 1));
    if (is_new) sets_.push_back(&set->first);
    rows_.push_back({static_cast<uint32_t>(row), set->second});
    columns_.clear();
}

uint32_t AbsentValues::set_of(size_t row) const {
    const auto found = std::lower_bound(rows_.begin(), rows_.end(), row,
                                        [](const AbsentRow& absent, size_t at) { return absent.row < at; });
    return found == rows_.end() || found->row != row ? 0 : found->set;
}

bool AbsentValues::touches(uint32_t set, std::span<const AttrNumber> columns) const {
    const std::vector<AttrNumber>& absent = this->columns(set);
    return std::any_of(absent.begin(), absent.end(), [&](AttrNumber column) {
        return std::binary_search(columns.begin(), columns.end(), column);
    });
}

std::optional<Error> check_absent(const AbsentRules* rules, const FormData_pg_attribute& column) {
    const std::string name = NameStr(column.attname);
    std::string detail = kUntouched;
    std::string hint = kFull;
    if (rules == nullptr) {
        hint += ". A job in mode merge or update leaves such a column as it is.";
    } else if (!rules->accepted) {
        hint +=
            ", leave the column out of the job, or use mode merge or update, which leaves such a column as "
            "it "
            "is.";
    } else {
        const auto needed =
            std::find_if(rules->needed.begin(), rules->needed.end(),
                         [&](const NeededColumn& known) { return known.attnum == column.attnum; });
        if (needed == rules->needed.end()) return std::nullopt;
        detail += " It is needed by " + needed->user + ".";
        hint += ", or do without the column there.";
    }
    Error error = Error::data("0A000", "column \"" + name + "\" is unavailable in the event",
                              std::move(detail), std::move(hint));
    error.column_name = name;
    return error;
}

Error missing_row(const ResolvedJob& job, const AbsentValues& absent, uint32_t set) {
    std::string names;
    std::string first;
    const char* columns = "column ";
    for (const MappedTarget& column : job.columns) {
        if (!absent.touches(set, column.source_columns)) continue;
        if (!first.empty()) columns = "columns ";
        if (first.empty()) first = column.name;
        names += (names.empty() ? "" : ", ") + ("\"" + column.name + "\"");
    }
    Error error = Error::data(
        "P0002", "the row is not in the target, and the event does not tell " + (columns + names),
        "It is an update that did not touch this large value, so no row can be made of it.",
        "Let the job read a snapshot of the table that the event comes from first, or set REPLICA "
        "IDENTITY FULL on it. When the row is there the message can be replayed.");
    error.stage = Stage::Write;
    error.column_name = first;
    return error;
}

}  // namespace sluice
