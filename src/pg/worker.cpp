#include "job/position.hpp"

#include <algorithm>
#include <chrono>
#include <random>

#include "pg/job_lock.hpp"
#include "pg/settings.hpp"
#include "pg/source.hpp"
#include "pg/worker.hpp"
#include "pg/worker_session.hpp"

extern "C" {
#include "access/relation.h"
#include "mb/pg_wchar.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
#include "utils/inval.h"
}

namespace sluice {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = Clock::time_point;

// Commits that concern the job set the latch; this is for what no commit tells.
constexpr seconds kLookAgain{5};
constexpr seconds kLiveNumbers{1};
constexpr seconds kMemoryNumbers{10};
constexpr seconds kNewPartitions{30};
constexpr seconds kBrokerTimeout{10};
constexpr int kLockAttempts = 50;
constexpr int kMostStarts = 10;
constexpr milliseconds kLockWait{100};

// Set by PostgreSQL when the definition of a relation that the job uses may have changed.
Oid watched_source = InvalidOid;
Oid watched_target = InvalidOid;
bool source_changed = false;
bool target_changed = false;

void on_relcache(Datum, Oid relation) {
    if (relation == InvalidOid || relation == watched_source) source_changed = true;
    if (relation == InvalidOid || relation == watched_target) target_changed = true;
}

void watch_relations(Oid source, Oid target) {
    static bool registered = false;
    if (!registered) {
        call([] { CacheRegisterRelcacheCallback(on_relcache, 0); });
        registered = true;
    }
    watched_source = source;
    watched_target = target;
    source_changed = target_changed = false;
}

std::string place(const std::string& topic, Partition partition, Offset offset) {
    return "topic " + topic + ", partition " + std::to_string(partition.value) + ", offset " +
           std::to_string(offset.value);
}

// The relation's columns, in memory that lasts until it is freed.
TupleDesc descriptor_of(Oid relation) {
    return call([&] {
        Relation rel = relation_open(relation, AccessShareLock);
        MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
        TupleDesc copy = CreateTupleDescCopyConstr(RelationGetDescr(rel));
        MemoryContextSwitchTo(old);
        relation_close(rel, AccessShareLock);
        return copy;
    });
}

}  // namespace

// Everything that is built from one definition and one claim of partitions. Members are destroyed in reverse
// order: the messages go back before their consumer is closed.
struct Worker::Engagement {
    catalog::StoredJob job;
    SourceSpec source;
    ResolvedJob resolved;
    std::unique_ptr<Consumer> consumer;
    MessageHeaders headers;
    std::optional<RecordDecoder> decoder;
    TupleDesc tupdesc = nullptr;
    std::unique_ptr<BatchReader> reader;
    std::unique_ptr<Sink> sink;
    std::optional<Ledger> ledger;
    std::optional<ErrorBudget> budget;
    std::optional<BatchApplier> applier;
    std::optional<Recut> recut;
    std::optional<BatchPolicy> policy;

    size_t topic_partition_count = 0;
    MessageBatch batch;
    std::vector<MessageView> ordered;  // the batch by partition, without what lies beyond a stop offset
    std::vector<ConsumerEvent> events;
    std::map<int32_t, NextOffset> polled;     // past the newest message that was taken
    std::map<int32_t, NextOffset> ends;       // positions past control records, not stored yet
    std::map<int32_t, NextOffset> told_high;  // high watermarks as stored
    std::optional<int64_t> messages_left;     // of run_job's max_messages; such a run has one worker
    Time batch_started{};
    Time looked_at{};
    Time told_at{};
    Time memory_told_at{};
    Time partitions_looked_at{};
    bool next_does_not_fit = false;
    bool in_trouble = false;  // RETRYING is shown
    Time trouble_probe_at{};
    bool client_trouble = false;  // the brokers do not answer; ask them now and then
    std::optional<Next> next;     // decided while handling an event

    std::vector<Partition> own_partitions() const {
        std::vector<Partition> result;
        for (const auto& [p, state] : ledger->partitions()) result.push_back(Partition{p});
        return result;
    }

    ~Engagement() {
        bind_source(job.source, nullptr);
        sink.reset();
        reader.reset();
        if (tupdesc != nullptr) FreeTupleDesc(tupdesc);
        batch.release();
    }
};

Worker::Worker(const WorkerArguments& arguments) : arguments_(arguments) {}
Worker::~Worker() = default;

