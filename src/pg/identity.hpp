// Who code runs as: the extension's owner for bookkeeping, the job's owner for everything a person wrote.
// Must not know which statements run.
// Guards restore the former identity on scope exit; an aborted transaction restores it by itself.
#pragma once

#include "pg/airlock.hpp"

namespace sluice {

// Runs the scope as another role. SECURITY_LOCAL_USERID_CHANGE keeps SET ROLE out while it lasts.
class RunAs {
  public:
    explicit RunAs(Oid role) {
        GetUserIdAndSecContext(&role_, &context_);
        SetUserIdAndSecContext(role, context_ | SECURITY_LOCAL_USERID_CHANGE);
    }
    ~RunAs() { SetUserIdAndSecContext(role_, context_); }
    RunAs(const RunAs&) = delete;
    RunAs& operator=(const RunAs&) = delete;

  private:
    Oid role_;
    int context_;
};

// The extension's owner; InvalidOid when the extension is not installed in this database.
Oid extension_owner();

// True when the extension exists in this database. Needs a transaction.
bool extension_exists();

}  // namespace sluice
