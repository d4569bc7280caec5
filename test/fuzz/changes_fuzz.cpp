// Any bytes as change events and as Connect's JSON, with and without a schema: no crash, no read outside the
// message. The input's first byte chooses the format and the columns' shapes, the second where the key
// begins.
#include "format/record_decoder.hpp"

#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace sluice;
    if (size < 2) return 0;
    constexpr Format kFormats[] = {Format::DebeziumJson, Format::ConnectJson, Format::CanalJson,
                                   Format::MaxwellJson};
    constexpr ColumnShape kShapes[] = {ColumnShape::Scalar, ColumnShape::Integer, ColumnShape::Bytes,
                                       ColumnShape::Date,   ColumnShape::Time,    ColumnShape::Clock,
                                       ColumnShape::Json,   ColumnShape::Numeric};
    const Format format = kFormats[data[0] & 3];
    RecordSpec spec;
    spec.value = FormatSpec{format, {}, {}};
    spec.key = FormatSpec{Format::ConnectJson, {}, {}};
    if (data[0] & 4) spec.value->json.timestamp_unit = TimestampUnit::Milliseconds;
    spec.columns = {{.name = "a", .shape = kShapes[data[0] >> 5]},
                    {.name = "b", .shape = ColumnShape::Numeric},
                    {.name = "k", .origin = Origin::Key, .field = "a"}};
    if (is_change_format(format))
        spec.columns.push_back(
            {.name = "op", .origin = Origin::Metadata, .metadata = Metadata::Change, .field = "op"});
    const size_t key_size = data[1] < size - 2 ? data[1] : 0;
    // Blocks of exactly their sizes, so that a read past the end shows.
    const std::vector<char> key(data + 2, data + 2 + key_size), value(data + 2 + key_size, data + size);
    MessageView message;
    if (key_size > 0) message.key = Bytes::of({key.data(), key.size()});
    message.value = Bytes::of({value.data(), value.size()});
    Arena arena;
    std::vector<Cell> row(spec.columns.size());
    const auto decoder = RecordDecoder::make(std::move(spec), nullptr);
    (void)decoder.value().decode(message, arena, row);
    (void)decoder.value().decode(message, arena, row);  // with what it has kept of the schema
    return 0;
}