bool Worker::take_lock() {
    // A worker of the generation before may still be ending its batch.
    for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
        {
            spi::Transaction transaction;
            job_table_ = job_table();
            const bool mine =
                OidIsValid(job_table_) && try_lock_worker(job_table_, arguments_.job, arguments_.worker_no);
            transaction.commit();
            if (mine) return true;
            if (!OidIsValid(job_table_)) return false;
        }
        waiter_.wait(kLockWait);
    }
    return false;
}

bool Worker::still_wanted() {
    spi::Transaction transaction;
    bool wanted = false;
    if (job_table() == job_table_) {
        const auto job = catalog::read_job(arguments_.job);
        wanted = job && job->generation == arguments_.generation && job->wanted == "running" &&
                 !job->failed && !job->finished;
    }
    transaction.commit();
    return wanted;
}

void Worker::fail_job(const Error& error, const std::string& reason) {
    spi::Transaction transaction;
    catalog::set_failed(arguments_.job, arguments_.generation, error, reason);
    wake_at_commit(arguments_.job);
    transaction.commit();
    call([&] {
        ereport(LOG, (errmsg("sluice: job \"%s\" needs a person: %s", job_name_.c_str(), reason.c_str())));
    });
}

// False when the job is not wanted any more.
bool Worker::wait_before_retry(milliseconds time) {
    const Time until = clock_.now() + time;
    for (Time now = clock_.now(); now < until; now = clock_.now()) {
        const auto rest =
            std::min<milliseconds>(duration_cast<milliseconds>(until - now) + milliseconds(1), kLookAgain);
        waiter_.wait(rest);
        if (!still_wanted()) return false;
    }
    return true;
}

void Worker::run() {
    if (!take_lock()) return;
    for (;;) {
        Error error;
        try {
            if (work() == Next::Leave) return;
            continue;
        } catch (const Failure& failure) {
            error = failure.error;
        } catch (const PgError& e) {
            error = to_error(e.record, Stage::Fetch);
        }
        // An error may have left a transaction behind; the guards above abort theirs, this is for the rest.
        call([] { AbortCurrentTransaction(); });
        waiter_.watch(-1);
        if (error.kind == ErrorKind::Transient) {
            if (!backoff_) backoff_.emplace(seconds(1), -1, std::random_device{}());
            if (const auto wait = backoff_->next()) {
                spi::Transaction transaction;
                catalog::set_retry(arguments_.job, arguments_.generation, error, error.message,
                                   backoff_->retries(), *wait);
                transaction.commit();
                if (!wait_before_retry(*wait)) return;
                continue;
            }
            fail_job(error, "max_retries is reached: " + error.message);
            return;
        }
        fail_job(error, catalog::describe(error));
        return;
    }
}

