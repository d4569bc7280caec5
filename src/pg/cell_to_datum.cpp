#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "pg/cell_to_datum.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "datatype/timestamp.h"
#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/timestamp.h"
}

namespace sluice {

namespace {

// Messages are UTF-8. PostgreSQL returns the text itself when nothing needs to change, else a copy that ends
// in NUL.
std::string_view to_server_encoding(std::string_view text) {
    const char* converted = pg_any_to_server(text.data(), static_cast<int>(text.size()), PG_UTF8);
    return converted == text.data() ? text : std::string_view(converted);
}

bytea* to_bytea(std::string_view bytes) {
    // text and bytea have the same form in memory
    return cstring_to_text_with_len(bytes.data(), static_cast<int>(bytes.size()));
}

// False when there is no such timestamp.
bool from_unix_epoch(int64 microseconds, TimestampTz* timestamp) {
    constexpr int64 kEpoch = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    return !__builtin_sub_overflow(microseconds, kEpoch, timestamp) && IS_VALID_TIMESTAMP(*timestamp);
}

TimestampTz since_postgres_epoch(int64 microseconds) {
    TimestampTz timestamp;
    if (!from_unix_epoch(microseconds, &timestamp))
        ereport(ERROR,
                (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range"),
                 errdetail("It is %" PRId64 " microseconds after 1970-01-01 00:00 UTC.", microseconds)));
    return timestamp;
}

TimestampTz to_timestamptz(int64 milliseconds) {
    int64 microseconds;
    TimestampTz timestamp;
    if (__builtin_mul_overflow(milliseconds, int64{1000}, &microseconds) ||
        !from_unix_epoch(microseconds, &timestamp))
        ereport(ERROR,
                (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range"),
                 errdetail("It is %" PRId64 " milliseconds after 1970-01-01 00:00 UTC.", milliseconds)));
    return timestamp;
}

}  // namespace

void CellConverter::prepare(const FormData_pg_attribute& column) {
    name_ = &column.attname;
    type_ = column.atttypid;
    typmod_ = column.atttypmod;
    base_ = getBaseType(type_);
    // A domain's checks; arrays, ranges and composites may hold domains.
    runs_user_code_ = get_typtype(type_) != TYPTYPE_BASE || OidIsValid(get_element_type(type_));
    recode_ = GetDatabaseEncoding() != PG_UTF8;
    fast_ = fast_input_of(type_);
    Oid function;
    getTypeInputInfo(type_, &function, &io_parameter_);
    fmgr_info(function, &input_);
    record_ = nullptr;
    if (OidIsValid(get_element_type(base_)) || get_typtype(base_) == TYPTYPE_COMPOSITE) prepare_nested();
}

// json_to_record takes elements apart as json_populate_record does, without the row type that this would
// need.
void CellConverter::prepare_nested() {
    record_ = CreateTemplateTupleDesc(1);
    TupleDescInitEntry(record_, 1, name(), type_, typmod_, 0);
    fmgr_info(F_JSON_TO_RECORD, &to_record_);
    StringInfoData text;
    initStringInfo(&text);
    appendStringInfoChar(&text, '{');
    escape_json(&text, name());
    appendStringInfoChar(&text, ':');
    record_begin_ = text.data;
}

Datum CellConverter::convert_slowly(const Cell& cell) {
    switch (cell.kind) {
        case CellKind::Text:
            return from_text(recode_ ? to_server_encoding(cell.view()) : cell.view());
        case CellKind::Binary:
            return from_binary(cell.view());
        case CellKind::Int:
            return from_integer(cell.number);
        case CellKind::TimestampMs:
            return from_timestamp(cell.number);
        case CellKind::EpochUs:
            return from_epoch(cell.number);
        case CellKind::Json:
            return from_json(cell.view());
        case CellKind::Null:
        case CellKind::Absent:
            break;
    }
    elog(ERROR, "cell of kind %d has no value", static_cast<int>(cell.kind));
}

Datum CellConverter::from_text(std::string_view text) {
    Datum value;
    if (fast_ && fast_(text, typmod_, &value)) return value;
    char* terminated = pnstrdup(text.data(), text.size());
    return InputFunctionCall(&input_, terminated, io_parameter_, typmod_);
}

Datum CellConverter::from_integer(int64 number) {
    if (type_ == INT8OID) return Int64GetDatum(number);
    if (type_ == INT4OID && number >= PG_INT32_MIN && number <= PG_INT32_MAX)
        return Int32GetDatum(static_cast<int32>(number));
    char text[32];
    return from_text({text, static_cast<size_t>(pg_lltoa(number, text))});
}

Datum CellConverter::from_binary(std::string_view bytes) {
    if (type_ == BYTEAOID) return PointerGetDatum(to_bytea(bytes));
    // A domain over bytea has checks, which its input function makes.
    if (base_ == BYTEAOID) {
        const char* hex = DatumGetCString(DirectFunctionCall1(byteaout, PointerGetDatum(to_bytea(bytes))));
        return from_text(hex);
    }
    // Nobody has checked yet that these bytes are text.
    return from_text(to_server_encoding(bytes));
}

Datum CellConverter::from_timestamp(int64 milliseconds) {
    if (type_ == INT8OID) return Int64GetDatum(milliseconds);
    TimestampTz timestamp = to_timestamptz(milliseconds);
    if (type_ == TIMESTAMPTZOID) {
        if (typmod_ >= 0) compat::round_timestamp(&timestamp, typmod_);
        return TimestampTzGetDatum(timestamp);
    }
    // ISO, in the session's time zone: timestamp and date become what a cast of a timestamptz gives.
    return from_text(timestamptz_to_str(timestamp));
}

// Columns of type date, timestamp, timestamptz, and domains over them. Those without a time zone show the
// time of UTC, whatever the session's zone is.
Datum CellConverter::from_epoch(int64 microseconds) {
    TimestampTz timestamp = since_postgres_epoch(microseconds);
    if (type_ == DATEOID) {
        const int64 days = timestamp / USECS_PER_DAY - (timestamp % USECS_PER_DAY < 0);
        return DateADTGetDatum(static_cast<DateADT>(days));
    }
    if (type_ == TIMESTAMPTZOID || type_ == TIMESTAMPOID) {
        if (typmod_ >= 0) compat::round_timestamp(&timestamp, typmod_);
        return TimestampTzGetDatum(timestamp);
    }
    if (base_ == TIMESTAMPTZOID) return from_text(timestamptz_to_str(timestamp));
    const Datum utc = DirectFunctionCall1(timestamp_out, TimestampGetDatum(timestamp));
    return from_text(DatumGetCString(utc));
}

Datum CellConverter::from_json(std::string_view json) {
    if (recode_) json = to_server_encoding(json);
    StringInfoData text;
    initStringInfo(&text);
    appendStringInfoString(&text, record_begin_);
    appendBinaryStringInfo(&text, json.data(), static_cast<int>(json.size()));
    appendStringInfoChar(&text, '}');

    ReturnSetInfo result{};
    result.type = T_ReturnSetInfo;
    result.expectedDesc = record_;
    LOCAL_FCINFO(arguments, 1);
    InitFunctionCallInfoData(*arguments, &to_record_, 1, InvalidOid, nullptr,
                             reinterpret_cast<Node*>(&result));
    arguments->args[0] = {PointerGetDatum(to_bytea({text.data, static_cast<size_t>(text.len)})), false};
    HeapTupleHeader record = DatumGetHeapTupleHeader(FunctionCallInvoke(arguments));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(record);
    tuple.t_data = record;
    bool is_null = false;
    const Datum value = heap_getattr(&tuple, 1, record_, &is_null);
    if (is_null) elog(ERROR, "an array or object became NULL");
    return value;
}

}  // namespace sluice
