#include "pg/settings.hpp"

#include "pg/postgres.hpp"

namespace sluice::settings {

namespace {

constexpr int kDay = 24 * 3600;
constexpr int kLongestRetention = 3650 * kDay;

}  // namespace

bool enabled = true;
char* databases = nullptr;
int error_retention = 30 * kDay;
int history_retention = 7 * kDay;
bool include_offsets_in_dump = true;

void define_settings() {
    DefineCustomStringVariable("sluice.databases", "Databases whose jobs may run on this server.",
                               "A comma-separated list of names; empty means all databases.", &databases, "",
                               PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "sluice.enabled", "Runs the jobs of this server.",
        "Set it off on a copy of a production server: its jobs would read the same topics.", &enabled, true,
        PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("sluice.error_retention", "How long settled rows of sluice.errors are kept.",
                            "Zero keeps them for ever, as rejects that nobody has settled always are.",
                            &error_retention, error_retention, 0, kLongestRetention, PGC_SIGHUP, GUC_UNIT_S,
                            nullptr, nullptr, nullptr);
    DefineCustomIntVariable("sluice.history_retention", "How long rows of sluice.history are kept.",
                            "Zero keeps them for ever.", &history_retention, history_retention, 0,
                            kLongestRetention, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "sluice.include_offsets_in_dump", "Lets pg_dump take the offsets of jobs along.",
        "Without them a restored job refuses to start until sluice.set_offsets was called.",
        &include_offsets_in_dump, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("sluice");
}

}  // namespace sluice::settings
