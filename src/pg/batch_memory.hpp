// The memory context of one batch: current while the scope lasts, gone with it.
// Must not be known outside the writers.
// After an error the (sub)transaction frees it, because what is in it may be looked at while that aborts.
#pragma once

#include <exception>

#include "pg/airlock.hpp"

namespace sluice {

class BatchMemory {
  public:
    BatchMemory() : exceptions_(std::uncaught_exceptions()), outside_(CurrentMemoryContext) {
        call([&] {
            inside_ = AllocSetContextCreate(CurTransactionContext, "sluice batch", ALLOCSET_DEFAULT_SIZES);
            MemoryContextSwitchTo(inside_);
        });
    }
    ~BatchMemory() {
        MemoryContextSwitchTo(outside_);
        if (std::uncaught_exceptions() == exceptions_) MemoryContextDelete(inside_);
    }
    BatchMemory(const BatchMemory&) = delete;
    BatchMemory& operator=(const BatchMemory&) = delete;

  private:
    int exceptions_;
    MemoryContext outside_;
    MemoryContext inside_ = nullptr;
};

}  // namespace sluice
