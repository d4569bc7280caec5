#include "pg/source_scan.hpp"

#include <string>

extern "C" {
#include "storage/itemptr.h"
}

namespace sluice {

namespace {

// SQL functions have no other way to the batch. Set by SourceScan only.
SourceScan* current_scan = nullptr;

// The scan that a function of a job's statements is called in, and the row that it is called for.
struct Called {
    SourceScan& scan;
    size_t row;
};

Called called(const char* function, Datum ctid) {
    if (current_scan == nullptr)
        fail(Error::config(
            "55000", std::string("sluice.") + function + " can only be called by the statements of a job"));
    return {*current_scan,
            ItemPointerGetBlockNumberNoCheck(reinterpret_cast<ItemPointer>(DatumGetPointer(ctid)))};
}

}  // namespace

SourceScan::SourceScan(const ResolvedJob& job, BatchReader& reader)
    : job_(job), reader_(reader), bound_before_(bound_reader(job.source)), scan_before_(current_scan) {
    reader_.rewind();
    reader_.treat_tombstones(job.source_has_value_columns ? job.tombstone : Tombstone::Delete);
    reader_.treat_absent(&job.absent);
    bind_source(job.source, &reader_);
    current_scan = this;
}

SourceScan::~SourceScan() {
    reader_.treat_absent(nullptr);
    bind_source(job_.source, bound_before_);
    current_scan = scan_before_;
}

bool SourceScan::is_absent(size_t row, int32_t column) const {
    const uint32_t set = reader_.absent().set_of(row);
    if (set == 0 || column < 1 || static_cast<size_t>(column) > job_.columns.size()) return false;
    return reader_.absent().touches(set, job_.columns[column - 1].source_columns);
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
    const Called call = called("is_tombstone", PG_GETARG_DATUM(0));
    BatchReader& reader = call.scan.reader();
    PG_RETURN_BOOL(call.row < reader.outcomes().size() && reader.is_tombstone(call.row));
}

// sluice.is_absent(ctid of a row of the source, number of a column that the job maps).
SLUICE_FUNCTION(sluice_is_absent) {
    using namespace sluice;
    const Called call = called("is_absent", PG_GETARG_DATUM(0));
    PG_RETURN_BOOL(call.scan.is_absent(call.row, PG_GETARG_INT32(1)));
}
