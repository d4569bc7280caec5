#include "pg/settings.hpp"

#include "pg/postgres.hpp"

namespace sluice::settings {

bool enabled = true;
char* databases = nullptr;
int history_retention = 7 * 24 * 3600;
bool include_offsets_in_dump = true;

void define_settings() {
    DefineCustomStringVariable("sluice.databases", "Databases whose jobs may run on this server.",
                               "A comma-separated list of names; empty means all databases.", &databases, "",
                               PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "sluice.enabled", "Runs the jobs of this server.",
        "Set it off on a copy of a production server: its jobs would read the same topics.", &enabled, true,
        PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("sluice.history_retention", "How long rows of sluice.history are kept.",
                            "Zero keeps them for ever.", &history_retention, 7 * 24 * 3600, 0,
                            10 * 365 * 24 * 3600, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "sluice.include_offsets_in_dump", "Lets pg_dump take the offsets of jobs along.",
        "Without them a restored job refuses to start until sluice.set_offsets was called.",
        &include_offsets_in_dump, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("sluice");
}

}  // namespace sluice::settings
