#include <charconv>
#include <cstdint>
#include <cstring>

#include "pg/fast_input.hpp"

extern "C" {
#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/uuid.h"
}

namespace sluice {

namespace {

constexpr size_t kMostDigits = 18;  // of which every number fits into 64 bits

constexpr int64 kPowersOfTen[kMostDigits + 1] = {1,
                                                 10,
                                                 100,
                                                 1000,
                                                 10000,
                                                 100000,
                                                 1000000,
                                                 10000000,
                                                 100000000,
                                                 1000000000,
                                                 10000000000,
                                                 100000000000,
                                                 1000000000000,
                                                 10000000000000,
                                                 100000000000000,
                                                 1000000000000000,
                                                 10000000000000000,
                                                 100000000000000000,
                                                 1000000000000000000};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Appends the digits of `text` to `number`; false when there is anything else.
bool append_digits(std::string_view text, int64* number) {
    for (char c : text) {
        if (!is_digit(c)) return false;
        *number = *number * 10 + (c - '0');
    }
    return true;
}

// -?[0-9]{1,18}
bool plain_integer(std::string_view text, int64* number) {
    const bool negative = !text.empty() && text.front() == '-';
    text.remove_prefix(negative);
    *number = 0;
    if (text.empty() || text.size() > kMostDigits || !append_digits(text, number)) return false;
    if (negative) *number = -*number;
    return true;
}

bool input_int2(std::string_view text, int32, Datum* value) {
    int64 number;
    if (!plain_integer(text, &number) || number < PG_INT16_MIN || number > PG_INT16_MAX) return false;
    *value = Int16GetDatum(static_cast<int16>(number));
    return true;
}

bool input_int4(std::string_view text, int32, Datum* value) {
    int64 number;
    if (!plain_integer(text, &number) || number < PG_INT32_MIN || number > PG_INT32_MAX) return false;
    *value = Int32GetDatum(static_cast<int32>(number));
    return true;
}

bool input_int8(std::string_view text, int32, Datum* value) {
    int64 number;
    if (!plain_integer(text, &number)) return false;
    *value = Int64GetDatum(number);
    return true;
}

bool input_text(std::string_view text, int32, Datum* value) {
    *value = PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
    return true;
}

// A text has never more characters than bytes, so one that is short enough in bytes needs no counting.
bool input_varchar(std::string_view text, int32 typmod, Datum* value) {
    if (typmod >= VARHDRSZ && text.size() > static_cast<size_t>(typmod - VARHDRSZ)) return false;
    return input_text(text, typmod, value);
}

bool is_ascii(std::string_view text) {
    for (char c : text)
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    return true;
}

bool input_bpchar(std::string_view text, int32 typmod, Datum* value) {
    if (typmod < VARHDRSZ) return input_text(text, typmod, value);
    const size_t length = static_cast<size_t>(typmod - VARHDRSZ);
    if (text.size() > length || !is_ascii(text)) return false;
    auto* result = static_cast<BpChar*>(palloc(length + VARHDRSZ));
    SET_VARSIZE(result, length + VARHDRSZ);
    memcpy(VARDATA(result), text.data(), text.size());
    memset(VARDATA(result) + text.size(), ' ', length - text.size());
    *value = PointerGetDatum(result);
    return true;
}

bool input_bool(std::string_view text, int32, Datum* value) {
    const bool is_true = text == "t" || text == "true" || text == "1";
    if (!is_true && text != "f" && text != "false" && text != "0") return false;
    *value = BoolGetDatum(is_true);
    return true;
}

// Both from_chars and the C library's functions round correctly, so they agree on every number in range.
template <class Float>
bool plain_float(std::string_view text, Float* number) {
    const size_t first = !text.empty() && text.front() == '-';
    if (text.size() == first || !is_digit(text[first])) return false;  // no inf, nan, or blanks
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, *number);
    return read.ec == std::errc() && read.ptr == end;
}

bool input_float4(std::string_view text, int32, Datum* value) {
    float number;
    if (!plain_float(text, &number)) return false;
    *value = Float4GetDatum(number);
    return true;
}

bool input_float8(std::string_view text, int32, Datum* value) {
    double number;
    if (!plain_float(text, &number)) return false;
    *value = Float8GetDatum(number);
    return true;
}

// -?[0-9]+(\.[0-9]+)? of at most 18 digits, which needs no rounding to the column's scale.
bool input_numeric(std::string_view text, int32 typmod, Datum* value) {
    const bool negative = !text.empty() && text.front() == '-';
    text.remove_prefix(negative);
    const size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
    if (whole.empty() || (point != text.npos && fraction.empty())) return false;
    size_t scale = fraction.size();
    size_t precision = kMostDigits;
    if (typmod >= VARHDRSZ) {
        // As numeric's own macros pack it: eleven bits of scale with a sign, above them the precision.
        precision = static_cast<size_t>((typmod - VARHDRSZ) >> 16 & 0xffff);
        const int column_scale = (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
        if (column_scale < static_cast<int>(scale)) return false;
        scale = static_cast<size_t>(column_scale);
    }
    if (whole.size() + scale > kMostDigits) return false;
    int64 number = 0;
    if (!append_digits(whole, &number) || !append_digits(fraction, &number)) return false;
    number *= kPowersOfTen[scale - fraction.size()];
    if (precision < kMostDigits && number >= kPowersOfTen[precision]) return false;
    *value = NumericGetDatum(int64_div_fast_to_numeric(negative ? -number : number, static_cast<int>(scale)));
    return true;
}

bool two_digits(const char* at, int* number) {
    if (!is_digit(at[0]) || !is_digit(at[1])) return false;
    *number = (at[0] - '0') * 10 + (at[1] - '0');
    return true;
}

// YYYY-MM-DD of a day that exists, years 1 to 9999, as a Julian day.
bool plain_date(const char* at, int* julian) {
    int century, year, month, day;
    if (!two_digits(at, &century) || !two_digits(at + 2, &year) || at[4] != '-' ||
        !two_digits(at + 5, &month) || at[7] != '-' || !two_digits(at + 8, &day))
        return false;
    year += century * 100;
    if (year == 0 || month < 1 || month > 12 || day < 1 || day > day_tab[isleap(year)][month - 1])
        return false;
    *julian = date2j(year, month, day);
    return true;
}

constexpr size_t kDateLength = 10;

bool input_date(std::string_view text, int32, Datum* value) {
    int julian;
    if (text.size() != kDateLength || !plain_date(text.data(), &julian)) return false;
    *value = DateADTGetDatum(julian - POSTGRES_EPOCH_JDATE);
    return true;
}

// YYYY-MM-DD, a T or a blank, HH:MM:SS, and up to six digits of fraction if the column's precision keeps them
// all. Returns what follows in `rest`.
bool plain_timestamp(std::string_view text, int32 typmod, Timestamp* timestamp, std::string_view* rest) {
    constexpr size_t kLength = 19;
    int julian, hour, minute, second;
    const char* at = text.data();
    if (text.size() < kLength || !plain_date(at, &julian) || (at[10] != 'T' && at[10] != ' ') ||
        !two_digits(at + 11, &hour) || at[13] != ':' || !two_digits(at + 14, &minute) || at[16] != ':' ||
        !two_digits(at + 17, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    text.remove_prefix(kLength);
    int64 fraction = 0;
    if (!text.empty() && text.front() == '.') {
        size_t digits = 0;
        for (text.remove_prefix(1); !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
            if (++digits > MAX_TIMESTAMP_PRECISION) return false;
            fraction = fraction * 10 + (text.front() - '0');
        }
        if (digits == 0 || (typmod >= 0 && digits > static_cast<size_t>(typmod))) return false;
        fraction *= kPowersOfTen[MAX_TIMESTAMP_PRECISION - digits];
    }
    const int64 seconds = (hour * MINS_PER_HOUR + minute) * int64{SECS_PER_MINUTE} + second;
    *timestamp = (julian - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY + seconds * USECS_PER_SEC + fraction;
    *rest = text;
    return true;
}

bool input_timestamp(std::string_view text, int32 typmod, Datum* value) {
    Timestamp timestamp;
    std::string_view rest;
    if (!plain_timestamp(text, typmod, &timestamp, &rest) || !rest.empty()) return false;
    *value = TimestampGetDatum(timestamp);
    return true;
}

// Z, +HH or +HH:MM; a time without a zone depends on the session's.
bool plain_zone(std::string_view text, int64* offset) {
    *offset = 0;
    if (text == "Z") return true;
    constexpr int kMostHours = 14;
    int hours, minutes = 0;
    if (text.size() != 3 && text.size() != 6) return false;
    if ((text[0] != '+' && text[0] != '-') || !two_digits(text.data() + 1, &hours)) return false;
    if (text.size() == 6 && (text[3] != ':' || !two_digits(text.data() + 4, &minutes))) return false;
    if (hours > kMostHours || minutes > 59) return false;
    *offset = (hours * MINS_PER_HOUR + minutes) * int64{SECS_PER_MINUTE} * USECS_PER_SEC;
    if (text[0] == '-') *offset = -*offset;
    return true;
}

bool input_timestamptz(std::string_view text, int32 typmod, Datum* value) {
    Timestamp timestamp;
    std::string_view zone;
    int64 offset;
    if (!plain_timestamp(text, typmod, &timestamp, &zone) || !plain_zone(zone, &offset)) return false;
    *value = TimestampTzGetDatum(timestamp - offset);
    return true;
}

bool hex_digit(char c, unsigned char* number) {
    if (is_digit(c))
        *number = static_cast<unsigned char>(c - '0');
    else if (c >= 'a' && c <= 'f')
        *number = static_cast<unsigned char>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
        *number = static_cast<unsigned char>(c - 'A' + 10);
    else
        return false;
    return true;
}

// 8-4-4-4-12
bool input_uuid(std::string_view text, int32, Datum* value) {
    constexpr size_t kLength = 36;
    if (text.size() != kLength) return false;
    unsigned char bytes[UUID_LEN];
    size_t at = 0;
    for (unsigned char& byte : bytes) {
        if (at == 8 || at == 13 || at == 18 || at == 23)
            if (text[at++] != '-') return false;
        unsigned char high, low;
        if (!hex_digit(text[at], &high) || !hex_digit(text[at + 1], &low)) return false;
        byte = static_cast<unsigned char>(high << 4 | low);
        at += 2;
    }
    auto* uuid = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
    memcpy(uuid->data, bytes, UUID_LEN);
    *value = UUIDPGetDatum(uuid);
    return true;
}

}  // namespace

FastInput fast_input_of(Oid type) {
    switch (type) {
        case INT2OID:
            return input_int2;
        case INT4OID:
            return input_int4;
        case INT8OID:
            return input_int8;
        case TEXTOID:
            return input_text;
        case VARCHAROID:
            return input_varchar;
        case BPCHAROID:
            return input_bpchar;
        case BOOLOID:
            return input_bool;
        case FLOAT4OID:
            return input_float4;
        case FLOAT8OID:
            return input_float8;
        case NUMERICOID:
            return input_numeric;
        case DATEOID:
            return input_date;
        case TIMESTAMPOID:
            return input_timestamp;
        case TIMESTAMPTZOID:
            return input_timestamptz;
        case UUIDOID:
            return input_uuid;
        default:
            return nullptr;
    }
}

}  // namespace sluice
