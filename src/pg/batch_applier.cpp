#include <algorithm>
#include <chrono>

#include "pg/batch_applier.hpp"

namespace sluice {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::string_view kErrorReason = "ERROR";

double milliseconds_since(Steady::time_point start) {
    return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

RecordDecoder headers_decoder(const HeaderReader& headers) {
    RecordSpec spec;
    SourceColumn column;
    column.name = "headers";
    column.origin = Origin::Metadata;
    column.metadata = Metadata::Headers;
    spec.columns.push_back(column);
    return value_or_fail(RecordDecoder::make(spec, &headers));
}

}  // namespace

HeadersJson::HeadersJson(const HeaderReader& headers) : decoder_(headers_decoder(headers)), arena_(1024) {}

std::string HeadersJson::of(const MessageView& message) {
    Cell cell;
    arena_.reset();
    if (decoder_.decode(message, arena_, Row(&cell, 1)) || cell.kind == CellKind::Null) return {};
    return std::string(cell.view());
}

BatchApplier::BatchApplier(Ledger& ledger, Sink& sink, BatchReader& reader, const HeaderReader& headers,
                           const ErrorBudget& budget, FindWatermarks watermarks)
    : ledger_(ledger),
      sink_(&sink),
      reader_(reader),
      headers_json_(headers),
      budget_(budget),
      watermarks_(std::move(watermarks)) {}

void BatchApplier::begin(std::span<const MessageView> messages, std::string end_reason, double fetch_ms) {
    messages_ = messages;
    end_reason_ = std::move(end_reason);
    timings_.fetch = fetch_ms;
}

std::vector<BatchApplier::Run> BatchApplier::runs_of(size_t first, size_t count) const {
    std::vector<Run> runs;
    for (size_t i = first; i < first + count; ++i) {
        if (runs.empty() || messages_[i].partition != messages_[runs.back().first].partition)
            runs.push_back({i, 0});
        ++runs.back().count;
    }
    return runs;
}

bool BatchApplier::open(const std::vector<Run>& runs) {
    std::vector<Partition> partitions;
    for (const Run& run : runs) partitions.push_back(messages_[run.first].partition);
    return ledger_.open(partitions);
}

void BatchApplier::write(size_t first, size_t count) {
    first_ = first;
    timings_.decode = 0;
    reader_.bind(messages_.subspan(first, count));
    reading_ = true;
    sink_->write(reader_);
    reading_ = false;
    timings_.decode = reader_.decode_time().count();
}

Advance BatchApplier::advance_of(const Run& run) const {
    const MessageView& last = messages_[run.first + run.count - 1];
    Advance a;
    a.partition = last.partition;
    a.start = ledger_.partitions().at(last.partition.value).next;
    a.end = after(last.offset);
    a.leader_epoch = last.leader_epoch;
    a.messages = static_cast<int64_t>(run.count);
    a.last_timestamp_ms = last.timestamp_ms;
    for (size_t i = run.first; i < run.first + run.count; ++i)
        a.bytes += static_cast<int64_t>(messages_[i].key.size + messages_[i].value.size);
    if (const auto marks = watermarks_(a.partition)) {
        a.low_watermark = marks->first;
        a.high_watermark = std::max(marks->second, a.end);
    }
    a.rows = reader_.outcomes_of(run.first - first_, run.count);
    return a;
}

void BatchApplier::reject(size_t index, const Error& error, const std::string& status) {
    ledger_.reject(messages_[index], headers_json_.of(messages_[index]), error, status);
}

void BatchApplier::keep_books(const std::vector<Run>& runs, std::string_view end_reason) {
    std::vector<Advance> advances;
    for (const Run& run : runs) advances.push_back(advance_of(run));
    ledger_.advance(advances, std::string(end_reason), timings_);
    ledger_.settle_blocking(advances);
}

void BatchApplier::commit(spi::Transaction& transaction) {
    const auto start = Steady::now();
    transaction.commit();
    ledger_.committed();
    timings_.commit = milliseconds_since(start);
    timings_.fetch = 0;  // told once a batch, however it was cut
}

std::optional<size_t> BatchApplier::fault() const {
    if (!reading_) return std::nullopt;
    const auto index = reader_.fault();
    return index ? std::optional(first_ + *index) : std::nullopt;
}

ApplyResult BatchApplier::apply(size_t first, size_t count) {
    spi::Transaction transaction;
    reading_ = false;
    const auto start = Steady::now();
    try {
        const std::vector<Run> runs = runs_of(first, count);
        if (!open(runs)) return Fenced{};
        write(first, count);
        std::vector<size_t> rejected;
        for (const DecodeReject& reject : reader_.rejects()) rejected.push_back(first + reject.index);
        if (const auto over = budget_.first_over(first, rejected)) {
            const auto at = std::find(rejected.begin(), rejected.end(), *over) - rejected.begin();
            return Failed{reader_.rejects()[at].error, *over};
        }
        timings_.apply = milliseconds_since(start);
        for (const DecodeReject& undecodable : reader_.rejects())
            reject(first + undecodable.index, undecodable.error, "open");
        keep_books(runs, rejected.empty() ? end_reason_ : kErrorReason);
        commit(transaction);
        return Applied{std::move(rejected)};
    } catch (const PgError& e) {
        ledger_.rolled_back();
        return Failed{to_error(e.record, reading_ ? reader_.stage() : Stage::Commit), fault()};
    } catch (const Failure& e) {
        ledger_.rolled_back();
        return Failed{e.error, fault()};
    }
}

ApplyResult BatchApplier::apply_alone(size_t index, const Judge& judge) {
    spi::Transaction transaction;
    reading_ = false;
    const auto start = Steady::now();
    const std::vector<Run> runs{{index, 1}};
    try {
        if (!open(runs)) return Fenced{};
        std::optional<Error> error;
        {
            spi::Subtransaction attempt;
            try {
                write(index, 1);
                if (!reader_.rejects().empty()) error = reader_.rejects().front().error;
            } catch (const PgError& e) {
                error = to_error(e.record, reader_.stage());
            } catch (const Failure& e) {
                error = e.error;
            }
            if (error)
                attempt.rollback();
            else
                attempt.release();
        }
        reading_ = false;
        timings_.apply = milliseconds_since(start);
        if (!error) {
            keep_books(runs, end_reason_);
            commit(transaction);
            return Applied{};
        }
        const Verdict verdict = judge.judge(*error);
        if (verdict == Verdict::Leave) return Failed{*error, index};
        reject(index, *error, verdict == Verdict::Block ? "blocking" : "open");
        if (verdict == Verdict::Skip) {
            reader_.reject_all();
            keep_books(runs, kErrorReason);
        }
        commit(transaction);
        return Rejected{*error, verdict};
    } catch (const PgError& e) {
        ledger_.rolled_back();
        return Failed{to_error(e.record, Stage::Commit), index};
    } catch (const Failure& e) {
        ledger_.rolled_back();
        return Failed{e.error, index};
    }
}

}  // namespace sluice
