// Checks the constraints that were deferred to the end of the transaction, now.
// Must not know which rows were written.
// Owns nothing.
#pragma once

#include "pg/airlock.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace sluice {

// SET CONSTRAINTS ALL IMMEDIATE: an error at COMMIT itself could not be caught, and isolated, any more.
inline void check_deferred_constraints() {
    call([] { AfterTriggerSetState(makeNode(ConstraintsSetStmt)); });
}

}  // namespace sluice
