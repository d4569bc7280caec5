// What stands before the bytes of a message that say which schema wrote it.
// Must not know formats, schemas, nor who finds them.
// Views point into the payload.
#pragma once

#include "base/result.hpp"
#include "format/format_spec.hpp"

#include <cstdint>
#include <string_view>

namespace sluice {

struct Frame {
    std::string_view body{};   // the bytes behind it
    int32_t id = 0;            // of Framing::Confluent: the schema's id in the registry
    uint64_t fingerprint = 0;  // of Framing::SingleObject: CRC-64-AVRO of the schema
};

// Takes the frame off a payload; an error is one of data. Framing::None has none: the body is the payload.
Result<Frame> frame_of(Framing framing, std::string_view payload, Origin part);

}  // namespace sluice
