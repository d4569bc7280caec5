#include "protobuf_shop.hpp"

namespace sluice {
namespace {

TEST(Protobuf, ScalarsOfEveryType) {
    const RecordSpec spec =
        source({shaped("i32"), shaped("i64"), shaped("u32"), shaped("u64"), shaped("s32"), shaped("s64"),
                shaped("f32"), shaped("f64"), shaped("sf32"), shaped("sf64"), shaped("real"), shaped("twice"),
                shaped("flag"), shaped("text"), shaped("raw", {}, ColumnShape::Bytes), shaped("color"),
                shaped("far")});
    EXPECT_EQ(
        shown(spec,
              order("i32: -5 i64: -9223372036854775808 u32: 4294967295 u64: 18446744073709551615 s32: "
                    "-2147483648 s64: -9223372036854775808 f32: 4294967295 f64: 18446744073709551615 sf32: "
                    "-7 sf64: "
                    "-8 real: 0.1 twice: 1e300 flag: true text: 'é' raw: '\\000\\377' color: BLUE far: 7")),
        (Texts{"-5", "-9223372036854775808", "4294967295", "18446744073709551615", "-2147483648",
               "-9223372036854775808", "4294967295", "18446744073709551615", "-7", "-8", "0.1", "1e+300",
               "true", "é", std::string("bytes \0\377", 8), "BLUE", "7"}));
    // Nothing in the message: what has no presence is zero.
    EXPECT_EQ(shown(spec, ""), (Texts{"0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "false", "",
                                      "bytes ", "NONE", "0"}));
}

TEST(Protobuf, PresenceDecidesBetweenZeroAndNull) {
    const RecordSpec spec =
        source({shaped("maybe"), shaped("number"), shaped("line", {}, ColumnShape::Json), shaped("at"),
                shaped("wrapped"), shaped("buyer_name", "buyer.name"),
                shaped("many", {}, ColumnShape::Nested), shaped("counts", {}, ColumnShape::Json)});
    EXPECT_EQ(shown(spec, ""), (Texts{kNull, kNull, kNull, kNull, kNull, kNull, "json []", "{}"}));
    EXPECT_EQ(shown(spec, order("maybe: 0 number: 0 buyer {} wrapped {} at {}")),
              (Texts{"0", "0", kNull, "1970-01-01T00:00:00Z", "0", "", "json []", "{}"}));
}

TEST(Protobuf, MissingFieldsMayBeErrors) {
    RecordSpec spec = source({shaped("i32"), shaped("maybe")});
    spec.value->json.missing_field = MissingField::Error;
    EXPECT_EQ(shown(spec, order("maybe: 1")), (Texts{"0", "1"}));
    const Error error = error_of(spec, order("i32: 1"));
    EXPECT_EQ(error.message, "protobuf value has no field \"maybe\"");
    EXPECT_EQ(error.sqlstate, "2203A");
    EXPECT_EQ(error.column_name, "maybe");
}

TEST(Protobuf, TheLastOneWinsAndMessagesAreMerged) {
    const RecordSpec spec =
        source({shaped("i32"), shaped("name", "buyer.name"), shaped("sku", "buyer.last.sku"),
                shaped("n", "buyer.last.quantity"), shaped("many", {}, ColumnShape::Json),
                shaped("buyer", {}, ColumnShape::Json)});
    const std::string twice = order("i32: 1 many: 1 buyer {name: 'a' last {sku: 's' tags: 'x'}}") +
                              order("i32: 2 many: 2 many: 3 buyer {last {quantity: 3 tags: 'y'}}");
    EXPECT_EQ(shown(spec, twice),
              (Texts{"2", "a", "s", "3", "[1,2,3]",
                     R"({"name":"a","last":{"sku":"s","quantity":3,"tags":["x","y"]}})"}));
}

TEST(Protobuf, OneofHasOneMember) {
    const RecordSpec spec = source({shaped("number"), shaped("word"), shaped("sku", "line.sku"),
                                    shaped("n", "line.quantity"), shaped("line", {}, ColumnShape::Json)});
    EXPECT_EQ(shown(spec, order("number: 5")), (Texts{"5", kNull, kNull, kNull, kNull}));
    EXPECT_EQ(shown(spec, order("number: 5") + order("word: 'w'")), (Texts{kNull, "w", kNull, kNull, kNull}));
    EXPECT_EQ(shown(spec, order("line {sku: 'a'}") + order("line {quantity: 2}")),
              (Texts{kNull, kNull, "a", "2", R"({"sku":"a","quantity":2,"tags":[]})"}));
    // What was there before another member is not merged.
    EXPECT_EQ(shown(spec, order("line {sku: 'a'}") + order("number: 1") + order("line {quantity: 2}")),
              (Texts{kNull, kNull, "", "2", R"({"sku":"","quantity":2,"tags":[]})"}));
    // Also when no column wants the other.
    EXPECT_EQ(shown(source({shaped("number")}), order("number: 5") + order("word: 'w'")), (Texts{kNull}));
}

TEST(Protobuf, PathsLeadIntoMessagesListsAndMaps) {
    const std::string text =
        "buyer {name: 'b' last {tags: 't0' tags: 't1'}} many: [7, 8, 9] lines {sku: 'l0'} "
        "lines {sku: 'l1' price: 4 tags: 'x'} counts {key: 'a.b' value: 1} counts {key: 'c' "
        "value: 2} by_number {key: -4 value {sku: 'm'}} by_flag {key: true value: 'yes'} by_big "
        "{key: 18446744073709551615 value: 'B'}";
    EXPECT_EQ(cell("buyer.last.tags[1]", text), "t1");
    EXPECT_EQ(cell("many[2]", text), "9");
    EXPECT_EQ(cell("many[3]", text), kNull);
    EXPECT_EQ(cell("lines[1].sku", text), "l1");
    EXPECT_EQ(cell("lines[1].tags", text, ColumnShape::Nested), "json [\"x\"]");
    EXPECT_EQ(cell("lines[1]", text, ColumnShape::Json),
              R"({"sku":"l1","quantity":0,"tags":["x"],"price":4})");
    EXPECT_EQ(cell("lines[0].price", text), kNull);
    EXPECT_EQ(cell("lines[0].quantity", text), "0");
    EXPECT_EQ(cell("lines[2].quantity", text), kNull);
    EXPECT_EQ(cell("counts.\"a.b\"", text), "1");
    EXPECT_EQ(cell("counts.d", text), kNull);
    EXPECT_EQ(cell("by_number.\"-4\".sku", text), "m");
    EXPECT_EQ(cell("by_flag.true", text), "yes");
    EXPECT_EQ(cell("by_big.\"18446744073709551615\"", text, ColumnShape::Bytes), "bytes B");
    EXPECT_EQ(cell("inner.inner.i32", "inner {inner {i32: 3}}"), "3");
    EXPECT_EQ(cell("wrapped.value", "wrapped {value: 3}"), "3");
    EXPECT_EQ(cell("at.nanos", "at {nanos: 3}"), "3");
    // Several columns of one list.
    EXPECT_EQ(shown(source({shaped("b", "lines[1].sku"), shaped("a", "lines[0].sku"), shaped("n", "many[1]"),
                            shaped("all", "many", ColumnShape::Nested)}),
                    order(text)),
              (Texts{"l1", "l0", "8", "json [7,8,9]"}));
}

TEST(Protobuf, MapsTakeTheLastOfEqualKeys) {
    const std::string twice =
        order("counts {key: 'b' value: 1} counts {key: 'a' value: 2}") + order("counts {key: 'b' value: 3}");
    EXPECT_EQ(shown(source({shaped("counts", {}, ColumnShape::Json), shaped("b", "counts.b")}), twice),
              (Texts{R"({"a":2,"b":3})", "3"}));
    // An entry without key or value has the zero of its type.
    EXPECT_EQ(shown(source({shaped("counts"), shaped("by_number"), shaped("none", "counts.\"\"")}),
                    std::string("\xda\x01\x00\xe2\x01\x00", 6)),
              (Texts{R"({"":0})", R"({"0":{"sku":"","quantity":0,"tags":[]}})", "0"}));
}

TEST(Protobuf, PackedAndUnpackedAreTheSame) {
    const RecordSpec spec = source({shaped("many"), shaped("first", "many[0]"), shaped("third", "many[2]")});
    EXPECT_EQ(shown(spec, "\xb2\x01\x02\x01\x02\xb0\x01\x03"), (Texts{"[1,2,3]", "1", "3"}));
    // A packed value for a field that is not repeated is unknown.
    EXPECT_EQ(shown(source({shaped("i32")}), "\x0a\x01\x05"), (Texts{"0"}));
}

TEST(Protobuf, ListsAndMessagesAsJson) {
    const std::string text =
        "words: 'a\"b' words: 'é\\n' colors: [RED, 7] blobs: '\\000\\377' u64: 18446744073709551615 lines {}";
    EXPECT_EQ(cell("words", text, ColumnShape::Json), R"(["a\"b","é\n"])");
    EXPECT_EQ(cell("words", text, ColumnShape::Nested), R"(json ["a\"b","é\n"])");
    EXPECT_EQ(cell("words", text), R"(["a\"b","é\n"])");
    EXPECT_EQ(cell("colors", text, ColumnShape::Json), R"(["RED",7])");
    // base64 for JSON, digits that the input of bytea reads for arrays.
    EXPECT_EQ(cell("blobs", text, ColumnShape::Json), R"(["AP8="])");
    EXPECT_EQ(cell("blobs", text, ColumnShape::Nested), R"(json ["\\x00ff"])");
    EXPECT_EQ(cell("u64", text, ColumnShape::Json), "18446744073709551615");
    EXPECT_EQ(cell("text", "text: 'a\"'", ColumnShape::Json), R"("a\"")");
    EXPECT_EQ(cell("raw", "raw: 'ab'", ColumnShape::Json), R"("YWI=")");
    EXPECT_EQ(cell("color", "color: RED", ColumnShape::Json), R"("RED")");
    EXPECT_EQ(cell("twice", "twice: nan", ColumnShape::Json), R"("NaN")");
    EXPECT_EQ(cell("buyer", "buyer {name: 'n'}", ColumnShape::Nested), R"(json {"name":"n"})");
    // The whole message, with what has no presence and without what is absent.
    const auto whole = cell("$", "i32: 1 lines {price: 0}", ColumnShape::Json);
    EXPECT_TRUE(whole->starts_with(R"({"i32":1,"i64":0,)")) << *whole;
    EXPECT_NE(whole->find(R"("lines":[{"sku":"","quantity":0,"tags":[],"price":0}],"colors":[])"),
              std::string::npos)
        << *whole;
    EXPECT_EQ(whole->find("maybe"), std::string::npos);
}

