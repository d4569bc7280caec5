#include "format/json_rows.hpp"
#include "format_helpers.hpp"

namespace sluice {
namespace {

SourceColumn field(std::string name, std::string path = {}, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name), .field = std::move(path), .shape = shape};
}

RecordSpec source(std::vector<SourceColumn> columns, JsonOptions options) {
    RecordSpec spec;
    spec.value = FormatSpec{Format::Json, {}, std::move(options)};
    spec.columns = std::move(columns);
    return spec;
}

RecordSpec rows_of(std::string path, std::vector<SourceColumn> columns) {
    return source(std::move(columns), {.rows_path = std::move(path)});
}

JsonOptions lines(std::optional<std::string> rows_path = {}) {
    return {.rows_path = std::move(rows_path), .newline_delimited = true};
}

using Rows = std::vector<Texts>;

struct DecodedRows {
    Rows rows;
    std::optional<Error> error;
};

DecodedRows decode_rows(RecordSpec spec, Bytes value, Bytes key = {}) {
    const size_t columns = spec.columns.size();
    const RecordDecoder decoder = decoder_of(std::move(spec));
    Arena arena;
    RowBuffer buffer(columns);
    // A row of another message before it, which must stay, and garbage where rows will be.
    for (int i = 0; i < 5; ++i)
        for (Cell& cell : buffer.add()) cell = Cell::text("other");
    buffer.truncate(1);
    DecodedRows decoded;
    decoded.error = decoder.decode(message_of(value, key), arena, buffer);
    for (size_t i = 1; i < buffer.size(); ++i) {
        Texts& row = decoded.rows.emplace_back();
        for (const Cell& cell : buffer[i]) {
            if (cell.kind == CellKind::Null)
                row.push_back(kNull);
            else if (cell.kind == CellKind::Int)
                row.push_back(std::to_string(cell.number));
            else
                row.emplace_back(cell.view());
        }
    }
    if (decoded.error) {
        EXPECT_EQ(decoded.rows, Rows()) << "all or nothing";
    }
    for (const Cell& cell : buffer[0]) EXPECT_EQ(cell.view(), "other");
    return decoded;
}

// The bytes are in a block of exactly their size, so that a sanitizer sees every read past the end.
DecodedRows decode_exact(RecordSpec spec, std::string_view value) {
    const std::vector<char> exact(value.begin(), value.end());
    return decode_rows(std::move(spec), Bytes::of({exact.empty() ? "" : exact.data(), exact.size()}));
}

Rows rows(RecordSpec spec, std::string_view value) {
    DecodedRows decoded = decode_exact(std::move(spec), value);
    if (decoded.error) throw std::runtime_error("not decoded: " + decoded.error->message);
    return std::move(decoded.rows);
}

Error error_in(RecordSpec spec, std::string_view value) {
    const DecodedRows decoded = decode_exact(std::move(spec), value);
    if (!decoded.error) throw std::runtime_error("decoded without error");
    return *decoded.error;
}

std::string fault_in(RecordSpec spec, std::string_view value) {
    const Error error = error_in(std::move(spec), value);
    return error.sqlstate + " " + error.message;
}

TEST(JsonRows, EachElementIsARow) {
    const RecordSpec spec = rows_of("order.lines", {field("sku"), field("qty", "amount.qty")});
    EXPECT_EQ(rows(spec, R"({"order": {"lines": [{"sku": "a", "amount": {"qty": 1}}, {"sku": "b"}, {}]}})"),
              (Rows{{"a", "1"}, {"b", kNull}, {kNull, kNull}}));
    EXPECT_EQ(rows(spec, R"({"order": {"lines": [{"sku": "\u00e4\n"}]}})"), (Rows{{"ä\n", kNull}}));
}

TEST(JsonRows, FieldsOfTheMessageAreOnEachRowWhereverTheyStand) {
    const RecordSpec spec = rows_of(
        "order.lines",
        {field("sku"), field("id", "$.order.id"), field("shop", "$.shop"), field("total", "$.order.total")});
    const Rows expected{{"a", "7", "é", "9.50"}, {"b", "7", "é", "9.50"}};
    EXPECT_EQ(
        rows(
            spec,
            R"({"shop": "\u00e9", "order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}], "total": 9.50}})"),
        expected);
    EXPECT_EQ(
        rows(
            spec,
            R"({"order": {"lines": [{"sku": "a", "id": 1}, {"sku": "b"}], "total": 9.50, "id": 7}, "shop": "\u00e9"})"),
        expected);
    EXPECT_EQ(rows(spec, R"({"order": {"lines": [{"sku": "a"}]}})"), (Rows{{"a", kNull, kNull, kNull}}));
}

