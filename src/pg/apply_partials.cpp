// What ApplyStatements does with operations whose events do not tell all columns. They can only update a row
// that is there, and each set of columns needs a statement of its own: a column that is not touched runs no
// trigger, needs no privilege, and is not written again.
#include <algorithm>
#include <utility>

#include "pg/apply_statements.hpp"
#include "pg/statement_shape.hpp"

namespace sluice {

namespace {

// Sets of columns come from the messages, and a plan takes memory.
constexpr size_t kMostStatements = 32;

bool is_absent(const MappedTarget& column, const std::vector<AttrNumber>& absent) {
    return std::any_of(column.source_columns.begin(), column.source_columns.end(), [&](AttrNumber used) {
        return std::binary_search(absent.begin(), absent.end(), used);
    });
}

ApplyShape shape_without(const ResolvedJob& job, const std::vector<AttrNumber>& absent) {
    ApplyShape shape = apply_shape(job);
    size_t at = 0;
    for (const MappedTarget& column : job.columns) {
        if (column.attnum == 0) continue;
        if (is_absent(column, absent)) shape.columns[at].update = false;
        ++at;
    }
    return shape;
}

}  // namespace

struct ApplyStatements::PartialRow {
    uint32_t set;
    MinimalTuple tuple;
};

void ApplyStatements::apply_partials(RowRelation& operations, const Round& round, RowOutcomes& outcomes,
                                     const AbsentValues& absent) {
    std::vector<PartialRow> partials;
    partials.reserve(static_cast<size_t>(round.partials));
    RowRelation rows;
    call([&] {
        rows.open(operations.shape());
        operations.visit([&](TupleTableSlot* slot) {
            if (is_partial(slot, absent)) {
                partials.push_back(
                    {absent.set_of(row_number(slot)), ExecCopySlotMinimalTuple(slot)});  // within capacity
            } else {
                rows.put(slot);
            }
        });
    });
    apply_whole(rows, round, outcomes);

    std::stable_sort(partials.begin(), partials.end(),
                     [](const PartialRow& a, const PartialRow& b) { return a.set < b.set; });
    for (size_t next = 0; next < partials.size();) {
        const uint32_t set = partials[next].set;
        call([&] {
            rows.clear();
            for (; next < partials.size() && partials[next].set == set; ++next) {
                rows.put(partials[next].tuple);
                pfree(partials[next].tuple);
            }
        });
        apply_set({rows, outcomes, rows.size()}, partial_update(absent.columns(set)));
    }
    call([&] { rows.close(); });
}

// All of the task are of one set of columns. `update` is nothing where they have nothing to write.
void ApplyStatements::apply_set(const Task& task, CachedStatement* update) {
    const int64_t updated = update == nullptr ? 0 : mark(*update, task, Outcome::Updated);
    if (updated == task.count) return;
    const Outcome present = is_guarded_ ? Outcome::Stale : Outcome::Unchanged;
    const int64_t found = mark(*find_partials_, task, present);
    if (found == 0) return;
    if (update != nullptr && !job_.lock_target) update_rows_inserted_since(*update, task, present);
    call([&] {
        task.operations.visit([&](TupleTableSlot* slot) {
            bool null;
            const size_t row = row_number(slot);
            if (task.outcomes.at(row) == Outcome::Stale &&
                !DatumGetBool(slot_getattr(slot, kEventUpdate, &null)))
                task.outcomes.set(row, Outcome::Unchanged);
        });
    });
}

CachedStatement* ApplyStatements::partial_update(const std::vector<AttrNumber>& absent) {
    auto found = partial_updates_.find(absent);
    if (found == partial_updates_.end()) {
        if (partial_updates_.size() >= kMostStatements) partial_updates_.clear();
        const ApplyShape shape = shape_without(job_, absent);
        std::string sql = shape.updates() ? update_rows(shape) : std::string();
        found = partial_updates_.try_emplace(absent).first;
        if (!sql.empty()) found->second.emplace(std::move(sql), joins_);
    }
    return found->second ? &*found->second : nullptr;
}

// One of them, for an event that does not tell the first column that it need not tell.
void ApplyStatements::explain_partials(RowRelation& empty, std::vector<std::string>& texts) {
    if (!find_partials_) return;
    const auto column = std::find_if(job_.columns.begin(), job_.columns.end(),
                                     [](const MappedTarget& c) { return c.may_be_absent && c.is_update; });
    if (column != job_.columns.end())
        if (CachedStatement* update = partial_update(column->source_columns))
            texts.push_back(update->explain(empty.environment()));
    texts.push_back(find_partials_->explain(empty.environment()));
}

}  // namespace sluice
