// Schemas that sluice.create_schema has made: found by name, with all that they refer to.
// Must not know what a schema means nor who may drop one.
// Everything is returned by value or shared; needs a transaction.
#pragma once

#include "format/format_spec.hpp"

#include <string>
#include <utility>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

// What a body calls another schema, and the name under which that one is kept.
using SchemaReferences = std::vector<std::pair<std::string, std::string>>;

// The bodies of all schemas that are referred to, each after those that it needs itself. A Failure when one
// does not exist or is of another kind than `kind`; they cannot be dropped before the transaction ends.
std::vector<SchemaText::Reference> collect_references(const SchemaReferences& references, SchemaKind kind);

// Looks up what the options of a format name. A Failure when a schema does not exist or is of another kind
// than the format needs.
void find_schemas(FormatSpec& format);

// The error for a name that is not there; the hint has the nearest. Inside a Bookkeeping scope.
Error unknown_schema(const std::string& name);

}  // namespace sluice
