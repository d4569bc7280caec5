// Avro's parsing canonical form of a schema, and the fingerprint of it that single-object encoding carries.
// Must not know messages.
// Returns its own text.
#pragma once

#include "format/avro_schema.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Types of references stand where they are first used, so that the form is whole.
std::string avro_canonical_form(const AvroSchema& schema);

// CRC-64-AVRO.
uint64_t avro_fingerprint(std::string_view canonical_form);

}  // namespace sluice