TEST(JsonRows, TheWholeMessageAndTheWholeElement) {
    const RecordSpec spec =
        rows_of("l", {field("element", "@", ColumnShape::Json), field("message", "$", ColumnShape::Json),
                      field("a", "@.a"), field("text", "@"), field("first", "$.l[0].a")});
    EXPECT_EQ(rows(spec, R"( {"l": [{"a": 1}, [2] , "x", null, 5]} )"),
              (Rows{{R"({"a": 1})", R"({"l": [{"a": 1}, [2] , "x", null, 5]})", "1", R"({"a": 1})", "1"},
                    {"[2]", R"({"l": [{"a": 1}, [2] , "x", null, 5]})", kNull, "[2]", "1"},
                    {"\"x\"", R"({"l": [{"a": 1}, [2] , "x", null, 5]})", kNull, "x", "1"},
                    {kNull, R"({"l": [{"a": 1}, [2] , "x", null, 5]})", kNull, kNull, "1"},
                    {"5", R"({"l": [{"a": 1}, [2] , "x", null, 5]})", kNull, "5", "1"}}));
}

TEST(JsonRows, TheValueItselfMayBeTheArray) {
    EXPECT_EQ(rows(rows_of("$", {field("a")}), R"([{"a": 1}, {"a": 2}])"), (Rows{{"1"}, {"2"}}));
    EXPECT_EQ(rows(rows_of("$", {field("x", "[1]")}), "[[1, 2], [3], 4]"), (Rows{{"2"}, {kNull}, {kNull}}));
    EXPECT_EQ(rows(rows_of("[1].l", {field("a"), field("n", "$[0]")}), R"([7, {"l": [{"a": 1}, {"a": 2}]}])"),
              (Rows{{"1", "7"}, {"2", "7"}}));
    EXPECT_EQ(fault_in(rows_of("$", {field("a")}), R"( {"a": 1})"),
              "22039 json value is not an array at byte 1 of the value");
}

TEST(JsonRows, NoArrayNoRows) {
    const RecordSpec spec = rows_of("o.l", {field("a"), field("id", "$.id")});
    for (const char* value : {R"({"o": {"l": []}})", R"({"o": {"l": [ ]}, "id": 1})", R"({"o": {"l": null}})",
                              R"({"o": {}})", R"({"o": 5})", R"({})", R"({"o": {"l": [1]}, "o": {}})"})
        EXPECT_EQ(rows(spec, value), Rows()) << value;
    RecordSpec strict = spec;
    strict.value->json.missing_field = MissingField::Error;
    EXPECT_EQ(rows(strict, R"({"o": {"l": []}, "id": 1})"), Rows());
    EXPECT_EQ(fault_in(strict, R"({"o": {}, "id": 1})"), "2203A json value has no field \"o.l\"");
    EXPECT_EQ(error_in(strict, R"({"o": {}, "id": 1})").hint,
              "Without option \"missing_field\" such a message has no rows.");
    EXPECT_EQ(fault_in(strict, R"({"o": {"l": null}, "id": 1})"),
              "22039 field \"o.l\" is null instead of an array");
    EXPECT_EQ(fault_in(strict, R"({"o": {"l": [{"a": 1}]}})"), "2203A json value has no field \"id\"");
    const Error missing = error_in(strict, R"({"o": {"l": [{"a": 1}, {"b": 1}]}, "id": 1})");
    EXPECT_EQ(missing.message, "json value has no field \"o.l[1].a\"");
    EXPECT_EQ(missing.detail, "The element begins at byte 23 of the value.");
    EXPECT_EQ(missing.column_name, "a");
}

TEST(JsonRows, SomethingElseThanAnArray) {
    const RecordSpec spec = rows_of("o.l", {field("a")});
    EXPECT_EQ(fault_in(spec, R"({"o": {"l": {"a": 1}}})"),
              "22039 field \"o.l\" is not an array at byte 12 of the value");
    EXPECT_EQ(fault_in(spec, R"({"o": {"l": "x"}})"),
              "22039 field \"o.l\" is not an array at byte 12 of the value");
    EXPECT_EQ(fault_in(spec, "5"), "2203C json value is not an object");
}

