// Finds a job's source and target by the names that a person wrote.
// Must not know what they are used for beyond the word for error texts.
// Returns an OID; the relation is locked against changes until the transaction ends.
#pragma once

#include "base/result.hpp"

#include <string>

#include "pg/airlock.hpp"

namespace sluice {

// `role` is the job's word for it, source or target; `kinds` the relkinds that hints may suggest. Names are
// read like those of regclass, under the search_path of the moment and the privileges of the current user.
Result<Oid> find_relation(const std::string& role, const std::string& name, const std::string& kinds);

}  // namespace sluice
