// The scope in which a statement's scan of the source yields the rows of a batch, and the account of what it
// yields. Must not know the statement. Borrows job and reader; leaving the scope puts back what was bound
// before.
#pragma once

#include "pg/batch_reader.hpp"
#include "pg/resolved_job.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace sluice {

class SourceScan {
  public:
    SourceScan(const ResolvedJob& job, BatchReader& reader);
    ~SourceScan();
    SourceScan(const SourceScan&) = delete;
    SourceScan& operator=(const SourceScan&) = delete;

    BatchReader& reader() { return reader_; }
    // Whether the row leaves the job's column as it is. The first column is 1.
    bool is_absent(size_t row, int32_t column) const;

  private:
    const ResolvedJob& job_;
    BatchReader& reader_;
    BatchReader* bound_before_;
    SourceScan* scan_before_;
};

// Whether each row of the source leaves the plan before the next one is read, so that an error is the fault
// of the message that was read last.
bool reads_row_by_row(const Plan* plan);

}  // namespace sluice
