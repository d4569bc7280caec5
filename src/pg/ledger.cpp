#include <array>
#include <chrono>
#include <vector>

#include "pg/job_lock.hpp"
#include "pg/ledger.hpp"

namespace sluice {

namespace {

using spi::Param;

double monotonic_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Param offset_or_null(const std::optional<NextOffset>& offset) {
    return offset ? Param::int8(offset->value) : Param::null_of(INT8OID);
}

Param epoch_or_null(int32_t epoch) { return epoch < 0 ? Param::null_of(INT4OID) : Param::int4(epoch); }

Param milliseconds(double ms) { return Param::of(FLOAT8OID, Float8GetDatum(ms)); }

Param known_or_null(int64_t value, bool known) {
    return known ? Param::int8(value) : Param::null_of(INT8OID);
}

// In the order in which the tables and statements have them.
std::array<Param, 10> row_columns(const RowCounts& rows) {
    return {Param::int8(rows.written()),
            known_or_null(rows[Outcome::Inserted], rows.split_known()),
            known_or_null(rows[Outcome::Updated], rows.split_known()),
            Param::int8(rows[Outcome::Deleted]),
            Param::int8(rows[Outcome::Superseded]),
            Param::int8(rows[Outcome::Unchanged]),
            Param::int8(rows[Outcome::Stale]),
            Param::int8(rows[Outcome::Unmatched]),
            Param::int8(rows[Outcome::Filtered]),
            Param::int8(rows[Outcome::Rejected])};
}

template <class... More>
std::vector<Param> joined(std::vector<Param> params, const More&... more) {
    (params.insert(params.end(), more.begin(), more.end()), ...);
    return params;
}

// to_timestamp() of it gives the message's time.
Param seconds_or_null(int64_t timestamp_ms) {
    return timestamp_ms < 0 ? Param::null_of(FLOAT8OID)
                            : milliseconds(static_cast<double>(timestamp_ms) / 1000);
}

// Statements are planned once per process; the plans live until it ends.
spi::Prepared& read_generation() {
    static spi::Prepared statement(
        "SELECT j.generation, s.wanted FROM sluice.job j JOIN sluice.job_state s USING (job_id)"
        " WHERE j.job_id = $1");
    return statement;
}

spi::Prepared& lock_offsets() {
    static spi::Prepared statement(
        "SELECT o.partition, o.next_offset FROM sluice.offsets o"
        " WHERE o.job_id = $1 AND o.topic = $2 AND o.partition = ANY ($3)"
        " ORDER BY o.topic, o.partition FOR UPDATE");
    return statement;
}

spi::Prepared& update_offsets() {
    static spi::Prepared statement(
        "UPDATE sluice.offsets SET next_offset = $4, leader_epoch = COALESCE($5, leader_epoch), generation = "
        "$6,"
        "  low_watermark = COALESCE($7, low_watermark), high_watermark = COALESCE($8, high_watermark),"
        "  last_message_timestamp = COALESCE(pg_catalog.to_timestamp($9), last_message_timestamp),"
        "  last_commit_at = pg_catalog.clock_timestamp(), messages = messages + $10, bytes = bytes + $11,"
        "  rows_written = rows_written + $12, rows_inserted = rows_inserted + $13, rows_updated = "
        "rows_updated + $14,"
        "  rows_deleted = rows_deleted + $15, rows_superseded = rows_superseded + $16,"
        "  rows_unchanged = rows_unchanged + $17, rows_stale = rows_stale + $18,"
        "  rows_unmatched = rows_unmatched + $19, rows_filtered = rows_filtered + $20,"
        "  rows_rejected = rows_rejected + $21"
        " WHERE job_id = $1 AND topic = $2 AND partition = $3");
    return statement;
}

spi::Prepared& insert_history() {
    static spi::Prepared statement(
        "INSERT INTO sluice.batch_history (job_id, topic, partition, start_offset, end_offset, end_reason, "
        "messages,"
        "  bytes, rows_written, rows_inserted, rows_updated, rows_deleted, rows_superseded, rows_unchanged,"
        "  rows_stale, rows_unmatched, rows_filtered, rows_rejected, started_at, finished_at, fetch_ms,"
        "  decode_ms, apply_ms, commit_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        "  pg_catalog.transaction_timestamp(), pg_catalog.clock_timestamp(), $19, $20, $21, $22)"
        " RETURNING history_id");
    return statement;
}

spi::Prepared& merge_history() {
    static spi::Prepared statement(
        "UPDATE sluice.batch_history SET end_offset = $2, end_reason = $3, messages = messages + $4,"
        "  bytes = bytes + $5, rows_written = rows_written + $6, rows_inserted = rows_inserted + $7,"
        "  rows_updated = rows_updated + $8, rows_deleted = rows_deleted + $9,"
        "  rows_superseded = rows_superseded + $10, rows_unchanged = rows_unchanged + $11,"
        "  rows_stale = rows_stale + $12, rows_unmatched = rows_unmatched + $13,"
        "  rows_filtered = rows_filtered + $14, rows_rejected = rows_rejected + $15,"
        "  finished_at = pg_catalog.clock_timestamp(), fetch_ms = fetch_ms + $16,"
        "  decode_ms = decode_ms + $17, apply_ms = apply_ms + $18,"
        "  commit_ms = COALESCE(commit_ms, 0) + COALESCE($19, 0)"
        " WHERE history_id = $1");
    return statement;
}

spi::Prepared& upsert_reject() {
    static spi::Prepared statement(
        "INSERT INTO sluice.reject AS r (job_id, job_name, owner, kafka_topic, kafka_partition, kafka_offset,"
        "  kafka_timestamp, kafka_key, kafka_headers, raw_message, stage, sqlstate, error_message, "
        "error_detail,"
        "  error_hint, error_context, schema_name, table_name, column_name, constraint_name, data_type, "
        "status)"
        " SELECT $1, j.job_name, j.owner, $2, $3, $4, pg_catalog.to_timestamp($5), $6, $7::pg_catalog.jsonb, "
        "$8,"
        "  $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20 FROM sluice.job j WHERE j.job_id = $1"
        " ON CONFLICT (job_id, kafka_topic, kafka_partition, kafka_offset) DO UPDATE SET"
        "  event_time = pg_catalog.now(), stage = excluded.stage, sqlstate = excluded.sqlstate,"
        "  error_message = excluded.error_message, error_detail = excluded.error_detail,"
        "  error_hint = excluded.error_hint, error_context = excluded.error_context,"
        "  schema_name = excluded.schema_name, table_name = excluded.table_name,"
        "  column_name = excluded.column_name, constraint_name = excluded.constraint_name,"
        "  data_type = excluded.data_type, status = excluded.status, attempts = r.attempts + 1,"
        "  raw_message = excluded.raw_message, kafka_key = excluded.kafka_key,"
        "  kafka_headers = excluded.kafka_headers, resolved_at = NULL, resolved_by = NULL");
    return statement;
}

spi::Prepared& settle_statement() {
    static spi::Prepared statement(
        "UPDATE sluice.reject SET status = 'applied', resolved_at = pg_catalog.now(), resolved_by = 'sluice'"
        " WHERE job_id = $1 AND kafka_topic = $2 AND kafka_partition = $3 AND status = 'blocking'"
        "   AND kafka_offset < $4");
    return statement;
}

spi::Prepared& watermark_statement() {
    static spi::Prepared statement(
        "UPDATE sluice.offsets SET low_watermark = COALESCE($4, low_watermark),"
        "  high_watermark = COALESCE($5, high_watermark)"
        " WHERE job_id = $1 AND topic = $2 AND partition = $3");
    return statement;
}

Param bytes_or_null(Bytes bytes) {
    return bytes.is_null() ? Param::null_of(BYTEAOID) : Param::bytea(bytes.view());
}

}  // namespace

