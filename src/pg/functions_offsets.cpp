// set_offsets and skip_offset: a person says where a job goes on. Checked against the brokers, recorded with
// who did it.
#include "job/position.hpp"
#include "kafka/client.hpp"

#include <chrono>
#include <map>
#include <string>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/job_lock.hpp"
#include "pg/source.hpp"
#include "pg/source_topic.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace sluice {

namespace {

using spi::Param;
using std::chrono::seconds;

constexpr seconds kBrokerTimeout{5};

void check_topic(const catalog::StoredJob& job, const std::string& topic,
                 const std::optional<std::string>& asked) {
    if (!asked || *asked == topic) return;
    fail(Error::config("42704", "job \"" + job.spec.name + "\" does not read topic \"" + *asked + "\"", {},
                       "It reads topic \"" + topic + "\"."));
}

SharedClient client_of(const catalog::StoredJob& job, const SourceSpec& source) {
    return value_or_fail(Client::open({source.brokers, source.properties, job.spec.options.group_id}));
}

const Watermarks& watermarks_of(const SourceTopic& topic, int32_t partition) {
    const auto mark = topic.marks.find(partition);
    if (mark != topic.marks.end()) return mark->second;
    std::string known;
    for (const auto& [p, marks] : topic.marks) known += (known.empty() ? "" : ", ") + std::to_string(p);
    fail(Error::config(
        "42704",
        "the job reads no partition " + std::to_string(partition) + " of topic \"" + topic.name + "\"",
        "It reads " + known + "."));
}

void check_range(const SourceTopic& topic, int32_t partition, NextOffset offset) {
    const Watermarks& mark = watermarks_of(topic, partition);
    if (offset >= mark.low && offset <= mark.high) return;
    fail(Error::config("22003",
                       "offset " + std::to_string(offset.value) + " of topic " + topic.name + ", partition " +
                           std::to_string(partition) + " is out of range",
                       "Kafka has offsets " + std::to_string(mark.low.value) + " to " +
                           std::to_string(mark.high.value) + " (the next one to be written)."));
}

// Rejects that the offset is beyond now do not block any more.
void unblock(JobId job, const std::string& topic, int32_t partition, NextOffset offset) {
    spi::run(
        "UPDATE sluice.reject SET status = 'open' WHERE job_id = $1 AND kafka_topic = $2"
        " AND kafka_partition = $3 AND kafka_offset < $4 AND status = 'blocking'",
        {Param::int4(job.value), Param::text(topic), Param::int4(partition), Param::int8(offset.value)});
}

std::string store(const catalog::StoredJob& job, const SourceTopic& topic, int32_t partition,
                  NextOffset offset) {
    Bookkeeping bookkeeping;
    const spi::Rows before =
        spi::run("SELECT next_offset FROM sluice.offsets WHERE job_id = $1 AND topic = $2 AND partition = $3",
                 {Param::int4(job.id.value), Param::text(topic.name), Param::int4(partition)});
    const Watermarks& mark = topic.marks.at(partition);
    spi::run(
        "INSERT INTO sluice.offsets (job_id, topic, partition, next_offset, topic_id, generation, "
        "low_watermark,"
        "  high_watermark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (job_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset,"
        "  topic_id = excluded.topic_id, leader_epoch = NULL, stop_offset = NULL,"
        "  low_watermark = excluded.low_watermark, high_watermark = excluded.high_watermark",
        {Param::int4(job.id.value), Param::text(topic.name), Param::int4(partition),
         Param::int8(offset.value), Param::text_or_null(topic.id), Param::int8(job.generation),
         Param::int8(mark.low.value), Param::int8(mark.high.value)});
    unblock(job.id, topic.name, partition, offset);
    return "partition " + std::to_string(partition) + ": " + (before.empty() ? "none" : before.text(0, 0)) +
           " -> " + std::to_string(offset.value);
}

// Locks the job for a change that was prepared without the lock, while the brokers were asked.
void lock_unchanged(const catalog::StoredJob& job) {
    if (lock_job_of_caller(job.spec.name).generation == job.generation) return;
    fail(Error::config("40001", "job \"" + job.spec.name + "\" was changed by somebody else meanwhile", {},
                       "Try again."));
}

void set_offsets(const catalog::StoredJob& job, const std::optional<std::string>& asked,
                 const Position& position) {
    SessionWaiter waiter;
    check_source_is_there(job);
    const SourceSpec source = load_source(job.source, job.owner);
    check_topic(job, source.topic, asked);
    const SharedClient client = client_of(job, source);
    const SourceTopic topic = ask_topic(source, client, waiter, kBrokerTimeout);
    const auto offsets = offsets_at(position, topic, client, waiter, kBrokerTimeout);
    if (offsets.empty())
        fail(Error::config("22023", "the position names no offset of topic \"" + topic.name + "\""));
    for (const auto& [partition, offset] : offsets) check_range(topic, partition, offset);
    lock_unchanged(job);
    std::string told;
    for (const auto& [partition, offset] : offsets)
        told += (told.empty() ? "" : ", ") + store(job, topic, partition, offset);
    catalog::raise_generation(job.id);
    catalog::record_event(job.id, catalog::Level::Warning, "set_offsets", "topic " + topic.name + ", " + told,
                          current_role_name());
    wake_at_commit(job.id);
}

struct SkippedOffset {
    std::string topic;
    int32_t partition;
    int64_t offset;
};

std::string place(const SkippedOffset& at) {
    return "topic " + at.topic + ", partition " + std::to_string(at.partition);
}

void check_next(const catalog::StoredJob& job, const SkippedOffset& at) {
    Bookkeeping bookkeeping;
    const spi::Rows row =
        spi::run("SELECT next_offset FROM sluice.offsets WHERE job_id = $1 AND topic = $2 AND partition = $3",
                 {Param::int4(job.id.value), Param::text(at.topic), Param::int4(at.partition)});
    if (row.empty())
        fail(Error::config("42704", "job \"" + job.spec.name + "\" has no offset for " + place(at)));
    if (row.integer(0, 0) != at.offset)
        fail(Error::config("22023",
                           "the next offset of " + place(at) + " is " + row.text(0, 0) + ", not " +
                               std::to_string(at.offset),
                           "Only the message at the next offset can be skipped.",
                           "To move further, use sluice.set_offsets."));
}

bool has_reject(JobId job, const SkippedOffset& at) {
    Bookkeeping bookkeeping;
    return !spi::run(
                "SELECT 1 FROM sluice.reject WHERE job_id = $1 AND kafka_topic = $2 AND kafka_partition = $3"
                " AND kafka_offset = $4 AND status = 'blocking'",
                {Param::int4(job.value), Param::text(at.topic), Param::int4(at.partition),
                 Param::int8(at.offset)})
                .empty();
}

// What is not there yet cannot be skipped.
void check_written(const catalog::StoredJob& job, const SourceSpec& source, const SkippedOffset& at) {
    SessionWaiter waiter;
    const SourceTopic topic = ask_topic(source, client_of(job, source), waiter, kBrokerTimeout);
    if (at.offset < watermarks_of(topic, at.partition).high.value) return;
    fail(Error::config("22003", "offset " + std::to_string(at.offset) + " of " + place(at) +
                                    " has not been written yet, there is nothing to skip"));
}

void skip(JobId job, const SkippedOffset& at) {
    Bookkeeping bookkeeping;
    const NextOffset next{at.offset + 1};
    spi::run(
        "UPDATE sluice.offsets SET next_offset = $4 WHERE job_id = $1 AND topic = $2 AND partition = $3",
        {Param::int4(job.value), Param::text(at.topic), Param::int4(at.partition), Param::int8(next.value)});
    unblock(job, at.topic, at.partition, next);
}

}  // namespace

