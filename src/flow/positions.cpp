#include "flow/positions.hpp"

#include <algorithm>

namespace sluice {

namespace {

using Key = std::pair<std::string_view, Partition>;

Key key_of(const MessageView& message) { return {message.topic, message.partition}; }

}  // namespace

void Positions::assign(TopicPartition at, NextOffset stored, std::optional<NextOffset> stop) {
    states_.insert_or_assign(std::move(at), State{stored, stored, stored, stop});
}

void Positions::unassign(const TopicPartition& at) { states_.erase(at); }

void Positions::admit(std::span<const MessageView> polled, std::vector<MessageView>& batch) {
    // A partition's messages come in runs: looked up once a run.
    Key run;
    State* state = nullptr;
    for (const MessageView& message : polled) {
        if (!state || key_of(message) != run) {
            run = key_of(message);
            const auto found = states_.find(run);
            state = found == states_.end() ? nullptr : &found->second;
        }
        if (!state || message.offset.value < state->read.value) continue;
        if (state->stop && message.offset.value >= state->stop->value) {
            // It proves that nothing comes before the stop offset any more.
            state->known_end = std::max(state->known_end, *state->stop);
            continue;
        }
        state->read = after(message.offset);
        batch.push_back(message);
    }
}

void Positions::end_of_partition(std::string_view topic, Partition partition, NextOffset position) {
    const auto found = states_.find(Key{topic, partition});
    if (found == states_.end()) return;
    State& state = found->second;
    // A job that stops at an offset stores that offset, wherever the end is.
    if (state.stop) position = std::min(position, *state.stop);
    state.known_end = std::max(state.known_end, position);
}

std::vector<PartitionRange> Positions::ranges_of(std::span<const MessageView> slice) const {
    std::map<Key, PartitionRange> touched;
    Key run;
    PartitionRange* range = nullptr;
    for (const MessageView& message : slice) {
        if (!range || key_of(message) != run) {
            run = key_of(message);
            const auto found = states_.find(run);
            if (found == states_.end()) {
                range = nullptr;
                continue;
            }
            const auto& [at, state] = *found;
            range = &touched.try_emplace(run, PartitionRange{at, state.stored, state.stored}).first->second;
        }
        range->end = after(message.offset);
        range->messages += 1;
        range->bytes += static_cast<int64_t>(message.key.size + message.value.size);
        range->last_timestamp_ms = message.timestamp_ms;
        range->leader_epoch = message.leader_epoch;
    }

    std::vector<PartitionRange> ranges;
    for (const auto& [at, state] : states_) {
        const auto found = touched.find(Order::key(at));
        if (found != touched.end()) {
            if (found->second.end == state.read) found->second.end = state.reached();
            ranges.push_back(std::move(found->second));
        } else if (state.has_end_to_store()) {
            ranges.push_back({at, state.stored, state.known_end});
        }
    }
    return ranges;
}

void Positions::committed(std::span<const PartitionRange> ranges) {
    for (const PartitionRange& range : ranges) {
        const auto found = states_.find(range.at);
        if (found == states_.end()) continue;
        State& state = found->second;
        state.stored = range.end;
        state.read = std::max(state.read, range.end);
        state.known_end = std::max(state.known_end, range.end);
    }
}

void Positions::rewind() {
    for (auto& [at, state] : states_) state.read = state.known_end = state.stored;
}

bool Positions::position_to_store() const {
    return std::any_of(states_.begin(), states_.end(),
                       [](const auto& s) { return s.second.has_end_to_store(); });
}

bool Positions::stop_reached() const {
    auto reached = [](const auto& s) { return s.second.stop && s.second.reached() >= *s.second.stop; };
    return !states_.empty() && std::all_of(states_.begin(), states_.end(), reached);
}

std::optional<NextOffset> Positions::next_to_read(const TopicPartition& at) const {
    const auto found = states_.find(at);
    if (found == states_.end()) return std::nullopt;
    return found->second.read;
}

}  // namespace sluice
