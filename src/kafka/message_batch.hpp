// Messages that were taken from a Consumer, in order of arrival; each partition's messages stay in order.
// Must not know what is in them, nor how they were fetched.
// Owns the messages until `release`; a Consumer that closes releases the batches that were filled from it.
#pragma once

#include "base/ports.hpp"
#include "base/types.hpp"

#include <memory>
#include <span>
#include <vector>

struct rd_kafka_message_s;

namespace sluice {

// What librdkafka keeps for a message besides its key and value, roughly.
inline constexpr size_t kMessageOverhead = 400;

// A batch that was moved from may only be destroyed or assigned to.
class MessageBatch {
  public:
    MessageBatch();

    std::span<const MessageView> messages() const { return held_->views; }
    const MessageView& operator[](size_t at) const { return held_->views[at]; }
    size_t size() const { return held_->views.size(); }
    bool empty() const { return held_->views.empty(); }
    // Of keys and values.
    size_t bytes() const { return held_->bytes; }
    // An estimate of all it keeps in memory.
    size_t memory() const { return bytes() + size() * kMessageOverhead; }

    // Gives all messages back to librdkafka and empties the batch, which keeps its capacity. Does not throw,
    // allocate or wait: an abort callback may call it.
    void release() noexcept { held_->release(); }

  private:
    friend class Consumer;

    // Stays where it is when the batch moves, so that the Consumer can find it.
    struct Held {
        std::vector<MessageView> views;
        std::vector<rd_kafka_message_s*> natives;
        size_t bytes = 0;

        Held() = default;
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
        ~Held() { release(); }
        void release() noexcept;
    };
    // Shared because the Consumer knows it too, weakly, to release the messages before it closes the client.
    std::shared_ptr<Held> held_;
};

// Reads the headers of messages of a MessageBatch.
class MessageHeaders : public HeaderReader {
  public:
    void read(const MessageView& message, std::vector<Header>& headers) const override;
};

}  // namespace sluice
