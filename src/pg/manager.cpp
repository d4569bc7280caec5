// The manager of a database: keeps the workers of its wanted jobs running and leaves when nothing is wanted.
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pg/bookkeeping.hpp"
#include "pg/catalog.hpp"
#include "pg/job_lock.hpp"
#include "pg/processes.hpp"
#include "pg/settings.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/dsm.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
}

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Commits wake the manager; this is for what no commit tells, such as a retry that is due.
constexpr milliseconds kPoll{1000};
constexpr seconds kRetentionInterval{600};
constexpr milliseconds kFirstRestart{500};
constexpr milliseconds kLastRestart{60'000};

struct WantedJob {
    JobId id;
    Oid owner;
    int64_t generation;
    int workers;
};

struct Worker {
    BackgroundWorkerHandle* handle = nullptr;
    int64_t generation = 0;
    Clock::time_point started_at{};
    Clock::time_point start_at{};
    milliseconds backoff = kFirstRestart;
};

class Manager {
  public:
    explicit Manager(volatile ManagerOutcome* outcome) : outcome_(outcome) {}

    [[noreturn]] void run() {
        if (!database_is_enabled(database_name().c_str())) leave(ManagerOutcome::Disabled);
        {
            spi::Transaction transaction;
            table_ = job_table();
            const bool mine = OidIsValid(table_) && try_lock_manager(table_);
            transaction.commit();
            // Another manager that holds the lock sees what is wanted before it lets go.
            if (!mine) leave(ManagerOutcome::Done);
        }
        for (;;) {
            if (ConfigReloadPending) {
                ConfigReloadPending = false;
                call([] { ProcessConfigFile(PGC_SIGHUP); });
            }
            if (!database_is_enabled(database_name().c_str())) {
                stop_workers();
                leave(ManagerOutcome::Disabled);
            }
            reap();
            std::vector<WantedJob> wanted;
            if (!read_wanted(wanted)) leave(ManagerOutcome::Done);
            if (wanted.empty() && workers_.empty() && nothing_is_wanted()) leave(ManagerOutcome::Done);
            start_missing(wanted);
            forget_what_is_old();
            waiter_.wait(kPoll);
        }
    }

  private:
    using Key = std::pair<int32_t, int>;  // job, worker number

    [[noreturn]] void leave(ManagerOutcome outcome) {
        *outcome_ = outcome;
        proc_exit(0);
    }

    static std::string database_name() {
        spi::Transaction transaction;
        const char* name = call([] { return get_database_name(MyDatabaseId); });
        std::string result = name ? name : "";
        transaction.commit();
        return result;
    }

    // False when the extension is gone.
    bool read_wanted(std::vector<WantedJob>& wanted) {
        spi::Transaction transaction;
        if (job_table() != table_) return false;
        {
            Bookkeeping bookkeeping;
            const spi::Rows rows = spi::run(
                "SELECT j.job_id, j.owner::oid, j.generation,"
                "       CASE WHEN s.stop_position ? 'messages' THEN 1"
                "            ELSE COALESCE((j.definition -> 'options' ->> 'workers')::int, 1) END,"
                "       r.oid IS NOT NULL AND r.rolcanlogin"
                "  FROM sluice.job j JOIN sluice.job_state s USING (job_id)"
                "  LEFT JOIN pg_catalog.pg_roles r ON r.oid = j.owner"
                " WHERE s.wanted = 'running' AND NOT s.failed AND NOT s.finished ORDER BY j.job_id");
            for (size_t i = 0; i < rows.size(); ++i) {
                const WantedJob job{JobId{static_cast<int32_t>(rows.integer(i, 0))},
                                    static_cast<Oid>(rows.integer(i, 1)), rows.integer(i, 2),
                                    static_cast<int>(rows.integer(i, 3))};
                if (rows.boolean(i, 4))
                    wanted.push_back(job);
                else
                    catalog::set_failed(job.id, job.generation, owner_cannot_run(),
                                        "the owner of the job was dropped or may not log in");
            }
            const spi::Rows live = spi::run("SELECT job_id, worker_no FROM sluice.live_worker");
            live_.clear();
            for (size_t i = 0; i < live.size(); ++i)
                live_.insert(
                    {static_cast<int32_t>(live.integer(i, 0)), static_cast<int>(live.integer(i, 1))});
        }
        transaction.commit();
        return true;
    }

    static Error owner_cannot_run() {
        return Error::config(
            "42704", "the owner of the job was dropped or may not log in",
            "A worker connects as the owner of its job.",
            "Give the job another owner with sluice.alter_job(name, owner => ...), or the role LOGIN.");
    }

    // The last look before leaving. Everybody who wants a job holds ROW EXCLUSIVE on job_state until the
    // commit, so under SHARE either this sees the wish, or its author sees no manager any more and asks for
    // one.
    bool nothing_is_wanted() {
        spi::Transaction transaction;
        bool nothing = false;
        {
            Bookkeeping bookkeeping;
            spi::run("LOCK TABLE sluice.job_state IN SHARE MODE");
            nothing = spi::run(
                          "SELECT 1 FROM sluice.job_state"
                          " WHERE wanted = 'running' AND NOT failed AND NOT finished LIMIT 1")
                          .empty();
            if (nothing) unlock_manager(table_);
        }
        transaction.commit();
        return nothing;
    }

    void reap() {
        const auto now = Clock::now();
        for (auto& [key, worker] : workers_) {
            if (worker.handle == nullptr) continue;
            pid_t pid;
            if (GetBackgroundWorkerPid(worker.handle, &pid) != BGWH_STOPPED) continue;
            pfree(worker.handle);
            worker.handle = nullptr;
            if (now - worker.started_at > kLastRestart) worker.backoff = kFirstRestart;
            worker.start_at = now + worker.backoff;
            worker.backoff = std::min(worker.backoff * 2, kLastRestart);
        }
    }

    void start_missing(const std::vector<WantedJob>& wanted) {
        const auto now = Clock::now();
        // Jobs that are no longer wanted are forgotten once their workers have left.
        std::erase_if(workers_, [&](const auto& entry) {
            if (entry.second.handle != nullptr) return false;
            return std::none_of(wanted.begin(), wanted.end(), [&](const WantedJob& job) {
                return job.id.value == entry.first.first && entry.first.second < job.workers;
            });
        });
        for (const WantedJob& job : wanted) {
            // A change of the definition lets all old workers leave before the first new one starts, so that
            // no two of them read the same partition.
            bool old_ones = false;
            for (const auto& [key, worker] : workers_)
                if (key.first == job.id.value && worker.handle != nullptr &&
                    worker.generation != job.generation)
                    old_ones = true;
            if (old_ones) continue;
            for (int no = 0; no < job.workers; ++no) {
                Worker& worker = workers_[{job.id.value, no}];
                if (worker.handle != nullptr) continue;
                if (worker.generation != job.generation) {
                    worker.start_at = now;
                    worker.backoff = kFirstRestart;
                }
                // A worker of a manager that died goes on without one.
                if (worker.start_at <= now && !live_.count({job.id.value, no})) start(job, no, worker);
            }
        }
    }

    void start(const WantedJob& job, int worker_no, Worker& worker) {
        BackgroundWorker process = describe_process("sluice_worker_main", "sluice worker");
        const WorkerArguments arguments{job.id,       worker_no, job.workers,
                                        MyDatabaseId, job.owner, job.generation};
        memcpy(process.bgw_extra, &arguments, sizeof arguments);
        process.bgw_notify_pid = MyProcPid;
        const bool started = call([&] {
            MemoryContext old =
                MemoryContextSwitchTo(TopMemoryContext);  // handles live until their worker ends
            const bool ok = RegisterDynamicBackgroundWorker(&process, &worker.handle);
            MemoryContextSwitchTo(old);
            return ok;
        });
        worker.started_at = Clock::now();
        worker.generation = job.generation;
        if (started) return;
        worker.handle = nullptr;
        worker.start_at = worker.started_at + seconds(5);
        tell_no_slot(job);
    }

    void tell_no_slot(const WantedJob& job) {
        spi::Transaction transaction;
        {
            Bookkeeping bookkeeping;
            spi::run(
                "UPDATE sluice.job_state SET reason = $2, changed_at = pg_catalog.now()"
                " WHERE job_id = $1 AND wanted = 'running' AND reason IS DISTINCT FROM $2",
                {spi::Param::int4(job.id.value),
                 spi::Param::text(
                     std::string_view("no background worker slot is free; raise max_worker_processes"))});
        }
        transaction.commit();
    }

    void stop_workers() {
        for (auto& [key, worker] : workers_)
            if (worker.handle != nullptr) TerminateBackgroundWorker(worker.handle);
    }

    void forget_what_is_old() {
        const auto now = Clock::now();
        if (retention_at_ && now - *retention_at_ < kRetentionInterval) return;
        retention_at_ = now;
        spi::Transaction transaction;
        {
            Bookkeeping bookkeeping;
            if (settings::history_retention > 0)
                spi::run(
                    "DELETE FROM sluice.batch_history"
                    " WHERE started_at < pg_catalog.now() - $1 * interval '1 second'",
                    {spi::Param::int4(settings::history_retention)});
            // Only a person settles a reject or the job itself; nobody forgets the others for them.
            if (settings::error_retention > 0)
                spi::run(
                    "DELETE FROM sluice.reject WHERE status IN ('applied', 'replayed', 'discarded')"
                    " AND resolved_at < pg_catalog.now() - $1 * interval '1 second'",
                    {spi::Param::int4(settings::error_retention)});
        }
        transaction.commit();
    }

    volatile ManagerOutcome* outcome_;
    Oid table_ = InvalidOid;
    WorkerWaiter waiter_;
    std::map<Key, Worker> workers_;
    std::set<Key> live_;  // workers that hold their lock, whoever started them
    std::optional<Clock::time_point> retention_at_;
};

}  // namespace

}  // namespace sluice

void sluice_manager_main(Datum outcome_segment) {
    using namespace sluice;
    airlock::enter([&] {
        pqsignal(SIGTERM, die);
        pqsignal(SIGHUP, SignalHandlerForConfigReload);
        BackgroundWorkerUnblockSignals();
        WorkerArguments arguments;
        memcpy(&arguments, MyBgworkerEntry->bgw_extra, sizeof arguments);
        auto* outcome = call([&]() -> volatile ManagerOutcome* {
            dsm_segment* segment = dsm_attach(DatumGetUInt32(outcome_segment));
            if (segment == nullptr) return nullptr;
            dsm_pin_mapping(segment);
            return static_cast<volatile ManagerOutcome*>(dsm_segment_address(segment));
        });
        // The supervisor that asked is gone; the next one asks again.
        if (outcome == nullptr) proc_exit(0);
        call([&] {
            BackgroundWorkerInitializeConnectionByOid(arguments.database, InvalidOid, 0);
            SetConfigOption("application_name", "sluice manager", PGC_USERSET, PGC_S_SESSION);
        });
        Manager(outcome).run();
    });
}
