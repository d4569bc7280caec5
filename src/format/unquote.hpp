// Rebuilds one column whose bytes in the message are not its text: quotes inside, escapes, backslash
// sequences. Must not know where columns begin and end. Writes into memory of the caller.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

// Writes the text of the csv column `raw`, whose quotes are balanced, to `out`, which has room for raw.size()
// bytes. Returns the number of bytes written.
size_t unquote(std::string_view raw, char quote, char escape, char* out);

// How many bytes the sequence takes whose backslash is the front of `rest`; 1 for a backslash at the end.
size_t backslash_sequence_length(std::string_view rest);

struct Unescaped {
    size_t size = 0;
    bool needs_check =
        false;  // a number sequence made a NUL or a byte above 127: the text may be invalid now
};

// Writes the text of `raw` with its backslash sequences decoded to `out`, which has room for raw.size()
// bytes.
Unescaped unescape_backslashes(std::string_view raw, char* out);

}  // namespace sluice
