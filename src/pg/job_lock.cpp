#include "pg/job_lock.hpp"

#include "pg/processes.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
}

namespace sluice {

namespace {

constexpr uint16 kJobSub = 0;
constexpr JobId kManager{0};

uint16 worker_sub(int worker_no) { return static_cast<uint16>(1 + worker_no); }

LOCKTAG tag_of(Oid table, JobId job, uint16 sub) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, table, static_cast<Oid>(job.value), sub);
    return tag;
}

// Session locks are of the method of advisory locks: PostgreSQL drops session locks of the default method
// when any transaction aborts, and keeps them when the process ends.
LOCKTAG session_tag_of(Oid table, JobId job, uint16 sub) {
    LOCKTAG tag = tag_of(table, job, sub);
    tag.locktag_lockmethodid = USER_LOCKMETHOD;
    return tag;
}

bool try_lock_session(Oid table, JobId job, uint16 sub) {
    return call([&] {
        const LOCKTAG tag = session_tag_of(table, job, sub);
        return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
    });
}

// Calls `visit(proc)` for every live process that holds the manager's or, with a job, one of its workers'
// locks.
template <class Visit>
void for_each_holder(Oid table, JobId job, Visit visit) {
    LockData* data = GetLockStatusData();
    for (int i = 0; i < data->nelements; ++i) {
        const LockInstanceData& lock = data->locks[i];
        if (lock.locktag.locktag_type != LOCKTAG_OBJECT || lock.locktag.locktag_field1 != MyDatabaseId ||
            lock.locktag.locktag_field2 != table || !(lock.holdMask & LOCKBIT_ON(ExclusiveLock)))
            continue;
        const bool manager = lock.locktag.locktag_field3 == 0;
        const bool worker = job.value != 0 && lock.locktag.locktag_field3 == static_cast<uint32>(job.value) &&
                            lock.locktag.locktag_field4 != kJobSub;
        if (!manager && !worker) continue;
        if (PGPROC* proc = BackendPidGetProc(lock.pid)) visit(proc, manager);
    }
}

// What this transaction will wake. Plain arrays: the commit callback must not allocate.
constexpr int kMaxJobs = 64;
constexpr int kMaxLatches = 512;
JobId wake_jobs[kMaxJobs];
int wake_job_count = 0;  // more than kMaxJobs are left to the manager's poll
bool wake_wanted = false;
Latch* latches[kMaxLatches];
int latch_count = 0;
bool start_manager = false;

void collect_latches() {
    latch_count = 0;
    start_manager = true;
    const Oid table = get_relname_relid("job", get_namespace_oid("sluice", true));
    if (!OidIsValid(table)) {
        start_manager = false;  // DROP EXTENSION in this transaction: the manager notices by itself
        return;
    }
    auto add = [](PGPROC* proc, bool manager) {
        if (manager) start_manager = false;
        if (latch_count < kMaxLatches) latches[latch_count++] = &proc->procLatch;
    };
    if (wake_job_count == 0) for_each_holder(table, kManager, add);
    for (int i = 0; i < wake_job_count; ++i) for_each_holder(table, wake_jobs[i], add);
}

void on_transaction(XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
            if (wake_wanted) collect_latches();
            break;
        case XACT_EVENT_COMMIT:
            if (!wake_wanted) break;
            // Nothing in here may raise: the transaction has committed. A latch may by now belong to another
            // process, which takes it as a spurious wake-up.
            for (int i = 0; i < latch_count; ++i) SetLatch(latches[i]);
            if (start_manager) request_manager();
            wake_wanted = false;
            wake_job_count = 0;
            break;
        case XACT_EVENT_ABORT:
        case XACT_EVENT_PREPARE:
            wake_wanted = false;
            wake_job_count = 0;
            break;
        default:
            break;
    }
}

void want_wake() {
    static bool registered = false;
    if (!registered) {
        call([] { RegisterXactCallback(on_transaction, nullptr); });
        registered = true;
    }
    wake_wanted = true;
}

}  // namespace

Oid job_table() {
    return call([] {
        const Oid schema = get_namespace_oid("sluice", true);
        return OidIsValid(schema) ? get_relname_relid("job", schema) : InvalidOid;
    });
}

void lock_job_for_batch(Oid table, JobId job) {
    call([&] { LockDatabaseObject(table, static_cast<Oid>(job.value), kJobSub, RowExclusiveLock); });
}

void lock_job_for_change(Oid table, JobId job) {
    call([&] { LockDatabaseObject(table, static_cast<Oid>(job.value), kJobSub, ShareRowExclusiveLock); });
}

bool try_lock_worker(Oid table, JobId job, int worker_no) {
    return try_lock_session(table, job, worker_sub(worker_no));
}

bool try_lock_manager(Oid table) { return try_lock_session(table, kManager, worker_sub(0)); }

void unlock_manager(Oid table) {
    call([&] {
        const LOCKTAG tag = session_tag_of(table, kManager, worker_sub(0));
        LockRelease(&tag, ExclusiveLock, true);
    });
}

void wake_at_commit(JobId job) {
    want_wake();
    for (int i = 0; i < wake_job_count; ++i)
        if (wake_jobs[i] == job) return;
    if (wake_job_count < kMaxJobs) wake_jobs[wake_job_count++] = job;
}

void wake_manager_now(Oid table) {
    call([&] { for_each_holder(table, kManager, [](PGPROC* proc, bool) { SetLatch(&proc->procLatch); }); });
}

bool manager_is_running(Oid table) {
    return call([&] {
        bool found = false;
        for_each_holder(table, kManager, [&found](PGPROC*, bool) { found = true; });
        return found;
    });
}

}  // namespace sluice
