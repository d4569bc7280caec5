// Reads the plain spellings of common types without their input functions: what machines write, nothing else.
// Must not guess: every spelling that is not surely read alike is left to the type's input function, errors
// too. By-reference values are palloc'd in the current context.
#pragma once

#include <string_view>

#include "pg/postgres.hpp"

namespace sluice {

// True and the value that the type's input function would give; false: ask it. Trivial on the C++ side, so
// that PostgreSQL may longjmp out of it.
using FastInput = bool (*)(std::string_view text, int32 typmod, Datum* value);

// Null when the type has none. The text is valid in the database's encoding.
FastInput fast_input_of(Oid type);

}  // namespace sluice