// Builds what a definition needs, claims partitions and reads until something ends it.
Worker::Next Worker::work() {
    Engagement e;
    {
        spi::Transaction transaction;
        const auto job = catalog::read_job(arguments_.job);
        if (!job || job->generation != arguments_.generation || job->wanted != "running" || job->failed ||
            job->finished) {
            transaction.commit();
            return Next::Leave;
        }
        e.job = *job;
        job_name_ = job->spec.name;
        // Committed, and flushed: the settings of the job come later.
        const int starts = proven_ ? 0 : catalog::count_start(arguments_.job);
        transaction.commit();
        if (starts > kMostStarts)
            fail(Error::config("58000",
                               "workers of the job ended " + std::to_string(kMostStarts) +
                                   " times before they had done anything",
                               "The server log tells how they ended.",
                               "Mend the cause, then call sluice.resume_job."));
    }
    const JobOptions& options = e.job.spec.options;
    if (!backoff_)
        backoff_.emplace(milliseconds(options.retry_interval_ms), options.max_retries,
                         std::random_device{}());
    pin_settings(e.job.spec);

    {
        spi::Transaction transaction;
        Resolution resolution = resolve_job(e.job.spec, e.job.owner, Expressions::Qualified);
        if (!resolution.problems.empty()) fail(combine(resolution.problems));
        e.resolved = std::move(resolution.job);
        e.source = load_source(e.job.source, e.job.owner);
        e.tupdesc = descriptor_of(e.job.source);
        const std::vector<AttrNumber> attributes = source_attributes(e.tupdesc);
        const auto& used = e.resolved.source_columns_used;
        for (size_t i = 0; i < attributes.size(); ++i)
            e.source.record.columns[i].wanted = std::binary_search(used.begin(), used.end(), attributes[i]);
        e.decoder.emplace(value_or_fail(RecordDecoder::make(e.source.record, &e.headers)));
        e.reader = std::make_unique<BatchReader>(*e.decoder, e.tupdesc);
        bind_source(e.job.source, e.reader.get());
        e.sink = make_sink(e.resolved);
        watch_relations(e.job.source, e.job.target);
        transaction.commit();
    }

    ConsumerConfig config;
    config.client = {e.source.brokers, e.source.properties, options.group_id};
    // Half of the budget waits in the queue, a quarter is the batch, a quarter sorts and holds decoded rows.
    config.queue_bytes = static_cast<size_t>(options.memory / 2);
    e.consumer = value_or_fail(Consumer::open(config));

    Claim claim = claim_partitions(job_table_, e.job, e.source, e.consumer->client(), waiter_,
                                   arguments_.worker_no, arguments_.worker_count);
    if (claim.fenced) return Next::Leave;
    e.topic_partition_count = claim.topic_partition_count;
    e.ledger.emplace(job_table_, e.job.id, e.job.spec.name, e.source.topic, e.job.generation);

    std::vector<Assignment> assignments;
    for (const PartitionState& p : claim.partitions)
        if (!p.stop || p.next < *p.stop)
            assignments.push_back({e.source.topic, p.partition, p.next, p.leader_epoch});
    e.ledger->adopt(std::move(claim.partitions));

    int64_t rejected_so_far = 0;
    {
        spi::Transaction transaction;
        {
            Bookkeeping bookkeeping;
            rejected_so_far =
                spi::run(
                    "SELECT pg_catalog.count(*) FROM sluice.reject r JOIN sluice.job_state s USING (job_id)"
                    " WHERE r.job_id = $1 AND r.status = 'open' AND r.event_time >= s.budget_since",
                    {spi::Param::int4(e.job.id.value)})
                    .integer(0, 0);
        }
        write_worker_state(arguments_, e.own_partitions());
        catalog::clear_retry(e.job.id, "running");
        transaction.commit();
    }
    show_partitions(e.job.spec.name, e.own_partitions());

    e.budget.emplace(options.error_limit, options.error_window, rejected_so_far);
    Consumer* consumer = e.consumer.get();
    const std::string topic = e.source.topic;
    e.applier.emplace(*e.ledger, *e.sink, *e.reader, e.headers, *e.budget,
                      [consumer, topic](Partition p) -> std::optional<std::pair<NextOffset, NextOffset>> {
                          const auto marks = consumer->watermarks(topic, p);
                          if (!marks) return std::nullopt;
                          return std::pair{marks->low, marks->high};
                      });
    e.recut.emplace(*e.applier, *e.budget);
    e.policy.emplace(BatchLimits::of(options, arguments_.worker_count), clock_);
    if (e.job.run_max_messages) {
        e.messages_left = *e.job.run_max_messages;
    }
    const Time now = clock_.now();
    e.batch_started = e.looked_at = e.told_at = e.memory_told_at = e.partitions_looked_at = now;

    value_or_fail(e.consumer->assign(assignments));
    waiter_.watch(e.consumer->wake_fd());
    const Next next = loop(e);
    waiter_.watch(-1);
    return next;
}

