// Applies slices of a batch, each in one transaction: rows, offsets, rejects and history together.
// Must not know how a batch was fetched, nor decide how it is cut.
// Borrows everything; keeps the batch's messages only between `begin` and the next one.
#pragma once

#include "flow/recut.hpp"
#include "format/record_decoder.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "pg/ledger.hpp"
#include "pg/sink.hpp"

namespace sluice {

// Headers as the JSON that `kafka_headers` shows.
class HeadersJson {
  public:
    explicit HeadersJson(const HeaderReader& headers);
    // Empty when the message has none.
    std::string of(const MessageView& message);

  private:
    RecordDecoder decoder_;
    Arena arena_;
};

class BatchApplier : public Applier {
  public:
    using FindWatermarks = std::function<std::optional<std::pair<NextOffset, NextOffset>>(Partition)>;

    BatchApplier(Ledger& ledger, Sink& sink, BatchReader& reader, const HeaderReader& headers,
                 const ErrorBudget& budget, FindWatermarks watermarks);

    // The target's definition has changed: write with this sink from now on.
    void write_with(Sink& sink) { sink_ = &sink; }

    // The next batch: ordered by partition, then offset, so that a slice is a few runs of one partition each.
    void begin(std::span<const MessageView> messages, std::string end_reason, double fetch_ms);

    ApplyResult apply(size_t first, size_t count) override;
    ApplyResult apply_alone(size_t index, const Judge& judge) override;

  private:
    struct Run {
        size_t first;
        size_t count;
    };

    std::vector<Run> runs_of(size_t first, size_t count) const;
    bool open(const std::vector<Run>& runs);
    // Writes the rows of a slice; the reader knows what became of them.
    void write(size_t first, size_t count);
    Advance advance_of(const Run& run) const;
    void keep_books(const std::vector<Run>& runs, std::string_view end_reason);
    void reject(size_t index, const Error& error, const std::string& status);
    void commit(spi::Transaction& transaction);
    std::optional<size_t> fault() const;

    Ledger& ledger_;
    Sink* sink_;
    BatchReader& reader_;
    HeadersJson headers_json_;
    const ErrorBudget& budget_;
    FindWatermarks watermarks_;

    std::span<const MessageView> messages_;
    std::string end_reason_;
    Timings timings_;
    size_t first_ = 0;      // of the slice that the reader is bound to
    bool reading_ = false;  // an error now has a message at fault
};

}  // namespace sluice
