// What a type of an Avro schema means beyond its bytes: its logical type, or the name that Kafka Connect
// gave. Must not know the rest of the schema. Plain values.
#pragma once

#include "format/avro_schema.hpp"

#include <simdjson.h>

namespace sluice {

// Of a type's object in the schema; `size` is a fixed's. A logical type that does not fit its type means
// nothing, as Avro demands.
AvroMeaning avro_meaning_of(const simdjson::dom::object& object, AvroType type, uint32_t size);

}  // namespace sluice
