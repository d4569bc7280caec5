// SQL text that converts a value to a column's type as an assignment does: too long is an error, not cut.
// Must not know where the value comes from. What it is for is said in resolved_job.hpp.
// Text is palloc'd in the current context. Plain C: for inside a door, under the path it will run under.
#pragma once

#include "pg/airlock.hpp"

extern "C" {
#include "nodes/primnodes.h"
}

namespace sluice {

struct Conversion {
    const char* text;
    bool length_is_open;  // SQL cannot say it, as for arrays of varchar(n): INSERT will apply it
};

// `text` is `expr` deparsed; `declared` and `typmod` are those of the column, which may be of a domain.
Conversion convert_as_assignment(Node* expr, const char* text, Oid declared, int32 typmod);

}  // namespace sluice
