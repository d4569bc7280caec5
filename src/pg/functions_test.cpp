// test_job and explain_job: what a job does with messages, and by which statements. Nothing remains of
// either.
#include "format/record_decoder.hpp"
#include "job/json.hpp"
#include "kafka/consumer.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"
#include "pg/session_job.hpp"
#include "pg/source.hpp"
#include "pg/source_scan.hpp"
#include "pg/source_topic.hpp"
#include "pg/statement_shape.hpp"
#include "pg/system_catalog.hpp"
#include "pg/topic_sample.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"
}

namespace sluice {

namespace {

using std::chrono::seconds;

constexpr seconds kBrokerTimeout{5};
constexpr size_t kMostMessages = 10'000;
// Of a message that becomes more of them.
constexpr size_t kShownRows = 1000;
constexpr Offset kSample{-1};

struct TestRow {
    Partition partition;
    Offset offset;  // -1: a sample
    std::string outcome;
    std::string row;  // JSON, an array when it is several; empty when there is none or it cannot be mapped
    std::optional<Error> error;
};

std::string mapped_row_query(const ResolvedJob& job) {
    std::string columns;
    std::string absent;
    int number = 0;
    for (const MapColumn& c : map_shape(job).columns) {
        columns += (columns.empty() ? "" : ", ") + mapped_value(c) + " AS " + c.name;
        const MappedTarget& target = job.columns[number++];
        if (!target.may_be_absent) continue;
        const std::string literal = call([&] { return quote_literal_cstr(target.name.c_str()); });
        absent += (absent.empty() ? "" : ", ") + ("CASE WHEN sluice.is_absent(s.ctid, " +
                                                  std::to_string(number) + ") THEN " + literal + " END");
    }
    if (!absent.empty()) absent = " OPERATOR(pg_catalog.-) ARRAY[" + absent + "]::pg_catalog.text[]";
    return "SELECT pg_catalog.to_jsonb(r)" + absent + " FROM " + job.source_name + " s, LATERAL (SELECT " +
           columns + ") r LIMIT " + std::to_string(kShownRows);
}

// A cancel request or a lock time-out is not a message's fault, and ends the test.
void check_fault_of_message(const Error& error) {
    if (error.kind == ErrorKind::Transient) fail(error);
}

// The row as it is to be written, as JSON, without absent columns; several are an array. Empty when they
// cannot be mapped.
std::string mapped_row(SessionJob& here, const MessageView& message, const std::string& query) {
    BatchReader& reader = here.reader();
    std::string row;
    spi::Subtransaction mapping;
    try {
        reader.bind({&message, 1});
        const SourceScan scan(here.resolved(), reader);
        spi::Connection connection;
        const spi::Rows rows = spi::run(query);
        for (size_t i = 0; i < rows.size(); ++i) row += (i == 0 ? "" : ", ") + rows.text(i, 0);
        if (rows.size() > 1) row = "[" + row + "]";
    } catch (const PgError& e) {
        // Writing it meets the same error, and tells it.
        check_fault_of_message(to_error(e.record, Stage::Map));
    }
    mapping.rollback();
    return row;
}

// One message through the whole way. Errors end in the row; what it wrote stays for the messages after it.
TestRow test_message(SessionJob& here, const MessageView& message, const std::string& row_query) {
    TestRow result{message.partition, message.offset, {}, {}, {}};
    here.learn_schemas(message);
    result.row = mapped_row(here, message, row_query);
    result.error = here.write(message);
    if (result.error) check_fault_of_message(*result.error);
    result.outcome = result.error ? "rejected" : here.reader().outcomes_of(0, 1).in_words();
    return result;
}

std::vector<TestRow> test_messages(const catalog::StoredJob& job, std::span<const MessageView> messages) {
    std::vector<TestRow> results;
    spi::Subtransaction everything;
    {
        const MessageHeaders headers;
        SessionJob here(job.spec, job.owner, headers);
        const std::string row_query = mapped_row_query(here.resolved());
        for (const MessageView& message : messages) {
            call([] { CHECK_FOR_INTERRUPTS(); });
            results.push_back(test_message(here, message, row_query));
        }
    }
    everything.rollback();
    return results;
}

// The next messages of the job: from its offsets, or from the beginning of partitions it has none for.
std::vector<Assignment> next_positions(const catalog::StoredJob& job, const SharedClient& client,
                                       const SourceSpec& source, Waiter& waiter) {
    const SourceTopic topic = ask_topic(source, client, waiter, kBrokerTimeout);
    std::vector<Assignment> assignments;
    for (const Partition p : topic.partitions)
        assignments.push_back({topic.name, p, topic.marks.at(p.value).low, -1});
    Bookkeeping bookkeeping;
    const spi::Rows rows =
        spi::run("SELECT partition, next_offset FROM sluice.offsets WHERE job_id = $1 AND topic = $2",
                 {spi::Param::int4(job.id.value), spi::Param::text(topic.name)});
    for (size_t i = 0; i < rows.size(); ++i)
        for (Assignment& a : assignments)
            if (a.partition.value == rows.integer(i, 0))
                a.start = std::max(a.start, NextOffset{rows.integer(i, 1)});
    return assignments;
}

std::vector<TestRow> test_topic(const catalog::StoredJob& job, size_t count) {
    SessionWaiter waiter;
    const SourceSpec source = load_source(job.source, job.owner);
    ConsumerConfig config;
    config.client = {source.brokers, source.properties, job.spec.options.group_id};
    const auto consumer = value_or_fail(Consumer::open(config));
    const auto assignments = next_positions(job, consumer->client(), source, waiter);
    const MessageBatch batch =
        read_sample(*consumer, assignments, {count, static_cast<size_t>(job.spec.options.memory)}, waiter);
    // As a worker orders them.
    std::vector<MessageView> ordered(batch.messages().begin(), batch.messages().end());
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const MessageView& a, const MessageView& b) { return a.partition < b.partition; });
    return test_messages(job, ordered);
}

