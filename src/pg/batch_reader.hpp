// Messages of a batch as rows of the foreign table: decodes cells and fills slots, one message after the other.
// Must not know the target, offsets or the client that fetched the messages.
// Owns the arena of decoded text; slots point into it and into the messages until the next `bind` or `rewind`.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "format/record_decoder.hpp"

#include <span>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

// A message that could not be decoded; `index` is its place in the bound messages.
struct DecodeReject {
    size_t index;
    Error error;
};

// (P1 fills in the private part.)
class BatchReader {
public:
    // For a source relation with the given decoder; `tupdesc` must stay valid as long as the reader.
    BatchReader(const RecordDecoder &decoder, TupleDesc tupdesc);
    ~BatchReader();

    void bind(std::span<const MessageView> messages);
    // Starts over, for a rescan or another attempt.
    void rewind();

    // Fills `slot` with the next decodable message's row and its ctid with (index, 1); false at the end.
    // Plain C from the caller's view: a conversion error is raised (longjmp) with no C++ object left behind.
    bool next(TupleTableSlot *slot);

    // The message that was read last: the one at fault while its row is being converted or mapped.
    size_t current() const;
    // Decode while a row is being read; the sink sets Map, Write, Commit as it goes on.
    Stage stage() const;
    void set_stage(Stage stage);

    const std::vector<DecodeReject> &rejects() const;
    bool is_tombstone(size_t index) const;
    std::span<const MessageView> messages() const;
};

// The reader that scans of `source` in this process read from, instead of Kafka; nullptr unbinds.
void bind_source(Oid source, BatchReader *reader);
BatchReader *bound_reader(Oid source);

}  // namespace sluice
