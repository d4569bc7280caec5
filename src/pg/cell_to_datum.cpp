#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "pg/cell_to_datum.hpp"

extern "C" {
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"
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

TimestampTz to_timestamptz(int64 milliseconds) {
    constexpr int64 kEpoch = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    TimestampTz timestamp;
    if (__builtin_mul_overflow(milliseconds, int64{1000}, &timestamp) ||
        __builtin_sub_overflow(timestamp, kEpoch, &timestamp) || !IS_VALID_TIMESTAMP(timestamp))
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
    is_bytea_ = getBaseType(type_) == BYTEAOID;
    // A domain's checks; arrays, ranges and composites may hold domains.
    runs_user_code_ = get_typtype(type_) != TYPTYPE_BASE || OidIsValid(get_element_type(type_));
    recode_ = GetDatabaseEncoding() != PG_UTF8;
    fast_ = fast_input_of(type_);
    Oid function;
    getTypeInputInfo(type_, &function, &io_parameter_);
    fmgr_info(function, &input_);
}

Datum CellConverter::convert(const Cell& cell) {
    switch (cell.kind) {
        case CellKind::Text:
            return from_text(recode_ ? to_server_encoding(cell.view()) : cell.view());
        case CellKind::Binary:
            return from_binary(cell.view());
        case CellKind::Int:
            return from_integer(cell.number);
        case CellKind::TimestampMs:
            return from_timestamp(cell.number);
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
    if (is_bytea_) {
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
        if (typmod_ >= 0) AdjustTimestampForTypmod(&timestamp, typmod_);
        return TimestampTzGetDatum(timestamp);
    }
    // ISO, in the session's time zone: timestamp and date become what a cast of a timestamptz gives.
    return from_text(timestamptz_to_str(timestamp));
}

}  // namespace sluice