void return_rows(FunctionCallInfo fcinfo, const std::vector<TestRow>& rows) {
    auto* info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    call([&] { InitMaterializedSRF(fcinfo, 0); });
    for (const TestRow& row : rows) {
        call([&] {
            Datum values[10];
            bool nulls[10] = {};
            auto text = [&](int at, const std::string& value) {
                nulls[at] = value.empty();
                if (!nulls[at]) values[at] = CStringGetTextDatum(value.c_str());
            };
            nulls[0] = nulls[1] = row.offset == kSample;
            values[0] = Int32GetDatum(row.partition.value);
            values[1] = Int64GetDatum(row.offset.value);
            text(2, row.outcome);
            nulls[3] = row.row.empty();
            if (!nulls[3]) values[3] = DirectFunctionCall1(jsonb_in, CStringGetDatum(row.row.c_str()));
            for (int at = 4; at < 10; ++at) nulls[at] = true;
            if (row.error) {
                values[4] = CStringGetTextDatum(stage_name(row.error->stage).data());
                nulls[4] = false;
                text(5, row.error->sqlstate);
                text(6, row.error->message);
                text(7, row.error->detail);
                text(8, row.error->hint);
                text(9, row.error->column_name);
            }
            tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
        });
    }
}

std::string index_on_match_columns(const ResolvedJob& job) {
    if (OidIsValid(job.unique_index)) return "unique index " + qualified_name(job.unique_index);
    if (job.has_probing_index) return "an index, but no unique one on just them";
    return "none, every batch reads the whole target";
}

const char* done_with_tombstones(Tombstone tombstone) {
    switch (tombstone) {
        case Tombstone::Delete:
            return "delete the row";
        case Tombstone::Ignore:
            return "are ignored";
        case Tombstone::Error:
            return "are rejected";
    }
    return "";
}

void explain_decisions(const ResolvedJob& job, std::vector<std::string>& lines) {
    lines.push_back("Source: " + job.source_name);
    lines.push_back("Target: " + job.target_name);
    lines.push_back(std::string("Gear: ") + (job.gear == Gear::Direct ? "direct" : "statement") +
                    ", because " + job.gear_reason);
    if (job.spec.mode == Mode::Merge)
        lines.push_back(
            std::string("Upsert: ") +
            (job.upsert == UpsertWay::OnConflict ? "INSERT ... ON CONFLICT" : "UPDATE, then INSERT") +
            (job.upsert_reason.empty() ? "" : ", because " + job.upsert_reason));
    if (job.spec.mode != Mode::Insert) lines.push_back("Match columns: " + index_on_match_columns(job));
    if (job.lock_target) lines.push_back("Lock: the target, in SHARE ROW EXCLUSIVE mode, for each batch");
    std::string absent;
    for (const MappedTarget& column : job.columns)
        if (column.may_be_absent) absent += (absent.empty() ? "" : ", ") + quoted_name(column.name);
    if (!absent.empty()) lines.push_back("Unavailable values leave as they are: " + absent);
    if (job.source_has_value_columns)
        lines.push_back(std::string("Messages without a value: ") + done_with_tombstones(job.tombstone));
}

std::vector<std::string> explain(const catalog::StoredJob& job) {
    std::vector<std::string> lines;
    spi::Subtransaction everything;
    {
        const MessageHeaders headers;
        SessionJob here(job.spec, job.owner, headers);
        explain_decisions(here.resolved(), lines);
        for (const std::string& text : here.sink().explain()) {
            size_t from = 0;
            for (size_t end; from <= text.size(); from = end + 1) {
                end = std::min(text.find('\n', from), text.size());
                lines.push_back(text.substr(from, end - from));
            }
        }
    }
    everything.rollback();
    return lines;
}

catalog::StoredJob job_to_rehearse(const Arguments& arguments) {
    const catalog::StoredJob job = job_of_caller(arguments.required_text(0, "name"));
    check_source_is_there(job);
    check_target_is_there(job);
    return job;
}

}  // namespace

SLUICE_FUNCTION(sluice_test_job_messages) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_to_rehearse(arguments);
    const int32_t count = arguments.integer(1).value_or(10);
    if (count < 1 || count > static_cast<int32_t>(kMostMessages))
        fail(Error::config("22023", "argument messages must be 1 to " + std::to_string(kMostMessages)));
    return_rows(fcinfo, test_topic(job, static_cast<size_t>(count)));
    return 0;
}

// A NULL sample is a tombstone.
SLUICE_FUNCTION(sluice_test_job_sample) {
    require_primary();
    const Arguments arguments(fcinfo);
    const catalog::StoredJob job = job_to_rehearse(arguments);
    const std::string topic = load_source(job.source, job.owner).topic;
    const auto value = arguments.bytea(1);
    const auto key = arguments.bytea(2);
    MessageView message;
    message.topic = topic;
    message.offset = kSample;
    if (value) message.value = Bytes::of(*value);
    if (key) message.key = Bytes::of(*key);
    return_rows(fcinfo, test_messages(job, {&message, 1}));
    return 0;
}

SLUICE_FUNCTION(sluice_explain_job) {
    const Arguments arguments(fcinfo);
    const std::vector<std::string> lines = explain(job_to_rehearse(arguments));
    auto* info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    call([&] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
    for (const std::string& line : lines)
        call([&] {
            Datum value = CStringGetTextDatum(line.c_str());
            bool null = false;
            tuplestore_putvalues(info->setResult, info->setDesc, &value, &null);
        });
    return 0;
}

}  // namespace sluice
