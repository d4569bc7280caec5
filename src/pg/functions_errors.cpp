// replay_errors and purge_errors: messages that were rejected are applied after all, or forgotten.
#include "job/json.hpp"

#include <string>
#include <vector>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_lock.hpp"
#include "pg/ledger.hpp"
#include "pg/session_job.hpp"
#include "pg/stored_reject.hpp"

extern "C" {
#include "funcapi.h"
#include "parser/parser.h"
#include "utils/tuplestore.h"
}

namespace sluice {

namespace {

using spi::Param;

struct Replayed {
    int64_t error_id;
    std::string topic;
    MessageView message;  // its position only
    std::string outcome;
    std::optional<Error> error;
};

// A filter with a second statement in it would run that one, too.
void check_single(const std::string& sql) {
    const int statements = call([&] { return list_length(raw_parser(sql.c_str(), RAW_PARSE_DEFAULT)); });
    if (statements != 1)
        fail(Error::config("42601",
                           "argument filter must be one SQL condition over the columns of sluice.errors"));
}

// As the caller, who sees in the view what they may see.
std::vector<int64_t> find_rejects(const std::string& job, const std::optional<std::string>& filter) {
    std::string sql =
        "SELECT error_id FROM sluice.errors WHERE job_name OPERATOR(pg_catalog.=) $1"
        " AND status OPERATOR(pg_catalog.=) ANY ('{open,blocking}'::pg_catalog.text[])";
    if (filter) sql += " AND (" + *filter + "\n)";
    sql += " ORDER BY kafka_topic, kafka_partition, kafka_offset";
    check_single(sql);
    spi::Connection connection;
    const spi::Rows rows = spi::run(sql, {Param::text(job)});
    std::vector<int64_t> ids;
    for (size_t i = 0; i < rows.size(); ++i) ids.push_back(rows.integer(i, 0));
    return ids;
}

bool has_blocking(JobId job) {
    Bookkeeping bookkeeping;
    return !spi::run("SELECT 1 FROM sluice.reject WHERE job_id = $1 AND status = 'blocking' LIMIT 1",
                     {Param::int4(job.value)})
                .empty();
}

// The job's definition, with the mapping of this call. Its names are those that the caller sees.
JobSpec spec_with(const catalog::StoredJob& job, const std::optional<std::string>& mapping) {
    JobSpec spec = job.spec;
    if (!mapping) return spec;
    JobSpec mapped = job.spec;
    mapped.mapping = value_or_fail(mapping_from_json(*mapping));
    mapped.filter.reset();
    mapped.update_condition.reset();
    mapped.delete_condition.reset();
    Resolution resolution = resolve_job(mapped, job.owner, Expressions::Analyse);
    if (!resolution.problems.empty()) fail(combine(resolution.problems));
    spec.mapping = resolution.job.spec.mapping;
    return spec;
}

// The loop of one replay_errors.
class Replay {
  public:
    Replay(const catalog::StoredJob& job, const JobSpec& spec)
        : job_(job), actor_(current_role_name()), here_(spec, job.owner, headers_, Ties::RowStays) {}

    // Without order columns in the target nothing tells an old reject from newer data.
    bool may_overwrite_newer_rows() const {
        return here_.resolved().spec.mode != Mode::Insert && here_.resolved().order.empty();
    }

    // Empty when somebody else has settled it meanwhile.
    std::optional<Replayed> replay(int64_t error_id) {
        const std::optional<StoredReject> reject = lock(error_id);
        if (!reject) return std::nullopt;
        headers_.at_hand(&*reject);
        Replayed result{error_id, reject->topic(), reject->message(), "rejected", {}};
        result.error = here_.write(result.message);
        // A cancel request or a lock that does not come is not the message's fault, and ends the replay.
        if (result.error && result.error->kind != ErrorKind::Data) fail(*result.error);
        if (result.error) {
            books_of(*reject).reject(result.message, reject->headers_json(), *result.error,
                                     reject->is_blocking() ? "blocking" : "open");
        } else {
            const RowCounts rows = here_.reader().outcomes_of(0, 1);
            result.outcome = rows.in_words();
            settle(*reject, rows);
        }
        headers_.at_hand(nullptr);
        return result;
    }

    // Some offset has moved past a message that was blocking.
    bool has_moved() const { return has_moved_; }

  private:
    static std::optional<StoredReject> lock(int64_t error_id) {
        Bookkeeping bookkeeping;
        return StoredReject::lock(error_id);
    }

    Ledger books_of(const StoredReject& reject) const {
        return {job_table(), job_.id, job_.spec.name, reject.topic(), job_.generation};
    }

    void settle(const StoredReject& reject, const RowCounts& rows) {
        Bookkeeping bookkeeping;
        spi::run(
            "UPDATE sluice.reject SET status = 'replayed', resolved_at = pg_catalog.now(), resolved_by = $2"
            " WHERE error_id = $1",
            {Param::int8(reject.id()), Param::text(actor_)});
        if (reject.is_blocking()) move_past(reject, rows);
    }

