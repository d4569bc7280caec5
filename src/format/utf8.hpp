// Is this UTF-8, and if not, where does it break? The rules are PostgreSQL's and the Unicode standard's.
// Must not know columns or messages.
// Owns nothing.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

// NUL bytes are valid UTF-8 here; PostgreSQL's text refuses them for its own reasons (text_check.hpp).
bool valid_utf8(std::string_view text);

// The length of the longest valid beginning: text.size() when all of it is valid.
size_t valid_utf8_prefix(std::string_view text);

}  // namespace sluice
