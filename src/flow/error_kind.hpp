// What an SQLSTATE means for a job: try again, reject the message, or call a person.
// Must not know how errors are caught, retried or shown.
// Owns nothing.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace sluice {

// `raised_in` is the C function that raised the error, where it is known: PostgreSQL gives a row that a row
// security policy forbids the same SQLSTATE as a missing privilege, and only the first is the message's
// fault.
ErrorKind kind_of_sqlstate(std::string_view sqlstate, std::string_view raised_in = {});

// Of transient trouble: no message can cause it, however often the same one meets it.
bool is_never_the_message(std::string_view sqlstate);

}  // namespace sluice
