#include "format_helpers.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace sluice {
namespace {

SourceColumn field(std::string name, std::string path = {}, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name), .field = std::move(path), .shape = shape};
}

RecordSpec json_source(std::vector<SourceColumn> columns, JsonOptions options = {}) {
    RecordSpec spec;
    spec.value = FormatSpec{Format::Json, {}, options};
    spec.columns = std::move(columns);
    return spec;
}

RecordSpec one(ColumnShape shape, JsonOptions options = {}) {
    return json_source({field("a", {}, shape)}, options);
}

Decoded decode_exact(RecordSpec spec, std::string_view value) {
    const std::vector<char> exact(value.begin(), value.end());
    return decode(decoder_of(std::move(spec)),
                  message_of(Bytes::of({exact.empty() ? "" : exact.data(), exact.size()})));
}

std::string fault_of(std::string_view value) { return error_of(json_source({field("a")}), value).message; }

TEST(Json, FieldsGoToColumnsByName) {
    const RecordSpec spec = json_source({field("b"), field("a"), field("c")});
    EXPECT_EQ(cells(spec, R"({"a": 1, "b": "x", "d": [1, {"a": 2}], "c": true})"), (Texts{"x", "1", "true"}));
    EXPECT_EQ(cells(spec, R"({})"), (Texts{kNull, kNull, kNull}));
    EXPECT_EQ(cells(spec, R"({"a":null,"b":"","c":"null"})"), (Texts{"", kNull, "null"}));
    EXPECT_EQ(cells(spec, " \n{\t\"a\" : -1.5e3 ,\r\n \"b\":\"y\" } "), (Texts{"y", "-1.5e3", kNull}));
}

TEST(Json, PathsLeadInside) {
    const RecordSpec spec =
        json_source({field("note", "details.note"), field("sku", "details.items[1].sku"),
                     field("details", {}, ColumnShape::Json), field("dotted", "\"a.b\"")});
    EXPECT_EQ(cells(spec, R"({"details":{"note":"n","items":[{"sku":1},{"sku":2},{"sku":3}]},"a.b":7})"),
              (Texts{"n", "2", R"({"note":"n","items":[{"sku":1},{"sku":2},{"sku":3}]})", "7"}));
    EXPECT_EQ(cells(spec, R"({"details":{"items":[5]}})"), (Texts{kNull, kNull, R"({"items":[5]})", kNull}));
    EXPECT_EQ(cells(spec, R"({"details":"flat"})"), (Texts{kNull, kNull, R"("flat")", kNull}));
    EXPECT_EQ(cells(spec, R"({"details":{"items":[5,[1]]}, "a":{"b":1}})"),
              (Texts{kNull, kNull, R"({"items":[5,[1]]})", kNull}));
}

TEST(Json, TheWholeValue) {
    const RecordSpec spec = json_source({field("doc", "$", ColumnShape::Json), field("a")});
    EXPECT_EQ(cells(spec, R"( {"a": "\n"} )"), (Texts{R"({"a": "\n"})", "\n"}));
    const RecordSpec any = json_source({field("doc", "$", ColumnShape::Json)});
    EXPECT_EQ(cells(any, " [1, 2] "), (Texts{"[1, 2]"}));
    EXPECT_EQ(cells(any, "\"x\""), (Texts{"\"x\""}));
    EXPECT_EQ(cells(any, "null"), (Texts{kNull}));
    const RecordSpec first = json_source({field("x", "[0]"), field("z", "[2].z")});
    EXPECT_EQ(cells(first, R"([1,2,{"z":3},4])"), (Texts{"1", "3"}));
}

TEST(Json, TextTakesAnythingAndJsonTakesItAsItStands) {
    EXPECT_EQ(cells(one(ColumnShape::Scalar), R"({"a": {"b": "\u00e4"}})"), (Texts{R"({"b": "\u00e4"})"}));
    EXPECT_EQ(cells(one(ColumnShape::Scalar), R"({"a": "\u00e4\n\"\\\/\ud83d\ude00"})"),
              (Texts{"ä\n\"\\/😀"}));
    EXPECT_EQ(cells(one(ColumnShape::Json), R"({"a":"\u00e4" })"), (Texts{R"("\u00e4")"}));
    EXPECT_EQ(cells(one(ColumnShape::Json), R"({"a": 1e400 ,"b":0})"), (Texts{"1e400"}));
    // json keeps what jsonb and text cannot hold.
    EXPECT_EQ(cells(one(ColumnShape::Json), R"({"a":"\u0000\ud800"})"), (Texts{R"("\u0000\ud800")"}));
}

