#include "kafka/message_batch.hpp"

#include <librdkafka/rdkafka.h>

namespace sluice {

MessageBatch::MessageBatch() : held_(std::make_shared<Held>()) {}

void MessageBatch::Held::release() noexcept {
    for (rd_kafka_message_t* message : natives)
        if (message) rd_kafka_message_destroy(message);
    natives.clear();
    views.clear();
    bytes = 0;
}

void MessageHeaders::read(const MessageView& message, std::vector<Header>& headers) const {
    headers.clear();
    if (message.native == nullptr) return;  // a sample, not a message from Kafka
    // librdkafka parses the headers when asked first, and keeps them in the message: it is ours to change.
    auto* native = static_cast<rd_kafka_message_t*>(const_cast<void*>(message.native));
    rd_kafka_headers_t* list = nullptr;
    if (rd_kafka_message_headers(native, &list)) return;
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0; !rd_kafka_header_get_all(list, i, &name, &value, &size); ++i)
        headers.push_back({name, {static_cast<const char*>(value), size}});
}

}  // namespace sluice
