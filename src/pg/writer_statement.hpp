// Gear 2: maps a batch's rows by SQL over the source, folds them by key, and applies them by SQL to the
// target. Must not know offsets or rejects. Owns its statements; everything else lives for one batch.
#pragma once

#include "pg/apply_statements.hpp"
#include "pg/cached_statement.hpp"
#include "pg/sink.hpp"

namespace sluice {

class StatementWriter : public Sink {
  public:
    explicit StatementWriter(const ResolvedJob& job);
    void write(BatchReader& reader) override;
    std::vector<std::string> explain() override;

  private:
    struct Events;

    void insert(BatchReader& reader);
    void merge(BatchReader& reader);
    void run_map(BatchReader& reader, DestReceiver* receiver);
    // Applies all rounds, a second time when another session has inserted the same key in between.
    void apply(Events& events);
    void apply_once(Events& events);
    void apply_round(Events& events, RowRelation& operations, const Round& round);

    ResolvedJob job_;
    CachedStatement map_;
    ApplyStatements apply_;
    bool maps_row_by_row_ = false;
};

}  // namespace sluice
