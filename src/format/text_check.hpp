// Keeps bytes that PostgreSQL's text types cannot hold out of text cells, and says which bytes and where.
// Must not know formats.
// Owns nothing.
#pragma once

#include "base/result.hpp"
#include "format/format_spec.hpp"

#include <string_view>

namespace sluice {

enum class TextCheck {
    Utf8,     // valid UTF-8 without NUL
    NulOnly,  // the database has another encoding: any bytes but NUL
};

constexpr std::string_view part_name(Origin part) { return part == Origin::Key ? "key" : "value"; }

bool clean_text(std::string_view text, TextCheck check);

// True for text that may stand in a JSON document whatever the database's encoding is.
bool json_safe_text(std::string_view text, TextCheck check);

// The error for the first bad bytes of `text`, which must not be clean. `offset` is where `text` begins in
// the part.
Error text_fault(std::string_view text, TextCheck check, size_t offset, Origin part,
                 const std::string& column);

// The same for text that escape sequences made: it has no position in the message.
Error escaped_text_fault(std::string_view text, TextCheck check, const std::string& column);

}  // namespace sluice
