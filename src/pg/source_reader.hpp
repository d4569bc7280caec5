// The source of a job made ready to decode: its definition, the decoder for the columns that the job uses,
// and the reader that scans of it read from. Must not know the target nor a broker.
// Owns all of it, and the binding of the source to its reader, until it is destroyed.
#pragma once

#include "format/record_decoder.hpp"
#include "job/source_spec.hpp"

#include <memory>
#include <optional>

#include "pg/batch_reader.hpp"
#include "pg/registry_schemas.hpp"
#include "pg/resolved_job.hpp"

namespace sluice {

class SourceReader {
  public:
    // Needs a transaction; what is wrong with the source is a Failure. `headers` must outlive the reader.
    SourceReader(const ResolvedJob& job, const HeaderReader& headers);
    ~SourceReader();
    SourceReader(const SourceReader&) = delete;
    SourceReader& operator=(const SourceReader&) = delete;

    const SourceSpec& spec() const { return spec_; }
    BatchReader& reader() { return *reader_; }
    // Of the registry; null when the source needs none.
    RegistrySchemas* schemas() { return schemas_.get(); }

  private:
    struct FreeDescriptor {
        void operator()(TupleDesc descriptor) const { FreeTupleDesc(descriptor); }
    };

    Oid source_;
    SourceSpec spec_;
    std::unique_ptr<TupleDescData, FreeDescriptor> tupdesc_;
    std::unique_ptr<RegistrySchemas> schemas_;
    std::optional<RecordDecoder> decoder_;
    std::unique_ptr<BatchReader> reader_;
};

}  // namespace sluice
