#include "base/nearest.hpp"

#include <vector>

#include "pg/attempt.hpp"
#include "pg/compat.hpp"
#include "pg/relation_lookup.hpp"
#include "pg/system_catalog.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "nodes/primnodes.h"
#include "utils/regproc.h"
}

namespace sluice {

namespace {

struct Found {
    Oid relation = InvalidOid;
    const char* last_name = "";
};

Found look_up(const char* name) {
    RangeVar* range = makeRangeVarFromNameList(compat::split_qualified_name(name));
    return {RangeVarGetRelid(range, AccessShareLock, true), range->relname};
}

// The relation of another schema, or of a similar name, that was probably meant.
std::string lookup_hint(std::string_view last_name, const std::string& kinds) {
    const spi::Rows rows = query_catalog(
        "SELECT c.relname, format('%I.%I', n.nspname, c.relname)"
        "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE strpos($1, c.relkind::text) > 0 AND n.nspname !~ '^pg_'"
        "   AND n.nspname NOT IN ('information_schema', 'sluice')"
        " ORDER BY c.relname, n.nspname LIMIT 10000",
        {spi::Param::text(kinds)});
    std::vector<std::string> names;
    for (size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string near = nearest(last_name, candidates);
    for (size_t i = 0; i < rows.size() && !near.empty(); ++i)
        if (names[i] == near) return "Perhaps you meant " + rows.text(i, 1) + ".";
    return {};
}

}  // namespace

Result<Oid> find_relation(const std::string& role, const std::string& name, const std::string& kinds) {
    if (name.empty()) return Error::config("22023", "the job names no " + role);
    Found found;
    auto refusal = attempt([&] { found = call([&] { return look_up(name.c_str()); }); });
    if (refusal) {
        Error error = std::move(refusal->error);
        error.message = role + " " + name + ": " + error.message;
        if (error.sqlstate == "42501")
            error.hint = "The job's owner needs USAGE on the schema of its " + role + ".";
        return error;
    }
    if (!OidIsValid(found.relation))
        return Error::config("42P01", role + " " + name + " does not exist", {},
                             lookup_hint(found.last_name, kinds));
    return found.relation;
}

}  // namespace sluice
