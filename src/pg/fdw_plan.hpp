// Planner callbacks of the foreign data wrapper: one path, all rows, in no order.
// Must not touch a broker: a plan is made in EXPLAIN and at the definition of views, too.
// What it makes belongs to the planner.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "foreign/fdwapi.h"
}

namespace sluice {

void set_plan_callbacks(FdwRoutine* routine);

}  // namespace sluice
