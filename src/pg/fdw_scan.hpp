// Executor callbacks of the foreign data wrapper: a scan reads the batch that is bound to the table, else
// Kafka. Must not know how either is read. The scan's state belongs to the executor's query context, so it
// goes away after an error, too.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "foreign/fdwapi.h"
}

namespace sluice {

void set_scan_callbacks(FdwRoutine* routine);

}  // namespace sluice
