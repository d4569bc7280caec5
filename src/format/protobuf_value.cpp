#include "format/protobuf_value.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace sluice {

namespace {

size_t put(std::string_view text, char* out) {
    std::memcpy(out, text.data(), text.size());
    return text.size();
}

// A number of digits that JSON's readers know: none, 3, 6 or 9.
size_t write_fraction(int64_t nanos, char* out) {
    if (nanos == 0) return 0;
    char digits[16];
    std::snprintf(digits, sizeof digits, ".%09d", static_cast<int>(nanos % 1'000'000'000));
    const size_t size = nanos % 1'000'000 == 0 ? 4 : nanos % 1000 == 0 ? 7 : 10;
    return put({digits, size}, out);
}

template <class Real>
size_t write_finite(Real value, char* out) {
    const Real size = std::fabs(value);
    // As PostgreSQL writes them: an exponent is only for what would have many digits.
    const bool plain = size == 0 || (size >= Real{1e-5f} && size < Real{1e15f});
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    return static_cast<size_t>(std::to_chars(out, out + kMostNumberText, value, format).ptr - out);
}

}  // namespace

size_t write_integer(ProtobufKind kind, uint64_t bits, char* out) {
    const auto written = is_beyond(kind, bits)
                             ? std::to_chars(out, out + kMostNumberText, bits)
                             : std::to_chars(out, out + kMostNumberText, integer_of(kind, bits));
    return static_cast<size_t>(written.ptr - out);
}

size_t write_real(ProtobufKind kind, uint64_t bits, char* out) {
    const double value = real_of(kind, bits);
    if (std::isnan(value)) return put("NaN", out);
    if (std::isinf(value)) return put(value < 0 ? "-Infinity" : "Infinity", out);
    return kind == ProtobufKind::Float ? write_finite(static_cast<float>(value), out)
                                       : write_finite(value, out);
}

bool is_timestamp(const ProtobufTime& time) {
    constexpr int64_t kFirst = -62135596800, kLast = 253402300799;
    return time.seconds >= kFirst && time.seconds <= kLast && time.nanos >= 0 && time.nanos < 1'000'000'000;
}

bool is_duration(const ProtobufTime& time) {
    constexpr int64_t kMost = 315576000000;
    return time.seconds >= -kMost && time.seconds <= kMost && std::abs(time.nanos) < 1'000'000'000 &&
           (time.seconds <= 0 || time.nanos >= 0) && (time.seconds >= 0 || time.nanos <= 0);
}

size_t write_timestamp(const ProtobufTime& time, char* out) {
    using namespace std::chrono;
    const sys_seconds at{seconds(time.seconds)};
    const sys_days day = floor<days>(at);
    const year_month_day date(day);
    const hh_mm_ss clock(at - day);
    char text[kMostTimeText];
    const int size =
        std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", int(date.year()),
                      unsigned(date.month()), unsigned(date.day()), static_cast<int>(clock.hours().count()),
                      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    size_t end = put({text, static_cast<size_t>(size)}, out);
    end += write_fraction(time.nanos, out + end);
    out[end++] = 'Z';
    return end;
}

size_t write_duration(const ProtobufTime& time, char* out) {
    size_t end = 0;
    if (time.seconds < 0 || time.nanos < 0) out[end++] = '-';
    end =
        static_cast<size_t>(std::to_chars(out + end, out + kMostTimeText, std::abs(time.seconds)).ptr - out);
    end += write_fraction(std::abs(time.nanos), out + end);
    out[end++] = 's';
    return end;
}

int64_t epoch_us(const ProtobufTime& time) { return time.seconds * 1'000'000 + (time.nanos + 500) / 1000; }

}  // namespace sluice
