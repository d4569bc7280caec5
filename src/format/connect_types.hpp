// What Kafka Connect's schemas say of a row's fields beyond JSON: decimals, dates, times, bits, JSON in a
// text. Must not know the envelope around the row. Owns its copies of schemas; what it returns is valid until
// the next look-up.
#pragma once

#include "format/json_plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class ConnectType : uint8_t {
    Plain,
    Days,      // since 1970
    Clock,     // since midnight, in `unit`
    Epoch,     // since 1970, in `unit`
    Decimal,   // base64 of a big-endian number of `parameter` digits after the point
    JsonText,  // a text that is JSON
    Bits,      // base64 of `parameter` bits, the lowest byte first
};

struct ConnectField {
    ConnectType type = ConnectType::Plain;
    TimestampUnit unit = TimestampUnit::Milliseconds;
    int32_t parameter = 0;
};

// By the name that Connect or Debezium gives a type; Plain when it means nothing more. Without a parameter.
ConnectField connect_field(std::string_view name);
constexpr int32_t kMostBits = 83886080;  // bit varying's own

// Producers send the schema with every message, so each text is read once.
class ConnectSchemas {
  public:
    // The field of each column of the plan. `schema` is the JSON text of a struct's schema, or of an
    // envelope's, in which `image` names the struct. Null when it is not such a schema.
    const std::vector<ConnectField>* find(std::string_view schema, std::string_view image,
                                          const JsonPlan& plan);

  private:
    struct Known {
        std::string schema;
        std::string image;
        std::vector<ConnectField> fields;
        bool valid;
    };
    std::vector<Known> known_;  // the one used last comes first
};

struct ConnectColumn {
    std::string name;
    std::string type;  // of SQL
};

// The fields of a schema as columns, in its order; nothing when it is not the schema of a struct. `image` as
// above.
std::vector<ConnectColumn> connect_columns(std::string_view schema, std::string_view image);

// Writes the digits of a decimal whose bytes are two's complement, the highest first. `out` has room for
// decimal_room bytes.
size_t decimal_text(std::string_view bytes, int32_t scale, char* out);
size_t decimal_room(size_t bytes, int32_t scale);
constexpr int32_t kMostScale = 16383;            // numeric's own
constexpr size_t kMostDecimalBytes = 64 * 1024;  // more digits than numeric has

// How many bits the bytes are; nothing when a schema asks for far more of them than there are bytes.
std::optional<size_t> bits_size(std::string_view bytes, int32_t length);
// Writes them as 0 and 1, the highest first; the lowest byte comes first in `bytes`.
void bits_text(std::string_view bytes, size_t size, char* out);

}  // namespace sluice
