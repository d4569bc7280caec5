// Whether the text of a schema is one at all, told before anybody uses it.
// Must not know where schemas are kept. The only place where kinds meet their parsers for that.
// Errors own their text.
#pragma once

#include "base/result.hpp"
#include "format/schema.hpp"

namespace sluice {

// The error names the schema and what is wrong with its body.
Result<void> check_schema(const SchemaText& schema);

}  // namespace sluice
