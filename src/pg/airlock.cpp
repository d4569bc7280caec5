#include "flow/error_kind.hpp"

#include <cstring>
#include <new>
#include <string>

#include "pg/airlock.hpp"

namespace sluice {

namespace {

std::string text_of(const char* text) { return text ? text : ""; }

char* palloc_or_null(const std::string& text) { return text.empty() ? nullptr : pstrdup(text.c_str()); }

int sqlstate_code(const std::string& state) {
    if (state.size() != 5) return ERRCODE_INTERNAL_ERROR;
    return MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
}

// Never throws: what cannot be described is reported as out of memory.
Error* heap_error(Error&& error) noexcept { return new (std::nothrow) Error(std::move(error)); }

}  // namespace

void fail(Error error) { throw Failure{std::move(error)}; }

Error to_error(const ErrorData* record, Stage stage) {
    Error error;
    error.sqlstate = unpack_sql_state(record->sqlerrcode);
    error.kind = kind_of_sqlstate(error.sqlstate, record->funcname ? record->funcname : "");
    error.stage = stage;
    error.message = text_of(record->message);
    error.detail = text_of(record->detail);
    error.hint = text_of(record->hint);
    error.context = text_of(record->context);
    error.schema_name = text_of(record->schema_name);
    error.table_name = text_of(record->table_name);
    error.column_name = text_of(record->column_name);
    error.constraint_name = text_of(record->constraint_name);
    error.data_type = text_of(record->datatype_name);
    return error;
}

void raise_and_delete(Error* error) {
    if (error == nullptr) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
    auto* record = static_cast<ErrorData*>(palloc0(sizeof(ErrorData)));
    record->elevel = ERROR;
    record->sqlerrcode = sqlstate_code(error->sqlstate);
    record->message = pstrdup(error->message.c_str());
    record->detail = palloc_or_null(error->detail);
    record->hint = palloc_or_null(error->hint);
    record->context = palloc_or_null(error->context);
    record->schema_name = palloc_or_null(error->schema_name);
    record->table_name = palloc_or_null(error->table_name);
    record->column_name = palloc_or_null(error->column_name);
    record->datatype_name = palloc_or_null(error->data_type);
    record->constraint_name = palloc_or_null(error->constraint_name);
    record->assoc_context = CurrentMemoryContext;
    delete error;
    ThrowErrorData(record);
    pg_unreachable();
}

namespace airlock {

Pending describe_current_exception() noexcept {
    Pending pending;
    try {
        throw;
    } catch (const PgError& e) {
        pending.record = e.record;
    } catch (Failure& e) {
        pending.error = heap_error(std::move(e.error));
    } catch (const std::bad_alloc&) {
        pending.error = nullptr;
    } catch (const std::exception& e) {
        try {
            Error error;
            error.message = std::string("internal error: ") + e.what();
            error.hint = "This is a bug in sluice. Please report it with the statement that caused it.";
            pending.error = heap_error(std::move(error));
        } catch (...) {
            pending.error = nullptr;
        }
    } catch (...) {
        try {
            Error error;
            error.message = "internal error: unknown exception";
            error.hint = "This is a bug in sluice. Please report it with the statement that caused it.";
            pending.error = heap_error(std::move(error));
        } catch (...) {
            pending.error = nullptr;
        }
    }
    return pending;
}

void raise(Pending pending) {
    if (pending.record != nullptr) ReThrowError(pending.record);
    raise_and_delete(pending.error);
}

void throw_pg_error(const Saved& saved) {
    restore(saved);
    // The transaction's own context outlives every context that unwinding may delete on the way.
    MemoryContextSwitchTo(IsTransactionState() && TopTransactionContext ? TopTransactionContext
                                                                        : TopMemoryContext);
    ErrorData* record = CopyErrorData();
    FlushErrorState();
    MemoryContextSwitchTo(saved.memory_context);
    // errfinish() has set these to zero; guards that are still on the C++ stack count on their value.
    InterruptHoldoffCount = saved.holdoff;
    QueryCancelHoldoffCount = saved.cancel_holdoff;
    throw PgError{record};
}

}  // namespace airlock
}  // namespace sluice
