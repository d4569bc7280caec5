#include "format/json_decoder.hpp"

#include "format/json_row.hpp"

#include <utility>

namespace sluice {

Result<JsonDecoder> JsonDecoder::make(const RecordSpec& spec, Origin part) {
    Result<JsonPlan> plan = JsonPlan::make(spec, part);
    if (!plan) return plan.error();
    const std::optional<FormatSpec>& format = part == Origin::Key ? spec.key : spec.value;
    return JsonDecoder(std::move(plan).value(), format->json, part);
}

JsonDecoder::JsonDecoder(JsonPlan plan, JsonOptions options, Origin part)
    : plan_(std::make_shared<const JsonPlan>(std::move(plan))),
      tokens_(std::make_shared<JsonTokens>()),
      options_(options),
      part_(part) {}

std::optional<Error> JsonDecoder::decode(std::string_view text, Arena& arena, Row row) const {
    if (const auto fault = tokens_->scan(text)) return json_error(*fault, part_, {});
    JsonCursor cursor(text, *tokens_);
    JsonRow reader({*plan_, options_, part_}, cursor, arena, row);
    if (auto error = reader.read()) return error;
    if (!cursor.take_end()) return reader.malformed();
    return reader.finish();
}

}  // namespace sluice
