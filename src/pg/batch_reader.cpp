#include <algorithm>
#include <string>
#include <utility>

#include "pg/batch_reader.hpp"
#include "pg/cell_to_datum.hpp"
#include "pg/source.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace sluice {

namespace {

// As much of a value as COPY shows in its errors.
constexpr int kShownValue = 100;

// What is kept from reset to reset; small enough for the processor's nearest cache.
constexpr Size kRowMemory = 16 * 1024;

// A job has one source, and a process works on one job at a time.
Oid bound_source = InvalidOid;
BatchReader* bound = nullptr;

std::string position_of(const MessageView& message) {
    return "message at topic " + std::string(message.topic) + ", partition " +
           std::to_string(message.partition.value) + ", offset " + std::to_string(message.offset.value);
}

// True when the bytes may be shown: text that is valid in the database's encoding.
bool can_be_shown(const Cell& cell) {
    return cell.kind == CellKind::Text &&
           (GetDatabaseEncoding() == PG_UTF8 ||
            std::all_of(cell.data, cell.data + cell.size, [](char c) { return !IS_HIGHBIT_SET(c); }));
}

Error refused_tombstone() {
    return Error::data("22004", "message has no value",
                       "A null value is a tombstone: it asks to delete a row.",
                       "Set the job option tombstone to \"delete\" or \"ignore\" to accept such messages.");
}

Error definition_changed() {
    return Error::transient("40001", "the definition of the source has changed while it was read", {},
                            "Try again.");
}

}  // namespace

BatchReader::BatchReader(const RecordDecoder& decoder, TupleDesc tupdesc)
    : decoder_(decoder),
      tupdesc_(tupdesc),
      attributes_(source_attributes(tupdesc)),
      cells_(attributes_.size()) {
    if (attributes_.size() != decoder.column_count()) fail(definition_changed());
    call([&] {
        conversion_memory_ =
            AllocSetContextCreate(TopMemoryContext, "sluice conversion", ALLOCSET_SMALL_SIZES);
        row_memory_ =
            AllocSetContextCreate(TopMemoryContext, "sluice row", 0, kRowMemory, ALLOCSET_DEFAULT_MAXSIZE);
    });
}

BatchReader::~BatchReader() {
    if (bound == this) bind_source(bound_source, nullptr);
    MemoryContextDelete(row_memory_);
    MemoryContextDelete(conversion_memory_);
}

void BatchReader::bind(std::span<const MessageView> messages) {
    messages_ = messages;
    // Types may be altered between transactions, and what input functions remember may belong to one.
    converters_ = nullptr;
    stage_ = Stage::Decode;
    decode_time_ = {};
    rewind();
}

void BatchReader::rewind() {
    decoded_ = next_ = current_row_ = 0;
    cells_.clear();
    row_in_batch_.clear();
    message_of_row_.clear();
    outcomes_.clear();
    absent_.clear();
    converting_ = reading_ = blamed_ = false;
    rejects_.clear();
}

uint64_t BatchReader::begin_scan(TupleDesc tupdesc) {
    if (!call([&] { return equalTupleDescs(tupdesc, tupdesc_); })) fail(definition_changed());
    rewind();
    return ++scans_;
}

std::optional<size_t> BatchReader::fault() const {
    if (converting_) return current();
    if (blamed_) return blame_;
    if (reading_ && (stage_ == Stage::Decode || stage_ == Stage::Map)) return current();
    return std::nullopt;
}

void BatchReader::blame(std::optional<size_t> index) {
    blamed_ = true;
    blame_ = index;
}

// From here on PostgreSQL may longjmp through the frames, which hold plain data only.

bool BatchReader::next(TupleTableSlot* slot) {
    const Stage stage = stage_;
    stage_ = Stage::Decode;
    blamed_ = false;
    ExecClearTuple(slot);
    if (converters_ == nullptr) prepare_converters();
    while (next_ == cells_.size()) {
        if (decoded_ == messages_.size()) {
            reading_ = false;
            stage_ = stage;
            return false;
        }
        airlock::enter([this] { decode_chunk(); });
    }
    current_row_ = row_in_batch_[next_];
    fill(slot, cells_[next_].data());
    ItemPointerSet(&slot->tts_tid, static_cast<BlockNumber>(current_row_), 1);
    ++next_;
    reading_ = true;
    stage_ = stage;
    return true;
}

void BatchReader::add_row(size_t message, Outcome outcome) {
    message_of_row_.push_back(static_cast<uint32_t>(message));
    outcomes_.add(outcome);
}

void BatchReader::add_reject(Error error) {
    add_row(decoded_, Outcome::Rejected);
    error.stage = Stage::Decode;
    error.context = position_of(messages_[decoded_]);
    rejects_.push_back({decoded_, std::move(error)});
}

// Of the rows of the message at hand, which have no number yet; they are dropped with an error.
std::optional<Error> BatchReader::note_absent() {
    const size_t first = row_in_batch_.size();
    bool found = false;
    for (size_t i = first; i < cells_.size(); ++i) {
        const Row row = cells_[i];
        for (size_t column = 0; column < row.size(); ++column) {
            if (row[column].kind != CellKind::Absent) continue;
            found = true;
            auto error = check_absent(absent_rules_, *TupleDescAttr(tupdesc_, attributes_[column] - 1));
            if (!error) continue;
            cells_.truncate(first);
            return error;
        }
    }
    for (size_t i = first; found && i < cells_.size(); ++i) {
        const Row row = cells_[i];
        for (size_t column = 0; column < row.size(); ++column)
            if (row[column].kind == CellKind::Absent) absent_.add(attributes_[column]);
        absent_.end_row(message_of_row_.size() + i - first);
    }
    return std::nullopt;
}

