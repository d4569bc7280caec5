#include "flow/batch_policy.hpp"

#include <algorithm>

namespace sluice {

using std::chrono::milliseconds;

namespace {

constexpr size_t kFirstCount = 10'000;
constexpr size_t kSmallestCount = 100;
constexpr size_t kLargestCount = 100'000;
constexpr milliseconds kLongBatch{500};

}  // namespace

std::string_view end_reason_name(EndReason reason) {
    switch (reason) {
        case EndReason::MaxCount:
            return "MAX_COUNT";
        case EndReason::MaxBytes:
            return "MAX_BYTES";
        case EndReason::QueueEmpty:
            return "QUEUE_EMPTY";
        case EndReason::StopPosition:
            return "STOP_POSITION";
        case EndReason::StopRequested:
            return "STOP_REQUESTED";
        case EndReason::Error:
            return "ERROR";
    }
    return "unknown";
}

BatchLimits BatchLimits::of(const JobOptions& options, int workers) {
    const auto share = static_cast<int64_t>(std::max(workers, 1));
    BatchLimits limits;
    if (options.max_count) limits.max_count = static_cast<size_t>(std::max<int64_t>(*options.max_count, 1));
    limits.max_bytes =
        static_cast<size_t>(std::max<int64_t>(options.max_bytes.value_or(options.memory / 4 / share), 1));
    limits.interval = milliseconds(options.interval_ms);
    limits.max_rate = static_cast<double>(options.max_rate) / static_cast<double>(share);
    return limits;
}

BatchPolicy::BatchPolicy(const BatchLimits& limits, const Clock& clock)
    : limits_(limits),
      clock_(clock),
      rate_(limits.max_rate, clock),
      max_count_(limits.max_count.value_or(kFirstCount)) {}

size_t BatchPolicy::room() {
    if (bytes_ >= limits_.max_bytes || count_ >= max_count_) return 0;
    return std::min(max_count_ - count_, rate_.available());
}

size_t BatchPolicy::room_bytes() const { return limits_.max_bytes - std::min(bytes_, limits_.max_bytes); }

void BatchPolicy::took(size_t messages, size_t bytes) {
    count_ += messages;
    bytes_ += bytes;
    rate_.take(messages);
}

BatchPolicy::Decision BatchPolicy::decide(const Surroundings& around) {
    if (around.stop_reached) return {EndReason::StopPosition, {}};
    if (count_ >= max_count_) return {EndReason::MaxCount, {}};
    if (bytes_ >= limits_.max_bytes) return {EndReason::MaxBytes, {}};
    if (around.stop_requested) return {EndReason::StopRequested, {}};

    // Messages that the rate keeps back are as good as not there.
    const bool held_back = !around.queue_empty && rate_.available() == 0;
    if (!around.queue_empty && !held_back) return {std::nullopt, milliseconds(0)};

    Decision decision;
    if (count_ > 0 || around.position_to_store) {
        const auto now = clock_.now();
        const auto due = last_commit_ ? *last_commit_ + limits_.interval : now;
        if (due <= now) return {EndReason::QueueEmpty, {}};
        decision.wait = std::chrono::ceil<milliseconds>(due - now);
    }
    if (held_back) decision.wait = std::min(decision.wait.value_or(milliseconds::max()), rate_.until_more());
    return decision;
}

void BatchPolicy::committed(milliseconds spent) {
    if (!limits_.max_count && count_ > 0) {
        if (spent > kLongBatch) {
            max_count_ = std::max(max_count_ / 2, kSmallestCount);
        } else if (count_ >= max_count_ && spent <= kLongBatch / 2) {
            max_count_ = std::min(max_count_ * 2, kLargestCount);
        }
    }
    count_ = 0;
    bytes_ = 0;
    last_commit_ = clock_.now();
}

}  // namespace sluice
