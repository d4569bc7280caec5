#include "pg/relation_watch.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/inval.h"
}

namespace sluice {

namespace {

Oid watched_source = InvalidOid;
Oid watched_target = InvalidOid;
bool source_changed = false;
bool target_changed = false;

void on_relcache(Datum, Oid relation) {
    if (relation == InvalidOid || relation == watched_source) source_changed = true;
    if (relation == InvalidOid || relation == watched_target) target_changed = true;
}

}  // namespace

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

bool source_has_changed() { return source_changed; }
bool target_has_changed() { return target_changed; }
void forget_target_change() { target_changed = false; }

void lock_unchanged_target(Oid target) {
    call([&] { LockRelationOid(target, RowExclusiveLock); });
    if (target_changed)
        fail(Error::transient("40001", "the definition of the target has changed while a batch was prepared",
                              {}, "Try again."));
}

}  // namespace sluice
