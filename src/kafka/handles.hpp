// Owners of librdkafka's C objects: each frees what it holds with the right function.
// Must not do anything else. Only .cpp files of this floor and its tests include it: it brings librdkafka's
// header. Every handle owns its object alone.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace sluice {

template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using ConfHandle = std::unique_ptr<rd_kafka_conf_t, FreeWith<rd_kafka_conf_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, FreeWith<rd_kafka_queue_destroy>>;
using EventHandle = std::unique_ptr<rd_kafka_event_t, FreeWith<rd_kafka_event_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, FreeWith<rd_kafka_topic_destroy>>;
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, FreeWith<rd_kafka_error_destroy>>;
using MessageHandle = std::unique_ptr<rd_kafka_message_t, FreeWith<rd_kafka_message_destroy>>;
using MetadataHandle = std::unique_ptr<const rd_kafka_metadata_t, FreeWith<rd_kafka_metadata_destroy>>;
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, FreeWith<rd_kafka_topic_partition_list_destroy>>;

}  // namespace sluice
