// Reads one scalar of Avro, and writes it as text by what it means: decimals, dates, times, UUIDs, bits.
// Must not know columns.
// Text is appended to a string of the caller.
#pragma once

#include "format/avro_cursor.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

struct AvroScalar {
    int64_t number = 0;  // of int, long, boolean, and an enum's symbol
    double real = 0;
    std::string_view bytes{};
};

// Of any shape but records, arrays, maps and unions. The reader's type tells which member is set.
bool take_avro_scalar(AvroCursor& cursor, const AvroShape& shape, AvroScalar& scalar);

// Nothing when all is well, else the SQLSTATE and what is wrong with the value.
struct AvroRefusal {
    const char* sqlstate = nullptr;
    const char* what = nullptr;
};

// For values that mean something, and for numbers.
AvroRefusal append_avro_text(std::string& out, const AvroShape& shape, const AvroScalar& scalar);

// {scale, value} of io.debezium.data.VariableScaleDecimal, at the cursor.
bool take_variable_decimal(AvroCursor& cursor, const AvroReading& reading, const AvroShape& shape,
                           std::string& out, AvroRefusal& refusal);

void append_real(std::string& out, AvroType type, double real);

// Microseconds; false when they do not fit into 64 bits.
bool to_microseconds(int64_t number, TimestampUnit unit, int64_t& microseconds);

}  // namespace sluice
