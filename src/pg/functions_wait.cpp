// run_job, wait_for_state, wait_for_offset: procedures that wait for a worker. Between two looks they commit,
// so they hold no snapshot and see what others commit; that is why they cannot run inside a transaction
// block.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "job/position.hpp"

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_lock.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
}

namespace sluice {

namespace {

using spi::Param;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kLook{100};
// A producer that waits for its own write waits for few milliseconds, as a rule.
constexpr milliseconds kQuickLook{20};
constexpr seconds kQuickTime{1};
// Looking at a job's state means looking at all locks of the server.
constexpr seconds kLookAtState{1};
constexpr seconds kProgress{2};
constexpr int64_t kForEver = -1;

// A procedure's SPI scope that may commit.
class Procedure {
  public:
    Procedure(FunctionCallInfo fcinfo, const char* name) {
        const bool atomic = fcinfo->context == nullptr || !IsA(fcinfo->context, CallContext) ||
                            reinterpret_cast<CallContext*>(fcinfo->context)->atomic;
        if (atomic || XactIsoLevel > XACT_READ_COMMITTED)
            fail(Error::config("25001",
                               std::string("sluice.") + name +
                                   " waits for other transactions, so it cannot run "
                                   "inside a transaction block or above READ COMMITTED",
                               {}, "CALL it as a statement of its own."));
        call([] { SPI_connect_ext(SPI_OPT_NONATOMIC); });
    }
    void commit() {
        call([] { SPI_commit(); });
    }
    // After an error, which has left the scopes inside of this one open.
    void rollback() {
        call([] {
            while (!SPI_inside_nonatomic_context()) SPI_finish();
            SPI_rollback();
        });
    }
    void finish() {
        call([] { SPI_finish(); });
    }
    // Commits, then waits a little; cancellable.
    void wait(milliseconds time) {
        commit();
        call([&] {
            const int events = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                                         time.count(), PG_WAIT_EXTENSION);
            if (events & WL_LATCH_SET) ResetLatch(MyLatch);
            CHECK_FOR_INTERRUPTS();
        });
    }
};

class Deadline {
  public:
    explicit Deadline(std::optional<int64_t> ms) : start_(Steady::now()), ms_(ms.value_or(kForEver)) {}
    bool passed() const { return ms_ != kForEver && Steady::now() - start_ >= milliseconds(ms_); }
    Steady::time_point start() const { return start_; }

