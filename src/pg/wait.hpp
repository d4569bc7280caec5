// Waiting inside a backend: latch, postmaster death and one descriptor, always cancellable.
// Must not know what the descriptor belongs to.
// The WorkerWaiter owns its wait set until the process ends; the SessionWaiter owns nothing.
#pragma once

#include "base/ports.hpp"

#include "pg/airlock.hpp"

namespace sluice {

// For user sessions: a cancel or terminate request during the wait is thrown as PgError.
class SessionWaiter : public Waiter {
  public:
    bool wait_readable(int fd, std::chrono::milliseconds timeout) override;
};

// What ended a wait of a background process.
struct Woken {
    bool latch = false;
    bool descriptor = false;
};

// For background processes: one long-lived set, so that waiting costs one system call.
class WorkerWaiter : public Waiter {
  public:
    WorkerWaiter();
    WorkerWaiter(const WorkerWaiter&) = delete;
    WorkerWaiter& operator=(const WorkerWaiter&) = delete;
    ~WorkerWaiter() override;

    // Makes every later `wait` watch this descriptor, instead of the one before; -1: none.
    void watch(int fd);
    // Waits for latch, descriptor or time-out (negative: no limit) and resets the latch before it returns, so
    // work is looked for after the reset and no wake-up is lost. Handles interrupts; exits when the
    // postmaster is gone.
    Woken wait(std::chrono::milliseconds timeout);
    // Waits for another descriptor, for calls before the worker's loop.
    bool wait_readable(int fd, std::chrono::milliseconds timeout) override;

  private:
    WaitEventSet* set_;
};

}  // namespace sluice
