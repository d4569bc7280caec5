// Writes JSON strings: escapes text, and carries bytes that are no text as base64.
// Must not know what the JSON is for.
// Appends to a string of the caller.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& json, std::string_view text);

// Appends `bytes` in base64 as a JSON string with its quotes.
void append_json_base64(std::string& json, std::string_view bytes);

}  // namespace sluice
