// Any bytes as Avro by any schema, read by any other: no crash, no read outside the message, JSON wherever
// JSON is made, and the same cells whatever else is wanted. The input is the writer's schema, the reader's
// (or nothing), and the message, each after its length in two bytes.
#include "format/record_decoder.hpp"
#include "format/text_check.hpp"

#include <simdjson.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace sluice;

void expect(bool right) {
    if (!right) std::abort();
}

std::string_view take_piece(std::string_view& input) {
    if (input.size() < 2) return std::exchange(input, {});
    const size_t length = static_cast<uint8_t>(input[0]) << 8 | static_cast<uint8_t>(input[1]);
    input.remove_prefix(2);
    const std::string_view piece = input.substr(0, length);
    input.remove_prefix(piece.size());
    return piece;
}

SharedSchema schema_of(std::string_view body) {
    return std::make_shared<SchemaText>(SchemaText{SchemaKind::Avro, "schema", std::string(body), {}});
}

std::optional<Error> decode(const RecordSpec& spec, std::string_view value, Arena& arena,
                            std::vector<Cell>& row) {
    const auto decoder = RecordDecoder::make(spec, nullptr);
    if (!decoder) {
        expect(decoder.error().kind == ErrorKind::Config);
        return decoder.error();
    }
    MessageView message;
    message.value = Bytes::of(value);
    message.key = message.value;
    row.assign(spec.columns.size(), Cell::null());
    std::optional<Error> error = decoder.value().decode(message, arena, row);
    if (error) expect(error->kind == ErrorKind::Data);
    return error;
}

void expect_json(const Cell& cell) {
    if (cell.kind != CellKind::Text && cell.kind != CellKind::Json) return;
    simdjson::dom::parser parser;
    const auto code = parser.parse(std::string(cell.view())).error();
    // The parser takes fewer levels and shorter numbers than PostgreSQL.
    expect(code == simdjson::SUCCESS || code == simdjson::DEPTH_ERROR || code == simdjson::NUMBER_ERROR);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view writer = take_piece(input), reader = take_piece(input);
    const std::string_view piece = take_piece(input);
    // A block of exactly the message's size, so that a read past the end shows.
    const std::vector<char> exact(piece.begin(), piece.end());
    const std::string_view value(exact.data() ? exact.data() : "", exact.size());

    RecordSpec spec;
    spec.value = FormatSpec{Format::Avro, {}, {}};
    spec.value->schema.schema = {"w"};
    spec.value->schema.writers = {schema_of(writer)};
    if (!reader.empty()) {
        spec.value->schema.reader_schema = "r";
        spec.value->schema.reader = schema_of(reader);
    }
    spec.value->json.timestamp_unit = TimestampUnit::Milliseconds;
    constexpr ColumnShape kShapes[] = {ColumnShape::Scalar, ColumnShape::Integer, ColumnShape::Json,
                                       ColumnShape::Bytes,  ColumnShape::Date,    ColumnShape::Time,
                                       ColumnShape::Clock,  ColumnShape::Numeric, ColumnShape::Nested};
    // Each shape by itself: what one cannot take must not hide the others.
    Arena arena;
    std::vector<Cell> row;
    for (const ColumnShape shape : kShapes) {
        spec.columns = {{.name = "a", .shape = shape},
                        {.name = "b", .field = "b.c[1]", .shape = shape},
                        {.name = "m", .field = "a[0].k", .shape = shape}};
        if (decode(spec, value, arena, row)) continue;
        for (const Cell& cell : row) {
            if (shape == ColumnShape::Json || cell.kind == CellKind::Json) expect_json(cell);
            if (cell.kind == CellKind::Text && shape != ColumnShape::Json)
                expect(clean_text(cell.view(), TextCheck::Utf8));
        }
    }
    spec.columns = {{.name = "doc", .field = "$", .shape = ColumnShape::Json}};
    if (!decode(spec, value, arena, row) && row[0].kind == CellKind::Text) expect_json(row[0]);

    spec.value->format = Format::DebeziumAvro;
    spec.key = FormatSpec{Format::Avro, {}, {}, spec.value->schema};
    spec.columns = {{.name = "a"},
                    {.name = "b", .shape = ColumnShape::Json},
                    {.name = "op", .origin = Origin::Metadata, .metadata = Metadata::Change, .field = "op"}};
    (void)decode(spec, value, arena, row);
    return 0;
}
