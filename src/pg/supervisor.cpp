// The supervisor: keeps one manager per database that asks for one. It connects to no database, so it never
// stands in the way of DROP DATABASE, and survives everything that ends a manager.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "pg/processes.hpp"
#include "pg/settings.hpp"
#include "pg/spi.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/dsm.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/varlena.h"
}

namespace sluice {

namespace {

using Seconds = std::chrono::seconds;
using Time = std::chrono::steady_clock::time_point;

constexpr Seconds kFirstRestart{1};
constexpr Seconds kLastRestart{60};
// A manager that lives this long has found something to do; only then is the next database looked at, so that
// many databases without jobs need one worker slot at a time.
constexpr std::chrono::milliseconds kProbation{1000};

// In shared memory, when preloaded.
struct Shared {
    slock_t lock;
    Latch* latch;  // of the static supervisor; null while there is none
    int requested_count;
    bool look_at_all;
    Oid requested[32];
};

Shared* shared = nullptr;
shmem_request_hook_type next_shmem_request = nullptr;
shmem_startup_hook_type next_shmem_startup = nullptr;

void request_shared_memory() {
    if (next_shmem_request) next_shmem_request();
    RequestAddinShmemSpace(MAXALIGN(sizeof(Shared)));
}

void start_shared_memory() {
    if (next_shmem_startup) next_shmem_startup();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool found = false;
    shared = static_cast<Shared*>(ShmemInitStruct("sluice", sizeof(Shared), &found));
    if (!found) {
        memset(shared, 0, sizeof(Shared));
        SpinLockInit(&shared->lock);
    }
    LWLockRelease(AddinShmemInitLock);
}

void forget_supervisor(int, Datum) {
    SpinLockAcquire(&shared->lock);
    shared->latch = nullptr;
    SpinLockRelease(&shared->lock);
}

struct Database {
    Oid oid;
    std::string name;
};

// One database with the manager that it has or waits for.
struct Child {
    Oid database;
    BackgroundWorkerHandle* handle = nullptr;
    dsm_segment* segment = nullptr;
    Time started_at{};
    Time start_at{};
    Seconds backoff = kFirstRestart;
    bool parked = false;  // disabled by a setting; looked at again when the settings change
    bool again = false;   // asked for while a manager was there, which may have been on its way out
};

std::vector<Database> connectable_databases() {
    spi::Transaction transaction;
    // The rows live in the transaction's context; names are copied out of it below.
    List* list = call([] {
        List* result = NIL;
        Relation rel = table_open(DatabaseRelationId, AccessShareLock);
        TableScanDesc scan = table_beginscan_catalog(rel, 0, nullptr);
        HeapTuple tuple;
        while ((tuple = heap_getnext(scan, ForwardScanDirection)) != nullptr)
            if (reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datallowconn)
                result = lappend(result, heap_copytuple(tuple));
        table_endscan(scan);
        table_close(rel, AccessShareLock);
        return result;
    });
    std::vector<Database> databases;
    ListCell* cell;
    foreach (cell, list) {
        auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(static_cast<HeapTuple>(lfirst(cell))));
        databases.push_back({row->oid, NameStr(row->datname)});
    }
    transaction.commit();
    return databases;
}

class Supervisor {
  public:
    explicit Supervisor(Oid only) : only_(only) {}

    [[noreturn]] void run() {
        look_at_databases();
        for (;;) {
            take_requests();
            const auto now = std::chrono::steady_clock::now();
            for (Child& child : children_) look_at(child, now);
            std::erase_if(children_, [](const Child& c) { return c.database == InvalidOid; });
            if (OidIsValid(only_) && children_.empty()) proc_exit(0);
            waiter_.wait(start_next(std::chrono::steady_clock::now()));
            if (ConfigReloadPending) {
                ConfigReloadPending = false;
                call([] { ProcessConfigFile(PGC_SIGHUP); });
                look_at_databases();
            }
        }
    }

