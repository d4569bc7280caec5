// A scope in which statements on sluice's own tables run: as the extension's owner, under a pinned
// search_path. Must never run an expression, trigger or operator that a person chose. Leaving the scope
// restores role and settings; an aborted transaction restores them by itself.
#pragma once

#include "pg/identity.hpp"
#include "pg/spi.hpp"

namespace sluice {

// Pins search_path for a scope.
class PinnedPath {
  public:
    explicit PinnedPath(const char* path = "pg_catalog, pg_temp");
    ~PinnedPath();
    PinnedPath(const PinnedPath&) = delete;
    PinnedPath& operator=(const PinnedPath&) = delete;

  private:
    int level_;
    int exceptions_;
};

class Bookkeeping {
  public:
    // Throws when the extension is not installed in this database.
    Bookkeeping();

  private:
    RunAs owner_;
    PinnedPath path_;
    spi::Connection spi_;
};

}  // namespace sluice
