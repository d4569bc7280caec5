// create_job_from_yaml and job_to_yaml: a job as one document.
#include "job/yaml.hpp"

#include <string>
#include <vector>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_definition.hpp"
#include "pg/source.hpp"
#include "pg/yaml_job.hpp"
#include "pg/yaml_places.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "utils/acl.h"
}

namespace sluice {

namespace {

void check_database(const YamlJob& yaml, const YamlPlaces& places, std::vector<Error>& problems) {
    const std::string here = call([] { return get_database_name(MyDatabaseId); });
    if (yaml.database.empty() || yaml.database == here) return;
    problems.push_back(
        places.at({"DATABASE"},
                  Error::config("22023", "this is database \"" + here + "\", not \"" + yaml.database + "\"",
                                "A job writes to the database in which it is defined.",
                                "Connect to that database, or leave DATABASE away.")));
}

Oid owner_of(const YamlJob& yaml, const YamlPlaces& places, std::vector<Error>& problems) {
    if (yaml.user.empty()) return GetUserId();
    const Oid owner = call([&] { return get_role_oid(yaml.user.c_str(), true); });
    if (!OidIsValid(owner)) {
        problems.push_back(
            places.at({"USER"}, Error::config("42704", "role \"" + yaml.user + "\" does not exist")));
        fail(combine(problems));
    }
    if (auto refused = refuse_owner(owner)) {
        problems.push_back(places.at({"USER"}, std::move(*refused)));
        fail(combine(problems));
    }
    return owner;
}

void tell(int level, const std::vector<std::string>& messages) {
    for (const std::string& message : messages)
        call([&] { ereport(level, (errmsg_internal("%s", message.c_str()))); });
}

}  // namespace

SLUICE_FUNCTION(sluice_create_job_from_yaml) {
    require_primary();
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text(0, "name");
    const std::string document = arguments.required_text(1, "yaml");
    check_new_name(name);
    YamlJob yaml = value_or_fail(parse_yaml_job(document, kafka_property));
    const YamlPlaces places(document);
    std::vector<Error> problems;
    check_database(yaml, places, problems);
    const Oid owner = owner_of(yaml, places, problems);
    const JobId id = reserve_job_id();
    const MadeSource source = make_source(yaml, places, id, owner, std::move(problems));

    JobSpec& spec = yaml.job;
    spec.name = name;
    spec.description = arguments.text(2).value_or("");
    spec.source = source.name;
    capture_settings(spec);
    const bool ask = arguments.boolean(3).value_or(true);
    const ResolvedJob job = check_definition(spec, owner, ask ? BrokerCheck::Ask : BrokerCheck::LeaveOut);
    tell(WARNING, yaml.warnings);
    tell(NOTICE, yaml.notices);
    store_new(id, job, source.owned);
    PG_RETURN_INT32(id.value);
}

SLUICE_FUNCTION(sluice_job_to_yaml) {
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    const std::string document = value_or_fail(to_yaml(describe_job(job)));
    return call([&] {
        return PointerGetDatum(cstring_to_text_with_len(document.data(), static_cast<int>(document.size())));
    });
}

}  // namespace sluice
