// The administrative requests of the test tools: topics, partitions, deleted records.
// Must not know: command lines, messages.
// Answers are read and freed here; every function returns when the cluster shows the change.
#pragma once

#include "kafka_handle.hpp"

namespace sluice::tools {

inline std::pair<std::string, std::string> name_and_value(const std::string& text, const char* what) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) throw Failure(std::string(what) + " " + text + ": expected name=value");
    return {text.substr(0, equals), text.substr(equals + 1)};
}

// A consumer handle never makes the broker create a topic that is only asked about.
inline Handle admin_handle(Properties properties) {
    properties.emplace_back("isolation.level",
                            "read_uncommitted");  // watermarks: the log's end, not the last stable
    return open(RD_KAFKA_CONSUMER, properties);
}

using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

// Sends one administrative request and returns its answer; `send` gets the options and the queue.
template <typename Send>
Event ask(rd_kafka_t* handle, const std::string& what, Send send) {
    char text[512];
    const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(
        rd_kafka_queue_new(handle), &rd_kafka_queue_destroy);
    const std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)> options(
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_ANY), &rd_kafka_AdminOptions_destroy);
    check(rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, text, sizeof text), what);
    send(options.get(), queue.get());
    Event event(rd_kafka_queue_poll(queue.get(), kTimeoutMs), &rd_kafka_event_destroy);
    if (!event) throw Failure(what + ": no answer");
    if (rd_kafka_event_error(event.get()))
        throw Failure(what + ": " + rd_kafka_event_error_string(event.get()));
    return event;
}

inline void check_topic_results(const rd_kafka_topic_result_t** results, size_t count,
                                const std::string& what) {
    for (size_t i = 0; i < count; ++i)
        if (rd_kafka_topic_result_error(results[i])) {
            const char* text = rd_kafka_topic_result_error_string(results[i]);
            throw Failure(what + ": " +
                          (text ? text : rd_kafka_err2str(rd_kafka_topic_result_error(results[i]))));
        }
}

inline void create_topic(rd_kafka_t* handle, const std::string& topic, int partitions,
                         const std::vector<std::string>& config) {
    const std::string what = "cannot create topic " + topic;
    char text[512];
    std::unique_ptr<rd_kafka_NewTopic_t, decltype(&rd_kafka_NewTopic_destroy)> wanted(
        rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, text, sizeof text), &rd_kafka_NewTopic_destroy);
    if (!wanted) throw Failure(what + ": " + text);
    for (const auto& entry : config) {
        const auto [name, value] = name_and_value(entry, "--config");
        check(rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str()), what);
    }
    rd_kafka_NewTopic_t* list[] = {wanted.get()};
    const auto event = ask(handle, what, [&](auto* options, auto* queue) {
        rd_kafka_CreateTopics(handle, list, 1, options, queue);
    });
    size_t count = 0;
    const auto* result = rd_kafka_event_CreateTopics_result(event.get());
    const auto** topics = rd_kafka_CreateTopics_result_topics(result, &count);
    check_topic_results(topics, count, what);
    wait_for_partitions(handle, topic, partitions);
}

inline void delete_topic(rd_kafka_t* handle, const std::string& topic) {
    const std::string what = "cannot delete topic " + topic;
    std::unique_ptr<rd_kafka_DeleteTopic_t, decltype(&rd_kafka_DeleteTopic_destroy)> unwanted(
        rd_kafka_DeleteTopic_new(topic.c_str()), &rd_kafka_DeleteTopic_destroy);
    rd_kafka_DeleteTopic_t* list[] = {unwanted.get()};
    const auto event = ask(handle, what, [&](auto* options, auto* queue) {
        rd_kafka_DeleteTopics(handle, list, 1, options, queue);
    });
    size_t count = 0;
    const auto* result = rd_kafka_event_DeleteTopics_result(event.get());
    const auto** topics = rd_kafka_DeleteTopics_result_topics(result, &count);
    check_topic_results(topics, count, what);
    wait_for_partitions(handle, topic, 0);
}

inline void add_partitions(rd_kafka_t* handle, const std::string& topic, int total) {
    const std::string what = "cannot add partitions to " + topic;
    char text[512];
    std::unique_ptr<rd_kafka_NewPartitions_t, decltype(&rd_kafka_NewPartitions_destroy)> wanted(
        rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(total), text, sizeof text),
        &rd_kafka_NewPartitions_destroy);
    if (!wanted) throw Failure(what + ": " + text);
    rd_kafka_NewPartitions_t* list[] = {wanted.get()};
    const auto event = ask(handle, what, [&](auto* options, auto* queue) {
        rd_kafka_CreatePartitions(handle, list, 1, options, queue);
    });
    size_t count = 0;
    const auto* result = rd_kafka_event_CreatePartitions_result(event.get());
    const auto** topics = rd_kafka_CreatePartitions_result_topics(result, &count);
    check_topic_results(topics, count, what);
    wait_for_partitions(handle, topic, total);
}

inline void delete_records(rd_kafka_t* handle, const std::string& topic, int partition, long long before) {
    const std::string what = "cannot delete records of " + topic;
    const std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)>
        offsets(rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy);
    rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), partition)->offset = before;
    std::unique_ptr<rd_kafka_DeleteRecords_t, decltype(&rd_kafka_DeleteRecords_destroy)> unwanted(
        rd_kafka_DeleteRecords_new(offsets.get()), &rd_kafka_DeleteRecords_destroy);
    rd_kafka_DeleteRecords_t* list[] = {unwanted.get()};
    const auto event = ask(handle, what, [&](auto* options, auto* queue) {
        rd_kafka_DeleteRecords(handle, list, 1, options, queue);
    });
    const auto* done =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
    for (int i = 0; i < done->cnt; ++i) check(done->elems[i].err, what);
}

}  // namespace sluice::tools
