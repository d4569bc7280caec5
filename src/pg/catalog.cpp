#include "job/json.hpp"

#include "pg/catalog.hpp"

namespace sluice::catalog {

namespace {

using spi::Param;

constexpr std::string_view kReadJob =
    "SELECT j.job_id, j.job_name, j.owner::pg_catalog.oid, j.source::pg_catalog.oid, "
    "j.target::pg_catalog.oid,"
    "       j.source::pg_catalog.text, j.target::pg_catalog.text, j.definition::pg_catalog.text, "
    "j.spec_version,"
    "       j.generation, j.started, COALESCE(s.wanted, 'stopped'), COALESCE(s.failed, false),"
    "       COALESCE(s.finished, false), COALESCE(s.retry_count, 0), s.stop_position ->> 'until',"
    "       j.description, s.stop_position ->> 'messages'"
    "  FROM sluice.job j LEFT JOIN sluice.job_state s USING (job_id) WHERE ";

std::optional<StoredJob> read(const spi::Rows& rows) {
    if (rows.empty()) return std::nullopt;
    if (rows.integer(0, 8) != kSpecVersion)
        fail(Error::config("55000",
                           "job \"" + rows.text(0, 1) +
                               "\" was stored by another version of sluice (spec_version " + rows.text(0, 8) +
                               ")",
                           {}, "Run ALTER EXTENSION sluice UPDATE."));
    StoredJob job;
    job.spec = value_or_fail(job_from_json(rows.text(0, 7)));
    job.id = JobId{static_cast<int32_t>(rows.integer(0, 0))};
    job.spec.name = rows.text(0, 1);
    job.spec.source = rows.text(0, 5);
    job.spec.target = rows.text(0, 6);
    job.spec.description = rows.text(0, 16);
    job.owner = static_cast<Oid>(rows.integer(0, 2));
    job.source = static_cast<Oid>(rows.integer(0, 3));
    job.target = static_cast<Oid>(rows.integer(0, 4));
    job.generation = rows.integer(0, 9);
    job.started = rows.boolean(0, 10);
    job.wanted = rows.text(0, 11);
    job.failed = rows.boolean(0, 12);
    job.finished = rows.boolean(0, 13);
    job.retry_count = static_cast<int>(rows.integer(0, 14));
    job.run_until = rows.at(0, 15);
    if (!rows.is_null(0, 17)) job.run_until_messages = rows.integer(0, 17);
    return job;
}

std::string_view level_name(Level level) {
    switch (level) {
        case Level::Info:
            return "info";
        case Level::Warning:
            return "warning";
        case Level::Error:
            return "error";
    }
    return "info";
}

}  // namespace

std::optional<StoredJob> read_job(JobId id) {
    Bookkeeping bookkeeping;
    return read(spi::run(std::string(kReadJob) + "j.job_id = $1", {Param::int4(id.value)}));
}

std::optional<StoredJob> find_job(std::string_view name) {
    Bookkeeping bookkeeping;
    return read(spi::run(std::string(kReadJob) + "j.job_name = $1", {Param::text(name)}));
}

void record_event(JobId job, Level level, std::string_view event, std::string_view message,
                  std::string_view actor) {
    Bookkeeping bookkeeping;
    spi::run(
        "INSERT INTO sluice.event (job_id, job_name, owner, level, event, message, actor)"
        " SELECT $1, j.job_name, j.owner, $2, $3, $4, $5 FROM sluice.job j WHERE j.job_id = $1",
        {Param::int4(job.value), Param::text(level_name(level)), Param::text(event), Param::text(message),
         Param::text(actor)});
}

void set_failed(JobId job, int64_t generation, const Error& error, std::string_view reason) {
    Bookkeeping bookkeeping;
    const spi::Rows changed = spi::run(
        "UPDATE sluice.job_state s SET failed = true, reason = $3, changed_at = pg_catalog.now(),"
        "  last_error_at = pg_catalog.now(), last_error = $4, last_sqlstate = $5, next_retry_at = NULL"
        " FROM sluice.job j WHERE j.job_id = s.job_id AND s.job_id = $1 AND j.generation = $2 AND NOT "
        "s.failed",
        {Param::int4(job.value), Param::int8(generation), Param::text(reason), Param::text(describe(error)),
         Param::text(error.sqlstate)});
    if (changed.processed() > 0) record_event(job, Level::Error, "error", reason, "sluice");
}

void set_retry(JobId job, int64_t generation, const Error& error, std::string_view reason, int retry_count,
               std::chrono::milliseconds wait) {
    Bookkeeping bookkeeping;
    spi::run(
        "UPDATE sluice.job_state s SET reason = $3, retry_count = $4,"
        "  changed_at = CASE WHEN s.next_retry_at IS NULL THEN pg_catalog.now() ELSE s.changed_at END,"
        "  next_retry_at = pg_catalog.now() + $5 * interval '1 millisecond',"
        "  last_error_at = pg_catalog.now(), last_error = $6, last_sqlstate = $7"
        " FROM sluice.job j WHERE j.job_id = s.job_id AND s.job_id = $1 AND j.generation = $2 AND NOT "
        "s.failed",
        {Param::int4(job.value), Param::int8(generation), Param::text(reason), Param::int4(retry_count),
         Param::int8(wait.count()), Param::text(describe(error)), Param::text(error.sqlstate)});
}

void clear_retry(JobId job, std::string_view reason) {
    Bookkeeping bookkeeping;
    spi::run(
        "UPDATE sluice.job_state SET reason = $2, retry_count = 0, next_retry_at = NULL,"
        "  changed_at = pg_catalog.now()"
        " WHERE job_id = $1 AND (next_retry_at IS NOT NULL OR retry_count <> 0 OR reason IS DISTINCT FROM $2)"
        "   AND wanted = 'running' AND NOT failed AND NOT finished",
        {Param::int4(job.value), Param::text(reason)});
}

int count_start(JobId job) {
    Bookkeeping bookkeeping;
    const spi::Rows row = spi::run(
        "UPDATE sluice.job_state SET unproven_starts = unproven_starts + 1 WHERE job_id = $1"
        " RETURNING unproven_starts",
        {Param::int4(job.value)});
    return row.empty() ? 0 : static_cast<int>(row.integer(0, 0));
}

void prove_start(JobId job) {
    Bookkeeping bookkeeping;
    spi::run("UPDATE sluice.job_state SET unproven_starts = 0 WHERE job_id = $1 AND unproven_starts <> 0",
             {Param::int4(job.value)});
}

void raise_generation(JobId job) {
    Bookkeeping bookkeeping;
    spi::run("UPDATE sluice.job SET generation = generation + 1, started = true WHERE job_id = $1",
             {Param::int4(job.value)});
}

void set_finished(JobId job, int64_t generation, std::string_view reason) {
    Bookkeeping bookkeeping;
    const spi::Rows changed = spi::run(
        "UPDATE sluice.job_state s SET finished = true, reason = $3, changed_at = pg_catalog.now(),"
        "  next_retry_at = NULL, retry_count = 0"
        " FROM sluice.job j WHERE j.job_id = s.job_id AND s.job_id = $1 AND j.generation = $2"
        "   AND s.wanted = 'running' AND NOT s.failed AND NOT s.finished",
        {Param::int4(job.value), Param::int8(generation), Param::text(reason)});
    if (changed.processed() > 0) record_event(job, Level::Info, "finished", reason, "sluice");
}

void set_reason(JobId job, std::string_view reason) {
    Bookkeeping bookkeeping;
    spi::run(
        "UPDATE sluice.job_state SET reason = $2, changed_at = pg_catalog.now()"
        " WHERE job_id = $1 AND reason IS DISTINCT FROM $2 AND NOT failed AND NOT finished",
        {Param::int4(job.value), Param::text(reason)});
}

std::string describe(const Error& error) {
    std::string text = error.sqlstate + ": " + error.message;
    if (!error.detail.empty()) text += " (" + error.detail + ")";
    if (!error.hint.empty()) text += ". " + error.hint;
    return text;
}

}  // namespace sluice::catalog