Ledger::Ledger(Oid job_table, JobId job, std::string job_name, std::string topic, int64_t generation)
    : job_table_(job_table),
      job_(job),
      job_name_(std::move(job_name)),
      topic_(std::move(topic)),
      generation_(generation) {}

void Ledger::adopt(std::vector<PartitionState> partitions) {
    partitions_.clear();
    for (PartitionState& state : partitions) partitions_.emplace(state.partition.value, state);
    rolled_back();
}

bool Ledger::open(std::span<const Partition> partitions) {
    lock_job_for_batch(job_table_, job_);
    Bookkeeping bookkeeping;
    const spi::Rows job = read_generation().run({Param::int4(job_.value)});
    if (job.empty() || job.integer(0, 0) != generation_ || job.text(0, 1) != "running") return false;
    std::vector<int32_t> numbers;
    for (const Partition p : partitions) numbers.push_back(p.value);
    const spi::Rows rows =
        lock_offsets().run({Param::int4(job_.value), Param::text(topic_), Param::int4_array(numbers)});
    for (size_t i = 0; i < rows.size(); ++i) {
        const auto partition = static_cast<int32_t>(rows.integer(i, 0));
        const int64_t believed = partitions_.at(partition).next.value;
        if (rows.integer(i, 1) == believed) continue;
        Error error;
        error.message = "offset of topic " + topic_ + ", partition " + std::to_string(partition) + " is " +
                        rows.text(i, 1) + " in sluice.offsets, but this worker has applied up to " +
                        std::to_string(believed);
        error.detail =
            "Nothing was written. Another process has changed the offset without raising the generation.";
        error.hint = "Restart the job; if it happens again, please report it.";
        fail(std::move(error));
    }
    if (rows.size() != partitions.size())
        fail(Error::config("42704", "offsets of topic " + topic_ + " are missing in sluice.offsets", {},
                           "Call sluice.set_offsets for the job."));
    return true;
}

