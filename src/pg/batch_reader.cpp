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

Error definition_changed() {
    return Error::transient("40001", "the definition of the source has changed while it was read", {},
                            "Try again.");
}

}  // namespace

BatchReader::BatchReader(const RecordDecoder& decoder, TupleDesc tupdesc)
    : decoder_(decoder), tupdesc_(tupdesc), attributes_(source_attributes(tupdesc)) {
    if (attributes_.size() != decoder.column_count()) fail(definition_changed());
    cells_.resize(kChunk * attributes_.size());
    call([&] {
        conversion_memory_ =
            AllocSetContextCreate(TopMemoryContext, "sluice conversion", ALLOCSET_SMALL_SIZES);
        row_memory_ = AllocSetContextCreate(TopMemoryContext, "sluice row", ALLOCSET_DEFAULT_SIZES);
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
    chunk_begin_ = chunk_end_ = next_ = current_ = 0;
    undecodable_ = 0;
    converting_ = reading_ = blamed_ = false;
    rejects_.clear();
}

uint64_t BatchReader::begin_scan(TupleDesc tupdesc) {
    if (!call([&] { return equalTupleDescs(tupdesc, tupdesc_); })) fail(definition_changed());
    rewind();
    return ++scans_;
}

std::optional<size_t> BatchReader::fault() const {
    if (converting_) return current_;
    if (blamed_) return blame_;
    if (reading_ && (stage_ == Stage::Decode || stage_ == Stage::Map)) return current_;
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
    for (;;) {
        if (next_ == chunk_end_) {
            if (next_ == messages_.size()) {
                reading_ = false;
                stage_ = stage;
                return false;
            }
            airlock::enter([this] { decode_chunk(); });
        }
        current_ = next_++;
        const size_t in_chunk = current_ - chunk_begin_;
        if (undecodable_ >> in_chunk & 1) continue;
        fill(slot, cells_.data() + in_chunk * attributes_.size());
        ItemPointerSet(&slot->tts_tid, static_cast<BlockNumber>(current_), 1);
        reading_ = true;
        stage_ = stage;
        return true;
    }
}

void BatchReader::decode_chunk() {
    const auto start = std::chrono::steady_clock::now();
    chunk_begin_ = chunk_end_;
    arena_.reset();
    undecodable_ = 0;
    const size_t end = std::min(chunk_begin_ + kChunk, messages_.size());
    const size_t columns = attributes_.size();
    for (size_t i = chunk_begin_; i < end; ++i) {
        const size_t in_chunk = i - chunk_begin_;
        const Row row(cells_.data() + in_chunk * columns, columns);
        std::optional<Error> error = decoder_.decode(messages_[i], arena_, row);
        if (!error) continue;
        undecodable_ |= uint64_t{1} << in_chunk;
        error->stage = Stage::Decode;
        error->context = position_of(messages_[i]);
        rejects_.push_back({i, std::move(*error)});
    }
    chunk_end_ = end;
    decode_time_ += std::chrono::steady_clock::now() - start;
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
    MemoryContextReset(row_memory_);
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
    const auto* reader = static_cast<const BatchReader*>(self);
    const MessageView& message = reader->messages_[reader->current_];
    const CellConverter& converter = reader->converters_[reader->column_];
    const char* column = converter.name();
    const Cell& cell = reader->cells_[(reader->current_ - reader->chunk_begin_) * reader->attributes_.size() +
                                      reader->column_];
    if (!converter.runs_user_code()) err_generic_string(PG_DIAG_COLUMN_NAME, column);
    if (!can_be_shown(cell)) {
        errcontext("column \"%s\", message at topic %.*s, partition %d, offset %lld", column,
                   static_cast<int>(message.topic.size()), message.topic.data(), message.partition.value,
                   static_cast<long long>(message.offset.value));
        return;
    }
    const int shown = pg_mbcliplen(cell.data, static_cast<int>(cell.size), kShownValue);
    errcontext("column \"%s\", message at topic %.*s, partition %d, offset %lld: \"%.*s%s\"", column,
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
