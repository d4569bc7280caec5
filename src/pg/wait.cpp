#include "pg/wait.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "pgstat.h"
#include "utils/wait_event.h"
}

namespace sluice {

namespace {

bool wait_for_descriptor(int fd, std::chrono::milliseconds timeout) {
    return call([&] {
        const int events =
            WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_SOCKET_READABLE | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                              fd, timeout.count(), PG_WAIT_EXTENSION);
        if (events & WL_LATCH_SET) ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        return (events & WL_SOCKET_READABLE) != 0;
    });
}

}  // namespace

bool SessionWaiter::wait_readable(int fd, std::chrono::milliseconds timeout) {
    return wait_for_descriptor(fd, timeout);
}

WorkerWaiter::WorkerWaiter() : set_(nullptr) { watch(-1); }

WorkerWaiter::~WorkerWaiter() { FreeWaitEventSet(set_); }

void WorkerWaiter::watch(int fd) {
    // An event cannot be taken out of a set, so the set is made anew.
    set_ = call([&] {
        if (set_ != nullptr) FreeWaitEventSet(set_);
        WaitEventSet* set = compat::create_wait_event_set(3);
        AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
        AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
        if (fd >= 0) AddWaitEventToSet(set, WL_SOCKET_READABLE, fd, nullptr, nullptr);
        return set;
    });
}

Woken WorkerWaiter::wait(std::chrono::milliseconds timeout) {
    return call([&] {
        WaitEvent events[3];
        const int count = WaitEventSetWait(set_, timeout.count(), events, 3, PG_WAIT_EXTENSION);
        Woken woken;
        for (int i = 0; i < count; ++i) {
            if (events[i].events & WL_LATCH_SET) woken.latch = true;
            if (events[i].events & WL_SOCKET_READABLE) woken.descriptor = true;
        }
        if (woken.latch) ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        return woken;
    });
}

bool WorkerWaiter::wait_readable(int fd, std::chrono::milliseconds timeout) {
    return wait_for_descriptor(fd, timeout);
}

}  // namespace sluice
