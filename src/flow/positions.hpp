// Where each partition of a worker stands: what is stored, what is read but not stored yet, and where to
// stop. Must not know the offsets table, the consumer or rows. Never takes offsets for contiguous: control
// records and compaction leave holes. Owns its bookkeeping; ranges are copies, messages stay the caller's.
#pragma once

#include "base/types.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

struct TopicPartition {
    std::string topic;
    Partition partition;
    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// What a transaction does to one partition: its row in sluice.offsets goes from `start` to `end`.
struct PartitionRange {
    TopicPartition at;
    NextOffset start;  // as stored; the transaction checks it
    NextOffset end;
    int64_t messages = 0;  // may be 0: only control records
    int64_t bytes = 0;     // of keys and values
    int64_t last_timestamp_ms = -1;
    int32_t leader_epoch = -1;  // of the last message; -1: unknown
};

class Positions {
  public:
    // Begins a partition, or begins it anew. `stop` is exclusive, as all ends are.
    void assign(TopicPartition at, NextOffset stored, std::optional<NextOffset> stop);
    void unassign(const TopicPartition& at);

    // Appends to `batch` those of `polled` that belong into it, in their order. Left out is what is stored or
    // taken already, what lies at or behind the stop offset, and what is not assigned.
    void admit(std::span<const MessageView> polled, std::vector<MessageView>& batch);

    // The consumer is at the end of a partition: there is nothing between its last message and `position`.
    // Only after everything that was polled before has been admitted, or messages would be skipped.
    void end_of_partition(std::string_view topic, Partition partition, NextOffset position);

    // For the transaction that applies `slice`, which goes on in the batch where the last transaction ended.
    // In order of topic and partition, so that transactions lock the rows in the same order. A partition
    // whose last message is in the slice goes on to its known end; those that have no messages to come, but a
    // known end, are there too.
    std::vector<PartitionRange> ranges_of(std::span<const MessageView> slice) const;

    // `ranges` are stored.
    void committed(std::span<const PartitionRange> ranges);

    // The batch is given up: what is not stored will be read again.
    void rewind();

    // An end is known that `ranges_of` an empty slice would store.
    bool position_to_store() const;

    // Every partition is read up to its stop offset, and there is one at least. It need not be stored yet.
    bool stop_reached() const;

    // Where to read on; empty when not assigned.
    std::optional<NextOffset> next_to_read(const TopicPartition& at) const;

  private:
    struct State {
        NextOffset stored;
        NextOffset read;       // behind the last message taken
        NextOffset known_end;  // nothing is between `read` and here; means nothing when not beyond `read`
        std::optional<NextOffset> stop;

        NextOffset reached() const { return known_end > read ? known_end : read; }
        bool has_end_to_store() const { return read == stored && known_end > stored; }
    };
    // Finds without building a key.
    struct Order {
        using is_transparent = void;
        using Key = std::pair<std::string_view, Partition>;
        static Key key(const TopicPartition& at) { return {at.topic, at.partition}; }
        static Key key(const Key& k) { return k; }
        template <class A, class B>
        bool operator()(const A& a, const B& b) const {
            return key(a) < key(b);
        }
    };
    using States = std::map<TopicPartition, State, Order>;

    States states_;
};

}  // namespace sluice
