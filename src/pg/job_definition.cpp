#include "format/record_decoder.hpp"
#include "job/check.hpp"
#include "job/json.hpp"
#include "kafka/client.hpp"
#include "kafka/message_batch.hpp"
#include "kafka/metadata.hpp"

#include <chrono>

#include "pg/job_access.hpp"
#include "pg/job_definition.hpp"
#include "pg/job_lock.hpp"
#include "pg/registry_schemas.hpp"
#include "pg/source.hpp"
#include "pg/wait.hpp"

namespace sluice {

namespace {

using spi::Param;
using std::chrono::seconds;

constexpr seconds kBrokerTimeout{5};

void tell(const Notice& notice) {
    call([&] {
        ereport(notice.level, (errmsg_internal("%s", notice.message.c_str()),
                               notice.detail.empty() ? 0 : errdetail_internal("%s", notice.detail.c_str()),
                               notice.hint.empty() ? 0 : errhint("%s", notice.hint.c_str())));
    });
}

// What the formats demand of the source's columns, and whether the topic is there.
void check_source(const ResolvedJob& job, BrokerCheck brokers, std::vector<Error>& problems) {
    SourceSpec source;
    try {
        source = load_source(job.source, job.owner);
    } catch (Failure& failure) {
        problems.push_back(std::move(failure.error));
        return;
    }
    const MessageHeaders headers;
    const auto schemas = RegistrySchemas::of(source, job.source);
    if (auto decoder = RecordDecoder::make(source.record, &headers, schemas ? schemas->finder() : nullptr);
        !decoder)
        problems.push_back(decoder.error());
    if (brokers == BrokerCheck::LeaveOut) return;
    auto client = Client::open({source.brokers, source.properties, job.spec.options.group_id});
    if (!client) {
        problems.push_back(client.error());
        return;
    }
    SessionWaiter waiter;
    auto topic = fetch_topic(client.value(), source.topic, kBrokerTimeout, waiter);
    if (!topic) {
        Error error = topic.error();
        error.kind = ErrorKind::Config;
        if (error.hint.empty())
            error.hint = "Pass check_broker => false to define the job without asking the brokers.";
        problems.push_back(std::move(error));
    }
}

Param interval_of(int64_t milliseconds) {
    return Param::of(FLOAT8OID, Float8GetDatum(static_cast<double>(milliseconds) / 1000));
}

[[noreturn]] void name_is_taken(const std::string& name) {
    fail(Error::config("42710", "job \"" + name + "\" already exists", {},
                       "Choose another name, or change that job with sluice.alter_job."));
}

}  // namespace

void capture_settings(JobSpec& spec) {
    for (const char* name : {"TimeZone", "DateStyle", "IntervalStyle"})
        spec.settings[name] = call([&] { return GetConfigOption(name, false, false); });
}

ResolvedJob check_definition(const JobSpec& spec, Oid owner, BrokerCheck brokers) {
    std::vector<Error> problems;
    for (Problem& problem : check_job(spec)) problems.push_back(std::move(problem.error));
    Resolution resolution = resolve_job(spec, owner, Expressions::Analyse);
    for (Error& problem : resolution.problems) problems.push_back(std::move(problem));
    if (OidIsValid(resolution.job.source)) check_source(resolution.job, brokers, problems);
    if (!problems.empty()) fail(combine(problems));
    for (const Notice& notice : resolution.notices) tell(notice);
    return std::move(resolution.job);
}

void check_new_name(const std::string& name) {
    if (name.empty() || name.size() >= NAMEDATALEN)
        fail(Error::config("42602", "a job name has 1 to " + std::to_string(NAMEDATALEN - 1) +
                                        " bytes, this one has " + std::to_string(name.size())));
    Bookkeeping bookkeeping;
    if (!spi::run("SELECT 1 FROM sluice.job WHERE job_name = $1", {Param::text(name)}).empty())
        name_is_taken(name);
}

JobId reserve_job_id() {
    Bookkeeping bookkeeping;
    return JobId{
        static_cast<int32_t>(spi::run("SELECT pg_catalog.nextval('sluice.job_job_id_seq')").integer(0, 0))};
}

void store_new(JobId id, const ResolvedJob& job, const OwnedObjects& owned) {
    {
        Bookkeeping bookkeeping;
        // Somebody else may take the name at the same time.
        const spi::Rows stored = spi::run(
            "INSERT INTO sluice.job (job_id, job_name, owner, source, target, description, definition,"
            "  spec_version, lag_threshold, owned_server, owned_source) OVERRIDING SYSTEM VALUE"
            " VALUES ($1, $2, $3::oid::regrole, $4::oid::regclass, $5::oid::regclass, $6,"
            "  $7::pg_catalog.jsonb, $8, pg_catalog.make_interval(secs => $9), $10::name, $11)"
            " ON CONFLICT (job_name) DO NOTHING",
            {Param::int4(id.value), Param::text(job.spec.name), Param::oid(job.owner), Param::oid(job.source),
             Param::oid(job.target), Param::text_or_null(job.spec.description),
             Param::text(to_json(job.spec)), Param::int4(kSpecVersion),
             interval_of(job.spec.options.lag_threshold_ms), Param::text_or_null(owned.server),
             Param::boolean(owned.source)});
        if (stored.processed() == 0) name_is_taken(job.spec.name);
        spi::run("INSERT INTO sluice.job_state (job_id, reason) VALUES ($1, 'created')",
                 {Param::int4(id.value)});
    }
    const std::string actor = current_role_name();
    catalog::record_event(id, catalog::Level::Info, "created", "created by " + actor, actor);
    if (job.spec.options.start == Position{})
        call([] {
            ereport(
                NOTICE,
                (errmsg("the job will start at the earliest message of the topic"),
                 errhint("Option start says otherwise: latest, group, a time, or offsets by partition.")));
        });
}

void store_changed(const catalog::StoredJob& before, const ResolvedJob& job) {
    Bookkeeping bookkeeping;
    spi::run(
        "UPDATE sluice.job SET owner = $2::oid::regrole, source = $3::oid::regclass, target = "
        "$4::oid::regclass,"
        "  description = $5, definition = $6::pg_catalog.jsonb, spec_version = $7,"
        "  lag_threshold = pg_catalog.make_interval(secs => $8), generation = generation + 1"
        " WHERE job_id = $1",
        {Param::int4(before.id.value), Param::oid(job.owner), Param::oid(job.source), Param::oid(job.target),
         Param::text_or_null(job.spec.description), Param::text(to_json(job.spec)), Param::int4(kSpecVersion),
         interval_of(job.spec.options.lag_threshold_ms)});
    if (before.owner != job.owner) {
        spi::run("UPDATE sluice.reject SET owner = $2::oid::regrole WHERE job_id = $1",
                 {Param::int4(before.id.value), Param::oid(job.owner)});
        spi::run("UPDATE sluice.event SET owner = $2::oid::regrole WHERE job_id = $1",
                 {Param::int4(before.id.value), Param::oid(job.owner)});
    }
}

void store_name(JobId id, const std::string& name) {
    try {
        Bookkeeping bookkeeping;
        spi::run(
            "UPDATE sluice.job SET job_name = $2, definition = pg_catalog.jsonb_set(definition, '{name}',"
            "  pg_catalog.to_jsonb($2)) WHERE job_id = $1",
            {Param::int4(id.value), Param::text(name)});
    } catch (const PgError& e) {
        // The unique index has waited for a transaction that took the name.
        if (e.record->sqlerrcode == ERRCODE_UNIQUE_VIOLATION) name_is_taken(name);
        throw;
    }
}

}  // namespace sluice
