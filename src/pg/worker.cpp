#include <algorithm>
#include <chrono>
#include <random>

#include "pg/job_lock.hpp"
#include "pg/relation_watch.hpp"
#include "pg/settings.hpp"
#include "pg/worker_engagement.hpp"
#include "pg/worker_session.hpp"

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
}

namespace sluice {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = Clock::time_point;

// Commits that concern the job set the latch; this is for what no commit tells.
constexpr seconds kLookAgain{5};
constexpr milliseconds kLongestWait = seconds(1);  // so that live numbers are live
constexpr seconds kNewPartitions{30};
constexpr int kLockAttempts = 50;
constexpr int kMostStarts = 10;
constexpr milliseconds kLockWait{100};

}  // namespace

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
        watch_relations(e.job.source, e.job.target);
        Resolution resolution = resolve_job(e.job.spec, e.job.owner, Expressions::Qualified);
        if (!resolution.problems.empty()) fail(combine(resolution.problems));
        e.resolved = std::move(resolution.job);
        e.source.emplace(e.resolved, e.headers);
        e.sink = make_sink(e.resolved);
        transaction.commit();
    }

    const SourceSpec& source = e.source->spec();
    ConsumerConfig config;
    config.client = {source.brokers, source.properties, options.group_id};
    // Half of the job's memory waits in the queues, a quarter is the batches, a quarter sorts and holds
    // decoded rows; the workers share it.
    config.queue_bytes = static_cast<size_t>(options.memory / 2 / arguments_.worker_count);
    e.consumer = value_or_fail(Consumer::open(config));

    Claim claim = claim_partitions(job_table_, e.job, source, e.consumer->client(), waiter_,
                                   arguments_.worker_no, arguments_.worker_count);
    if (claim.fenced) return Next::Leave;
    e.topic_partition_count = claim.topic_partition_count;
    e.ledger.emplace(job_table_, e.job.id, e.job.spec.name, source.topic, e.job.generation);

    std::vector<Assignment> assignments;
    for (const PartitionState& p : claim.partitions)
        if (!p.stop || p.next < *p.stop)
            assignments.push_back({source.topic, p.partition, p.next, p.leader_epoch});
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
            if (e.job.run_until_messages)
                e.messages_left =
                    *e.job.run_until_messages -
                    spi::run("SELECT pg_catalog.sum(messages) FROM sluice.offsets WHERE job_id = $1",
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
    const std::string topic = source.topic;
    e.applier.emplace(*e.ledger, *e.sink, e.source->reader(), e.headers, *e.budget,
                      [consumer, topic](Partition p) -> std::optional<std::pair<NextOffset, NextOffset>> {
                          const auto marks = consumer->watermarks(topic, p);
                          if (!marks) return std::nullopt;
                          return std::pair{marks->low, marks->high};
                      });
    e.recut.emplace(*e.applier, *e.budget);
    e.policy.emplace(BatchLimits::of(options, arguments_.worker_count), clock_);
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
            if (all_partitions_stopped(e) && finish(e)) return Next::Leave;
            tell_live_numbers(e);
        }
        if (now - e.partitions_looked_at >= kNewPartitions && !look_for_partitions(e)) return Next::StartOver;

        milliseconds timeout = kLongestWait;
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
