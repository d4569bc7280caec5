#include "format_avro_helpers.hpp"

#include <cmath>
#include <limits>

namespace sluice::avro {
namespace {

constexpr auto Scalar = ColumnShape::Scalar, Integer = ColumnShape::Integer, Json = ColumnShape::Json,
               AsBytes = ColumnShape::Bytes, Date = ColumnShape::Date, Time = ColumnShape::Time,
               Clock = ColumnShape::Clock, Numeric = ColumnShape::Numeric, Nested = ColumnShape::Nested;

std::string logical(const std::string& type, const std::string& name) {
    return R"({"type":")" + type + R"(","logicalType":")" + name + "\"}";
}

std::string connect(const std::string& type, const std::string& name) {
    return R"({"type":")" + type + R"(","connect.name":")" + name + "\"}";
}

TEST(AvroValues, Primitives) {
    EXPECT_EQ(cell("\"null\"", ""), "null");
    EXPECT_EQ(cell("\"boolean\"", "\1"), "true");
    EXPECT_EQ(cell("\"boolean\"", std::string(1, '\0')), "false");
    for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{63}, int64_t{64}, int64_t{-65},
                                int64_t{INT32_MAX}, int64_t{INT32_MIN}}) {
        EXPECT_EQ(cell("\"int\"", number(value)), "int " + std::to_string(value));
        EXPECT_EQ(cell("\"long\"", number(value), Integer), "int " + std::to_string(value));
        EXPECT_EQ(cell("\"long\"", number(value), Json), std::to_string(value));
    }
    EXPECT_EQ(cell("\"long\"", number(INT64_MIN), Numeric), "int -9223372036854775808");
    EXPECT_EQ(cell("\"long\"", number(INT64_MAX)), "int 9223372036854775807");
    EXPECT_EQ(cell("\"float\"", raw(0.1f)), "0.1");
    EXPECT_EQ(cell("\"double\"", raw(0.1)), "0.1");
    EXPECT_EQ(cell("\"double\"", raw(1e300)), "1e+300");
    EXPECT_EQ(cell("\"double\"", raw(-0.0)), "-0");
    EXPECT_EQ(cell("\"double\"", raw(std::numeric_limits<double>::infinity())), "Infinity");
    EXPECT_EQ(cell("\"float\"", raw(-std::numeric_limits<float>::infinity()), Json), "\"-Infinity\"");
    EXPECT_EQ(cell("\"double\"", raw(std::nan("")), Json), "\"NaN\"");
    EXPECT_EQ(cell("\"double\"", raw(100.0), Integer), "100");
    EXPECT_EQ(cell("\"double\"", raw(1e17), Integer), "100000000000000000");
    EXPECT_EQ(cell("\"double\"", raw(1.5), Integer), "1.5");
    EXPECT_EQ(cell("\"double\"", raw(1.5), Json), "1.5");
    EXPECT_EQ(cell("\"string\"", text("hé")), "hé");
    EXPECT_EQ(cell("\"string\"", text("")), "");
    EXPECT_EQ(cell("\"string\"", text("a\"\n"), Json), R"("a\"\n")");
    EXPECT_EQ(cell("\"string\"", text("ab"), AsBytes), "bytes ab");
    EXPECT_EQ(cell("\"bytes\"", text("\xff"), AsBytes), "bytes \xff");
    EXPECT_EQ(cell("\"bytes\"", text("ab")), "ab");
    EXPECT_EQ(cell("\"bytes\"", text("\xff"), Json), "\"/w==\"");
    EXPECT_EQ(cell(R"({"type":"fixed","name":"F","size":3})", "abc", AsBytes), "bytes abc");
    EXPECT_EQ(cell(R"({"type":"enum","name":"E","symbols":["A","B"]})", number(1)), "B");
    EXPECT_EQ(cell(R"({"type":"enum","name":"E","symbols":["A","B"]})", number(0), Json), "\"A\"");
}

