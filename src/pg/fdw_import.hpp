// IMPORT FOREIGN SCHEMA: foreign tables for the topics of a server.
// Must not know how columns are found.
// The statements belong to the memory context of the command.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "foreign/fdwapi.h"
}

namespace sluice {

void set_import_callback(FdwRoutine* routine);

}  // namespace sluice
