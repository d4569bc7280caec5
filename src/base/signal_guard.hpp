// Keeps signals off threads that libraries start.
// Must not know whose threads they are.
// The guard puts the former mask back.
#pragma once

#include <signal.h>

namespace sluice {

// Blocks every signal of this thread while it lives. Threads that start meanwhile inherit that for good, so
// that a signal to the process never lands on one of them.
class SignalGuard {
  public:
    SignalGuard() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &saved_);
    }
    ~SignalGuard() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
    SignalGuard(const SignalGuard&) = delete;
    SignalGuard& operator=(const SignalGuard&) = delete;

  private:
    sigset_t saved_;
};

}  // namespace sluice