TEST(Protobuf, EnumsByNameOrNumber) {
    EXPECT_EQ(cell("color", "color: RED"), "RED");
    EXPECT_EQ(cell("color", "color: RED", ColumnShape::Integer), "1");
    EXPECT_EQ(cell("color", "color: 77"), "77");
    EXPECT_EQ(shown(source({shaped("color")}), "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
              (Texts{"-1"}));
    EXPECT_EQ(cell("nothing", "nothing: NULL_VALUE"), kNull);
}

TEST(Protobuf, RealNumbers) {
    EXPECT_EQ(cell("twice", "twice: 100000"), "100000");
    EXPECT_EQ(cell("twice", "twice: 0.1"), "0.1");
    EXPECT_EQ(cell("twice", "twice: -0.0"), "-0");
    EXPECT_EQ(cell("twice", "twice: 123456789012345680000"), "1.2345678901234568e+20");
    EXPECT_EQ(cell("twice", "twice: 0.0000001"), "1e-07");
    EXPECT_EQ(cell("twice", "twice: inf"), "Infinity");
    EXPECT_EQ(cell("twice", "twice: -inf"), "-Infinity");
    EXPECT_EQ(cell("twice", "twice: nan"), "NaN");
    EXPECT_EQ(cell("real", "real: 3.4028235e38"), "3.4028235e+38");
    EXPECT_EQ(cell("twice", "twice: 3e9", ColumnShape::Integer), "3000000000");
    EXPECT_EQ(cell("twice", "twice: 1.5", ColumnShape::Integer), "1.5");
    EXPECT_EQ(cell("twice", "twice: 1e19", ColumnShape::Integer), "1e+19");
}

TEST(Protobuf, TimesAndDurations) {
    EXPECT_EQ(cell("at", "at {seconds: 1700000000 nanos: 123456789}", ColumnShape::Time),
              "us 1700000000123457");
    EXPECT_EQ(cell("at", "at {seconds: -1 nanos: 999999999}", ColumnShape::Time), "us 0");
    EXPECT_EQ(cell("at", "at {seconds: 1700000000}", ColumnShape::Date), "us 1700000000000000");
    EXPECT_EQ(cell("at", "at {seconds: 1700000000 nanos: 120000000}"), "2023-11-14T22:13:20.120Z");
    EXPECT_EQ(cell("at", "at {seconds: -62135596800 nanos: 1000}"), "0001-01-01T00:00:00.000001Z");
    EXPECT_EQ(cell("at", "at {seconds: 253402300799 nanos: 1}"), "9999-12-31T23:59:59.000000001Z");
    EXPECT_EQ(cell("at", "at {seconds: 1}", ColumnShape::Json), "\"1970-01-01T00:00:01Z\"");
    EXPECT_EQ(cell("times", "times {seconds: 1} times {}", ColumnShape::Nested),
              R"(json ["1970-01-01T00:00:01Z","1970-01-01T00:00:00Z"])");
    EXPECT_EQ(cell("times[1]", "times {seconds: 1} times {seconds: 2}", ColumnShape::Time), "us 2000000");
    EXPECT_EQ(cell("took", "took {seconds: -1 nanos: -500000000}"), "-1.500s");
    EXPECT_EQ(cell("took", "took {nanos: -1}"), "-0.000000001s");
    EXPECT_EQ(cell("took", "took {seconds: 315576000000}"), "315576000000s");
    const auto error = [](const std::string& path, const std::string& text) {
        return error_of(source({shaped("c", path, ColumnShape::Time)}), order(text)).message;
    };
    EXPECT_EQ(error("at", "at {seconds: 253402300800}"),
              "field \"at\" is out of range for a Timestamp at byte 3 of the value");
    EXPECT_EQ(error("at", "at {nanos: -1}"),
              "field \"at\" is out of range for a Timestamp at byte 3 of the value");
    EXPECT_EQ(error("took", "took {seconds: 1 nanos: -1}"),
              "field \"took\" is out of range for a Duration at byte 3 of the value");
    EXPECT_EQ(error("took", "took {seconds: -9223372036854775808}"),
              "field \"took\" is out of range for a Duration at byte 3 of the value");
}

TEST(Protobuf, NumbersCountTimesWhenSomebodySaysSo) {
    RecordSpec spec = source({shaped("i64", {}, ColumnShape::Time), shaped("twice", {}, ColumnShape::Date),
                              shaped("u32", {}, ColumnShape::Clock)});
    EXPECT_EQ(refusal_of(spec).message, "column \"i64\": field \"i64\" is a number, not a date or time");
    spec.value->json.timestamp_unit = TimestampUnit::Milliseconds;
    EXPECT_EQ(shown(spec, order("i64: 1700000000123 twice: 1.5 u32: 3661001")),
              (Texts{"us 1700000000123000", "us 1500", "01:01:01.001000"}));
    EXPECT_EQ(error_of(spec, order("i64: 9223372036854775807")).message,
              "field \"i64\" is a number that is out of range for a time at byte 1 of the value");
    EXPECT_EQ(error_of(spec, order("u32: 86400001")).message,
              "field \"u32\" is a number that is out of range for a time of day at byte 1 of the value");
    EXPECT_EQ(error_of(spec, order("twice: nan")).sqlstate, "22008");
}

TEST(Protobuf, WellKnownTypes) {
    EXPECT_EQ(cell("wrapped", "wrapped {value: 5}"), "5");
    EXPECT_EQ(cell("wrapped", "wrapped {value: 5}", ColumnShape::Json), "5");
    EXPECT_EQ(cell("name", "name {value: 'x'}", ColumnShape::Json), "\"x\"");
    const std::string extra =
        "extra {fields {key: 'n' value {number_value: 1.5}} fields {key: 'a' value {list_value "
        "{values {string_value: 's'} values {null_value: NULL_VALUE} values {bool_value: true} "
        "values {struct_value {}}}}}}";
    EXPECT_EQ(cell("extra", extra, ColumnShape::Json), R"({"a":["s",null,true,{}],"n":1.5})");
    EXPECT_EQ(cell("extra.fields.n.number_value", extra), "1.5");
    EXPECT_EQ(cell("any_value", "any_value {string_value: 's'}"), "s");
    EXPECT_EQ(cell("any_value", "any_value {string_value: 's'}", ColumnShape::Json), "\"s\"");
    EXPECT_EQ(cell("any_value", "any_value {null_value: NULL_VALUE}"), kNull);
    EXPECT_EQ(cell("any_value", "any_value {list_value {values {number_value: 1}}}", ColumnShape::Nested),
              "json [1]");
    EXPECT_EQ(cell("list", "list {values {number_value: 1}}"), "[1]");
    EXPECT_EQ(cell("mask", "mask {paths: 'a.b_c' paths: 'd'}"), "a.b_c,d");
    EXPECT_EQ(cell("mask", "mask {paths: 'a.b_c' paths: 'd'}", ColumnShape::Json), "\"a.b_c,d\"");
    EXPECT_EQ(cell("any", "any {[type.googleapis.com/shop.Line] {sku: 's'}}", ColumnShape::Json),
              R"({"@type":"type.googleapis.com/shop.Line","sku":"s","quantity":0,"tags":[]})");
    EXPECT_EQ(
        cell("any", "any {[type.googleapis.com/google.protobuf.Duration] {seconds: 1}}", ColumnShape::Json),
        R"({"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"})");
    EXPECT_EQ(cell("any", "any {type_url: 'x/y.Z' value: 'ab'}", ColumnShape::Json),
              R"({"type_url":"x/y.Z","value":"YWI="})");
}

}  // namespace
}  // namespace sluice