TEST(AvroValues, TextMustBeWhatPostgresTakes) {
    const Error bad = fault(source(one("\"string\""), {column("a")}), text("ab\xff"));
    EXPECT_EQ(bad.sqlstate, "22021");
    EXPECT_EQ(bad.message, "column \"a\" is not valid UTF-8: 0xff at byte 3 of the value");
    EXPECT_EQ(bad.column_name, "a");
    EXPECT_EQ(fault(source(one("\"string\""), {column("a")}), text({"a\0", 2})).message,
              "column \"a\" contains a NUL byte at byte 2 of the value");
    const Error in_json = fault(source(one("\"string\""), {column("a", {}, Json)}), text("\xff"));
    EXPECT_EQ(in_json.sqlstate, "22021");
    EXPECT_EQ(in_json.detail, "In field \"a\". It was read by schema \"s\".");
    EXPECT_EQ(cell("\"string\"", text({"a\0", 2}), Json), "\"a\\u0000\"");  // jsonb refuses it, json does not
    EXPECT_EQ(fault(source(one("\"bytes\""), {column("a")}), text("\xff")).sqlstate, "22021");
}

TEST(AvroValues, Decimals) {
    const std::string decimal = R"({"type":"bytes","logicalType":"decimal","precision":20,"scale":2})";
    const std::string fixed =
        R"({"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":9,"scale":3})";
    EXPECT_EQ(cell(decimal, text("\x04\xd2"), Numeric), "12.34");
    EXPECT_EQ(cell(decimal, text("\xff"), Numeric), "-0.01");
    EXPECT_EQ(cell(decimal, text(""), Numeric), "0.00");
    EXPECT_EQ(cell(decimal, text("\x04\xd2"), Json), "12.34");
    EXPECT_EQ(cell(decimal, text("\x04\xd2"), AsBytes), "bytes \x04\xd2");
    EXPECT_EQ(cell(decimal, text("\x04\xb0"), Integer), "12");
    EXPECT_EQ(cell(decimal, text("\x04\xd2"), Integer), "12.34");
    EXPECT_EQ(cell(decimal, text("\x7f\xff\xff\xff\xff\xff\xff\xff\xff")), "23611832414348226068.47");
    EXPECT_EQ(cell(fixed, "\xff\xff\xff\xfe"), "-0.002");
    const Error large = fault(source(one(decimal), {column("a")}), text(std::string(70'000, '\x7f')));
    EXPECT_EQ(large.sqlstate, "22003");
    EXPECT_EQ(large.message, "field \"a\" is a decimal that numeric cannot hold at byte 0 of the value");
    const std::string variable =
        R"({"type":"record","name":"V","connect.name":"io.debezium.data.VariableScaleDecimal","fields":[
            {"name":"scale","type":"int"},{"name":"value","type":"bytes"}]})";
    EXPECT_EQ(cell(variable, number(1) + text("\x7b"), Numeric), "12.3");
    EXPECT_EQ(cell(variable, number(1) + text("\x7b"), Json), "12.3");
    EXPECT_EQ(cell(variable, number(-1) + text("\x7b")).substr(0, 50),
              "field \"a\" is a decimal that numeric cannot hold at");
}

