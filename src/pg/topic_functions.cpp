// SQL functions that look at a cluster and at the library: sluice.topic_partitions, sluice.library_info.
#include "kafka/metadata.hpp"

#include <string>
#include <vector>

#include "pg/propose_columns.hpp"
#include "pg/source.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "funcapi.h"
}

namespace sluice {

namespace {

constexpr std::chrono::seconds kBrokerTimeout{8};

struct PartitionRow {
    PartitionInfo info;
    Watermarks ends;
};

std::vector<PartitionRow> describe_topic(Oid server, const std::string& topic) {
    const SourceSpec source = load_topic(server, topic, GetUserId());
    const SharedClient client = value_or_fail(Client::open({source.brokers, source.properties, {}}));
    SessionWaiter waiter;
    const TopicInfo info = value_or_fail(fetch_topic(client, topic, kBrokerTimeout, waiter));
    std::vector<Partition> partitions;
    for (const PartitionInfo& p : info.partitions) partitions.push_back(p.partition);
    const auto ends = value_or_fail(fetch_watermarks(client, topic, partitions, kBrokerTimeout, waiter));
    std::vector<PartitionRow> rows;
    for (size_t i = 0; i < partitions.size(); ++i) rows.push_back({info.partitions[i], ends[i]});
    return rows;
}

void put(FunctionCallInfo fcinfo, Datum* values, bool* nulls) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace

}  // namespace sluice

SLUICE_FUNCTION(sluice_topic_partitions) {
    using namespace sluice;
    const Oid server = usable_server(NameStr(*PG_GETARG_NAME(0)));
    const char* topic = call([&] { return text_to_cstring(PG_GETARG_TEXT_PP(1)); });
    const std::vector<PartitionRow> rows = describe_topic(server, topic);
    call([&] {
        InitMaterializedSRF(fcinfo, 0);
        for (const PartitionRow& row : rows) {
            Datum values[] = {Int32GetDatum(row.info.partition.value), Int32GetDatum(row.info.leader),
                              Int64GetDatum(row.ends.low.value), Int64GetDatum(row.ends.high.value)};
            bool nulls[] = {false, row.info.leader < 0, false, false};
            put(fcinfo, values, nulls);
        }
    });
    return Datum{0};
}

SLUICE_FUNCTION(sluice_library_info) {
    using namespace sluice;
    const LibraryInfo info = library_info();
    const auto yes_or_no = [](bool has) { return has ? "yes" : "no"; };
    const std::pair<const char*, std::string> rows[] = {
        {"librdkafka, compiled for", info.compiled_version},
        {"librdkafka, in use", info.runtime_version},
        {"librdkafka, features", info.builtin_features},
        {"notices a truncated log (leader epoch, from 2.1)", yes_or_no(info.leader_epoch)},
        {"fetches again without delay (from 2.2)", yes_or_no(info.fetch_backoff)},
        {"notices a re-created topic (topic id, from 2.3)", yes_or_no(info.topic_id)},
        {"logs in with SCRAM at Kafka 4 (from 2.6.1)", yes_or_no(info.scram_at_kafka4)},
    };
    call([&] {
        InitMaterializedSRF(fcinfo, 0);
        for (const auto& [item, value] : rows) {
            Datum values[] = {CStringGetTextDatum(item), CStringGetTextDatum(value.c_str())};
            bool nulls[] = {false, false};
            put(fcinfo, values, nulls);
        }
    });
    return Datum{0};
}