TEST(Json, NumbersKeepTheirDigits) {
    const RecordSpec spec = one(ColumnShape::Scalar);
    for (const char* number : {"0", "-0", "123456789012345678901234567890.12345678901234567890", "1e400",
                               "1E-7", "0.10", "-1.50e+10"})
        EXPECT_EQ(cells(spec, std::string("{\"a\":") + number + "}"), (Texts{number}));
}

TEST(Json, WholeNumbersInAnyNotationFitIntegers) {
    const RecordSpec spec = one(ColumnShape::Integer);
    const auto number = [&](const std::string& text) { return *cells(spec, "{\"a\":" + text + "}")[0]; };
    EXPECT_EQ(number("12"), "12");
    EXPECT_EQ(number("1e2"), "100");
    EXPECT_EQ(number("100.00"), "100");
    EXPECT_EQ(number("-1.50e1"), "-15");
    EXPECT_EQ(number("1200e-2"), "12");
    EXPECT_EQ(number("0.0e99"), "0");
    EXPECT_EQ(number("9223372036854775807.0"), "9223372036854775807");
    // The type's input function refuses these, with the number as it stands.
    for (const char* text : {"1.5", "1e-1", "1e30", "0.1e-99999999999999999999", "1e99999999999999999999"})
        EXPECT_EQ(number(text), text);
}

TEST(Json, TimesAreCountedInTheUnitThatIsSet) {
    const auto time = [](TimestampUnit unit, const std::string& text) {
        const Decoded decoded =
            decode_exact(one(ColumnShape::Time, {.timestamp_unit = unit}), "{\"a\":" + text + "}");
        EXPECT_FALSE(decoded.error);
        EXPECT_EQ(decoded.kinds, (std::vector{CellKind::EpochUs}));
        return decoded.numbers[0];
    };
    EXPECT_EQ(time(TimestampUnit::Seconds, "1700000000"), 1700000000000000);
    EXPECT_EQ(time(TimestampUnit::Seconds, "1700000000.123456789"), 1700000000123457);
    EXPECT_EQ(time(TimestampUnit::Seconds, "1.7e9"), 1700000000000000);
    EXPECT_EQ(time(TimestampUnit::Seconds, "0.0000004"), 0);
    EXPECT_EQ(time(TimestampUnit::Seconds, "0.0000005"), 1);
    EXPECT_EQ(time(TimestampUnit::Milliseconds, "-1.5"), -1500);
    EXPECT_EQ(time(TimestampUnit::Microseconds, "1700000000123456"), 1700000000123456);
    EXPECT_EQ(time(TimestampUnit::Microseconds, "1e-999999999999"), 0);

    const RecordSpec set = one(ColumnShape::Time, {.timestamp_unit = TimestampUnit::Seconds});
    EXPECT_EQ(cells(set, R"({"a":"2024-01-01T00:00:00Z"})"), (Texts{"2024-01-01T00:00:00Z"}));
    EXPECT_EQ(error_of(set, R"({"a":1e30})").sqlstate, "22008");
    const Error error = error_of(one(ColumnShape::Time), R"({"a": 1700000000})");
    EXPECT_EQ(error.sqlstate, "22007");
    EXPECT_EQ(error.message, "field \"a\" is a number, not a date or time at byte 6 of the value");
    EXPECT_EQ(error.column_name, "a");
    EXPECT_NE(error.hint, "");
}

TEST(Json, BytesAreBase64) {
    const auto bytes = [](const std::string& text) {
        const Decoded decoded = decode_exact(one(ColumnShape::Bytes), "{\"a\":\"" + text + "\"}");
        EXPECT_FALSE(decoded.error) << text;
        EXPECT_EQ(decoded.kinds, (std::vector{CellKind::Binary}));
        return *decoded.texts[0];
    };
    EXPECT_EQ(bytes(""), "");
    EXPECT_EQ(bytes("AA=="), std::string(1, '\0'));
    EXPECT_EQ(bytes("AP8="), std::string("\0\xff", 2));
    EXPECT_EQ(bytes("AP8"), std::string("\0\xff", 2));
    EXPECT_EQ(bytes("c2x1aWNl"), "sluice");
    EXPECT_EQ(bytes("-_-_"), "\xfb\xff\xbf");
    EXPECT_EQ(bytes("c2x1\\r\\naWNl"), "sluice");
    EXPECT_EQ(cells(one(ColumnShape::Bytes), R"({"a":"\\x00ff"})"), (Texts{"\\x00ff"}));
    for (const char* wrong : {"A", "AA=", "A===", "AA==AA==", "A A=", "AAAA=", "Ä"}) {
        const Error error = error_of(one(ColumnShape::Bytes), "{\"a\":\"" + std::string(wrong) + "\"}");
        EXPECT_EQ(error.sqlstate, "22P02") << wrong;
        EXPECT_EQ(error.message, "field \"a\" is not base64 at byte 5 of the value");
    }
}

