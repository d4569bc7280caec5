#include "pg/source_scan.hpp"

extern "C" {
#include "storage/itemptr.h"
}

namespace sluice {

namespace {

// SQL functions have no other way to the batch. Set by SourceScan only.
SourceScan* current_scan = nullptr;

}  // namespace

SourceScan::SourceScan(const ResolvedJob& job, BatchReader& reader)
    : job_(job),
      reader_(reader),
      bound_before_(bound_reader(job.source)),
      scan_before_(current_scan),
      refuses_tombstones_(job.tombstone == Tombstone::Error) {
    reader_.rewind();
    bind_source(job_.source, &reader_);
    current_scan = this;
}

SourceScan::~SourceScan() {
    bind_source(job_.source, bound_before_);
    current_scan = scan_before_;
}

void SourceScan::settle_tombstones() {
    if (!job_.source_has_value_columns || job_.tombstone != Tombstone::Ignore) return;
    RowOutcomes& outcomes = reader_.outcomes();
    for (size_t row = 0; row < outcomes.size(); ++row)
        if (outcomes.at(row) == Outcome::Filtered && reader_.is_tombstone(row))
            outcomes.set(row, Outcome::Unchanged);
}

bool reads_row_by_row(const Plan* plan) {
    switch (nodeTag(plan)) {
        case T_ForeignScan:
            return true;
        case T_SubqueryScan:
            return reads_row_by_row(reinterpret_cast<const SubqueryScan*>(plan)->subplan);
        case T_Result:
        case T_NestLoop:
            return plan->lefttree != nullptr && reads_row_by_row(plan->lefttree);
        default:
            return false;
    }
}

}  // namespace sluice

// sluice.is_tombstone(ctid of a row of the source).
SLUICE_FUNCTION(sluice_is_tombstone) {
    using namespace sluice;
    if (current_scan == nullptr)
        fail(Error::config("55000", "sluice.is_tombstone can only be called by the statements of a job"));
    BatchReader& reader = current_scan->reader();
    const size_t row = ItemPointerGetBlockNumberNoCheck(reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(0)));
    if (row >= reader.outcomes().size() || !reader.is_tombstone(row)) PG_RETURN_BOOL(false);
    if (current_scan->refuses_tombstones())
        fail(Error::data(
            "22004", "message has no value", "A null value is a tombstone: it asks to delete a row.",
            "Set the job option tombstone to \"delete\" or \"ignore\" to accept such messages."));
    PG_RETURN_BOOL(true);
}