void Ledger::advance(std::span<const Advance> advances, const std::string& end_reason,
                     const Timings& timings) {
    Bookkeeping bookkeeping;
    const double now = monotonic_seconds();
    for (const Advance& a : advances) {
        const std::array rows = row_columns(a.rows);
        update_offsets().run(
            joined({Param::int4(job_.value), Param::text(topic_), Param::int4(a.partition.value),
                    Param::int8(a.end.value), epoch_or_null(a.leader_epoch), Param::int8(generation_),
                    offset_or_null(a.low_watermark), offset_or_null(a.high_watermark),
                    seconds_or_null(a.last_timestamp_ms), Param::int8(a.messages), Param::int8(a.bytes)},
                   rows));
        if (a.messages == 0) continue;
        const std::array times = {milliseconds(timings.fetch), milliseconds(timings.decode),
                                  milliseconds(timings.apply),
                                  timings.commit ? milliseconds(*timings.commit) : Param::null_of(FLOAT8OID)};
        const auto held = history_.find(a.partition.value);
        if (held != history_.end() && now - held->second.started < 1.0) {
            merge_history().run(
                joined({Param::int8(held->second.id), Param::int8(a.end.value), Param::text(end_reason),
                        Param::int8(a.messages), Param::int8(a.bytes)},
                       rows, times));
            continue;
        }
        const spi::Rows id = insert_history().run(
            joined({Param::int4(job_.value), Param::text(topic_), Param::int4(a.partition.value),
                    Param::int8(a.start.value), Param::int8(a.end.value), Param::text(end_reason),
                    Param::int8(a.messages), Param::int8(a.bytes)},
                   rows, times));
        pending_history_[a.partition.value] = {id.integer(0, 0), now};
    }
    pending_.insert(pending_.end(), advances.begin(), advances.end());
}

void Ledger::reject(const MessageView& message, std::string_view headers_json, const Error& error,
                    const std::string& status) {
    Bookkeeping bookkeeping;
    upsert_reject().run({Param::int4(job_.value),
                         Param::text(topic_),
                         Param::int4(message.partition.value),
                         Param::int8(message.offset.value),
                         seconds_or_null(message.timestamp_ms),
                         bytes_or_null(message.key),
                         Param::text_or_null(headers_json),
                         bytes_or_null(message.value),
                         Param::text(stage_name(error.stage)),
                         Param::text(error.sqlstate),
                         Param::text(error.message),
                         Param::text_or_null(error.detail),
                         Param::text_or_null(error.hint),
                         Param::text_or_null(error.context),
                         Param::text_or_null(error.schema_name),
                         Param::text_or_null(error.table_name),
                         Param::text_or_null(error.column_name),
                         Param::text_or_null(error.constraint_name),
                         Param::text_or_null(error.data_type),
                         Param::text(status)});
    if (status == "blocking") has_blocking_ = true;
}

void Ledger::committed() {
    for (const Advance& a : pending_) {
        PartitionState& state = partitions_.at(a.partition.value);
        state.next = a.end;
        if (a.leader_epoch >= 0) state.leader_epoch = a.leader_epoch;
    }
    for (const auto& [partition, row] : pending_history_) history_[partition] = row;
    rolled_back();
}

void Ledger::rolled_back() {
    pending_.clear();
    pending_history_.clear();
}

void Ledger::settle_blocking(std::span<const Advance> advances) {
    if (!has_blocking_) return;
    Bookkeeping bookkeeping;
    for (const Advance& a : advances)
        settle_statement().run({Param::int4(job_.value), Param::text(topic_), Param::int4(a.partition.value),
                                Param::int8(a.end.value)});
    const spi::Rows left =
        spi::run("SELECT 1 FROM sluice.reject WHERE job_id = $1 AND status = 'blocking' LIMIT 1",
                 {Param::int4(job_.value)});
    has_blocking_ = !left.empty();
}

void Ledger::write_watermarks(Partition partition, std::optional<NextOffset> low,
                              std::optional<NextOffset> high) {
    Bookkeeping bookkeeping;
    watermark_statement().run({Param::int4(job_.value), Param::text(topic_), Param::int4(partition.value),
                               offset_or_null(low), offset_or_null(high)});
}

}  // namespace sluice
