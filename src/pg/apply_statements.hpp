// The statements that write the rows of sluice_batch to the target, and the account of what became of each.
// Must not know the source, nor how rows became operations.
// Owns its statements, which are planned at their first run; borrows the job.
#pragma once

#include "job/statement.hpp"

#include <optional>
#include <string>
#include <vector>

#include "pg/cached_statement.hpp"
#include "pg/key_fold.hpp"
#include "pg/resolved_job.hpp"
#include "pg/row_relation.hpp"
#include "pg/sink.hpp"

namespace sluice {

class ApplyStatements {
  public:
    explicit ApplyStatements(const ResolvedJob& job);

    // Insert mode.
    void insert(RowRelation& rows, RowCounts& counts);

    // Update and merge mode: first `begin` with the number of messages, then the rounds.
    void begin(size_t messages);
    bool needs_locks(const Round& round, bool has_more_rounds) const;
    void lock(RowRelation& operations);
    void apply(RowRelation& operations, const Round& round, RowCounts& counts);

    // Each statement that may run.
    std::vector<std::string> explain(RowRelation& empty);

  private:
    void apply_deletes(RowRelation& operations, int64_t count, RowCounts& counts);
    void apply_updates(RowRelation& operations, int64_t count, RowCounts& counts);
    void apply_upserts(RowRelation& operations, int64_t count, RowCounts& counts);
    void apply_inserts(RowRelation& operations, int64_t count, RowCounts& counts);
    // Operations whose position the statement returns, and no statement has returned before.
    int64_t run_marking(CachedStatement& statement, RowRelation& operations);

    const ResolvedJob& job_;
    bool is_guarded_;
    std::optional<CachedStatement> insert_;
    std::optional<CachedStatement> lock_;
    std::optional<CachedStatement> delete_;
    std::optional<CachedStatement> find_deletes_;
    std::optional<CachedStatement> update_;
    std::optional<CachedStatement> find_upserts_;
    std::optional<CachedStatement> upsert_;
    std::optional<CachedStatement> insert_upserts_;
    std::optional<CachedStatement> insert_only_;
    std::vector<uint8_t> marks_;  // by position
};

}  // namespace sluice
