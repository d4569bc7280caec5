#include <exception>

#include "pg/bookkeeping.hpp"

namespace sluice {

namespace {

Oid owner_or_fail() {
    const Oid owner = extension_owner();
    if (!OidIsValid(owner))
        fail(Error::config("55000", "extension \"sluice\" is not installed in this database", {},
                           "Run CREATE EXTENSION sluice."));
    return owner;
}

}  // namespace

PinnedPath::PinnedPath(const char* path) : exceptions_(std::uncaught_exceptions()) {
    level_ = call([path] {
        const int level = NewGUCNestLevel();
        set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
        return level;
    });
}

PinnedPath::~PinnedPath() {
    if (std::uncaught_exceptions() == exceptions_) AtEOXact_GUC(true, level_);
}

Bookkeeping::Bookkeeping() : owner_(owner_or_fail()) {}

}  // namespace sluice
