// Reads a whole topic for one scan in an ordinary session: every partition from its oldest message to the end
// that it had when the scan began. Must not know plans or jobs. Owns the consumer and the messages of the row
// that was returned last.
#pragma once

#include "job/source_spec.hpp"
#include "kafka/consumer.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "pg/batch_reader.hpp"
#include "pg/registry_schemas.hpp"
#include "pg/wait.hpp"

namespace sluice {

class TopicScan {
  public:
    // Touches no broker yet. `tupdesc` is the relation's, and must stay valid as long as the scan.
    TopicScan(Oid relation, SourceSpec source, TupleDesc tupdesc);

    // As BatchReader::next, but a message that cannot be decoded is an error. Connects at the first call.
    bool next(TupleTableSlot* slot);

    // Starts over, with the ends that were seen first.
    void restart();

  private:
    using Time = std::chrono::steady_clock::time_point;

    void open();
    void start(Partition partition, NextOffset at);
    void finish(Partition partition);
    bool refill();
    bool take_messages();
    bool take_events();
    void start_at_new_low(Partition partition, const Error& error);
    void ask_brokers();
    [[noreturn]] void raise_reject() const;

    SourceSpec source_;
    MessageHeaders headers_;
    std::unique_ptr<RegistrySchemas> schemas_;
    RecordDecoder decoder_;
    std::unique_ptr<Consumer> consumer_;
    std::map<Partition, Watermarks> ends_;        // as seen when the scan began
    std::map<Partition, NextOffset> unfinished_;  // where each was started
    MessageBatch batch_;
    std::vector<MessageView> rows_;  // of the batch, without what lies beyond the ends
    std::vector<ConsumerEvent> events_;
    BatchReader reader_;
    SessionWaiter waiter_;
};

}  // namespace sluice