  private:
    Steady::time_point start_;
    int64_t ms_;
};

struct State {
    std::string state;
    std::string reason;
};

// By id: a job may be renamed while it is waited for.
State state_of(JobId job, const std::string& name) {
    Bookkeeping bookkeeping;
    const spi::Rows row = spi::run(
        "SELECT state, state_reason FROM sluice.job_status"
        " WHERE job_name = (SELECT job_name FROM sluice.job WHERE job_id = $1)",
        {Param::int4(job.value)});
    if (row.empty()) fail(Error::config("42704", "job \"" + name + "\" was dropped"));
    return {row.text(0, 0), row.text(0, 1)};
}

Error job_failed(const std::string& name, const std::string& reason) {
    return Error::config(
        "55000", "job \"" + name + "\" is in ERROR: " + reason, {},
        "View sluice.errors has the messages that were rejected; sluice.resume_job goes on.");
}

struct Numbers {
    int64_t messages = 0;
    int64_t rows = 0;
    int64_t rejected = 0;
    int64_t left = 0;
};

Numbers numbers_of(JobId job) {
    Bookkeeping bookkeeping;
    const spi::Rows row = spi::run(
        "SELECT COALESCE(pg_catalog.sum(messages), 0)::bigint,"
        "  COALESCE(pg_catalog.sum(rows_written + rows_deleted), 0)::bigint,"
        "  COALESCE(pg_catalog.sum(rows_rejected), 0)::bigint,"
        "  COALESCE(pg_catalog.sum(GREATEST(COALESCE(stop_offset, high_watermark) - next_offset, 0)), "
        "0)::bigint"
        " FROM sluice.offsets WHERE job_id = $1",
        {Param::int4(job.value)});
    return {row.integer(0, 0), row.integer(0, 1), row.integer(0, 2), row.integer(0, 3)};
}

void tell_progress(const char* verb, const std::string& name, const Numbers& from, const Numbers& now,
                   double elapsed) {
    const int64_t messages = now.messages - from.messages;
    const double rate = elapsed > 0 ? static_cast<double>(messages) / elapsed : 0;
    char text[256];
    snprintf(text, sizeof text,
             "%lld messages (%.0f a second), %lld rows written, %lld rejected, %lld offsets to go",
             static_cast<long long>(messages), rate, static_cast<long long>(now.rows - from.rows),
             static_cast<long long>(now.rejected - from.rejected), static_cast<long long>(now.left));
    call([&] { ereport(NOTICE, (errmsg("job \"%s\" %s: %s", name.c_str(), verb, text))); });
}

// Starts a run of its own: until a position or a number of messages.
void begin_run(const catalog::StoredJob& job, const std::string& until, std::optional<int64_t> max_messages) {
    if (job.wanted == "running" && !job.failed && !job.finished)
        fail(Error::config("55000", "job \"" + job.spec.name + "\" is running already", {},
                           "Stop it first, or wait with sluice.wait_for_offset."));
    check_can_run(job);
    const std::string actor = current_role_name();
    Bookkeeping bookkeeping;
    spi::run("UPDATE sluice.job SET generation = generation + 1 WHERE job_id = $1",
             {Param::int4(job.id.value)});
    spi::run("UPDATE sluice.offsets SET stop_offset = NULL WHERE job_id = $1", {Param::int4(job.id.value)});
    spi::run("INSERT INTO sluice.job_state (job_id) VALUES ($1) ON CONFLICT DO NOTHING",
             {Param::int4(job.id.value)});
    spi::run(
        "UPDATE sluice.job_state SET wanted = 'running', failed = false, finished = false, retry_count = 0,"
        "  next_retry_at = NULL, budget_since = pg_catalog.now(), changed_at = pg_catalog.now(), reason = $2,"
        "  stop_position = pg_catalog.jsonb_strip_nulls("
        "    pg_catalog.jsonb_build_object('until', $3::text, 'messages', $4::bigint + COALESCE("
        "      (SELECT pg_catalog.sum(o.messages) FROM sluice.offsets o WHERE o.job_id = $1), 0)))"
        " WHERE job_id = $1",
        {Param::int4(job.id.value), Param::text("run by " + actor), Param::text(until),
         max_messages ? Param::int8(*max_messages) : Param::null_of(INT8OID)});
    catalog::record_event(job.id, catalog::Level::Info, "run", "run until " + until + " by " + actor, actor);
}

void stop_run(JobId job, const std::string& reason) {
    {
        Bookkeeping bookkeeping;
        spi::run(
            "UPDATE sluice.job_state SET wanted = 'stopped', reason = $2, changed_at = pg_catalog.now()"
            " WHERE job_id = $1 AND wanted = 'running'",
            {Param::int4(job.value), Param::text(reason)});
    }
    wake_at_commit(job);
}

// Until it is finished; everything else is an error.
void follow_run(Procedure& procedure, const catalog::StoredJob& job, const Deadline& deadline) {
    const std::string& name = job.spec.name;
    const Numbers from = numbers_of(job.id);
    auto told = Steady::now();
    for (;;) {
        procedure.wait(kLook);
        const State state = state_of(job.id, name);
        const auto elapsed = std::chrono::duration<double>(Steady::now() - deadline.start()).count();
        if (state.state == "FINISHED")
            return tell_progress("is done", name, from, numbers_of(job.id), elapsed);
        if (state.state == "ERROR") fail(job_failed(name, state.reason));
        if (state.state == "STOPPED" || state.state == "PAUSED")
            fail(Error::config("57014",
                               "job \"" + name + "\" is " + state.state + " before it reached its end",
                               "It was " + state.reason + "."));
        if (deadline.passed()) {
            stop_run(job.id, "time-out of sluice.run_job");
            procedure.commit();
            fail(Error::config("57014", "job \"" + name + "\" has not reached its end within the time-out",
                               "It was stopped where it was; what is committed stays.",
                               "Call sluice.run_job again to go on."));
        }
        if (Steady::now() - told < kProgress) continue;
        told = Steady::now();
        tell_progress("runs", name, from, numbers_of(job.id), elapsed);
    }
}

// What became of a message; nothing while the job has not passed it. The history tells it for all messages of
// a second together, and not at all when somebody moved the offset or the retention is over: then it is
// "passed".
std::optional<std::string> outcome_of(JobId job, const std::optional<std::string>& topic, int32_t partition,
                                      int64_t offset) {
    Bookkeeping bookkeeping;
    const spi::Rows row = spi::run(
        "SELECT CASE WHEN r.status IN ('open', 'discarded') THEN 'rejected'"
        "            WHEN r.status IN ('applied', 'replayed') THEN 'applied'"
        "            WHEN h.total IS NULL OR h.total = 0 THEN 'passed'"
        "            WHEN h.filtered = 0 THEN 'applied'"
        "            WHEN h.filtered = h.total THEN 'filtered' ELSE 'applied or filtered' END"
        "  FROM sluice.offsets o"
        "  LEFT JOIN sluice.reject r ON r.job_id = o.job_id AND r.kafka_topic = o.topic"
        "        AND r.kafka_partition = o.partition AND r.kafka_offset = $3"
        "  LEFT JOIN LATERAL"
        "       (SELECT rows_filtered AS filtered, rows_written + rows_deleted + rows_superseded"
        "             + rows_unchanged + rows_stale + rows_unmatched + rows_filtered + rows_rejected AS total"
        "          FROM sluice.batch_history h WHERE h.job_id = o.job_id AND h.topic = o.topic"
        "           AND h.partition = o.partition AND $3 >= h.start_offset AND $3 < h.end_offset"
        "         ORDER BY history_id DESC LIMIT 1) h ON true"
        " WHERE o.job_id = $1 AND o.partition = $2 AND o.next_offset > $3 AND ($4 IS NULL OR o.topic = $4)",
        {Param::int4(job.value), Param::int4(partition), Param::int8(offset), Param::optional_text(topic)});
    if (row.empty()) return std::nullopt;
    return row.text(0, 0);
}

}  // namespace

