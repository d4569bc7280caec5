// The two doors between C++ and PostgreSQL: `enter` for code that PostgreSQL calls, `call` for calls into it.
// Must not know any room of sluice. PostgreSQL leaves by longjmp, which runs no destructor; C++ leaves by
// exceptions, which must not cross C frames. Here, and only here, one is turned into the other. Owns:
// nothing. A PgError's record lives in the memory context that was current at the door (see below).
#pragma once

#include "base/result.hpp"

#include <exception>
#include <type_traits>
#include <utility>

#include "pg/postgres.hpp"

namespace sluice {

// A PostgreSQL error on its way through C++ frames. The record is palloc'd in the transaction's context: who
// catches this turns it into an Error (`to_error`) before aborting the transaction, or lets it go on to
// `enter`. After catching one there are three ways out: rethrow, roll back the subtransaction that was opened
// here, or abort the transaction.
struct PgError {
    ErrorData* record;
};

// An Error that ends the step, thrown by C++ code of this floor and raised by `enter`.
struct Failure {
    Error error;
};

// Throws `Failure` with an error, or several told together.
[[noreturn]] void fail(Error error);

// The value of a Result, or `fail` with its error.
template <class T>
T value_or_fail(Result<T> result) {
    if (!result) fail(std::move(result.error()));
    return std::move(result).value();
}
inline void value_or_fail(Result<void> result) {
    if (!result) fail(std::move(result.error()));
}

// The whole PostgreSQL record as an Error; its kind by `kind_of_sqlstate`.
Error to_error(const ErrorData* record, Stage stage);

// Raises an Error as a PostgreSQL error. Only where no C++ object with a destructor is alive, so: in doors.
[[noreturn]] void raise_and_delete(Error* error);

namespace airlock {

// What is left of an exception once its catch block has been left; trivially destructible.
struct Pending {
    ErrorData* record = nullptr;
    Error* error = nullptr;
};

Pending describe_current_exception() noexcept;
[[noreturn]] void raise(Pending pending);

// State that PostgreSQL's error handling replaces or resets and a door puts back.
struct Saved {
    sigjmp_buf* exception_stack;
    ErrorContextCallback* context_stack;
    MemoryContext memory_context;
    uint32 holdoff;
    uint32 cancel_holdoff;
};

inline Saved save() {
    return {PG_exception_stack, error_context_stack, CurrentMemoryContext, InterruptHoldoffCount,
            QueryCancelHoldoffCount};
}
inline void restore(const Saved& saved) {
    PG_exception_stack = saved.exception_stack;
    error_context_stack = saved.context_stack;
}
[[noreturn]] void throw_pg_error(const Saved& saved);

// Door in: runs `body`; whatever it throws becomes a PostgreSQL error after every C++ object is gone.
template <class Body>
auto enter(Body&& body) -> decltype(body()) {
    Pending pending;
    try {
        return body();
    } catch (...) {
        pending = describe_current_exception();
    }
    raise(pending);
}

// Door out: runs `body`, which calls PostgreSQL and has only trivially destructible locals; an ereport(ERROR)
// in it is thrown as PgError. One door a batch or statement, not one a value: it costs a sigsetjmp.
template <class Body>
auto call(Body&& body) -> decltype(body()) {
    const Saved saved = save();
    sigjmp_buf here;
    if (sigsetjmp(here, 0) != 0) throw_pg_error(saved);
    PG_exception_stack = &here;
    if constexpr (std::is_void_v<decltype(body())>) {
        body();
        restore(saved);
    } else {
        auto result = body();
        restore(saved);
        return result;
    }
}

}  // namespace airlock

using airlock::call;

// Adopts a heap object: it is deleted when `context` is reset or deleted, after an error too. Its destructor
// must not throw or raise.
template <class T>
T* adopt(MemoryContext context, T* object) {
    auto* callback = call([&] {
        return static_cast<MemoryContextCallback*>(
            MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
    });
    callback->func = [](void* arg) { delete static_cast<T*>(arg); };
    callback->arg = object;
    MemoryContextRegisterResetCallback(context, callback);
    return object;
}

}  // namespace sluice

// Declares and opens an SQL-callable function: SLUICE_FUNCTION(sluice_verb) { … PG_RETURN_…; }
#define SLUICE_FUNCTION(name)                                               \
    static Datum name##_body(FunctionCallInfo fcinfo);                      \
    extern "C" {                                                            \
    SLUICE_EXPORT Datum name(PG_FUNCTION_ARGS);                             \
    SLUICE_EXPORT const Pg_finfo_record* pg_finfo_##name(void);             \
    const Pg_finfo_record* pg_finfo_##name(void) {                          \
        static const Pg_finfo_record info = {1};                            \
        return &info;                                                       \
    }                                                                       \
    Datum name(PG_FUNCTION_ARGS) {                                          \
        return sluice::airlock::enter([&] { return name##_body(fcinfo); }); \
    }                                                                       \
    }                                                                       \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