void BatchReader::decode_chunk() {
    const auto start = std::chrono::steady_clock::now();
    arena_.reset();
    cells_.clear();
    row_in_batch_.clear();
    next_ = 0;
    const size_t end = std::min(decoded_ + kChunk, messages_.size());
    for (; decoded_ < end && row_in_batch_.size() < kChunkRows; ++decoded_) {
        const MessageView& message = messages_[decoded_];
        if (message.value.is_null() && tombstone_ != Tombstone::Delete) {
            if (tombstone_ == Tombstone::Ignore) {
                add_row(decoded_, Outcome::Unchanged);
            } else {
                add_reject(refused_tombstone());
            }
            continue;
        }
        std::optional<Error> error = decoder_.decode(message, arena_, cells_);
        if (!error && decoder_.may_leave_absent()) error = note_absent();
        while (row_in_batch_.size() < cells_.size()) {
            row_in_batch_.push_back(static_cast<uint32_t>(message_of_row_.size()));
            add_row(decoded_, Outcome::Filtered);
        }
        if (!error) continue;
        // What the message needs is not at hand now; that is no fault of the message.
        if (error->kind == ErrorKind::Transient) fail(std::move(*error));
        add_reject(std::move(*error));
    }
    decode_time_ += std::chrono::steady_clock::now() - start;
}

RowCounts BatchReader::outcomes_of(size_t first, size_t count) const {
    const auto begin = std::lower_bound(message_of_row_.begin(), message_of_row_.end(), first);
    const auto end = std::lower_bound(begin, message_of_row_.end(), first + count);
    return outcomes_.count(static_cast<size_t>(begin - message_of_row_.begin()),
                           static_cast<size_t>(end - begin));
}

void BatchReader::reject_all() {
    message_of_row_.clear();
    outcomes_.clear();
    for (size_t i = 0; i < messages_.size(); ++i) add_row(i, Outcome::Rejected);
}

void BatchReader::prepare_converters() {
    MemoryContextReset(conversion_memory_);
    const MemoryContext outside = MemoryContextSwitchTo(conversion_memory_);
    auto* converters = static_cast<CellConverter*>(palloc0(sizeof(CellConverter) * (attributes_.size() + 1)));
    for (size_t i = 0; i < attributes_.size(); ++i)
        converters[i].prepare(*TupleDescAttr(tupdesc_, attributes_[i] - 1));
    MemoryContextSwitchTo(outside);
    converters_ = converters;
}

void BatchReader::fill(TupleTableSlot* slot, const Cell* cells) {
    ErrorContextCallback context{error_context_stack, describe_position, this};
    error_context_stack = &context;
    converting_ = true;
    // When its first block is full, not for each row: that costs as much as a column.
    if (MemoryContextMemAllocated(row_memory_, false) > kRowMemory) MemoryContextReset(row_memory_);
    const MemoryContext outside = MemoryContextSwitchTo(row_memory_);
    memset(slot->tts_isnull, true, static_cast<size_t>(slot->tts_tupleDescriptor->natts) * sizeof(bool));
    for (column_ = 0; column_ < attributes_.size(); ++column_) {
        const Cell& cell = cells[column_];
        if (cell.kind == CellKind::Null || cell.kind == CellKind::Absent) continue;
        const int at = attributes_[column_] - 1;
        slot->tts_values[at] = converters_[column_].convert(cell);
        slot->tts_isnull[at] = false;
    }
    MemoryContextSwitchTo(outside);
    converting_ = false;
    error_context_stack = context.previous;
    ExecStoreVirtualTuple(slot);
}

void BatchReader::describe_position(void* self) {
    auto* reader = static_cast<BatchReader*>(self);
    const MessageView& message = reader->messages_[reader->current()];
    const CellConverter& converter = reader->converters_[reader->column_];
    const char* column = converter.name();
    // Of a message that became several rows.
    char row[32] = "";
    const auto messages = reader->message_of_row_.begin();
    const auto [first, last] =
        std::equal_range(messages, reader->message_of_row_.end(), static_cast<uint32_t>(reader->current()));
    if (last - first > 1)
        snprintf(row, sizeof row, "row %lld of ",
                 static_cast<long long>(messages + static_cast<ptrdiff_t>(reader->current_row_) - first) + 1);
    const Cell& cell = reader->cells_[reader->next_][reader->column_];
    if (!converter.runs_user_code()) err_generic_string(PG_DIAG_COLUMN_NAME, column);
    if (!can_be_shown(cell)) {
        errcontext("column \"%s\", %smessage at topic %.*s, partition %d, offset %lld", column, row,
                   static_cast<int>(message.topic.size()), message.topic.data(), message.partition.value,
                   static_cast<long long>(message.offset.value));
        return;
    }
    const int shown = pg_mbcliplen(cell.data, static_cast<int>(cell.size), kShownValue);
    errcontext("column \"%s\", %smessage at topic %.*s, partition %d, offset %lld: \"%.*s%s\"", column, row,
               static_cast<int>(message.topic.size()), message.topic.data(), message.partition.value,
               static_cast<long long>(message.offset.value), shown, cell.data,
               shown < static_cast<int>(cell.size) ? "..." : "");
}

void bind_source(Oid source, BatchReader* reader) {
    if (reader == nullptr && source != bound_source) return;
    bound_source = reader == nullptr ? InvalidOid : source;
    bound = reader;
}

BatchReader* bound_reader(Oid source) {
    return OidIsValid(source) && source == bound_source ? bound : nullptr;
}

}  // namespace sluice