TEST(Json, ArraysAndCompositesAreTakenApartByTheirType) {
    const RecordSpec spec = one(ColumnShape::Nested);
    EXPECT_EQ(decode_exact(spec, R"({"a":[1, 2]})").kinds, (std::vector{CellKind::Json}));
    EXPECT_EQ(decode_exact(spec, R"({"a":{"x":1}})").texts, (Texts{R"({"x":1})"}));
    EXPECT_EQ(decode_exact(spec, R"({"a":"{1,2}"})").kinds, (std::vector{CellKind::Text}));
}

TEST(Json, TheLastOfRepeatedNamesWins) {
    const RecordSpec spec =
        json_source({field("a"), field("x", "o.x"), field("y", "o.y"), field("o", {}, ColumnShape::Json)});
    EXPECT_EQ(cells(spec, R"({"a":1,"a":2})"), (Texts{"2", kNull, kNull, kNull}));
    EXPECT_EQ(cells(spec, R"({"a":1,"\u0061":null})"), (Texts{kNull, kNull, kNull, kNull}));
    EXPECT_EQ(cells(spec, R"({"o":{"x":1},"o":{"y":2}})"), (Texts{kNull, kNull, "2", R"({"y":2})"}));
    EXPECT_EQ(cells(spec, R"({"o":{"x":1},"o":3})"), (Texts{kNull, kNull, kNull, "3"}));
}

TEST(Json, NamesMayBeEscaped) {
    const RecordSpec spec = json_source({field("a\nb"), field("é"), field("q\"")});
    EXPECT_EQ(cells(spec, R"({"a\nb":1,"\u00e9":2,"\u0000":3,"\ud800":4,"q\"":5})"), (Texts{"1", "2", "5"}));
}

TEST(Json, CaseCanBeIgnored) {
    const std::string value = R"({"ID":1,"Sub":{"nAme":"n"}})";
    EXPECT_EQ(cells(json_source({field("id"), field("n", "sub.name")}), value), (Texts{kNull, kNull}));
    EXPECT_EQ(cells(json_source({field("id"), field("n", "sub.NAME")}, {.ignore_case = true}), value),
              (Texts{"1", "n"}));
    const std::string longer(300, 'x');
    EXPECT_EQ(
        cells(json_source({field(longer)}, {.ignore_case = true}), "{\"" + std::string(300, 'X') + "\":1}"),
        (Texts{"1"}));
}

TEST(Json, MissingFieldsCanBeErrors) {
    const RecordSpec spec =
        json_source({field("a"), field("n", "o.n")}, {.missing_field = MissingField::Error});
    EXPECT_EQ(cells(spec, R"({"a":null,"o":{"n":1}})"), (Texts{kNull, "1"}));
    const Error error = error_of(spec, R"({"a":1,"o":{}})");
    EXPECT_EQ(error.kind, ErrorKind::Data);
    EXPECT_EQ(error.sqlstate, "2203A");
    EXPECT_EQ(error.message, "json value has no field \"o.n\"");
    EXPECT_EQ(error.column_name, "n");
    RecordSpec unwanted = spec;
    unwanted.columns[1].wanted = false;
    EXPECT_EQ(cells(unwanted, R"({"a":1})"), (Texts{"1", kNull}));
}

TEST(Json, UnwantedColumnsAreNullButTheMessageIsChecked) {
    RecordSpec spec = json_source({field("a"), field("b", {}, ColumnShape::Bytes)});
    spec.columns[1].wanted = false;
    EXPECT_EQ(cells(spec, R"({"b":"no base64","a":1})"), (Texts{"1", kNull}));
    EXPECT_EQ(error_of(spec, R"({"b":nope,"a":1})").sqlstate, "22P02");
    spec.columns[0].wanted = false;
    EXPECT_EQ(cells(spec, "rubbish"), (Texts{kNull, kNull}));
}

