// create_job, alter_job, rename_job: the definition of a job by SQL arguments.
#include "job/json.hpp"

#include <algorithm>
#include <string>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_definition.hpp"
#include "pg/job_lock.hpp"
#include "pg/owned_objects.hpp"
#include "pg/source.hpp"

extern "C" {
#include "utils/acl.h"
}

namespace sluice {

namespace {

using spi::Param;

// Places of the arguments that create_job and alter_job share.
enum Place {
    kName,
    kSource,
    kTarget,
    kMode,
    kMatchColumns,
    kUpdateColumns,
    kOrderColumns,
    kMapping,
    kFilter,
    kUpdateCondition,
    kDeleteCondition,
    kDescription,
    kOptions,
    kOwner,
    kCheckBroker,
};

Mode mode_of(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    if (text == "insert") return Mode::Insert;
    if (text == "update") return Mode::Update;
    if (text == "merge") return Mode::Merge;
    fail(Error::config("22023", "mode \"" + text + "\" is not one of insert, update and merge"));
}

// An empty text takes a condition away.
void set_condition(std::optional<Expression>& condition, const std::optional<std::string>& text) {
    if (!text) return;
    condition.reset();
    if (!text->empty()) condition = Expression{*text, {}};
}

// What the arguments say replaces what is there; NULL leaves it, and what is empty takes it away.
void read_arguments(const Arguments& arguments, JobSpec& spec) {
    if (auto v = arguments.text(kSource)) spec.source = *v;
    if (auto v = arguments.text(kTarget)) spec.target = *v;
    if (auto v = arguments.text(kMode)) spec.mode = mode_of(*v);
    if (auto v = arguments.text_array(kMatchColumns, "match_columns")) spec.match_columns = *v;
    if (auto v = arguments.text_array(kUpdateColumns, "update_columns")) spec.update_columns = *v;
    if (auto v = arguments.text_array(kOrderColumns, "order_columns")) spec.order_columns = *v;
    if (auto v = arguments.jsonb(kMapping)) {
        spec.mapping.reset();
        if (*v != "{}" && *v != "[]") spec.mapping = value_or_fail(mapping_from_json(*v));
    }
    set_condition(spec.filter, arguments.text(kFilter));
    set_condition(spec.update_condition, arguments.text(kUpdateCondition));
    set_condition(spec.delete_condition, arguments.text(kDeleteCondition));
    if (auto v = arguments.text(kDescription)) spec.description = *v;
    if (auto v = arguments.jsonb(kOptions)) value_or_fail(options_from_json(spec.options, *v));
}

// Offsets belong to a topic, so those of another one say nothing.
void tell_other_topic(const catalog::StoredJob& before, const ResolvedJob& job) {
    if (!before.started) return;
    const std::string topic = load_source(job.source, job.owner).topic;
    const bool known = [&] {
        Bookkeeping bookkeeping;
        return !spi::run("SELECT 1 FROM sluice.offsets WHERE job_id = $1 AND topic = $2 LIMIT 1",
                         {Param::int4(before.id.value), Param::text(topic)})
                    .empty();
    }();
    if (known) return;
    call([&] {
        ereport(NOTICE, (errmsg("job \"%s\" has no offsets for topic \"%s\", and will not start without them",
                                before.spec.name.c_str(), topic.c_str()),
                         errhint("Call sluice.set_offsets to say where it goes on.")));
    });
}

// The role that the job is to run as; the caller must have its privileges.
Oid owner_argument(const Arguments& arguments, Oid otherwise) {
    const auto name = arguments.name(kOwner);
    if (!name) return otherwise;
    const Oid owner = call([&] { return get_role_oid(name->c_str(), false); });
    if (auto refused = refuse_owner(owner)) fail(std::move(*refused));
    return owner;
}

BrokerCheck broker_check(const Arguments& arguments) {
    return arguments.boolean(kCheckBroker).value_or(true) ? BrokerCheck::Ask : BrokerCheck::LeaveOut;
}

// Only what leads to other brokers, or to them as somebody else: a description can be changed while they are
// away.
BrokerCheck broker_check_of_change(const Arguments& arguments, Oid owner_before, Oid owner) {
    if (arguments.is_null(kSource) && owner == owner_before) return BrokerCheck::LeaveOut;
    return broker_check(arguments);
}

}  // namespace

SLUICE_FUNCTION(sluice_create_job) {
    require_primary();
    const Arguments arguments(fcinfo);
    JobSpec spec;
    spec.name = arguments.required_text(kName, "name");
    check_new_name(spec.name);
    arguments.required_text(kSource, "source");
    arguments.required_text(kTarget, "target");
    read_arguments(arguments, spec);
    capture_settings(spec);
    const Oid owner = owner_argument(arguments, GetUserId());
    const ResolvedJob job = check_definition(spec, owner, broker_check(arguments));
    const JobId id = reserve_job_id();
    store_new(id, job);
    PG_RETURN_INT32(id.value);
}

SLUICE_FUNCTION(sluice_alter_job) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob before = lock_job_of_caller(arguments.required_text(kName, "name"));
    if (arguments.is_null(kSource)) check_source_is_there(before);
    if (arguments.is_null(kTarget)) check_target_is_there(before);
    JobSpec spec = before.spec;
    read_arguments(arguments, spec);
    // The expressions are read again as they were written, with today's search_path and settings.
    capture_settings(spec);
    const Oid owner = owner_argument(arguments, before.owner);
    if (owner != before.owner && arguments.is_null(kSource)) hand_on_owned_objects(before, owner);
    const ResolvedJob job =
        check_definition(spec, owner, broker_check_of_change(arguments, before.owner, owner));
    if (job.source != before.source) let_go_of_owned_objects(before);
    store_changed(before, job);
    tell_other_topic(before, job);
    catalog::record_event(before.id, catalog::Level::Info, "altered", "altered by " + current_role_name(),
                          current_role_name());
    wake_at_commit(before.id);
    PG_RETURN_VOID();
}

// The batch at hand goes on: its worker does not know the name from the catalog.
SLUICE_FUNCTION(sluice_rename_job) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    const std::string name = arguments.required_text(1, "new_name");
    check_new_name(name);
    store_name(job.id, name);
    catalog::record_event(job.id, catalog::Level::Info, "renamed",
                          "renamed from \"" + job.spec.name + "\" by " + current_role_name(),
                          current_role_name());
    wake_at_commit(job.id);
    PG_RETURN_VOID();
}

}  // namespace sluice
