// Decodes Protobuf messages into the cells of their columns, by a schema that is given or that they name.
// Must not know where schemas come from.
// Cells point into the payload or the arena.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "format/format_spec.hpp"
#include "format/schema.hpp"
#include "format/text_check.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace sluice {

class ProtobufDecoder {
  public:
    // `schemas` knows the schemas that frames name, and must outlive the decoder.
    static Result<ProtobufDecoder> make(const RecordSpec& spec, Origin part, SchemaFinder* schemas);

    // Fills the cells of wanted columns and leaves others alone.
    std::optional<Error> decode(std::string_view payload, Arena& arena, Row row) const;

  private:
    struct State;
    explicit ProtobufDecoder(std::shared_ptr<State> state) : state_(std::move(state)) {}

    // Shared by copies, which like the decoder itself belong to one thread.
    std::shared_ptr<State> state_;
};

}  // namespace sluice
