// The module's entry: magic block, settings, the supervisor.
#include "pg/airlock.hpp"
#include "pg/processes.hpp"
#include "pg/settings.hpp"

extern "C" {
// On PostgreSQL 15 the server's macro does not override -fvisibility=hidden.
#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
void _PG_init();
#pragma GCC visibility pop
}

void _PG_init() {
    sluice::airlock::enter([] {
        sluice::settings::define_settings();
        if (process_shared_preload_libraries_in_progress) sluice::register_supervisor();
    });
}
