#include "format_avro_helpers.hpp"

namespace sluice::avro {
namespace {

constexpr auto Json = ColumnShape::Json, Nested = ColumnShape::Nested;

const std::string kOrder = record(R"(
    {"name":"id","type":"long"},
    {"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[
        {"name":"sku","type":"string"},{"name":"n","type":"int"}]}}},
    {"name":"tags","type":{"type":"map","values":"string"}},
    {"name":"note","type":["null","string"]},
    {"name":"f","type":{"type":"fixed","name":"F","size":4}},
    {"name":"d","type":"double"},
    {"name":"b","type":"boolean"},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}})");

std::string order() {
    return number(7) + number(2) + text("s0") + number(1) + text("s1") + number(2) + number(0) + number(1) +
           text("k") + text("v") + number(0) + number(1) + text("note") + "wxyz" + raw(1.5) + "\1" +
           number(1);
}

RecordSpec all() {
    return source(kOrder, {column("id"), column("lines", {}, Json), column("second", "lines[1].sku"),
                           column("tags", {}, Json), column("k", "tags.k"), column("note"),
                           column("f", {}, ColumnShape::Bytes), column("d"), column("b"), column("e")});
}
RecordSpec some() { return source(kOrder, {column("id"), column("e")}); }
RecordSpec whole() { return source(kOrder, {column("doc", "$", Json)}); }

TEST(AvroHostile, EveryBeginningIsRefused) {
    const std::string good = order();
    for (const RecordSpec& spec : {all(), some(), whole()}) {
        const RecordDecoder decoder = decoder_of(spec);
        ASSERT_FALSE(decode_exact(decoder, good).error);
        for (size_t size = 0; size < good.size(); ++size) {
            const auto error = decode_exact(decoder, good.substr(0, size)).error;
            ASSERT_TRUE(error) << size;
            EXPECT_EQ(error->kind, ErrorKind::Data);
            EXPECT_EQ(error->sqlstate, "22P03");
        }
        const Error more = *decode_exact(decoder, good + "x").error;
        EXPECT_EQ(more.message, "avro value is not valid Avro at byte " + std::to_string(good.size()) +
                                    " of the value: 1 byte is left behind it");
    }
}

TEST(AvroHostile, EveryChangedByteIsReadOrRefused) {
    const std::string good = order();
    for (const RecordSpec& spec : {all(), some(), whole()}) {
        const RecordDecoder decoder = decoder_of(spec);
        for (size_t at = 0; at < good.size(); ++at) {
            for (const int value : {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff}) {
                std::string bad = good;
                bad[at] = static_cast<char>(value);
                const auto error = decode_exact(decoder, bad).error;
                EXPECT_TRUE(!error || error->kind == ErrorKind::Data);
            }
        }
    }
}

std::string fault_of(const std::string& type, const std::string& bytes, ColumnShape shape = Json) {
    const Error error = fault(source(one(type), {column("a", {}, shape)}), bytes);
    EXPECT_EQ(error.kind, ErrorKind::Data);
    return error.message.substr(error.message.find(':') + 2);
}

std::string skip_fault_of(const std::string& type, const std::string& bytes) {
    const Error error = fault(
        source(record(R"({"name":"a","type":)" + type + R"(},{"name":"b","type":"int"})"), {column("b")}),
        bytes);
    return error.message.substr(error.message.find(':') + 2);
}

