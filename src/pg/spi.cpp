#include <exception>

#include "pg/spi.hpp"

extern "C" {
#include "pgstat.h"
#include "utils/array.h"
#include "utils/resowner.h"
}

namespace sluice::spi {

Connection::Connection() : exceptions_(std::uncaught_exceptions()) {
    call([] {
        if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    });
}

Connection::~Connection() {
    if (std::uncaught_exceptions() == exceptions_) SPI_finish();
}

Param Param::text(std::string_view v) {
    return call([&] {
        return Param{TEXTOID, false,
                     PointerGetDatum(cstring_to_text_with_len(v.data(), static_cast<int>(v.size())))};
    });
}

Param Param::optional_text(const std::optional<std::string>& v) {
    return v ? text(std::string_view(*v)) : null_of(TEXTOID);
}

Param Param::text_or_null(std::string_view v) { return v.empty() ? null_of(TEXTOID) : text(v); }

Param Param::bytea(std::string_view v) {
    Param p = text(v);
    p.type = BYTEAOID;
    return p;
}

Param Param::text_array(const std::vector<std::string>& v) {
    return call([&] {
        auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (v.size() + 1)));
        for (size_t i = 0; i < v.size(); ++i)
            elements[i] =
                PointerGetDatum(cstring_to_text_with_len(v[i].data(), static_cast<int>(v[i].size())));
        ArrayType* array =
            construct_array(elements, static_cast<int>(v.size()), TEXTOID, -1, false, TYPALIGN_INT);
        return Param{TEXTARRAYOID, false, PointerGetDatum(array)};
    });
}

Param Param::int4_array(const std::vector<int32_t>& v) {
    return call([&] {
        auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (v.size() + 1)));
        for (size_t i = 0; i < v.size(); ++i) elements[i] = Int32GetDatum(v[i]);
        ArrayType* array =
            construct_array(elements, static_cast<int>(v.size()), INT4OID, sizeof(int32), true, TYPALIGN_INT);
        return Param{INT4ARRAYOID, false, PointerGetDatum(array)};
    });
}

namespace {

uint64 execute(const char* sql, const Param* params, size_t count) {
    return call([&] {
        auto* types = static_cast<Oid*>(palloc(sizeof(Oid) * (count + 1)));
        auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (count + 1)));
        auto* nulls = static_cast<char*>(palloc(count + 1));
        for (size_t i = 0; i < count; ++i) {
            types[i] = params[i].type;
            values[i] = params[i].value;
            nulls[i] = params[i].null ? 'n' : ' ';
        }
        const int code = SPI_execute_with_args(sql, static_cast<int>(count), types, values, nulls, false, 0);
        if (code < 0) elog(ERROR, "statement failed: %s: %s", SPI_result_code_string(code), sql);
        return SPI_processed;
    });
}

}  // namespace

// Copies SPI's current result and frees it.
Rows collect(uint64_t processed) {
    Rows rows;
    rows.processed_ = processed;
    SPITupleTable* table = SPI_tuptable;
    if (table == nullptr) return rows;
    const int columns = table->tupdesc->natts;
    rows.rows_.resize(table->numvals);
    for (uint64 i = 0; i < table->numvals; ++i) {
        rows.rows_[i].resize(columns);
        for (int c = 0; c < columns; ++c) {
            const char* value = call([&] { return SPI_getvalue(table->vals[i], table->tupdesc, c + 1); });
            if (value != nullptr) rows.rows_[i][c] = value;
        }
    }
    SPI_freetuptable(table);
    return rows;
}

Rows run(std::string_view sql, const std::vector<Param>& params) {
    return collect(execute(std::string(sql).c_str(), params.data(), params.size()));
}

Rows run(std::string_view sql, std::initializer_list<Param> params) {
    return run(sql, std::vector<Param>(params));
}

Rows Prepared::run(const std::vector<Param>& params) {
    const Param* first = params.data();
    const size_t count = params.size();
    return collect(call([&] {
        auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (count + 1)));
        auto* nulls = static_cast<char*>(palloc(count + 1));
        if (plan_ == nullptr) {
            auto* types = static_cast<Oid*>(palloc(sizeof(Oid) * (count + 1)));
            for (size_t i = 0; i < count; ++i) types[i] = first[i].type;
            SPIPlanPtr plan = SPI_prepare(sql_, static_cast<int>(count), types);
            if (plan == nullptr)
                elog(ERROR, "statement failed: %s: %s", SPI_result_code_string(SPI_result), sql_);
            SPI_keepplan(plan);
            plan_ = plan;
        }
        for (size_t i = 0; i < count; ++i) {
            values[i] = first[i].value;
            nulls[i] = first[i].null ? 'n' : ' ';
        }
        const int code = SPI_execute_plan(plan_, values, nulls, false, 0);
        if (code < 0) elog(ERROR, "statement failed: %s: %s", SPI_result_code_string(code), sql_);
        return SPI_processed;
    }));
}

Transaction::Transaction() {
    call([] {
        SetCurrentStatementStartTimestamp();
        StartTransactionCommand();
        PushActiveSnapshot(GetTransactionSnapshot());
        pgstat_report_activity(STATE_RUNNING, nullptr);
    });
    open_ = true;
}

Transaction::~Transaction() { abort(); }

void Transaction::commit() {
    call([] {
        PopActiveSnapshot();
        CommitTransactionCommand();
        // Background processes report their own statistics; at most once a second unless forced.
        pgstat_report_stat(false);
        pgstat_report_activity(STATE_IDLE, nullptr);
    });
    open_ = false;
}

void Transaction::abort() noexcept {
    if (!open_) return;
    open_ = false;
    // An error while aborting is beyond what a worker can mend; PostgreSQL itself escalates it.
    AbortCurrentTransaction();
    pgstat_report_activity(STATE_IDLE, nullptr);
}

Subtransaction::Subtransaction() : context_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
    call([&] {
        BeginInternalSubTransaction(nullptr);
        MemoryContextSwitchTo(context_);
    });
    open_ = true;
}

Subtransaction::~Subtransaction() {
    if (open_) rollback();
}

void Subtransaction::release() {
    open_ = false;
    call([&] {
        ReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context_);
        CurrentResourceOwner = owner_;
    });
}

void Subtransaction::rollback() {
    open_ = false;
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(context_);
    CurrentResourceOwner = owner_;
}

}  // namespace sluice::spi
