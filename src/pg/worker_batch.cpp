// Messages: taken from the consumer, closed into batches, applied; and what the consumer tells beside them.
#include <algorithm>

#include "pg/relation_watch.hpp"
#include "pg/worker_engagement.hpp"

namespace sluice {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = Clock::time_point;

// Messages of one partition that stand side by side, as they come from the brokers.
using Run = std::span<const MessageView>;

std::vector<Run> runs_in(std::span<const MessageView> messages) {
    std::vector<Run> runs;
    while (!messages.empty()) {
        size_t size = 1;
        while (size < messages.size() && messages[size].partition == messages[0].partition) ++size;
        runs.push_back(messages.first(size));
        messages = messages.subspan(size);
    }
    return runs;
}

std::string place(const std::string& topic, Partition partition, Offset offset) {
    return "topic " + topic + ", partition " + std::to_string(partition.value) + ", offset " +
           std::to_string(offset.value);
}

}  // namespace

void Worker::poll(Engagement& e) {
    e.consumer->clear_wake();
    size_t room = e.policy->room();
    if (e.messages_left) {
        const int64_t left = *e.messages_left - static_cast<int64_t>(e.batch.size());
        room = std::min(room, static_cast<size_t>(std::max<int64_t>(left, 0)));
    }
    e.events.clear();
    if (e.batch.empty()) e.batch_started = clock_.now();
    const size_t bytes = e.batch.bytes();
    const size_t before = e.batch.size();
    // The consumer's limits are those of the whole batch.
    const size_t came = e.consumer->poll(
        e.batch, {before + std::min(room, SIZE_MAX - before), bytes + e.policy->room_bytes()}, e.events);
    if (came > 0) {
        e.policy->took(came, e.batch.bytes() - bytes);
        for (const Run& run : runs_in(e.batch.messages().subspan(before)))
            e.polled[run.front().partition.value] = after(run.back().offset);
        e.client_trouble = false;
        if (e.in_trouble) apply_done(e);
    }
    e.next_does_not_fit =
        came == 0 && room > 0 && !e.batch.empty() && e.events.empty() && e.consumer->queued_messages() > 0;
    for (const ConsumerEvent& event : e.events) handle(e, event);
    e.consumer->client()->drain_logs([](int level, std::string_view line) {
        // librdkafka's own words, for the server's log only: warnings and worse.
        if (level <= 4) {
            const std::string text(line);
            call([&] { ereport(LOG, (errmsg("sluice: %s", text.c_str()))); });
        }
    });
}

void Worker::handle(Engagement& e, const ConsumerEvent& event) {
    switch (event.kind) {
        case ConsumerEvent::Kind::EndOfPartition: {
            e.client_trouble = false;
            if (e.in_trouble) apply_done(e);
            const auto& partitions = e.ledger->partitions();
            const auto state = partitions.find(event.partition.value);
            if (state != partitions.end() && event.position && state->second.next < *event.position)
                e.ends[event.partition.value] = *event.position;
            break;
        }
        case ConsumerEvent::Kind::OffsetOutOfRange:
            // Claiming again tells the exact gap, and follows fallback_offset. Should the range look right by
            // then, the back-off keeps this from turning in circles.
            if (!e.batch.empty() && apply_batch(e, EndReason::Error) == Next::Leave) {
                e.next = Next::Leave;
                break;
            }
            {
                Error error = event.error;
                error.kind = ErrorKind::Transient;
                const auto wait = retry_later(e, error);
                e.next = wait ? *wait : Next::StartOver;
            }
            break;
        case ConsumerEvent::Kind::LogTruncated:
        case ConsumerEvent::Kind::PartitionProblem:
        case ConsumerEvent::Kind::ClientProblem:
            if (event.error.kind == ErrorKind::Transient) {
                e.client_trouble = true;
                e.in_trouble = true;
                e.trouble_probe_at = clock_.now() + seconds(1);
                spi::Transaction transaction;
                catalog::set_retry(e.job.id, e.job.generation, event.error, event.error.message,
                                   backoff_->retries() + 1, seconds(1));
                transaction.commit();
                break;
            }
            if (!e.batch.empty()) apply_batch(e, EndReason::Error);
            if (e.next) break;
            fail_job(event.error, catalog::describe(event.error));
            e.next = Next::Leave;
            break;
    }
}

// Empty: go on with the same batch. Otherwise what to do instead.
std::optional<Worker::Next> Worker::retry_later(Engagement& e, const Error& error) {
    const auto wait = backoff_->next();
    if (!wait) {
        fail_job(error, "max_retries is reached: " + error.message);
        return Next::Leave;
    }
    e.in_trouble = true;
    {
        spi::Transaction transaction;
        catalog::set_retry(e.job.id, e.job.generation, error, error.message, backoff_->retries(), *wait);
        transaction.commit();
    }
    if (!wait_before_retry(*wait)) return Next::Leave;
    return std::nullopt;
}