SLUICE_FUNCTION(sluice_run_job) {
    require_primary();
    Procedure procedure(fcinfo, "run_job");
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text(0, "name");
    const std::string until = arguments.required_text(1, "until");
    const auto max_messages = arguments.bigint(2);
    if (max_messages && *max_messages < 1)
        fail(Error::config("22023", "argument max_messages must be at least 1"));
    if (value_or_fail(parse_stop("argument until", until)).kind == Position::Kind::Never && !max_messages)
        fail(Error::config("22023", "a run until never needs max_messages", {},
                           "To let a job run on, use sluice.start_job."));
    const catalog::StoredJob job = lock_job_of_caller(name);
    begin_run(job, until, max_messages);
    wake_at_commit(job.id);
    Error canceled;
    try {
        follow_run(procedure, job, Deadline(arguments.interval_ms(3)));
        procedure.finish();
        PG_RETURN_NULL();
    } catch (const PgError& e) {
        canceled = to_error(e.record, Stage::Fetch);
    }
    // The run was this statement's, so it ends with it.
    procedure.rollback();
    stop_run(job.id, "sluice.run_job was canceled");
    procedure.commit();
    fail(std::move(canceled));
}

SLUICE_FUNCTION(sluice_wait_for_state) {
    Procedure procedure(fcinfo, "wait_for_state");
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text(0, "name");
    std::string wanted = arguments.required_text(1, "state");
    std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    constexpr std::string_view kStates[] = {"STOPPED",  "STARTING", "RUNNING",  "PAUSED",
                                            "RETRYING", "ERROR",    "FINISHED", "STANDBY"};
    if (std::find(std::begin(kStates), std::end(kStates), wanted) == std::end(kStates))
        fail(Error::config(
            "22023", "\"" + wanted + "\" is not a state of a job", {},
            "States are STOPPED, STARTING, RUNNING, PAUSED, RETRYING, ERROR, FINISHED and STANDBY."));
    const JobId job = job_of_caller(name).id;
    const Deadline deadline(arguments.interval_ms(2));
    for (;;) {
        const State state = state_of(job, name);
        if (state.state == wanted) break;
        if (state.state == "ERROR") fail(job_failed(name, state.reason));
        if (deadline.passed())
            fail(Error::config(
                "57014",
                "job \"" + name + "\" is " + state.state + ", not " + wanted + ", after the time-out",
                state.reason));
        procedure.wait(kLook);
    }
    procedure.finish();
    PG_RETURN_NULL();
}

// Read-your-writes for producers.
SLUICE_FUNCTION(sluice_wait_for_offset) {
    Procedure procedure(fcinfo, "wait_for_offset");
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text(0, "name");
    const auto partition = arguments.integer(1);
    const auto offset = arguments.bigint(2);
    if (!partition || !offset)
        fail(Error::config("22004", "arguments partition and offset must not be NULL"));
    const JobId job = job_of_caller(name).id;
    const auto topic = arguments.text(3);
    const Deadline deadline(arguments.interval_ms(4));
    std::optional<std::string> outcome;
    std::optional<Steady::time_point> looked;
    while (!(outcome = outcome_of(job, topic, *partition, *offset))) {
        const auto now = Steady::now();
        if (!looked || now - *looked >= kLookAtState || deadline.passed()) {
            looked = now;
            const State state = state_of(job, name);
            if (state.state == "ERROR") fail(job_failed(name, state.reason));
            if (deadline.passed())
                fail(Error::config(
                    "57014",
                    "job \"" + name + "\" has not passed offset " + std::to_string(*offset) +
                        " of partition " + std::to_string(*partition) + " after the time-out",
                    "The job is " + state.state + (state.reason.empty() ? "" : ": " + state.reason) + "."));
        }
        procedure.wait(now - deadline.start() < kQuickTime ? kQuickLook : kLook);
    }
    procedure.finish();
    // An INOUT argument makes the result a row.
    return call([&] {
        TupleDesc desc;
        if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "a row was expected");
        Datum value = CStringGetTextDatum(outcome->c_str());
        bool null = false;
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), &value, &null));
    });
}

}  // namespace sluice
