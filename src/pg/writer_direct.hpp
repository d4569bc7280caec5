// Gear 1: plans an INSERT … SELECT over the source and puts the rows of its SELECT straight into the table.
// Must not know how rows are inserted (MultiInsert), offsets or rejects.
// Owns its statement; everything else lives for one batch.
#pragma once

#include "pg/cached_statement.hpp"
#include "pg/sink.hpp"

namespace sluice {

// PostgreSQL plans the INSERT, so that defaults, casts by assignment, identity and privileges are exactly its
// own.
class DirectWriter : public Sink {
  public:
    explicit DirectWriter(const ResolvedJob& job);
    void write(BatchReader& reader) override;
    std::vector<std::string> explain() override;

  private:
    void insert(BatchReader& reader);

    ResolvedJob job_;
    CachedStatement statement_;
};

}  // namespace sluice
