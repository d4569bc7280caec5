// Any bytes as json of many rows: no crash, no read outside the message, and the rows are what the elements
// or the lines are when each is a message of its own. The input's first byte chooses the options.
#include "format/record_decoder.hpp"

#include <simdjson.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace sluice;

constexpr size_t kColumns = 4;

RecordDecoder decoder_of(JsonOptions options, std::vector<SourceColumn> columns) {
    RecordSpec spec;
    spec.value = FormatSpec{Format::Json, {}, std::move(options)};
    spec.columns = std::move(columns);
    return std::move(RecordDecoder::make(std::move(spec), nullptr)).value();
}

RecordDecoder rows_decoder(bool lines, bool strict) {
    return decoder_of({.missing_field = strict ? MissingField::Error : MissingField::Null,
                       .rows_path = "o.l",
                       .newline_delimited = lines},
                      {{.name = "a"},
                       {.name = "element", .field = "@", .shape = ColumnShape::Json},
                       {.name = "p", .field = "$.p"},
                       {.name = "again", .field = "$.o.l[0].a", .shape = ColumnShape::Json}});
}

std::optional<Error> decode(const RecordDecoder& decoder, std::string_view text, Arena& arena,
                            RowBuffer& rows) {
    MessageView message;
    message.value = Bytes::of(text);
    const size_t before = rows.size();
    auto error = decoder.decode(message, arena, rows);
    if (error && rows.size() != before) std::abort();
    return error;
}

void expect(bool right) {
    if (!right) std::abort();
}

bool same(const Cell& a, const Cell& b) {
    return a.kind == b.kind && (a.kind == CellKind::Null || a.view() == b.view());
}

// Each element must be what it is as a message.
void check_elements(std::string_view text, Arena& arena) {
    static const RecordDecoder many = rows_decoder(false, false);
    static const RecordDecoder one =
        decoder_of({}, {{.name = "l", .field = "o.l", .shape = ColumnShape::Json}, {.name = "p"}});
    static const RecordDecoder alone =
        decoder_of({}, {{.name = "a"}, {.name = "all", .field = "$", .shape = ColumnShape::Json}});
    RowBuffer rows(kColumns), around(2), element(2);
    const auto error = decode(many, text, arena, rows);
    if (decode(one, text, arena, around)) {
        expect(error.has_value());
        return;
    }
    const Cell& array = around[0][0];
    if (error) {
        expect(error->kind == ErrorKind::Data);
        return;
    }
    size_t count = 0;
    if (array.kind != CellKind::Null) {
        static simdjson::dom::parser parser;
        simdjson::dom::array parsed;
        const auto code = parser.parse(simdjson::padded_string(array.view())).get(parsed);
        // The parser also reads numbers and escapes, which here only columns that want them do.
        count = code == simdjson::SUCCESS ? parsed.size() : rows.size();
    }
    expect(rows.size() == count);
    for (size_t i = 0; i < rows.size(); ++i) {
        expect(same(rows[i][2], around[0][1]));
        const Cell& whole = rows[i][1];
        element.clear();
        const bool is_object = whole.kind == CellKind::Text && whole.data[0] == '{';
        if (is_object) expect(!decode(alone, whole.view(), arena, element));
        expect(is_object ? same(rows[i][0], element[0][0]) : rows[i][0].kind == CellKind::Null);
    }
}

// Each line must be what it is as a message.
void check_lines(std::string_view text, Arena& arena) {
    const std::vector<SourceColumn> columns{{.name = "a"},
                                            {.name = "b", .field = "b.c", .shape = ColumnShape::Json}};
    static const RecordDecoder many = decoder_of({.newline_delimited = true}, columns);
    static const RecordDecoder one = decoder_of({}, columns);
    RowBuffer rows(2), expected(2);
    const auto error = decode(many, text, arena, rows);
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.find_first_not_of(" \t\r") != line.npos && decode(one, line, arena, expected)) {
            expect(error.has_value());
            return;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    expect(!error && rows.size() == expected.size());
    for (size_t i = 0; i < rows.size(); ++i)
        for (size_t column = 0; column < 2; ++column) expect(same(rows[i][column], expected[i][column]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    // A block of exactly the message's size, so that a read past the end shows.
    const std::vector<char> exact(data + 1, data + size);
    const std::string_view text(exact.data(), exact.size());
    Arena arena;
    RowBuffer rows(kColumns);
    static const RecordDecoder strict = rows_decoder(false, true);
    static const RecordDecoder both = rows_decoder(true, false);
    switch (data[0] % 4) {
        case 0:
            check_elements(text, arena);
            break;
        case 1:
            check_lines(text, arena);
            break;
        case 2:
            (void)decode(strict, text, arena, rows);
            break;
        default:
            (void)decode(both, text, arena, rows);
    }
    return 0;
}
