#include "format/avro_scalar.hpp"

#include "format/connect_types.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace sluice {

namespace {

constexpr int64_t kDaySeconds = 86400;

int64_t per_second(TimestampUnit unit) {
    switch (unit) {
        case TimestampUnit::Seconds:
            return 1;
        case TimestampUnit::Milliseconds:
            return 1'000;
        case TimestampUnit::Microseconds:
            return 1'000'000;
        case TimestampUnit::Nanoseconds:
            return 1'000'000'000;
    }
    return 1;
}

size_t fraction_digits(TimestampUnit unit) {
    switch (unit) {
        case TimestampUnit::Seconds:
            return 0;
        case TimestampUnit::Milliseconds:
            return 3;
        case TimestampUnit::Microseconds:
            return 6;
        case TimestampUnit::Nanoseconds:
            return 9;
    }
    return 0;
}

int64_t floor_divide(int64_t number, int64_t by) { return number / by - (number % by < 0); }

void append_padded(std::string& out, int64_t number, size_t width) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const auto size = static_cast<size_t>(end - digits.data());
    if (size < width) out.append(width - size, '0');
    out.append(digits.data(), size);
}

// The year, month and day of a day counted from 1970 in the Gregorian calendar, which is reckoned from March
// on and in spans of 400 years. True when the year is before Christ.
bool append_date(std::string& out, int64_t days) {
    constexpr int64_t kSpan = 146'097, kFromMarchOf0 = 719'468;
    days += kFromMarchOf0;
    const int64_t span = floor_divide(days, kSpan), day = days - span * kSpan;
    const int64_t year = (day - day / 1460 + day / 36524 - day / 146'096) / 365;
    const int64_t of_year = day - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153;
    const int64_t real_month = month < 10 ? month + 3 : month - 9;
    const int64_t real_year = span * 400 + year + (real_month <= 2 ? 1 : 0);
    const bool before_christ = real_year <= 0;
    append_padded(out, before_christ ? 1 - real_year : real_year, 4);
    out += '-';
    append_padded(out, real_month, 2);
    out += '-';
    append_padded(out, of_year - (153 * month + 2) / 5 + 1, 2);
    return before_christ;
}

void append_clock(std::string& out, int64_t seconds, int64_t fraction, TimestampUnit unit) {
    append_padded(out, seconds / 3600, 2);
    out += ':';
    append_padded(out, seconds / 60 % 60, 2);
    out += ':';
    append_padded(out, seconds % 60, 2);
    if (const size_t digits = fraction_digits(unit)) {
        out += '.';
        append_padded(out, fraction, digits);
    }
}

// As PostgreSQL writes a timestamp in JSON.
void append_epoch(std::string& out, int64_t number, const AvroMeaning& meaning) {
    const int64_t second = per_second(meaning.unit), seconds = floor_divide(number, second);
    const int64_t days = floor_divide(seconds, kDaySeconds);
    const bool before_christ = append_date(out, days);
    out += 'T';
    const int64_t rest = number % second;
    append_clock(out, seconds - days * kDaySeconds, rest < 0 ? rest + second : rest, meaning.unit);
    if (meaning.kind == AvroMeaning::Epoch) out += 'Z';
    if (before_christ) out += " BC";
}

AvroRefusal append_decimal(std::string& out, std::string_view bytes, int64_t scale) {
    if (bytes.size() > kMostDecimalBytes || scale < 0 || scale > kMostScale)
        return {"22003", "is a decimal that numeric cannot hold"};
    const size_t before = out.size();
    out.resize(before + decimal_room(bytes.size(), static_cast<int32_t>(scale)));
    out.resize(before + decimal_text(bytes, static_cast<int32_t>(scale), out.data() + before));
    return {};
}

AvroRefusal append_bits(std::string& out, std::string_view bytes, int32_t length) {
    const auto size = bits_size(bytes, length);
    if (!size) return {"22003", "has fewer bits than its schema says"};
    const size_t before = out.size();
    out.resize(before + *size);
    bits_text(bytes, *size, out.data() + before);
    return {};
}

void append_uuid(std::string& out, std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += kDigits[static_cast<uint8_t>(bytes[i]) >> 4];
        out += kDigits[static_cast<uint8_t>(bytes[i]) & 15];
    }
}

// In the form of ISO 8601, which interval reads.
void append_duration(std::string& out, std::string_view bytes) {
    uint32_t parts[3];  // little-endian, as this machine is
    std::memcpy(parts, bytes.data(), sizeof parts);
    out += 'P' + std::to_string(parts[0]) + 'M' + std::to_string(parts[1]) + "DT" +
           std::to_string(parts[2] / 1000) + '.';
    append_padded(out, parts[2] % 1000, 3);
    out += 'S';
}

}  // namespace