// Before the batch's transaction begins, because the registry may take its time. Empty: all is known that
// there is.
std::optional<Worker::Next> Worker::learn_schemas(Engagement& e) {
    RegistrySchemas* schemas = e.source->schemas();
    while (schemas != nullptr) {
        const auto learned = schemas->learn_in_worker(e.ordered, waiter_);
        if (learned) {
            if (learned.value() == RegistrySchemas::Learned::All) break;
            if (!still_wanted()) return Next::Leave;
        } else if (learned.error().kind == ErrorKind::Transient) {
            if (const auto instead = retry_later(e, learned.error())) return instead;
            if (source_has_changed()) return Next::StartOver;
        } else {
            fail_job(learned.error(), catalog::describe(learned.error()));
            return Next::Leave;
        }
    }
    return std::nullopt;
}

Worker::Next Worker::apply_batch(Engagement& e, EndReason reason) {
    if (source_has_changed()) return start_over(e);
    const Time started = clock_.now();
    e.ordered.clear();
    std::map<int32_t, std::vector<Run>> by_partition;
    for (const Run& run : runs_in(e.batch.messages()))
        by_partition[run.front().partition.value].push_back(run);
    e.ordered.reserve(e.batch.size());
    for (const auto& [partition, runs] : by_partition) {
        const PartitionState& state = e.ledger->at(Partition{partition});
        for (const Run& run : runs) {
            const auto end =
                state.stop
                    ? std::partition_point(run.begin(), run.end(),
                                           [&](const auto& m) { return m.offset.value < state.stop->value; })
                    : run.end();
            e.ordered.insert(e.ordered.end(), run.begin(), end);
            // The partition is done; what lies beyond stays for another run.
            if (end != run.end()) e.ends[partition] = *state.stop;
        }
    }

    if (const auto instead = learn_schemas(e)) {
        e.batch.release();
        e.next = instead;
        return *instead;
    }
    if (target_has_changed() && !refresh_sink(e)) return start_over(e);
    const double fetch_ms = std::chrono::duration<double, std::milli>(started - e.batch_started).count();
    e.applier->begin(e.ordered, std::string(end_reason_name(reason)), fetch_ms);
    e.recut->begin(e.ordered.size());
    Next next = Next::StartOver;
    for (bool going_on = !e.ordered.empty(); going_on;) {
        const Recut::Step step = e.recut->step();
        switch (step.kind) {
            case Recut::Step::Kind::Progress:
                if (e.in_trouble) apply_done(e);
                break;
            case Recut::Step::Kind::Done:
                prove();
                if (e.in_trouble) apply_done(e);
                going_on = false;
                break;
            case Recut::Step::Kind::Transient:
                if (source_has_changed()) return start_over(e);
                if (target_has_changed()) {
                    if (!refresh_sink(e)) return start_over(e);
                    break;
                }
                if (const auto instead = retry_later(e, *step.error)) {
                    e.next = *instead;
                    going_on = false;
                }
                break;
            case Recut::Step::Kind::Blocked: {
                const MessageView& m = e.ordered[e.recut->committed()];
                fail_job(*step.error,
                         place(e.topic(), m.partition, m.offset) + ": " + catalog::describe(*step.error));
                e.next = Next::Leave;
                going_on = false;
                break;
            }
            case Recut::Step::Kind::Config:
                fail_job(*step.error, catalog::describe(*step.error));
                e.next = Next::Leave;
                going_on = false;
                break;
            case Recut::Step::Kind::Fenced:
                e.next = Next::Leave;
                going_on = false;
                break;
        }
    }
    if (e.next) next = *e.next;
    if (e.messages_left) *e.messages_left -= static_cast<int64_t>(e.recut->committed());
    e.batch.release();
    e.policy->committed(duration_cast<milliseconds>(clock_.now() - started));
    return next;
}

// Reader and decoder were made for other columns; the messages are read again.
Worker::Next Worker::start_over(Engagement& e) {
    e.batch.release();
    e.next = Next::StartOver;
    return Next::StartOver;
}

// The target has another definition now: resolve again before the next row is written. False when the job
// uses other columns of the source now.
bool Worker::refresh_sink(Engagement& e) {
    forget_target_change();
    spi::Transaction transaction;
    // It may have another name, too.
    if (const auto job = catalog::read_job(e.job.id)) e.job.spec = job->spec;
    Resolution resolution = resolve_job(e.job.spec, e.job.owner, Expressions::Qualified);
    if (!resolution.problems.empty()) fail(combine(resolution.problems));
    const bool same_columns = resolution.job.source_columns_used == e.resolved.source_columns_used;
    e.resolved = std::move(resolution.job);
    e.sink = make_sink(e.resolved);
    e.applier->write_with(*e.sink);
    transaction.commit();
    return same_columns;
}

}  // namespace sluice