Worker::Next Worker::loop(Engagement& e) {
    for (;;) {
        poll(e);
        if (e.next) return *e.next;

        Surroundings around;
        around.queue_empty = e.consumer->queued_messages() == 0;
        around.stop_reached = all_partitions_stopped(e);
        BatchPolicy::Decision decision = e.policy->decide(around);
        // The next message does not fit, though the batch is not quite full.
        if (e.next_does_not_fit && !decision.close) decision.close = EndReason::MaxBytes;
        if (decision.close && !e.batch.empty()) {
            const Next next = apply_batch(e, *decision.close);
            if (e.next) return *e.next;
            if (next == Next::Leave) return next;
            continue;
        }
        const Time now = clock_.now();
        if (e.batch.empty()) {
            if (!e.ends.empty() && now - e.told_at >= milliseconds(e.job.spec.options.interval_ms))
                store_positions(e);
            if (all_partitions_stopped(e)) {
                spi::Transaction transaction;
                const bool all = [&] {
                    Bookkeeping bookkeeping;
                    return spi::run(
                               "SELECT 1 FROM sluice.offsets WHERE job_id = $1 AND topic = $2"
                               " AND (stop_offset IS NULL OR next_offset < stop_offset)",
                               {spi::Param::int4(e.job.id.value), spi::Param::text(e.source.topic)})
                        .empty();
                }();
                if (all || e.messages_left) {
                    catalog::set_finished(e.job.id, e.job.generation,
                                          e.messages_left ? "the number of messages is reached"
                                                          : "the stop position is reached");
                    wake_at_commit(e.job.id);
                }
                transaction.commit();
                if (all || e.messages_left) return Next::Leave;
            }
            tell_live_numbers(e);
        }
        if (now - e.partitions_looked_at >= kNewPartitions && !look_for_partitions(e)) return Next::StartOver;

        milliseconds timeout = duration_cast<milliseconds>(kLiveNumbers);
        if (decision.wait) timeout = std::min(timeout, *decision.wait);
        const Woken woken = waiter_.wait(timeout);
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            call([] { ProcessConfigFile(PGC_SIGHUP); });
        }
        if (woken.latch || clock_.now() - e.looked_at >= kLookAgain) {
            e.looked_at = clock_.now();
            if (!still_wanted()) return Next::Leave;
        }
    }
}

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
        for (size_t i = before; i < e.batch.size(); ++i)
            e.polled[e.batch[i].partition.value] = after(e.batch[i].offset);
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

// This worker works, so what ended those before it does not count any more.
void Worker::prove() {
    if (proven_) return;
    proven_ = true;
    spi::Transaction transaction;
    catalog::prove_start(arguments_.job);
    transaction.commit();
}

