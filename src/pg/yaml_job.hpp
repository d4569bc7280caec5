// What a YAML job reads from, in the catalog: makes its server, user mapping and foreign table. And the
// reverse, a stored job as a document. Must not check nor store the job itself. The objects belong to the
// catalog; the rest is returned by value.
#pragma once

#include "job/yaml.hpp"

#include <string>
#include <vector>

#include "pg/catalog.hpp"
#include "pg/job_definition.hpp"
#include "pg/yaml_places.hpp"

namespace sluice {

struct MadeSource {
    std::string name;  // of the foreign table, qualified
    OwnedObjects owned;
};

// Makes server (unless the document names one), user mapping and foreign table as the job's owner. Throws one
// Failure with `problems` and those that it finds itself.
MadeSource make_source(const YamlJob& yaml, const YamlPlaces& places, JobId id, Oid owner,
                       std::vector<Error> problems);

// Any job as a document; secrets are left out.
YamlJob describe_job(const catalog::StoredJob& job);

}  // namespace sluice
