// Writes an Avro value of any type as JSON: plain values, without the names of union branches.
// Must not know columns.
// Appends to a string of the caller.
#pragma once

#include "format/avro_cursor.hpp"
#include "format/avro_scalar.hpp"

#include <string>

namespace sluice {

// Bytes have no form of their own in JSON.
enum class AvroBytesAs { Base64, Hex };  // Hex as PostgreSQL's bytea reads it

class AvroJson {
  public:
    // `most` bytes are written.
    AvroJson(const AvroReading& reading, AvroCursor& cursor, AvroBytesAs bytes, std::string& out, size_t most)
        : reading_(reading), cursor_(cursor), bytes_(bytes), out_(out), most_(most) {}

    // The value at the cursor, which is left behind it. False: the cursor has the fault, or there is a
    // refusal.
    bool put(uint32_t shape) { return put(shape, 0); }
    const AvroRefusal& refusal() const { return refusal_; }

  private:
    bool put(uint32_t shape, size_t level);
    bool put_value(const AvroShape& shape, size_t level);
    bool put_scalar(const AvroShape& shape);
    bool put_record(const AvroShape& shape, size_t level);
    bool put_items(const AvroShape& shape, size_t level);
    bool put_string(std::string_view text, size_t at);
    bool put_initial(const AvroPart& part, size_t level);
    bool too_large();

    const AvroReading& reading_;
    AvroCursor& cursor_;
    AvroBytesAs bytes_;
    std::string& out_;
    size_t most_;
    AvroRefusal refusal_;
};

}  // namespace sluice