bool take_avro_scalar(AvroCursor& cursor, const AvroShape& shape, AvroScalar& scalar) {
    switch (shape.wire) {
        case AvroWire::Boolean: {
            bool value = false;
            if (!cursor.take_boolean(value)) return false;
            scalar.number = value;
            return true;
        }
        case AvroWire::Int:
            if (!cursor.take_int(scalar.number)) return false;
            scalar.real = static_cast<double>(scalar.number);
            return true;
        case AvroWire::Long:
            if (!cursor.take_long(scalar.number)) return false;
            scalar.real = static_cast<double>(scalar.number);
            return true;
        case AvroWire::Float: {
            float value = 0;
            if (!cursor.take_number(value)) return false;
            scalar.real = value;
            return true;
        }
        case AvroWire::Double:
            return cursor.take_number(scalar.real);
        case AvroWire::Bytes:
            return cursor.take_bytes(scalar.bytes);
        case AvroWire::Fixed:
            return cursor.take_fixed(shape.size, scalar.bytes);
        case AvroWire::Enum: {
            uint32_t symbol = 0;
            const size_t start = cursor.offset();
            if (!cursor.take_index(shape.symbols.size(), symbol)) return false;
            if (!shape.symbols[symbol]) {
                cursor.go_to(start);
                return cursor.fail("the reader's enum has no symbol for number " + std::to_string(symbol) +
                                       ", and no default",
                                   AvroFault::Kind::Unreadable);
            }
            scalar.number = symbol;
            scalar.bytes = *shape.symbols[symbol];
            return true;
        }
        default:
            return true;
    }
}

bool to_microseconds(int64_t number, TimestampUnit unit, int64_t& microseconds) {
    if (unit == TimestampUnit::Nanoseconds) {
        const int64_t rest = number % 1000;
        microseconds = number / 1000 + (rest >= 500) - (rest <= -500);
        return true;
    }
    return !__builtin_mul_overflow(number, 1'000'000 / per_second(unit), &microseconds);
}

void append_real(std::string& out, AvroType type, double real) {
    if (std::isnan(real)) {
        out += "NaN";
        return;
    }
    if (std::isinf(real)) {
        out += real < 0 ? "-Infinity" : "Infinity";
        return;
    }
    std::array<char, 32> text;
    const auto end = type == AvroType::Float
                         ? std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(real))
                         : std::to_chars(text.data(), text.data() + text.size(), real);
    out.append(text.data(), end.ptr);
}

AvroRefusal append_avro_text(std::string& out, const AvroShape& shape, const AvroScalar& scalar) {
    const AvroMeaning& meaning = shape.meaning;
    switch (meaning.kind) {
        case AvroMeaning::Decimal:
            return append_decimal(out, scalar.bytes, meaning.parameter);
        case AvroMeaning::Uuid:
            if (shape.type == AvroType::Fixed)
                append_uuid(out, scalar.bytes);
            else
                out += scalar.bytes;
            return {};
        case AvroMeaning::Days:
            // No calendar has days beyond these, and here they could overflow.
            if (std::abs(scalar.number / 400) > INT32_MAX) return {"22008", "is out of range for a date"};
            if (append_date(out, scalar.number)) out += " BC";
            return {};
        case AvroMeaning::Clock: {
            const int64_t second = per_second(meaning.unit);
            if (scalar.number < 0 || scalar.number > kDaySeconds * second)
                return {"22008", "is a number that is out of range for a time of day"};
            append_clock(out, scalar.number / second, scalar.number % second, meaning.unit);
            return {};
        }
        case AvroMeaning::Epoch:
        case AvroMeaning::LocalEpoch:
            append_epoch(out, scalar.number, meaning);
            return {};
        case AvroMeaning::Duration:
            append_duration(out, scalar.bytes);
            return {};
        case AvroMeaning::Bits:
            return append_bits(out, scalar.bytes, meaning.parameter);
        default:
            break;
    }
    if (shape.type == AvroType::Float || shape.type == AvroType::Double)
        append_real(out, shape.type, scalar.real);
    else
        append_padded(out, scalar.number, 1);
    return {};
}

bool take_variable_decimal(AvroCursor& cursor, const AvroReading& reading, const AvroShape& shape,
                           std::string& out, AvroRefusal& refusal) {
    AvroScalar scale, value;
    for (const AvroPart& part : shape.parts) {
        const AvroShape& field = reading.shape(part.shape);
        if (!part.written) continue;
        const bool is_scale = part.name == "scale" && field.wire == AvroWire::Int;
        const bool is_value = part.name == "value" && field.wire == AvroWire::Bytes;
        const bool taken = is_scale   ? take_avro_scalar(cursor, field, scale)
                           : is_value ? take_avro_scalar(cursor, field, value)
                                      : cursor.skip(reading, part.shape);
        if (!taken) return cursor.inside(part.name);
    }
    refusal = append_decimal(out, value.bytes, scale.number);
    return true;
}

}  // namespace sluice
