// Owns a librdkafka handle and the questions that every test tool asks a cluster.
// Must not know: commands, files, what the messages mean.
// The returned handles and metadata free themselves; strings are copies.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::tools {

inline constexpr int kTimeoutMs = 30000;

using Properties = std::vector<std::pair<std::string, std::string>>;

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void check(rd_kafka_resp_err_t code, const std::string& what) {
    if (code) throw Failure(what + ": " + rd_kafka_err2str(code));
}

inline void check(rd_kafka_error_t* error, const std::string& what) {
    if (!error) return;
    std::string text = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    throw Failure(what + ": " + text);
}

using Handle = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;
using DeliveryReport = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

inline Handle open(rd_kafka_type_t type, const Properties& properties, DeliveryReport report = nullptr,
                   void* opaque = nullptr) {
    char text[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", text, sizeof text);  // what it retries by itself is no news
    for (const auto& [name, value] : properties)
        if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            throw Failure("property " + name + ": " + text);
        }
    if (report) rd_kafka_conf_set_dr_msg_cb(conf, report);
    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_t* handle = rd_kafka_new(type, conf, text, sizeof text);
    if (!handle) {
        rd_kafka_conf_destroy(conf);
        throw Failure(std::string("cannot make a client: ") + text);
    }
    return Handle(handle, &rd_kafka_destroy);
}

// The topics of the cluster with their partition counts; a topic counts only partitions that have a leader.
// Asks for all topics, because asking for one by name makes a mock cluster create it.
inline std::map<std::string, int> topics(rd_kafka_t* handle) {
    const rd_kafka_metadata_t* metadata = nullptr;
    check(rd_kafka_metadata(handle, 1, nullptr, &metadata, kTimeoutMs), "cannot list the topics");
    std::map<std::string, int> found;
    for (int t = 0; t < metadata->topic_cnt; ++t) {
        const auto& topic = metadata->topics[t];
        if (topic.err) continue;
        int& led = found[topic.topic];
        for (int p = 0; p < topic.partition_cnt; ++p) led += topic.partitions[p].leader >= 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

// Returns when the topic has that many partitions whose leaders answer; 0 waits until it is gone. Metadata
// names a leader before that broker knows: an idempotent producer whose first batch it refuses and whose
// second one it accepts loses the first, because its retry then looks like a duplicate.
inline void wait_for_partitions(rd_kafka_t* handle, const std::string& topic, int partitions) {
    using namespace std::chrono_literals;
    int answered = 0;
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);;) {
        const auto known = topics(handle);
        const auto found = known.find(topic);
        if (found == known.end() ? partitions == 0 : partitions > 0 && found->second >= partitions) {
            int64_t low = 0;
            int64_t high = 0;
            while (answered < partitions && rd_kafka_query_watermark_offsets(handle, topic.c_str(), answered,
                                                                             &low, &high, kTimeoutMs) == 0)
                ++answered;
            if (answered == partitions) return;
        }
        if (std::chrono::steady_clock::now() > end)
            throw Failure("topic " + topic + " did not reach " + std::to_string(partitions) + " partitions");
        std::this_thread::sleep_for(20ms);
    }
}

}  // namespace sluice::tools