    void move_past(const StoredReject& reject, const RowCounts& rows) {
        const MessageView message = reject.message();
        const spi::Rows next = spi::run(
            "SELECT 1 FROM sluice.offsets WHERE job_id = $1 AND topic = $2 AND partition = $3 AND "
            "next_offset = $4",
            {Param::int4(job_.id.value), Param::text(reject.topic()), Param::int4(message.partition.value),
             Param::int8(message.offset.value)});
        if (next.empty()) return;
        Advance past;
        past.partition = message.partition;
        past.start = NextOffset{message.offset.value};
        past.end = after(message.offset);
        past.messages = 1;
        past.bytes = static_cast<int64_t>(message.key.size + message.value.size);
        past.last_timestamp_ms = message.timestamp_ms;
        past.rows = rows;
        books_of(reject).advance(std::span(&past, 1), "REPLAYED", {});
        has_moved_ = true;
    }

    const catalog::StoredJob& job_;
    std::string actor_;
    RejectHeaders headers_;
    SessionJob here_;
    bool has_moved_ = false;
};

std::vector<Replayed> replay(const catalog::StoredJob& job, const JobSpec& spec,
                             const std::vector<int64_t>& ids) {
    std::vector<Replayed> results;
    bool has_moved = false;
    {
        Replay replay(job, spec);
        if (replay.may_overwrite_newer_rows() && !ids.empty())
            call([&] {
                ereport(NOTICE,
                        (errmsg("job \"%s\" has no order columns: a replayed message replaces what came "
                                "after it",
                                job.spec.name.c_str())));
            });
        for (const int64_t id : ids) {
            call([] { CHECK_FOR_INTERRUPTS(); });
            if (auto result = replay.replay(id)) results.push_back(std::move(*result));
        }
        has_moved = replay.has_moved();
    }
    if (has_moved) {
        catalog::raise_generation(job.id);
        wake_at_commit(job.id);
    }
    return results;
}

void record_replay(JobId job, const std::vector<Replayed>& results) {
    size_t failed = 0;
    for (const Replayed& r : results) failed += r.error.has_value();
    catalog::record_event(job, catalog::Level::Info, "replay_errors",
                          "messages replayed: " + std::to_string(results.size() - failed) +
                              ", rejected again: " + std::to_string(failed),
                          current_role_name());
}

void return_rows(FunctionCallInfo fcinfo, const std::vector<Replayed>& results) {
    auto* info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    call([&] { InitMaterializedSRF(fcinfo, 0); });
    for (const Replayed& r : results) {
        call([&] {
            Datum values[8];
            bool nulls[8] = {};
            auto text = [&](int at, const std::string& value) {
                nulls[at] = value.empty();
                if (!nulls[at]) values[at] = CStringGetTextDatum(value.c_str());
            };
            values[0] = Int64GetDatum(r.error_id);
            text(1, r.topic);
            values[2] = Int32GetDatum(r.message.partition.value);
            values[3] = Int64GetDatum(r.message.offset.value);
            text(4, r.outcome);
            for (int at = 5; at < 8; ++at) nulls[at] = true;
            if (r.error) {
                text(5, r.error->sqlstate);
                text(6, r.error->message);
                text(7, r.error->column_name);
            }
            tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
        });
    }
}

}  // namespace

SLUICE_FUNCTION(sluice_replay_errors) {
    require_primary();
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text(0, "name");
    catalog::StoredJob job = job_of_caller(name);
    check_source_is_there(job);
    check_target_is_there(job);
    // The offset moves past a blocking message, which nobody else may do at the same time.
    if (has_blocking(job.id)) job = lock_job_of_caller(name);
    const JobSpec spec = spec_with(job, arguments.jsonb(2));
    const std::vector<Replayed> results = replay(job, spec, find_rejects(name, arguments.text(1)));
    if (!results.empty()) record_replay(job.id, results);
    return_rows(fcinfo, results);
    return 0;
}

// Returns how many were removed. Blocking ones stay: the job still stands before them.
SLUICE_FUNCTION(sluice_purge_errors) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    const auto older_than = arguments.interval_ms(1);
    if (!older_than) fail(Error::config("22004", "argument older_than must not be NULL"));
    if (*older_than < 0) fail(Error::config("22023", "argument older_than must not be negative"));
    uint64_t removed = 0;
    {
        Bookkeeping bookkeeping;
        removed =
            spi::run(
                "DELETE FROM sluice.reject WHERE job_id = $1 AND status <> 'blocking'"
                " AND COALESCE(resolved_at, event_time) <= pg_catalog.now() - $2 * interval '1 millisecond'",
                {Param::int4(job.id.value), Param::int8(*older_than)})
                .processed();
    }
    if (removed > 0)
        catalog::record_event(job.id, catalog::Level::Warning, "purge_errors",
                              std::to_string(removed) + " rejected messages removed", current_role_name());
    PG_RETURN_INT64(static_cast<int64_t>(removed));
}

}  // namespace sluice
