// Turns a field's default, which a schema gives as JSON, into the bytes that a writer would have written.
// Must not know who needs it.
// Appends to a string of the caller.
#pragma once

#include "format/avro_schema.hpp"

#include <simdjson.h>

#include <string>

namespace sluice {

// Values and bytes that the defaults of one schema may have together: a small schema can ask for many.
constexpr size_t kMostDefaultWork = size_t{1} << 20;

// False when it is no value of the type, or when the budget, which it draws on, is used up.
bool encode_avro_default(const AvroSchema& schema, uint32_t type, const simdjson::dom::element& json,
                         std::string& out, size_t& budget);

}  // namespace sluice