TEST(JsonRows, TheLastOfRepeatedArraysCounts) {
    const RecordSpec spec = rows_of("l", {field("a"), field("b", "$.b")});
    EXPECT_EQ(rows(spec, R"({"l": [{"a": 1}, {"a": 2}], "b": 1, "l": [{"a": 3, "a": 4}], "b": 2})"),
              (Rows{{"4", "2"}}));
    RecordSpec folded = spec;
    folded.value->json.ignore_case = true;
    EXPECT_EQ(rows(folded, R"({"L": [{"A": 1}], "B": 2})"), (Rows{{"1", "2"}}));
}

TEST(JsonRows, OneBadElementRejectsTheMessageAndIsNamed) {
    const RecordSpec spec =
        rows_of("o.\"l.x\"", {field("t"), field("b", "[1].c", ColumnShape::Bytes), field("r", "$.r")});
    EXPECT_EQ(
        fault_in(spec, R"({"o": {"l.x": [{"t": "a"}, {"t": "\u0000"}]}})"),
        "22P05 field \"o.\"l.x\"[1].t\" has an unsupported Unicode escape sequence at byte 34 of the value");
    EXPECT_EQ(fault_in(spec, R"({"o": {"l.x": [[0, {"c": "?"}]]}})"),
              "22P02 field \"o.\"l.x\"[0][1].c\" is not base64 at byte 25 of the value");
    EXPECT_EQ(fault_in(spec, R"({"o": {"l.x": [{"t": 1}]}, "r": "\ud800"})"),
              "22P02 field \"r\" has an invalid Unicode escape sequence at byte 33 of the value");
    const Error broken = error_in(spec, R"({"o": {"l.x": [{"t": 1}, {"t": nul}]}})");
    EXPECT_EQ(broken.message, "json value is not valid JSON at byte 31 of the value: a value is expected");
    EXPECT_EQ(broken.detail, "In field \"o.\"l.x\"[1].t\".");
    EXPECT_EQ(fault_in(rows_of("$", {field("t", "@")}), R"(["a", "\u0000"])"),
              "22P05 field \"[1]\" has an unsupported Unicode escape sequence at byte 7 of the value");
    const std::string whole = R"({"r": 1, "o": {"l.x": [{"t": "a"}, {"t": "b"}]}})";
    for (size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(error_in(spec, whole.substr(0, size)).sqlstate, "22P02") << size;
    EXPECT_EQ(fault_in(spec, whole + "]"),
              "22P02 json value is not valid JSON at byte 48 of the value: there is "
              "something after the end of the value");
}

TEST(JsonRows, KeyMetadataAndUnusedColumns) {
    RecordSpec spec = rows_of("l", {field("a"), key_column("k"), metadata_column("o", Metadata::Offset),
                                    field("unused"), field("around", "$.x")});
    spec.key = FormatSpec{Format::Text, {}, {}};
    spec.columns[3].wanted = false;
    const DecodedRows decoded =
        decode_rows(spec, Bytes::of(R"({"l": [{"a": 1}, {"a": 2, "unused": 5}], "x": 3})"), Bytes::of("key"));
    EXPECT_EQ(decoded.rows, (Rows{{"1", "key", "42", kNull, "3"}, {"2", "key", "42", kNull, "3"}}));
    // A job that uses nothing of the value has as many rows as any other.
    spec.columns[0].wanted = spec.columns[4].wanted = false;
    EXPECT_EQ(decode_rows(spec, Bytes::of(R"({"l": [1, 2, 3]})"), Bytes::of("key")).rows,
              Rows(3, Texts{kNull, "key", "42", kNull, kNull}));
    // A tombstone tells of its key.
    EXPECT_EQ(decode_rows(spec, Bytes(), Bytes::of("key")).rows, (Rows{{kNull, "key", "42", kNull, kNull}}));
}

TEST(JsonRows, EachLineIsARow) {
    const RecordSpec spec = source({field("a"), field("b")}, lines());
    EXPECT_EQ(rows(spec, "{\"a\": 1}\n{\"b\": 2}"), (Rows{{"1", kNull}, {kNull, "2"}}));
    EXPECT_EQ(rows(spec, "\n \t\r\n{\"a\": \"\\u00e4\\n\"}\r\n\r\n {\"a\": 2, \"b\": 3} \n\n"),
              (Rows{{"ä\n", kNull}, {"2", "3"}}));
    EXPECT_EQ(rows(spec, ""), Rows());
    EXPECT_EQ(rows(spec, "\n \n"), Rows());
    EXPECT_EQ(rows(source({field("v", "$")}, lines()), "1\n\"x\"\n[2]"), (Rows{{"1"}, {"x"}, {"[2]"}}));
}

TEST(JsonRows, AnErrorNamesTheLine) {
    const RecordSpec spec = source({field("a")}, lines());
    EXPECT_EQ(fault_in(spec, "{\"a\": 1}\n\n{\"a\": x}\n"),
              "22P02 json value is not valid JSON at byte 6 of line 3 of the value: a value is expected");
    EXPECT_EQ(
        fault_in(spec, "{\"a\": 1}\n{\"a\":\n 1}"),
        "22P02 json value is not valid JSON at byte 5 of line 2 of the value: the text ends where a value "
        "is expected");
    EXPECT_EQ(
        fault_in(spec, "{\"a\": 1}\n{\"a\": \"\\u0000\"}"),
        "22P05 field \"a\" has an unsupported Unicode escape sequence at byte 7 of line 2 of the value");
    EXPECT_EQ(fault_in(spec, "{}\n[1]"),
              "2203C json value is not an object at byte 0 of line 2 of the value");
    EXPECT_EQ(fault_in(spec, "{}\n\"\xff\""),
              "22021 json value is not valid UTF-8 at byte 1 of line 2 of the value");
    RecordSpec strict = spec;
    strict.value->json.missing_field = MissingField::Error;
    EXPECT_EQ(error_in(strict, "{\"a\": 1}\n {}").detail, "It begins at byte 1 of line 2 of the value.");
}

TEST(JsonRows, EachLineMayHaveAnArray) {
    const RecordSpec spec = source({field("a"), field("id", "$.id")}, lines("l"));
    EXPECT_EQ(rows(spec,
                   "{\"id\": 1, \"l\": [{\"a\": 1}, {\"a\": 2}]}\n{\"l\": []}\n{\"l\": [{}]}\n"
                   "{\"l\": [{\"a\": 3}], \"id\": 4}"),
              (Rows{{"1", "1"}, {"2", "1"}, {kNull, kNull}, {"3", "4"}}));
    EXPECT_EQ(fault_in(spec, "{}\n{\"l\": [{\"a\": \"\\u0000\"}]}"),
              "22P05 field \"l[0].a\" has an unsupported Unicode escape sequence at byte 14 of line 2 of the "
              "value");
    EXPECT_EQ(fault_in(spec, "{}\n{\"l\": 7}"),
              "22039 field \"l\" is not an array at byte 6 of line 2 of the value");
}

std::string array_of(size_t count) {
    std::string text = "[";
    for (size_t i = 0; i < count; ++i) text += i == 0 ? "0" : ",0";
    return text + "]";
}

TEST(JsonRows, CellsAreCountedBeforeThereIsMemoryForThem) {
    constexpr size_t kMost = JsonRowsDecoder::kMostCells / 4;
    const RecordSpec spec =
        rows_of("$", {field("a", "@"), field("b"), field("c"), metadata_column("o", Metadata::Offset)});
    const RecordDecoder decoder = decoder_of(spec);
    const auto size_after = [&](const RecordDecoder& by, const std::string& text, size_t columns) {
        Arena arena;
        RowBuffer buffer(columns);
        const auto error = by.decode(message_of(Bytes::of(text)), arena, buffer);
        if (error) {
            EXPECT_EQ(error->sqlstate, "54000");
            EXPECT_EQ(error->kind, ErrorKind::Data);
            EXPECT_EQ(error->message, "json value makes more than " +
                                          std::to_string(JsonRowsDecoder::kMostCells / columns) + " rows");
            EXPECT_NE(error->hint, "");
        }
        return error ? size_t{0} : buffer.size();
    };
    EXPECT_EQ(size_after(decoder, array_of(kMost), 4), kMost);
    EXPECT_EQ(size_after(decoder, array_of(kMost + 1), 4), 0u);
    // Elements of several tokens are counted one by one.
    std::string objects = "[";
    for (size_t i = 0; i < kMost; ++i) objects += "[0,0],";
    EXPECT_EQ(size_after(decoder, objects + "1,2]", 4), 0u);
    objects.back() = ']';
    EXPECT_EQ(size_after(decoder, objects, 4), kMost);

    const RecordDecoder by_line = decoder_of(source({field("a", "$"), field("b", "$")}, lines()));
    std::string text;
    for (size_t i = 0; i < JsonRowsDecoder::kMostCells / 2; ++i) text += "1\n\n";
    EXPECT_EQ(size_after(by_line, text, 2), JsonRowsDecoder::kMostCells / 2);
    EXPECT_EQ(size_after(by_line, text + "1", 2), 0u);
    // Arrays of several lines are one message's.
    const RecordDecoder both = decoder_of(source({field("a", "@"), field("b")}, lines("$")));
    const std::string half = array_of(JsonRowsDecoder::kMostCells / 4) + "\n";
    EXPECT_EQ(size_after(both, half + half, 2), JsonRowsDecoder::kMostCells / 2);
    EXPECT_EQ(size_after(both, half + half + "[0]", 2), 0u);
}

TEST(JsonRows, WhatRowsRepeatIsLimited) {
    const std::string large(1024 * 1024, 'x');
    const RecordSpec spec = rows_of("l", {field("a", "@"), field("x", "$.x")});
    const auto value = [&](size_t count) {
        return R"({"x": ")" + large + R"(", "l": )" + array_of(count) + "}";
    };
    EXPECT_EQ(rows(spec, value(256)).size(), 256u);
    EXPECT_EQ(fault_in(spec, value(257)), "54000 json value makes 257 rows that repeat more than 256 MiB");
    const RecordSpec metadata = source({field("a", "$"), metadata_column("v", Metadata::Value)}, lines());
    std::string many = "\"" + large + "\"";
    for (int i = 0; i < 256; ++i) many += "\n1";
    EXPECT_EQ(fault_in(metadata, many), "54000 json value makes 257 rows that repeat more than 256 MiB");
}

std::string refusal(RecordSpec spec) {
    const Error error = refusal_of(std::move(spec));
    EXPECT_EQ(error.sqlstate, "22023");
    return error.message + "\n" + error.hint;
}

TEST(JsonRows, WhereTheOptionsMeanNothing) {
    RecordSpec spec = rows_of("a[x]", {field("a")});
    EXPECT_EQ(refusal(spec).substr(0, 83),
              "option \"rows_path\": path has a bracket that does not hold the number of an item, as");
    for (const Format format : {Format::Csv, Format::Text, Format::ConnectJson, Format::DebeziumJson}) {
        spec.value->format = format;
        spec.value->json = {.rows_path = "a"};
        EXPECT_EQ(refusal(spec).substr(0, 44), "option \"rows_path\" means nothing to format \"");
        spec.value->json = {.newline_delimited = false};
        EXPECT_EQ(refusal(spec).substr(0, 52), "option \"newline_delimited\" means nothing to format \"");
        EXPECT_EQ(refusal(spec).substr(refusal(spec).find('\n')), "\nIt belongs to format \"json\".");
    }
    RecordSpec keyed;
    keyed.key = FormatSpec{Format::Json, {}, {.rows_path = "a"}};
    keyed.columns = {key_column("a")};
    EXPECT_EQ(refusal(keyed),
              "option \"rows_path\" means nothing to a key\n"
              "Rows are made of the value; each of them has the whole key.");
}

TEST(JsonRows, WithoutTheOptionsAMessageIsOneRow) {
    const RecordSpec plain =
        source({field("a", "$.a"), field("b", "@.b"), field("c", "$", ColumnShape::Json)}, {});
    EXPECT_EQ(rows(plain, R"({"a": 1, "b": 2})"), (Rows{{"1", "2", R"({"a": 1, "b": 2})"}}));
    EXPECT_EQ(rows(source({field("a")}, {.newline_delimited = false}), R"({"a": 1})"), (Rows{{"1"}}));
}

}  // namespace
}  // namespace sluice
