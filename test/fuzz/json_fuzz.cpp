// Any bytes as json: no crash, no read outside the message, JSON where simdjson's own parser says so, and
// cells that are what it reads. The input's first byte chooses options and shapes.
#include "format/record_decoder.hpp"

#include <simdjson.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace sluice;

RecordDecoder decoder_of(uint8_t choice) {
    constexpr ColumnShape kShapes[] = {ColumnShape::Scalar, ColumnShape::Integer, ColumnShape::Bytes,
                                       ColumnShape::Time,   ColumnShape::Nested,  ColumnShape::Json};
    RecordSpec spec;
    spec.value = FormatSpec{Format::Json, {}, {}};
    if (choice & 1) spec.value->json.missing_field = MissingField::Error;
    if (choice & 2) spec.value->json.timestamp_unit = TimestampUnit::Seconds;
    spec.value->json.ignore_case = (choice & 4) != 0;
    spec.columns = {
        {.name = "a", .shape = kShapes[(choice >> 3) % 6]},
        {.name = "inner", .field = "b.c[1]", .shape = kShapes[(choice >> 5) % 6]},
        {.name = "b", .shape = ColumnShape::Json},
    };
    return std::move(RecordDecoder::make(std::move(spec), nullptr)).value();
}

RecordDecoder decoder_of_whole() {
    RecordSpec spec;
    spec.value = FormatSpec{Format::Json, {}, {}};
    spec.columns = {{.name = "doc", .field = "$", .shape = ColumnShape::Json}, {.name = "a"}};
    spec.columns[1].field = "\"a\"";
    return std::move(RecordDecoder::make(std::move(spec), nullptr)).value();
}

std::optional<Error> decode(const RecordDecoder& decoder, std::string_view text, Arena& arena, Row row) {
    MessageView message;
    message.value = Bytes::of(text);
    return decoder.decode(message, arena, row);
}

void expect(bool right) {
    if (!right) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    // A block of exactly the message's size, so that a read past the end shows.
    const std::vector<char> exact(data + 1, data + size);
    const std::string_view text(exact.data(), exact.size());
    Arena arena;
    std::vector<Cell> row(3);
    (void)decode(decoder_of(data[0]), text, arena, row);

    static simdjson::dom::parser parser;
    simdjson::dom::element parsed;
    const auto code = parser.parse(simdjson::padded_string(text)).get(parsed);
    static const RecordDecoder whole = decoder_of_whole();
    const auto error = decode(whole, text, arena, row);
    // The parser also reads numbers and escapes, which here only columns that want them do.
    const bool json =
        code == simdjson::SUCCESS || code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR;
    if (!error) expect(json || code == simdjson::DEPTH_ERROR || code == simdjson::UNESCAPED_CHARS);
    if (code != simdjson::SUCCESS || !parsed.is_object()) return 0;
    if (error) {
        // What PostgreSQL's text cannot hold.
        expect(error->sqlstate == "22P05" || error->sqlstate == "22P02" || error->sqlstate == "54001");
        return 0;
    }
    simdjson::dom::element last;
    bool found = false;
    for (const auto& [key, value] : simdjson::dom::object(parsed)) {
        if (key != "a") continue;
        last = value;
        found = true;
    }
    if (!found || last.is_null()) {
        expect(row[1].kind == CellKind::Null);
    } else if (std::string_view value; last.get(value) == simdjson::SUCCESS) {
        expect(row[1].kind == CellKind::Text && row[1].view() == value);
    } else {
        expect(row[1].kind == CellKind::Text);
        simdjson::dom::parser again;
        expect(simdjson::minify(again.parse(std::string(row[1].view())).value()) == simdjson::minify(last));
    }
    return 0;
}
