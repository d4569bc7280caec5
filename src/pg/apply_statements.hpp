// The statements that write the rows of sluice_batch to the target, and what became of each row.
// Must not know the source, nor how rows became operations.
// Owns its statements, which are planned at their first run; borrows the job.
#pragma once

#include "job/statement.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/cached_statement.hpp"
#include "pg/key_fold.hpp"
#include "pg/resolved_job.hpp"
#include "pg/row_outcomes.hpp"
#include "pg/row_relation.hpp"

namespace sluice {

class ApplyStatements {
  public:
    explicit ApplyStatements(const ResolvedJob& job);

    // Insert mode. Rows that are not inserted keep their outcome.
    void insert(RowRelation& rows, RowOutcomes& outcomes);

    // Update and merge mode, round by round. The outcome of each operation must be Unmatched before. A
    // partial operation stays so when its row is not there.
    bool needs_locks(const Round& round, bool has_more_rounds) const;
    void lock(RowRelation& operations);
    void apply(RowRelation& operations, const Round& round, RowOutcomes& outcomes,
               const AbsentValues& absent);

    // Each statement that may run.
    std::vector<std::string> explain(RowRelation& empty);

  private:
    // Of one kind of operations, of which there are `count`.
    struct Task {
        RowRelation& operations;
        RowOutcomes& outcomes;
        int64_t count;
    };

    // In apply_partials.cpp: operations whose events do not tell all columns, by the set that they tell.
    struct PartialRow;
    void apply_partials(RowRelation& operations, const Round& round, RowOutcomes& outcomes,
                        const AbsentValues& absent);
    void apply_set(const Task& task, CachedStatement* update);
    CachedStatement* partial_update(const std::vector<AttrNumber>& absent);
    void explain_partials(RowRelation& empty, std::vector<std::string>& texts);

    void apply_whole(RowRelation& operations, const Round& round, RowOutcomes& outcomes);
    void apply_deletes(const Task& task);
    void apply_updates(const Task& task);
    void apply_upserts(const Task& task);
    void apply_inserts(const Task& task);
    // Where ON CONFLICT cannot be used.
    void update_then_insert(const Task& task);
    static void update_rows_inserted_since(CachedStatement& update, const Task& task, Outcome present);
    // Those that are Unmatched.
    void insert_absent(const Task& task, Operations kind);

    // The operations that the statement returns become `outcome` if they were Unmatched. Returns their
    // number.
    static int64_t mark(CachedStatement& statement, const Task& task, Outcome outcome);
    // The rows that it inserts, or updates on conflict. Returns their number.
    static int64_t mark_inserted(CachedStatement& statement, RowRelation& rows, RowOutcomes& outcomes);
    static void open_with(RowRelation& rows, const Task& task, Operations kind, Outcome outcome);
    // The operations that are still Unmatched become `outcome`.
    static void settle(const Task& task, Operations kind, Outcome outcome);

    const ResolvedJob& job_;
    CachedStatement::Joins joins_;
    bool is_guarded_;
    std::optional<CachedStatement> insert_;
    std::optional<CachedStatement> lock_;
    std::optional<CachedStatement> delete_;
    std::optional<CachedStatement> find_deletes_;
    std::optional<CachedStatement> update_;
    std::optional<CachedStatement> upsert_;
    std::optional<CachedStatement> find_upserts_;
    std::optional<CachedStatement> find_inserts_;
    std::optional<CachedStatement> insert_only_;
    std::optional<CachedStatement> find_partials_;
    // By the columns of the source that are absent; nothing where no column is left to update.
    std::map<std::vector<AttrNumber>, std::optional<CachedStatement>> partial_updates_;
};

}  // namespace sluice