TEST(AvroValues, DatesAndTimes) {
    EXPECT_EQ(cell(logical("int", "date"), number(19'000), Date), "us 1641600000000000");
    EXPECT_EQ(cell(logical("int", "date"), number(-1), Date), "us -86400000000");
    EXPECT_EQ(cell(logical("int", "date"), number(19'000)), "2022-01-08");
    EXPECT_EQ(cell(logical("int", "date"), number(11016), Json), "\"2000-02-29\"");
    EXPECT_EQ(cell(logical("int", "date"), number(-719'528)), "0001-01-01 BC");
    EXPECT_EQ(cell(logical("int", "date"), number(-719'162)), "0001-01-01");
    EXPECT_EQ(cell(logical("int", "date"), number(INT32_MAX)), "5881580-07-11");
    EXPECT_EQ(cell(logical("int", "date"), number(5), Integer), "int 5");
    EXPECT_EQ(cell(logical("int", "time-millis"), number(86'399'999), Clock), "23:59:59.999");
    EXPECT_EQ(cell(logical("long", "time-micros"), number(1), Clock), "00:00:00.000001");
    EXPECT_EQ(cell(logical("long", "time-micros"), number(86'400'000'000)), "24:00:00.000000");
    EXPECT_EQ(fault(source(one(logical("int", "time-millis")), {column("a")}), number(86'400'001)).sqlstate,
              "22008");
    EXPECT_EQ(fault(source(one(logical("int", "time-millis")), {column("a", {}, Json)}), number(-1)).message,
              "field \"a\" is a number that is out of range for a time of day at byte 0 of the value");
    const int64_t ms = 1'700'000'000'123;
    EXPECT_EQ(cell(logical("long", "timestamp-millis"), number(ms), Time), "us 1700000000123000");
    EXPECT_EQ(cell(logical("long", "timestamp-micros"), number(ms), Time), "us 1700000000123");
    EXPECT_EQ(cell(logical("long", "timestamp-nanos"), number(-1'500), Time), "us -2");
    EXPECT_EQ(cell(logical("long", "timestamp-nanos"), number(1'499), Time), "us 1");
    EXPECT_EQ(cell(logical("long", "timestamp-millis"), number(ms)), "2023-11-14T22:13:20.123Z");
    EXPECT_EQ(cell(logical("long", "timestamp-millis"), number(-1), Json), "\"1969-12-31T23:59:59.999Z\"");
    EXPECT_EQ(cell(logical("long", "timestamp-nanos"), number(1), Json),
              "\"1970-01-01T00:00:00.000000001Z\"");
    EXPECT_EQ(cell(logical("long", "timestamp-millis"), number(-62'135'596'800'001)),
              "0001-12-31T23:59:59.999Z BC");
    EXPECT_EQ(cell(logical("long", "timestamp-millis"), number(INT64_MIN), Time).substr(0, 37),
              "field \"a\" is out of range for a time ");
    EXPECT_EQ(cell(logical("long", "timestamp-micros"), number(INT64_MIN)),
              "290309-12-21T19:59:05.224192Z BC");
    EXPECT_EQ(cell(logical("long", "timestamp-millis"), number(5), Numeric), "int 5");
    EXPECT_EQ(cell(logical("long", "local-timestamp-millis"), number(ms), Time), "2023-11-14T22:13:20.123");
    EXPECT_EQ(cell(logical("long", "local-timestamp-micros"), number(0), Json),
              "\"1970-01-01T00:00:00.000000\"");
    EXPECT_EQ(cell(logical("long", "local-timestamp-millis"), number(ms), Date), "us 1700000000123000");
    const std::string duration = R"({"type":"fixed","name":"D","size":12,"logicalType":"duration"})";
    EXPECT_EQ(cell(duration, raw(uint32_t{14}) + raw(uint32_t{3}) + raw(uint32_t{4005})), "P14M3DT4.005S");
    EXPECT_EQ(cell(duration, std::string(12, '\xff'), Json), "\"P4294967295M4294967295DT4294967.295S\"");
    EXPECT_EQ(cell(duration, std::string(12, '\xff'), AsBytes), "bytes " + std::string(12, '\xff'));
}

TEST(AvroValues, PlainNumbersAreTimesOnlyByOption) {
    const Error none = fault(source(one("\"long\""), {column("a", {}, Time)}), number(5));
    EXPECT_EQ(none.sqlstate, "22007");
    EXPECT_EQ(none.message, "field \"a\" is a number, not a date or time at byte 0 of the value");
    JsonOptions seconds, millis;
    seconds.timestamp_unit = TimestampUnit::Seconds;
    millis.timestamp_unit = TimestampUnit::Milliseconds;
    EXPECT_EQ(cell("\"long\"", number(5), Time, seconds), "us 5000000");
    EXPECT_EQ(cell("\"int\"", number(5), Date, millis), "us 5000");
    EXPECT_EQ(cell("\"double\"", raw(1.5), Time, seconds), "us 1500000");
    EXPECT_EQ(cell("\"long\"", number(61), Clock, seconds), "00:01:01.000000");
    EXPECT_EQ(cell("\"long\"", number(INT64_MAX), Time, seconds).substr(0, 49),
              "field \"a\" is a number that is out of range for a ");
    EXPECT_EQ(cell("\"long\"", number(-1), Clock, seconds).substr(0, 49),
              "field \"a\" is a number that is out of range for a ");
    EXPECT_EQ(cell("\"double\"", raw(std::nan("")), Time, seconds).substr(0, 49),
              "field \"a\" is a number that is out of range for a ");
    // A logical type knows better.
    EXPECT_EQ(cell(logical("long", "timestamp-micros"), number(5), Time, seconds), "us 5");
}

TEST(AvroValues, NamesOfConnect) {
    EXPECT_EQ(cell(connect("int", "io.debezium.time.Date"), number(1), Date), "us 86400000000");
    EXPECT_EQ(cell(connect("long", "io.debezium.time.MicroTimestamp"), number(7), Time), "us 7");
    EXPECT_EQ(cell(connect("long", "io.debezium.time.NanoTimestamp"), number(7'000), Time), "us 7");
    EXPECT_EQ(cell(connect("long", "io.debezium.time.MicroTime"), number(7), Clock), "00:00:00.000007");
    EXPECT_EQ(cell(connect("string", "io.debezium.data.Json"), text(R"({"x":1})"), Json), R"({"x":1})");
    EXPECT_EQ(cell(connect("string", "io.debezium.time.ZonedTimestamp"), text("2024-01-01T00:00:00Z"), Time),
              "2024-01-01T00:00:00Z");
    const std::string bits =
        R"({"type":"bytes","connect.name":"io.debezium.data.Bits","connect.parameters":{"length":"5"}})";
    EXPECT_EQ(cell(bits, text("\x13")), "10011");
    EXPECT_EQ(cell(bits, text("\x13"), Json), "\"10011\"");
    const std::string decimal =
        R"({"type":"bytes","connect.name":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"1"}})";
    EXPECT_EQ(cell(decimal, text("\x7b"), Numeric), "12.3");
    const std::string uuid = logical("string", "uuid");
    EXPECT_EQ(cell(uuid, text("0f8fad5b-d9cb-469f-a165-70867728950e")),
              "0f8fad5b-d9cb-469f-a165-70867728950e");
    EXPECT_EQ(cell(R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})", "0123456789abcdef"),
              "30313233-3435-3637-3839-616263646566");
}

TEST(AvroValues, UnionsAreTheirValues) {
    EXPECT_EQ(cell(R"(["null","long"])", number(0)), "null");
    EXPECT_EQ(cell(R"(["null","long"])", number(1) + number(7)), "int 7");
    EXPECT_EQ(cell(R"(["string","null"])", number(0) + text("x"), Json), "\"x\"");
    EXPECT_EQ(cell(R"(["string","null"])", number(1), Json), "null");
    const std::string several = R"(["null","int","string",{"type":"record","name":"P","fields":[
        {"name":"x","type":"boolean"}]}])";
    EXPECT_EQ(cell(several, number(1) + number(5), Json), "5");
    EXPECT_EQ(cell(several, number(2) + text("t"), Json), "\"t\"");
    EXPECT_EQ(cell(several, number(3) + "\1", Json), R"({"x":true})");
    EXPECT_EQ(cell(several, number(3) + "\1"), R"({"x":true})");
}

TEST(AvroValues, ArraysMapsAndRecords) {
    const std::string ints = R"({"type":"array","items":"int"})";
    const std::string two = number(2) + number(1) + number(-1) + number(0);
    EXPECT_EQ(cell(ints, two, Nested), "json [1,-1]");
    EXPECT_EQ(cell(ints, two, Json), "[1,-1]");
    EXPECT_EQ(cell(ints, two), "[1,-1]");
    EXPECT_EQ(cell(ints, number(0), Json), "[]");
    // Blocks with their sizes, and several of them.
    EXPECT_EQ(
        cell(ints, number(-1) + number(1) + number(4) + number(2) + number(5) + number(6) + number(0), Json),
        "[4,5,6]");
    const std::string map = R"({"type":"map","values":["null","string"]})";
    EXPECT_EQ(
        cell(map, number(2) + text("k\"") + number(0) + text("l") + number(1) + text("v") + number(0), Json),
        R"({"k\"":null,"l":"v"})");
    EXPECT_EQ(cell(map, number(0), Json), "{}");
    const std::string bytes = R"({"type":"array","items":"bytes"})";
    EXPECT_EQ(cell(bytes, number(1) + text("\xab\xcd") + number(0), Nested), R"(json ["\\xabcd"])");
    EXPECT_EQ(cell(bytes, number(1) + text("\xab\xcd") + number(0), Json), R"(["q80="])");
    const std::string inner = R"({"type":"record","name":"P","fields":[{"name":"d","type":)" +
                              logical("int", "date") + R"(},{"name":"n","type":"null"}]})";
    EXPECT_EQ(cell(inner, number(0), Nested), R"(json {"d":"1970-01-01","n":null})");
}

TEST(AvroValues, PathsLeadInside) {
    const std::string schema = record(R"(
        {"name":"skip","type":{"type":"array","items":"string"}},
        {"name":"d","type":["null",{"type":"record","name":"D","fields":[
            {"name":"m","type":{"type":"map","values":"int"}},
            {"name":"items","type":{"type":"array","items":{"type":"record","name":"I","fields":[
                {"name":"sku","type":"string"},{"name":"n","type":"double"}]}}}]}]},
        {"name":"last","type":"int"})");
    const RecordSpec spec = source(
        schema, {column("sku", "d.items[1].sku"), column("d", {}, Json), column("k", "d.m.k"), column("last"),
                 column("gone"), column("deep", "last.x"), column("third", "d.items[2].n")});
    const std::string items = number(2) + text("s0") + raw(0.5) + text("s1") + raw(1.5) + number(0);
    const std::string map =
        number(3) + text("k") + number(1) + text("j") + number(2) + text("k") + number(3) + number(0);
    const std::string skipped =
        number(-2) + number(4) + text("a") + text("b") + number(1) + text("c") + number(0);
    EXPECT_EQ(cells_of(spec, skipped + number(1) + map + items + number(9)),
              (Cells{"s1", R"({"m":{"k":1,"j":2,"k":3},"items":[{"sku":"s0","n":0.5},{"sku":"s1","n":1.5}]})",
                     "int 3", "int 9", "null", "null", "null"}));
    EXPECT_EQ(cells_of(spec, number(0) + number(0) + number(9)),
              (Cells{"null", "null", "null", "int 9", "null", "null", "null"}));
    JsonOptions strict;
    strict.missing_field = MissingField::Error;
    const Error missing =
        fault(source(schema, {column("k", "d.m.k")}, strict), number(0) + number(0) + number(9));
    EXPECT_EQ(missing.sqlstate, "2203A");
    EXPECT_EQ(missing.message, "avro value has no field \"d.m.k\"");
    EXPECT_EQ(missing.column_name, "k");
    JsonOptions any_case;
    any_case.ignore_case = true;
    EXPECT_EQ(cells_of(source(schema, {column("LAST"), column("x", "D.M.k")}, any_case),
                       number(0) + number(1) + map + number(0) + number(9)),
              (Cells{"int 9", "int 3"}));
}

TEST(AvroValues, TheWholeValue) {
    EXPECT_EQ(cells_of(source("\"long\"", {column("a", "$")}), number(4)), (Cells{"int 4"}));
    EXPECT_EQ(cells_of(source(one("\"int\""), {column("doc", "$", Json), column("a")}), number(4)),
              (Cells{R"({"a":4})", "int 4"}));
    EXPECT_EQ(cells_of(source(R"({"type":"map","values":"int"})", {column("a"), column("b")}),
                       number(1) + text("b") + number(2) + number(0)),
              (Cells{"null", "int 2"}));
    const Error shape = fault(source("\"long\"", {column("a")}), number(4));
    EXPECT_EQ(shape.sqlstate, "2203C");
    EXPECT_EQ(shape.message, "avro value is not a record");
}

TEST(AvroValues, OneValueForSeveralColumns) {
    EXPECT_EQ(cells_of(source(one(logical("long", "timestamp-millis")),
                              {column("t", "a", Time), column("n", "a", Integer), column("s", "a")}),
                       number(1)),
              (Cells{"us 1000", "int 1", "1970-01-01T00:00:00.001Z"}));
}

TEST(AvroValues, UnwantedColumnsAreNotDecoded) {
    RecordSpec spec = source(record(R"({"name":"a","type":"string"},{"name":"b","type":"int"})"),
                             {column("a"), column("b")});
    spec.columns[0].wanted = false;
    EXPECT_EQ(cells_of(spec, text("\xff") + number(3)), (Cells{"null", "int 3"}));
}

}  // namespace
}  // namespace sluice::avro