TEST(Json, KeysAndNulls) {
    RecordSpec spec = json_source({field("a")});
    spec.key = FormatSpec{Format::Json, {}, {}};
    spec.columns.push_back({.name = "k", .origin = Origin::Key, .field = "id"});
    const RecordDecoder decoder = decoder_of(spec);
    EXPECT_EQ(decode(decoder, message_of(Bytes::of(R"({"a":1})"), Bytes::of(R"({"id":7})"))).texts,
              (Texts{"1", "7"}));
    EXPECT_EQ(decode(decoder, message_of({}, Bytes::of(R"({"id":7})"))).texts, (Texts{kNull, "7"}));
    EXPECT_EQ(decode(decoder, message_of(Bytes::of("{}"), Bytes::of("7"))).error->message,
              "json key is not an object");
}

TEST(Json, WhatIsNoObjectHasNoFields) {
    for (const char* value : {"[1]", "\"x\"", "1", "true", "null", "[]"}) {
        const Error error = error_of(json_source({field("a")}), value);
        EXPECT_EQ(error.sqlstate, "2203C") << value;
        EXPECT_EQ(error.message, "json value is not an object");
    }
    EXPECT_EQ(error_of(json_source({field("a", "[0]")}), "{}").message, "json value is not an array");
}

TEST(Json, MalformedTextIsNamedWithPlace) {
    EXPECT_EQ(fault_of(""), "json value is not valid JSON at byte 0 of the value: there is no value");
    EXPECT_EQ(fault_of("  "), "json value is not valid JSON at byte 2 of the value: there is no value");
    EXPECT_EQ(fault_of("{"),
              "json value is not valid JSON at byte 1 of the value: the name of a field is expected");
    EXPECT_EQ(
        fault_of(R"({"a" 1})"),
        "json value is not valid JSON at byte 5 of the value: \":\" is expected after the name of a field");
    EXPECT_EQ(fault_of(R"({"a":1 "b":2})"),
              "json value is not valid JSON at byte 7 of the value: \",\" or \"}\" is expected");
    EXPECT_EQ(fault_of(R"({"a":1,})"),
              "json value is not valid JSON at byte 7 of the value: the name of a field is expected");
    EXPECT_EQ(fault_of(R"({"a":[1,]})"),
              "json value is not valid JSON at byte 8 of the value: a value is expected");
    EXPECT_EQ(fault_of(R"({"a":[1})"),
              "json value is not valid JSON at byte 7 of the value: \",\" or \"]\" is expected");
    EXPECT_EQ(fault_of(R"({"a":01})"),
              "json value is not valid JSON at byte 5 of the value: a value is expected");
    EXPECT_EQ(fault_of(R"({"a":"x)"),
              "json value is not valid JSON at byte 5 of the value: a string is never closed");
    EXPECT_EQ(fault_of("{\"a\":\"x\ny\"}"),
              "json value is not valid JSON at byte 7 of the value: a control character in a string must be "
              "escaped");
    EXPECT_EQ(fault_of(R"({"a":"\x"})"),
              "json value is not valid JSON at byte 6 of the value: an escape sequence is not one of JSON's");
    EXPECT_EQ(fault_of(R"({"a":"\u12g4"})"),
              "json value is not valid JSON at byte 6 of the value: \"\\u\" must be "
              "followed by four hexadecimal digits");
    EXPECT_EQ(
        fault_of(R"({"a":1} x)"),
        "json value is not valid JSON at byte 8 of the value: there is something after the end of the value");
    EXPECT_EQ(fault_of("{\"a\":\"\xc3(\"}"), "json value is not valid UTF-8 at byte 6 of the value");
    const Error error = error_of(json_source({field("a")}), R"({"x":{"y.z":[0,{"b":tru}]}})");
    EXPECT_EQ(error.kind, ErrorKind::Data);
    EXPECT_EQ(error.sqlstate, "22P02");
    EXPECT_EQ(error.detail, "In field \"x.\"y.z\"[1].b\".");
    EXPECT_NE(error.hint, "");
}