TEST(AvroHostile, LengthsAreNotBelieved) {
    EXPECT_EQ(fault_of("\"string\"", number(1'000'000) + "x"), "a length is 1000000, and 1 byte is left");
    EXPECT_EQ(fault_of("\"bytes\"", number(-1)), "a length is -1, and 0 bytes are left");
    EXPECT_EQ(fault_of("\"bytes\"", number(INT64_MAX) + "xy"),
              "a length is 9223372036854775807, and 2 bytes are left");
    EXPECT_EQ(skip_fault_of("\"string\"", number(INT64_MIN)),
              "a length is -9223372036854775808, and 0 bytes are left");
    EXPECT_EQ(fault_of("\"double\"", "1234567"), "8 bytes are needed, and 7 are left");
    EXPECT_EQ(fault_of("\"boolean\"", "\2"), "a boolean is neither 0 nor 1");
    EXPECT_EQ(fault_of(R"({"type":"fixed","name":"F","size":2147483647})", "abc"),
              "2147483647 bytes are needed, and 3 are left");
}

TEST(AvroHostile, NumbersHaveTheirSize) {
    EXPECT_EQ(fault_of("\"long\"", std::string(10, '\xff') + "\1"), "a number has more than 64 bits");
    EXPECT_EQ(fault_of("\"long\"", std::string(9, '\xff') + "\2"), "a number has more than 64 bits");
    EXPECT_EQ(cell("\"long\"", std::string(9, '\xff') + "\1"), "int -9223372036854775808");
    EXPECT_EQ(fault_of("\"long\"", std::string(9, '\xff')), "the bytes end inside a number");
    EXPECT_EQ(fault_of("\"int\"", number(int64_t{INT32_MAX} + 1)), "an int does not fit into 32 bits");
    EXPECT_EQ(fault_of(R"(["null","int"])", number(2)), "number 2 is none of 2");
    EXPECT_EQ(fault_of(R"(["null","int"])", number(-1)), "number -1 is none of 2");
    EXPECT_EQ(fault_of(R"({"type":"enum","name":"E","symbols":["A"]})", number(1)), "number 1 is none of 1");
    EXPECT_EQ(skip_fault_of(R"({"type":"enum","name":"E","symbols":["A"]})", number(7)),
              "number 7 is none of 1");
}

TEST(AvroHostile, NumbersAreReadAlikeWhateverFollows) {
    for (int bits = 0; bits < 63; ++bits) {
        for (const int64_t value : {(int64_t{1} << bits) - 1, -(int64_t{1} << bits), int64_t{1} << bits}) {
            const std::string two = record(R"({"name":"a","type":"long"},{"name":"b","type":"string"})");
            for (const char* rest : {"", "x", "123456", "1234567", "123456789"}) {
                const std::string message = number(value) + text(rest);
                EXPECT_EQ(cells_of(source(two, {column("a"), column("b")}), message),
                          (Cells{"int " + std::to_string(value), rest}));
                EXPECT_EQ(cells_of(source(two, {column("b")}), message), (Cells{rest}));
            }
        }
    }
}