  private:
    void add(Oid database) {
        for (Child& child : children_)
            if (child.database == database) {
                child.parked = false;
                child.again = true;
                return;
            }
        Child child;
        child.database = database;
        children_.push_back(child);
    }

    void look_at_databases() {
        for (const Database& database : connectable_databases())
            if ((!OidIsValid(only_) || database.oid == only_) && database_is_enabled(database.name.c_str()))
                add(database.oid);
        // A dynamic supervisor whose database is disabled stays: nobody else would start it again.
        if (OidIsValid(only_) && children_.empty() && exists(only_)) {
            add(only_);
            children_.back().parked = true;
        }
    }

    static bool exists(Oid database) {
        const auto all = connectable_databases();
        return std::any_of(all.begin(), all.end(), [&](const Database& d) { return d.oid == database; });
    }

    void take_requests() {
        if (shared == nullptr || OidIsValid(only_)) return;
        Oid requested[lengthof(shared->requested)];
        SpinLockAcquire(&shared->lock);
        const int count = shared->requested_count;
        const bool all = shared->look_at_all;
        for (int i = 0; i < count; ++i) requested[i] = shared->requested[i];
        shared->requested_count = 0;
        shared->look_at_all = false;
        SpinLockRelease(&shared->lock);
        for (int i = 0; i < count; ++i) add(requested[i]);
        if (all) look_at_databases();
    }

    // Notices a manager that has ended.
    void look_at(Child& child, Time now) {
        if (child.handle == nullptr) return;
        pid_t pid;
        if (GetBackgroundWorkerPid(child.handle, &pid) != BGWH_STOPPED) return;
        const auto outcome = *static_cast<volatile ManagerOutcome*>(dsm_segment_address(child.segment));
        dsm_detach(child.segment);
        pfree(child.handle);
        child.segment = nullptr;
        child.handle = nullptr;
        switch (outcome) {
            case ManagerOutcome::Done:
                if (!child.again) child.database = InvalidOid;
                break;
            case ManagerOutcome::Disabled:
                if (OidIsValid(only_))
                    child.parked = true;
                else
                    child.database = InvalidOid;
                break;
            case ManagerOutcome::Died:
                if (!exists(child.database)) {
                    child.database = InvalidOid;
                    break;
                }
                if (now - child.started_at > kLastRestart) child.backoff = kFirstRestart;
                child.start_at = now + child.backoff;
                child.backoff = std::min(child.backoff * 2, kLastRestart);
                break;
        }
    }

    // Starts the next manager that is due, one at a time. Returns how long to wait; negative: until woken.
    std::chrono::milliseconds start_next(Time now) {
        Time next = Time::max();
        for (const Child& child : children_)
            if (child.handle != nullptr && now - child.started_at < kProbation)
                next = std::min(next, child.started_at + kProbation);
        const bool one_is_young = next != Time::max();
        for (Child& child : children_) {
            if (child.handle != nullptr || child.parked) continue;
            if (one_is_young) continue;
            if (child.start_at > now) {
                next = std::min(next, child.start_at);
                continue;
            }
            if (!start(child)) child.start_at = now + Seconds(5);
            next = std::min(next, now + kProbation);
            break;
        }
        if (next == Time::max()) return std::chrono::milliseconds(-1);
        return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(next - now),
                        std::chrono::milliseconds(1));
    }

    bool start(Child& child) {
        BackgroundWorker worker = describe_process("sluice_manager_main", "sluice manager");
        WorkerArguments arguments{};
        arguments.database = child.database;
        memcpy(worker.bgw_extra, &arguments, sizeof arguments);
        worker.bgw_notify_pid = MyProcPid;
        const bool started = call([&] {
            MemoryContext old =
                MemoryContextSwitchTo(TopMemoryContext);  // handles live until their manager ends
            dsm_segment* segment = dsm_create(sizeof(ManagerOutcome), 0);
            dsm_pin_mapping(segment);
            *static_cast<ManagerOutcome*>(dsm_segment_address(segment)) = ManagerOutcome::Died;
            worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment));
            const bool ok = RegisterDynamicBackgroundWorker(&worker, &child.handle);
            MemoryContextSwitchTo(old);
            if (ok)
                child.segment = segment;
            else
                dsm_detach(segment);
            return ok;
        });
        if (started) {
            child.again = false;
            child.started_at = std::chrono::steady_clock::now();
            told_full_ = false;
        } else if (!told_full_) {
            told_full_ = true;
            ereport(LOG, (errmsg("sluice: no background worker slot is free for the manager of database %u",
                                 child.database),
                          errhint("Raise max_worker_processes.")));
        }
        return started;
    }

    Oid only_;  // the database of a dynamic supervisor; InvalidOid: all
    WorkerWaiter waiter_;
    std::vector<Child> children_;
    bool told_full_ = false;
};

}  // namespace