// Trouble is over: the state says so.
void Worker::apply_done(Engagement& e) {
    e.in_trouble = false;
    backoff_->succeeded();
    spi::Transaction transaction;
    catalog::clear_retry(e.job.id, "running");
    transaction.commit();
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

Worker::Next Worker::apply_batch(Engagement& e, EndReason reason) {
    // Reader and decoder were made for the old columns; the messages are read again.
    if (source_changed) {
        e.batch.release();
        e.next = Next::StartOver;
        return Next::StartOver;
    }
    const Time started = clock_.now();
    e.ordered.clear();
    std::map<int32_t, std::vector<const MessageView*>> by_partition;
    for (const MessageView& m : e.batch.messages()) {
        const PartitionState& state = e.ledger->at(m.partition);
        if (state.stop && m.offset.value >= state.stop->value) {
            // The partition is done; what lies beyond stays for another run.
            e.ends[m.partition.value] = *state.stop;
            continue;
        }
        by_partition[m.partition.value].push_back(&m);
    }
    e.ordered.reserve(e.batch.size());
    for (const auto& [partition, messages] : by_partition)
        for (const MessageView* m : messages) e.ordered.push_back(*m);

    if (target_changed) refresh_sink(e);
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
                if (const auto instead = retry_later(e, *step.error)) {
                    e.next = *instead;
                    going_on = false;
                }
                if (target_changed) refresh_sink(e);
                break;
            case Recut::Step::Kind::Blocked: {
                const MessageView& m = e.ordered[e.recut->committed()];
                fail_job(*step.error, place(e.source.topic, m.partition, m.offset) + ": " +
                                          catalog::describe(*step.error));
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

// The target has another definition now: resolve again before the next row is written.
void Worker::refresh_sink(Engagement& e) {
    target_changed = false;
    spi::Transaction transaction;
    // It may have another name, too.
    if (const auto job = catalog::read_job(e.job.id)) e.job.spec = job->spec;
    Resolution resolution = resolve_job(e.job.spec, e.job.owner, Expressions::Qualified);
    if (!resolution.problems.empty()) fail(combine(resolution.problems));
    e.resolved = std::move(resolution.job);
    e.sink = make_sink(e.resolved);
    e.applier->write_with(*e.sink);
    transaction.commit();
}

bool Worker::all_partitions_stopped(Engagement& e) {
    if (e.messages_left && *e.messages_left - static_cast<int64_t>(e.batch.size()) <= 0) return true;
    bool any = false;
    for (const auto& [partition, state] : e.ledger->partitions()) {
        if (!state.stop) return false;
        any = true;
        NextOffset position = state.next;
        const auto polled = e.polled.find(partition);
        if (polled != e.polled.end()) position = std::max(position, polled->second);
        const auto end = e.ends.find(partition);
        if (end != e.ends.end()) position = std::max(position, end->second);
        if (position < *state.stop) return false;
    }
    return any;
}

// Stores positions that moved without a message: control records of transactions, compaction.
void Worker::store_positions(Engagement& e) {
    std::vector<Advance> advances;
    std::vector<Partition> partitions;
    for (const auto& [partition, end] : e.ends) {
        const PartitionState& state = e.ledger->at(Partition{partition});
        const NextOffset position = state.stop ? std::min(end, *state.stop) : end;
        if (position <= state.next) continue;
        Advance a;
        a.partition = Partition{partition};
        a.start = state.next;
        a.end = position;
        if (const auto marks = e.consumer->watermarks(e.source.topic, a.partition)) {
            a.low_watermark = marks->low;
            a.high_watermark = std::max(marks->high, position);
            e.told_high[partition] = *a.high_watermark;
        }
        advances.push_back(a);
        partitions.push_back(a.partition);
    }
    e.ends.clear();
    e.told_at = clock_.now();
    if (advances.empty()) return;
    spi::Transaction transaction;
    if (!e.ledger->open(partitions)) {
        e.next = Next::Leave;
        return;
    }
    e.ledger->advance(advances, "QUEUE_EMPTY", {});
    transaction.commit();
    e.ledger->committed();
}

// Watermarks and memory while nothing is applied; writes only what has changed.
void Worker::tell_live_numbers(Engagement& e) {
    const Time now = clock_.now();
    if (now - e.told_at < kLiveNumbers) return;
    e.told_at = now;
    prove();
    if (e.client_trouble && now >= e.trouble_probe_at) {
        std::vector<Partition> partitions = e.own_partitions();
        const auto marks =
            fetch_watermarks(e.consumer->client(), e.source.topic, partitions, kBrokerTimeout, waiter_);
        if (marks) {
            e.client_trouble = false;
            apply_done(e);
        } else {
            const auto wait = backoff_->next();
            if (!wait) fail(marks.error());
            e.trouble_probe_at = clock_.now() + *wait;
            spi::Transaction transaction;
            catalog::set_retry(e.job.id, e.job.generation, marks.error(), marks.error().message,
                               backoff_->retries(), *wait);
            transaction.commit();
        }
    }
    std::vector<std::pair<Partition, Watermarks>> changed;
    for (const auto& [partition, state] : e.ledger->partitions()) {
        const auto marks = e.consumer->watermarks(e.source.topic, Partition{partition});
        if (!marks) continue;
        const auto told = e.told_high.find(partition);
        if (told != e.told_high.end() && told->second == marks->high) continue;
        changed.emplace_back(Partition{partition}, *marks);
    }
    const bool memory = now - e.memory_told_at >= kMemoryNumbers * 6;
    if (changed.empty() && !memory) return;
    spi::Transaction transaction;
    for (const auto& [partition, marks] : changed) {
        e.ledger->write_watermarks(partition, marks.low, marks.high);
        e.told_high[partition.value] = marks.high;
    }
    if (memory) {
        e.memory_told_at = now;
        write_worker_state(arguments_, e.own_partitions());
    }
    transaction.commit();
}

// False when the topic has other partitions than at the claim.
bool Worker::look_for_partitions(Engagement& e) {
    e.partitions_looked_at = clock_.now();
    const auto topic = fetch_topic(e.consumer->client(), e.source.topic, kBrokerTimeout, waiter_);
    // A problem of the brokers shows up as an event; this look only adds partitions.
    if (!topic) return true;
    return topic.value().partitions.size() == e.topic_partition_count;
}

}  // namespace sluice

void sluice_worker_main(Datum) {
    using namespace sluice;
    airlock::enter([] {
        pqsignal(SIGTERM, die);
        pqsignal(SIGHUP, SignalHandlerForConfigReload);
        BackgroundWorkerUnblockSignals();
        WorkerArguments arguments;
        memcpy(&arguments, MyBgworkerEntry->bgw_extra, sizeof arguments);
        call([&] { BackgroundWorkerInitializeConnectionByOid(arguments.database, arguments.owner, 0); });
        Worker(arguments).run();
    });
    proc_exit(0);
}
