#include "pg/propose_columns.hpp"

#include "kafka/consumer.hpp"

#include <algorithm>

#include "pg/source.hpp"
#include "pg/source_topic.hpp"
#include "pg/topic_sample.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "utils/acl.h"
#include "utils/builtins.h"
}

namespace sluice {

namespace {

constexpr std::chrono::seconds kBrokerTimeout{8};
constexpr size_t kSampleBytes = size_t{16} << 20;

std::vector<Assignment> newest(const SourceTopic& topic, int sample) {
    std::vector<Assignment> assignments;
    const auto partitions = static_cast<int64_t>(topic.partitions.size());
    const int64_t each = (sample + partitions - 1) / partitions;
    for (const Partition p : topic.partitions) {
        const Watermarks& ends = topic.marks.at(p.value);
        if (ends.low >= ends.high) continue;
        assignments.push_back(
            {topic.name, p, NextOffset{std::max(ends.low.value, ends.high.value - each)}, -1});
    }
    return assignments;
}

Inference of_part(const RecordSpec& record, Origin part, std::span<const MessageView> messages,
                  const std::vector<InferredColumn>& others) {
    std::vector<Bytes> payloads;
    for (const MessageView& message : messages)
        payloads.push_back(part == Origin::Key ? message.key : message.value);
    Inference found = value_or_fail(infer_columns(record, part, payloads, others));
    if (found.undecodable == 0) return found;
    if (found.rows == 0) fail(*found.error);
    call([&] {
        ereport(NOTICE, (errmsg("%zu of %zu messages cannot be decoded and were not looked at",
                                found.undecodable, payloads.size()),
                         errdetail("The first one: %s.", found.error->message.c_str())));
    });
    return found;
}

}  // namespace

Oid usable_server(const char* name) {
    const Oid server = call([&] {
        const Oid found = GetForeignServerByName(name, false)->serverid;
#if PG_VERSION_NUM >= 160000
        const AclResult allowed = object_aclcheck(ForeignServerRelationId, found, GetUserId(), ACL_USAGE);
#else
        const AclResult allowed = pg_foreign_server_aclcheck(found, GetUserId(), ACL_USAGE);
#endif
        if (allowed != ACLCHECK_OK) aclcheck_error(allowed, OBJECT_FOREIGN_SERVER, name);
        return found;
    });
    if (!is_sluice_server(server))
        fail(Error::config("42809", "server \"" + std::string(name) + "\" is not a Kafka server", {},
                           "It belongs to another foreign data wrapper than sluice_fdw."));
    return server;
}

std::vector<InferredColumn> propose_columns(Oid server, const OptionList& table, int sample) {
    value_or_fail(check_written_options(Scope::Table, table));
    const SourceSpec source = load_topic(server, table, GetUserId());
    SessionWaiter waiter;
    ConsumerConfig config;
    config.client = {source.brokers, source.properties, {}};
    const auto consumer = value_or_fail(Consumer::open(config));
    const SourceTopic topic = ask_topic(source, consumer->client(), waiter, kBrokerTimeout);
    const std::vector<Assignment> assignments = newest(topic, sample);
    if (assignments.empty()) return {};
    const MessageBatch batch =
        read_sample(*consumer, assignments, {static_cast<size_t>(sample), kSampleBytes}, waiter);
    // The same whichever broker answers first.
    std::vector<MessageView> messages(batch.messages().begin(), batch.messages().end());
    std::stable_sort(messages.begin(), messages.end(),
                     [](const MessageView& a, const MessageView& b) { return a.partition < b.partition; });

    std::vector<InferredColumn> columns;
    if (source.record.value) columns = of_part(source.record, Origin::Value, messages, {}).columns;
    if (source.record.key) {
        Inference key = of_part(source.record, Origin::Key, messages, columns);
        std::move(key.columns.begin(), key.columns.end(), std::back_inserter(columns));
    }
    return columns;
}

std::string column_options(const RecordSpec& record, const InferredColumn& column) {
    SourceSpec one;
    one.record.value = record.value;
    one.record.key = record.key;
    one.record.columns = {column.column};
    const SourceOptions written = options_of(one);
    std::string text;
    for (const auto& [name, value] : written.columns.front().options)
        text +=
            (text.empty() ? "" : ", ") + name + " " + call([&] { return quote_literal_cstr(value.c_str()); });
    return text;
}

}  // namespace sluice
