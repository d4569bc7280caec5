// Schemas that messages are written by: their text, and who knows the one that a message names.
// Must not know what a schema means, nor where schemas are kept.
// A schema is shared by all who use it and never changes.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

enum class SchemaKind { Avro, Protobuf, JsonSchema };

struct SchemaText {
    SchemaKind kind = SchemaKind::Avro;
    std::string name{};  // as errors call it: schema "orders", or schema 17 of the registry
    // JSON for Avro and JSON Schema. For Protobuf .proto text or a FileDescriptorSet, serialized or that in
    // base64. They cannot be taken for each other: text has brackets or semicolons, which base64 does not
    // have, and no control characters, which the tags of a set's fields are.
    std::string body{};
    struct Reference {
        std::string name{};  // the full name of an Avro type, or what a .proto file imports
        std::string body{};
    };
    std::vector<Reference> references{};  // each after those that it needs itself
};

using SharedSchema = std::shared_ptr<const SchemaText>;

// Knows the schemas that messages name by an id.
class SchemaFinder {
  public:
    virtual ~SchemaFinder() = default;
    // An error is one of data when there is no such schema, and transient when nobody could be asked.
    virtual Result<SharedSchema> find(int32_t id) = 0;
};

}  // namespace sluice
