// Reads schemas of Protobuf: .proto text with its imports, or what protoc made of it.
// Must not know messages nor columns.
// The types are the caller's.
#pragma once

#include "format/protobuf_types.hpp"
#include "format/schema.hpp"

#include <memory>
#include <span>

namespace sluice {

// The types of the first schema and of all that it needs: its references, the others given here by their
// names, and Google's own, which need not be given. Types and extensions that only the others declare are
// there, too. An error is one of the configuration, and says the file, line and column.
Result<std::shared_ptr<const ProtobufTypes>> read_protobuf_schema(std::span<const SharedSchema> schemas);

}  // namespace sluice