BackgroundWorker describe_process(const char* main_function, const char* type) {
    BackgroundWorker worker;
    memset(&worker, 0, sizeof worker);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(worker.bgw_library_name, "sluice", BGW_MAXLEN);
    strlcpy(worker.bgw_function_name, main_function, BGW_MAXLEN);
    strlcpy(worker.bgw_name, type, BGW_MAXLEN);
    strlcpy(worker.bgw_type, type, BGW_MAXLEN);
    return worker;
}

void register_supervisor() {
    next_shmem_request = shmem_request_hook;
    shmem_request_hook = request_shared_memory;
    next_shmem_startup = shmem_startup_hook;
    shmem_startup_hook = start_shared_memory;
    BackgroundWorker worker = describe_process("sluice_supervisor_main", "sluice supervisor");
    worker.bgw_restart_time = 1;
    worker.bgw_main_arg = ObjectIdGetDatum(InvalidOid);
    RegisterBackgroundWorker(&worker);
}

bool is_preloaded() { return shared != nullptr; }

void request_manager() {
    if (shared != nullptr) {
        SpinLockAcquire(&shared->lock);
        if (shared->requested_count < static_cast<int>(lengthof(shared->requested)))
            shared->requested[shared->requested_count++] = MyDatabaseId;
        else
            shared->look_at_all = true;
        Latch* latch = shared->latch;
        SpinLockRelease(&shared->lock);
        // Without a latch the supervisor is starting: it looks at all databases anyway.
        if (latch != nullptr) SetLatch(latch);
        return;
    }
    BackgroundWorker worker = describe_process("sluice_supervisor_main", "sluice supervisor");
    worker.bgw_restart_time = 1;
    worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
    if (!RegisterDynamicBackgroundWorker(&worker, nullptr))
        ereport(WARNING, (errmsg("no background worker slot is free, the job waits"),
                          errhint("Raise max_worker_processes, then call sluice.start_job again.")));
}

bool database_is_enabled(const char* database) {
    if (!settings::enabled) return false;
    if (settings::databases == nullptr || settings::databases[0] == '\0') return true;
    return call([&] {
        char* copy = pstrdup(settings::databases);
        List* names = NIL;
        bool found = false;
        if (SplitIdentifierString(copy, ',', &names)) {
            ListCell* cell;
            foreach (cell, names)
                if (strcmp(static_cast<const char*>(lfirst(cell)), database) == 0) found = true;
        }
        list_free(names);
        pfree(copy);
        return found;
    });
}

}  // namespace sluice

void sluice_supervisor_main(Datum database) {
    sluice::airlock::enter([&] {
        pqsignal(SIGTERM, die);
        pqsignal(SIGHUP, SignalHandlerForConfigReload);
        BackgroundWorkerUnblockSignals();
        const Oid only = DatumGetObjectId(database);
        if (sluice::shared != nullptr && !OidIsValid(only)) {
            before_shmem_exit(sluice::forget_supervisor, 0);
            SpinLockAcquire(&sluice::shared->lock);
            sluice::shared->latch = MyLatch;
            SpinLockRelease(&sluice::shared->lock);
        }
        sluice::call([] { BackgroundWorkerInitializeConnection(nullptr, nullptr, 0); });
        sluice::Supervisor(only).run();
    });
}
