// The settings of the extension, as PostgreSQL keeps them.
// Must not be read by foreign threads.
// The variables belong to PostgreSQL's settings machinery once `define_settings` has run.
#pragma once

namespace sluice::settings {

extern bool enabled;                  // sluice.enabled
extern char* databases;               // sluice.databases
extern int error_retention;           // sluice.error_retention, seconds
extern int history_retention;         // sluice.history_retention, seconds
extern bool include_offsets_in_dump;  // sluice.include_offsets_in_dump

// Called once by _PG_init.
void define_settings();

}  // namespace sluice::settings
