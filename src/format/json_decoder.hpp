// Decodes one JSON text into the cells of its columns.
// Must not know whether the text is a value or a key beyond naming it in errors.
// Cells point into the text or the caller's arena.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "format/json_plan.hpp"
#include "format/json_tokens.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace sluice {

class JsonDecoder {
  public:
    static Result<JsonDecoder> make(const RecordSpec& spec, Origin part);

    // Fills the cells of wanted columns and leaves others alone.
    std::optional<Error> decode(std::string_view text, Arena& arena, Row row) const;

  private:
    JsonDecoder(JsonPlan plan, JsonOptions options, Origin part);

    // Shared by copies, which like the decoder itself belong to one thread.
    std::shared_ptr<const JsonPlan> plan_;
    std::shared_ptr<JsonTokens> tokens_;
    JsonOptions options_;
    Origin part_;
};

}  // namespace sluice