TEST(Json, EscapesThatNoTextCanHold) {
    const Error nul = error_of(one(ColumnShape::Scalar), R"({"a":"x\u0000"})");
    EXPECT_EQ(nul.sqlstate, "22P05");
    EXPECT_EQ(nul.message, "field \"a\" has an unsupported Unicode escape sequence at byte 7 of the value");
    EXPECT_EQ(nul.column_name, "a");
    for (const char* lone : {"\\ud83d", "\\ud83dx", "\\ud83d\\u0041", "\\ude00", "\\ud83d\\ud83d"})
        EXPECT_EQ(error_of(one(ColumnShape::Scalar), "{\"a\":\"" + std::string(lone) + "\"}").sqlstate,
                  "22P02")
            << lone;
    // Nobody wants it, so it need only be JSON.
    EXPECT_EQ(cells(one(ColumnShape::Scalar), R"({"b":"\u0000\ud83d","a":1})"), (Texts{"1"}));
}

TEST(Json, DepthAndSizeHaveALimit) {
    const auto nested = [](size_t levels) {
        return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
    };
    EXPECT_EQ(cells(one(ColumnShape::Json), nested(1000))[0]->size(), 1998u);
    const Error deep = error_of(one(ColumnShape::Json), nested(1001));
    EXPECT_EQ(deep.sqlstate, "54001");
    EXPECT_EQ(deep.kind, ErrorKind::Data);
    EXPECT_EQ(error_of(one(ColumnShape::Json), std::string(10'000'000, '[')).sqlstate, "54001");
    EXPECT_EQ(error_of(one(ColumnShape::Json), std::string(64 * 1024 * 1024 + 1, ' ')).sqlstate, "54001");
    EXPECT_EQ(error_of(one(ColumnShape::Json), std::string(5'000'000, ',')).sqlstate, "22P02");
}

TEST(Json, LargeValues) {
    const std::string big(10'000'000, 'x');
    const RecordDecoder decoder = decoder_of(json_source({field("a")}));
    EXPECT_EQ(decode(decoder, message_of(Bytes::of("{\"a\":\"" + big + "\"}"))).texts, (Texts{big}));
    // What was made large becomes small again and works.
    EXPECT_EQ(decode(decoder, message_of(Bytes::of("{\"a\":1}"))).texts, (Texts{"1"}));
}

TEST(Json, BytesThatAreNoJsonAnywhereNeverDecode) {
    const std::string good = R"({"b":[1,{"c":"x"}],"a":"y"})";
    for (size_t length = 0; length < good.size(); ++length)
        EXPECT_TRUE(decode_exact(json_source({field("a")}), good.substr(0, length)).error) << length;
    for (size_t at = 0; at < good.size(); ++at)
        for (char wrong : {'\0', '\x01', '\x0c', '\x1a', '\xff'}) {
            std::string bad = good;
            bad[at] = wrong;
            EXPECT_TRUE(decode_exact(json_source({field("a")}), bad).error) << at;
        }
}

// simdjson's first stage promises nothing about it; a copy of each message would cost time.
TEST(Json, NothingIsReadPastTheEndOfTheMessage) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    char* pages = static_cast<char*>(
        mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(pages, MAP_FAILED);
    ASSERT_EQ(mprotect(pages + page, page, PROT_NONE), 0);
    const RecordDecoder decoder = decoder_of(json_source({field("a")}));
    for (size_t length = 0; length < 300; ++length)
        for (const char* ending :
             {"", "\"", "}", "\"}", "\\", "\\\"", ":", "1", "\xf0", "\"\xe2\x82", ",[", " "}) {
            std::string text = "{\"b\":\"" + std::string(length, 'x') + "\",\"a\":\"y\"}";
            text.resize(length);
            text += ending;
            char* at = pages + page - text.size();
            std::memcpy(at, text.data(), text.size());
            (void)decode(decoder, message_of(Bytes::of({at, text.size()})));
        }
    munmap(pages, 2 * page);
}

TEST(Json, OptionsOfOtherFormatsAreRefused) {
    RecordSpec spec = json_source({field("a")});
    spec.value->delimited.quote = "'";
    EXPECT_EQ(refusal_of(spec).message, "option \"quote\" means nothing to format \"json\"");
    spec = csv_source(1);
    spec.value->json.ignore_case = true;
    EXPECT_EQ(refusal_of(spec).message, "option \"ignore_case\" means nothing to format \"csv\"");
    spec = csv_source(1);
    spec.columns[0].field = "x";
    const Error error = refusal_of(spec);
    EXPECT_EQ(error.message, "column \"c1\": option \"field\" means nothing to format \"csv\"");
    EXPECT_EQ(error.column_name, "c1");
    EXPECT_EQ(refusal_of(json_source({field("a", "b[")})).sqlstate, "22023");
}

}  // namespace
}  // namespace sluice