TEST(AvroHostile, BlocksAreNotBelieved) {
    const std::string ints = R"({"type":"array","items":"int"})", map = R"({"type":"map","values":"null"})";
    for (const bool skipped : {false, true}) {
        const auto what = [&](const std::string& type, const std::string& bytes) {
            return skipped ? skip_fault_of(type, bytes) : fault_of(type, bytes);
        };
        EXPECT_EQ(what(ints, number(1'000'000'000) + "x"),
                  "a block has 1000000000 items, and 1 byte is left");
        EXPECT_EQ(what(map, number(1'000'000'000) + "x"), "a block has 1000000000 items, and 1 byte is left");
        EXPECT_EQ(what(ints, number(-1) + number(50) + "x"), "a length is 50, and 1 byte is left");
        EXPECT_EQ(what(ints, number(-1) + number(-1) + "x"), "a length is -1, and 1 byte is left");
        EXPECT_EQ(what(ints, number(INT64_MIN) + number(1) + "x"),
                  "a block has 9223372036854775808 items, and 1 byte is left");
    }
    EXPECT_EQ(fault_of(ints, number(-1) + number(2) + number(1) + number(2) + number(0)),
              "a block does not have the bytes that it says");
    const Error inside = fault(source(kOrder, {column("lines", {}, Json)}),
                               number(7) + number(2) + text("s0") + number(1) + text("s1") +
                                   std::string(5, '\xff') + std::string(20, '\0'));
    EXPECT_EQ(inside.detail, "In field \"lines[1].n\". It was read by schema \"s\".");
}

TEST(AvroHostile, ItemsWithoutBytesAreNoBomb) {
    const std::string nulls = R"({"type":"array","items":"null"})";
    const std::string empties =
        R"({"type":"array","items":{"type":"record","name":"P","fields":[{"name":"x","type":"null"}]}})";
    const std::string bomb = number(INT64_MAX) + number(0);
    for (const std::string& type : {nulls, empties}) {
        EXPECT_EQ(fault(source(one(type), {column("a", {}, Json)}), bomb).sqlstate, "54001");
        EXPECT_EQ(fault(source(one(type), {column("a", {}, Nested)}), bomb).sqlstate, "54001");
        EXPECT_EQ(fault(source(one(type), {column("a", {}, Json)}), number(100'000'000) + number(0)).sqlstate,
                  "54001");
        // Who does not look at them has nothing to do.
        const std::string two = record(R"({"name":"a","type":)" + type + R"(},{"name":"b","type":"int"})");
        EXPECT_EQ(cells_of(source(two, {column("b")}), bomb + number(5)), (Cells{"int 5"}));
        std::string many;
        for (int i = 0; i < 1000; ++i) many += number(INT64_MAX);
        EXPECT_EQ(cells_of(source(two, {column("b"), column("x", "a[3].x")}), many + number(0) + number(5)),
                  (Cells{"int 5", "null"}));
    }
    EXPECT_EQ(cell(nulls, number(3) + number(0), Json), "[null,null,null]");
}

TEST(AvroHostile, LongNamesAreNoBomb) {
    // A byte of the message is 2,000 bytes of JSON.
    const std::string type = R"({"type":"array","items":{"type":"record","name":"P","fields":[{"name":")" +
                             std::string(2'000, 'n') + R"(","type":"boolean"}]}})";
    EXPECT_EQ(fault(source(one(type), {column("a", {}, Json)}),
                    number(100'000) + std::string(100'000, '\1') + number(0))
                  .sqlstate,
              "54001");
    EXPECT_EQ(cell(type, number(2) + "\1\1" + number(0), Json).size(), 2 * 2'009 + 3);
}

TEST(AvroHostile, ValuesAreNotTooDeep) {
    const std::string list = R"({"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]})";
    for (const RecordSpec& spec : {source(list, {column("a", "$", Json)}),
                                   source(R"({"type":"record","name":"T","fields":[{"name":"l","type":)" +
                                              list + R"(},{"name":"b","type":"int"}]})",
                                          {column("b")})}) {
        const Error deep = fault(spec, std::string(100'000, '\2') + std::string(2, '\0'));
        EXPECT_EQ(deep.sqlstate, "54001");
        EXPECT_LT(deep.detail.size(), 300u);
    }
    std::string shallow = "null";
    for (int i = 0; i < 400; ++i) shallow = R"({"next":)" + shallow + "}";
    EXPECT_EQ(cells_of(source(list, {column("a", "$", Json)}), std::string(399, '\2') + '\0'),
              (Cells{shallow}));
}

TEST(AvroHostile, PathsThroughWideUnionsAreBounded) {
    std::string branches;
    for (int i = 0; i < 20; ++i)
        branches += std::string(i ? "," : "") + R"({"type":"record","name":"B)" + std::to_string(i) +
                    R"(","fields":[{"name":"x","type":"R"}]})";
    const std::string schema = record(R"({"name":"x","type":["null",)" + branches + "]}");
    EXPECT_EQ(refusal_of(source(schema, {column("a", "x.x.x.x.x.x.x.x.x.x.x.x")})).sqlstate, "54000");
}

}  // namespace
}  // namespace sluice::avro
