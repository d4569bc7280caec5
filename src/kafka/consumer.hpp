// Reads assigned partitions from given offsets, in order, without ever blocking: wake_fd says when there is
// something. Must not know jobs, batches' limits or where offsets are kept; never commits, never resets an
// offset by itself. Owns its messages, queue and descriptor, and shares the client with calls of metadata.hpp
// that still run.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "kafka/client.hpp"
#include "kafka/message_batch.hpp"
#include "kafka/metadata.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

struct ConsumerConfig {
    ClientConfig client;
    // Memory for messages that wait to be polled. A message batch larger than this is refused with its size.
    size_t queue_bytes = 32 * 1024 * 1024;
};

// Where to read a partition from. The leader epoch (-1: unknown) lets librdkafka 2.1 and later notice that
// the log was truncated and written anew below `start`.
struct Assignment {
    std::string topic;
    Partition partition;
    NextOffset start;
    int32_t leader_epoch = -1;
};

struct TopicPartition {
    std::string topic;
    Partition partition;
};

struct ConsumerEvent {
    enum class Kind {
        EndOfPartition,    // `position` is past everything there is, control records included
        OffsetOutOfRange,  // the partition stands still until it is assigned anew
        LogTruncated,      // likewise
        PartitionProblem,  // unknown topic or partition, no privilege, undecodable batch, …
        ClientProblem,     // no partition: brokers unreachable, log-in refused, message too large, …
    };
    Kind kind = Kind::ClientProblem;
    std::string topic;                   // empty for ClientProblem
    Partition partition{-1};             // -1 for ClientProblem
    std::optional<NextOffset> position;  // where it happened, when known
    Error error;                         // not meant to be read for EndOfPartition
};

// Of the batch as a whole, what it held before included.
struct PollLimits {
    size_t messages;
    size_t bytes;  // of keys and values; the first message of a batch may be larger
};

class Consumer {
  public:
    static Result<std::unique_ptr<Consumer>> open(const ConsumerConfig& config);
    // First releases the messages of all batches that were filled from it: librdkafka waits for them. Then
    // waits a bounded time for the client's threads.
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    // Adds partitions. One that is assigned already starts anew at the given offset; of its messages, those
    // that were not polled are dropped.
    Result<void> assign(const std::vector<Assignment>& assignments);
    Result<void> unassign(const std::vector<TopicPartition>& partitions);

    // Readable when poll may have something new; non-blocking. It never changes: register it once.
    int wake_fd() const;
    // Call it before `poll`, as one resets a latch.
    void clear_wake();

    // Moves messages that have arrived into `batch`, behind what it holds, and appends what else happened to
    // `events`. Never blocks. Returns how many messages came. What is beyond a limit stays, and wake_fd stays
    // readable for it. An event of a partition comes after the messages that precede it: when a batch holds
    // all messages that were polled before the event, and they are applied, an EndOfPartition's position may
    // be stored.
    size_t poll(MessageBatch& batch, const PollLimits& limits, std::vector<ConsumerEvent>& events);

    // Ends of a partition as of the last fetch, without asking the brokers; empty when it has not been
    // fetched.
    std::optional<Watermarks> watermarks(const std::string& topic, Partition partition) const;

    // Messages that have arrived and were not polled, and an estimate of the memory they take.
    size_t queued_messages() const;
    size_t queued_memory() const;

    // For the calls in metadata.hpp, and for the log.
    const SharedClient& client() const;

  private:
    struct State;
    explicit Consumer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace sluice