SLUICE_FUNCTION(sluice_set_offsets_text) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    const std::string text = arguments.required_text(1, "position");
    set_offsets(job, arguments.text(2), value_or_fail(parse_start("argument position", text)));
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_set_offsets_timestamp) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    if (arguments.is_null(1)) fail(Error::config("22004", "argument position must not be NULL"));
    if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(fcinfo->args[1].value)))
        fail(Error::config("22008", "argument position must be finite", {},
                           "Positions earliest and latest are given as text."));
    constexpr int64_t kUnixToPostgres =
        (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * int64_t{SECS_PER_DAY} * 1000;
    Position position;
    position.kind = Position::Kind::Timestamp;
    position.timestamp_ms = DatumGetTimestampTz(fcinfo->args[1].value) / 1000 + kUnixToPostgres;
    set_offsets(job, arguments.text(2), position);
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_set_offsets_jsonb) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    const auto json = arguments.jsonb(1);
    if (!json) fail(Error::config("22004", "argument position must not be NULL"));
    set_offsets(job, arguments.text(2), value_or_fail(parse_start("argument position", *json)));
    PG_RETURN_VOID();
}

// Moves a job past the one message that stops it. The offset must be the job's next one, so that a slip of
// the pen skips nothing else.
SLUICE_FUNCTION(sluice_skip_offset) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    const auto partition = arguments.integer(1);
    const auto offset = arguments.bigint(2);
    if (!partition || !offset)
        fail(Error::config("22004", "arguments partition and offset must not be NULL"));
    check_source_is_there(job);
    const SourceSpec source = load_source(job.source, job.owner);
    check_topic(job, source.topic, arguments.text(3));
    const SkippedOffset skipped{source.topic, *partition, *offset};
    check_next(job, skipped);
    if (!has_reject(job.id, skipped)) check_written(job, source, skipped);
    lock_unchanged(job);
    check_next(job, skipped);
    skip(job.id, skipped);
    catalog::raise_generation(job.id);
    catalog::record_event(job.id, catalog::Level::Warning, "skip_offset",
                          place(skipped) + ", offset " + std::to_string(*offset) + " skipped",
                          current_role_name());
    wake_at_commit(job.id);
    PG_RETURN_VOID();
}

}  // namespace sluice
