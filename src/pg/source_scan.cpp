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
    : source_(job.source),
      reader_(reader),
      bound_before_(bound_reader(job.source)),
      scan_before_(current_scan) {
    reader_.rewind();
    reader_.treat_tombstones(job.source_has_value_columns ? job.tombstone : Tombstone::Delete);
    bind_source(source_, &reader_);
    current_scan = this;
}

SourceScan::~SourceScan() {
    bind_source(source_, bound_before_);
    current_scan = scan_before_;
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
    PG_RETURN_BOOL(row < reader.outcomes().size() && reader.is_tombstone(row));
}
