#include "pg/source_reader.hpp"

#include <algorithm>

#include "pg/source.hpp"

extern "C" {
#include "access/relation.h"
}

namespace sluice {

namespace {

// In memory that lasts until it is freed.
TupleDesc descriptor_of(Oid relation) {
    return call([&] {
        Relation rel = relation_open(relation, AccessShareLock);
        MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
        TupleDesc copy = CreateTupleDescCopyConstr(RelationGetDescr(rel));
        MemoryContextSwitchTo(old);
        relation_close(rel, NoLock);  // until the transaction ends the definition stays as it was read
        return copy;
    });
}

}  // namespace

SourceReader::SourceReader(const ResolvedJob& job, const HeaderReader& headers)
    : source_(job.source), spec_(load_source(job.source, job.owner)), tupdesc_(descriptor_of(job.source)) {
    const std::vector<AttrNumber> attributes = source_attributes(tupdesc_.get());
    const auto& used = job.source_columns_used;
    for (size_t i = 0; i < attributes.size(); ++i)
        spec_.record.columns[i].wanted = std::binary_search(used.begin(), used.end(), attributes[i]);
    schemas_ = RegistrySchemas::of(spec_, source_);
    decoder_.emplace(
        value_or_fail(RecordDecoder::make(spec_.record, &headers, schemas_ ? schemas_->finder() : nullptr)));
    reader_ = std::make_unique<BatchReader>(*decoder_, tupdesc_.get());
    bind_source(source_, reader_.get());
}

SourceReader::~SourceReader() { bind_source(source_, nullptr); }

}  // namespace sluice
