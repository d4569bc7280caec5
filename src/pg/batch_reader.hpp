// Messages of a batch as rows of the foreign table: decodes cells and fills slots, one message after the
// other, and keeps what became of each row. Must not know the target, offsets or the client that fetched the
// messages. Owns the arena of decoded text and the memory of one row: what `next` puts into a slot is valid
// until the next call of `next`, `bind` or `rewind`.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/row_buffer.hpp"
#include "base/types.hpp"
#include "format/record_decoder.hpp"
#include "job/job_spec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pg/absent_values.hpp"
#include "pg/airlock.hpp"
#include "pg/row_outcomes.hpp"

namespace sluice {

class CellConverter;

// A message that could not be decoded; `index` is its place in the bound messages.
struct DecodeReject {
    size_t index;
    Error error;
};

class BatchReader {
  public:
    // For a source relation with the given decoder; both must stay valid as long as the reader.
    BatchReader(const RecordDecoder& decoder, TupleDesc tupdesc);
    ~BatchReader();
    BatchReader(const BatchReader&) = delete;
    BatchReader& operator=(const BatchReader&) = delete;

    void bind(std::span<const MessageView> messages);
    // Starts over, for a rescan or another attempt.
    void rewind();
    // What a message without a value is: a row like others when it deletes, else no row, or an error.
    void treat_tombstones(Tombstone tombstone) { tombstone_ = tombstone; }
    // Which columns a message need not tell; nullptr: none. They must stay valid until others are set.
    void treat_absent(const AbsentRules* rules) { absent_rules_ = rules; }

    // Fills `slot` with the next row and its ctid with (number of the row in the batch, 1); false at the end.
    // Plain C from the caller's view: a conversion error is raised (longjmp) with no C++ object left behind.
    // A NULL is never checked against a domain's NOT NULL: columns that nobody uses and tombstones are NULL,
    // too.
    bool next(TupleTableSlot* slot);

    // The message and the row that were read last: at fault while the row is being converted or mapped.
    size_t current() const { return message_of_row_[current_row_]; }
    size_t current_row() const { return current_row_; }
    // The message an error now is the fault of, as far as it is known: `current()` while rows are read and
    // mapped one by one, what a sink has named with `blame` after that, else nothing. `bind`, `rewind` and
    // `next` forget the blame; a value that cannot be converted is always the fault of its message.
    std::optional<size_t> fault() const;
    void blame(std::optional<size_t> index);
    // Decode while a row is being read; the sink sets Map, Write, Commit as it goes on.
    Stage stage() const { return stage_; }
    void set_stage(Stage stage) { stage_ = stage; }

    const std::vector<DecodeReject>& rejects() const { return rejects_; }
    // What decoding into cells has taken since `bind`, however often.
    std::chrono::duration<double, std::milli> decode_time() const { return decode_time_; }
    bool is_tombstone(size_t row) const { return messages_[message_of_row_[row]].value.is_null(); }
    std::span<const MessageView> messages() const { return messages_; }
    size_t message_of(size_t row) const { return message_of_row_[row]; }
    // Of the rows so far.
    const AbsentValues& absent() const { return absent_; }

    // Of all rows so far; an undecodable message is one row, which is Rejected.
    RowOutcomes& outcomes() { return outcomes_; }
    // What became of the rows of `count` messages.
    RowCounts outcomes_of(size_t first, size_t count) const;
    // One rejected row a message, whatever there was: for messages whose rows were rolled back.
    void reject_all();

    // For scans of the bound source, whose descriptor must still be the reader's: rewinds, and returns what
    // tells this scan from an earlier one. There is one position, so a statement may read the source once.
    uint64_t begin_scan(TupleDesc tupdesc);
    bool is_last_scan(uint64_t scan) const { return scan == scans_; }

  private:
    static constexpr size_t kChunk = 64;
    // Messages may be many rows each: no further one is decoded beyond this.
    static constexpr size_t kChunkRows = 1024;

    void decode_chunk();
    std::optional<Error> note_absent();
    void add_row(size_t message, Outcome outcome);
    void add_reject(Error error);
    void prepare_converters();
    void fill(TupleTableSlot* slot, const Cell* cells);
    static void describe_position(void* reader);

    const RecordDecoder& decoder_;
    TupleDesc tupdesc_;
    std::vector<AttrNumber> attributes_;  // of the decoder's columns
    MemoryContext conversion_memory_;     // converters, from the first row after `bind` to the next `bind`
    MemoryContext row_memory_;            // values of the rows that were read last
    CellConverter* converters_ = nullptr;

    std::span<const MessageView> messages_;
    Tombstone tombstone_ = Tombstone::Delete;
    const AbsentRules* absent_rules_ = nullptr;
    size_t decoded_ = 0;                  // messages
    Arena arena_;                         // text of the chunk's cells
    RowBuffer cells_;                     // of the chunk's rows
    std::vector<uint32_t> row_in_batch_;  // of the chunk's rows: undecodable messages have a number, too
    size_t next_ = 0;                     // in the chunk
    size_t current_row_ = 0;
    std::vector<uint32_t> message_of_row_;  // ascending
    AbsentValues absent_;
    RowOutcomes outcomes_;
    size_t column_ = 0;        // being converted
    bool converting_ = false;  // also after an error in it
    bool reading_ = false;     // a row has been read, and the end has not
    bool blamed_ = false;
    std::optional<size_t> blame_;
    Stage stage_ = Stage::Decode;
    uint64_t scans_ = 0;
    std::vector<DecodeReject> rejects_;
    std::chrono::steady_clock::duration decode_time_{};
};

// The reader that scans of `source` in this process read from, instead of Kafka; nullptr unbinds.
void bind_source(Oid source, BatchReader* reader);
BatchReader* bound_reader(Oid source);

}  // namespace sluice
