#include "base/nearest.hpp"

#include <string_view>
#include <vector>

#include "pg/job_access.hpp"

extern "C" {
#include "access/xlog.h"
#include "utils/acl.h"
}

namespace sluice {

namespace {

Error unknown_job(const std::string &name) {
    // Only names that the caller may see anyway.
    const spi::Rows rows = [] {
        spi::Connection connection;
        return spi::run("SELECT job_name FROM sluice.jobs");
    }();
    std::vector<std::string> names;
    for (size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string near = nearest(name, views);
    return Error::config("42704", "job \"" + name + "\" does not exist", {},
                         near.empty() ? "View sluice.jobs lists the jobs." : "Perhaps you meant \"" + near + "\".");
}

}  // namespace

catalog::StoredJob job_of_caller(const std::string &name) {
    const auto job = catalog::find_job(name);
    if (!job) fail(unknown_job(name));
    if (!call([&] { return has_privs_of_role(GetUserId(), job->owner); }))
        fail(Error::config("42501", "permission denied for job \"" + name + "\"", {},
                           "Only its owner, members of that role and superusers may do this."));
    return *job;
}

std::string current_role_name() {
    const char *name = call([] { return GetUserNameFromId(GetUserId(), true); });
    return name ? name : "unknown";
}

void require_primary() {
    if (!call([] { return RecoveryInProgress(); })) return;
    fail(Error::config("25006", "this server is a standby", "Jobs run on the primary, and start here after promotion.",
                       "Connect to the primary."));
}

}  // namespace sluice
