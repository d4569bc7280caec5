#include "format/infer.hpp"
#include "format/value_sketch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

std::string type_of(std::vector<std::string> texts, void (ValueSketch::*add)(std::string_view)) {
    ValueSketch sketch;
    for (const std::string& text : texts) (sketch.*add)(text);
    return std::string(sketch.type());
}

TEST(ValueSketch, TakesTheNarrowestTypeThatHoldsAll) {
    const auto texts = [](std::vector<std::string> all) { return type_of(all, &ValueSketch::add_text); };
    EXPECT_EQ(texts({"2026-11-21"}), "date");
    EXPECT_EQ(texts({"2026-11-21", "2026-11-21 10:00"}), "timestamp");
    EXPECT_EQ(texts({"2026-11-21T10:00:00Z", "2026-11-21T10:00:00.123456+01:00", "2026-11-21 10:00:00-0330"}),
              "timestamptz");
    EXPECT_EQ(texts({"2026-11-21T10:00:00Z", "2026-11-21T10:00:00"}), "text");
    EXPECT_EQ(texts({"2026-13-21"}), "text");
    EXPECT_EQ(texts({"2026-11-21T10:00:00Zulu"}), "text");
    EXPECT_EQ(texts({"2026-11-21T"}), "text");
    EXPECT_EQ(texts({"0b0c4f9e-26e6-4a2c-9f67-3a1f0c7e2d11"}), "uuid");
    EXPECT_EQ(texts({"0b0c4f9e-26e6-4a2c-9f67-3a1f0c7e2d1g"}), "text");
    EXPECT_EQ(texts({"17"}), "text");
    EXPECT_EQ(texts({""}), "text");
    EXPECT_EQ(texts({}), "text");

    const auto numbers = [](std::vector<std::string> all) { return type_of(all, &ValueSketch::add_number); };
    EXPECT_EQ(numbers({"1", "-9223372036854775808"}), "bigint");
    EXPECT_EQ(numbers({"1", "9223372036854775808"}), "numeric");
    EXPECT_EQ(numbers({"1", "1.5"}), "numeric");
    EXPECT_EQ(numbers({"1e2"}), "numeric");

    const auto fields = [](std::vector<std::string> all) { return type_of(all, &ValueSketch::add_untyped); };
    EXPECT_EQ(fields({"17", "-3"}), "bigint");
    EXPECT_EQ(fields({"17.50"}), "numeric");
    EXPECT_EQ(fields({"007"}), "text");
    EXPECT_EQ(fields({"true", "f"}), "boolean");
    EXPECT_EQ(fields({"true", "1"}), "text");
    EXPECT_EQ(fields({"-"}), "text");
}

Inference infer(Format format, std::vector<std::string> payloads, Origin part = Origin::Value,
                const std::vector<InferredColumn>& others = {}) {
    RecordSpec formats;
    (part == Origin::Key ? formats.key : formats.value) = FormatSpec{.format = format};
    std::vector<Bytes> bytes;
    for (const std::string& payload : payloads) bytes.push_back(Bytes::of(payload));
    Result<Inference> result = infer_columns(formats, part, bytes, others);
    EXPECT_TRUE(result) << result.error().message;
    return std::move(result).value();
}

std::string shown(const Inference& inference) {
    std::string text;
    for (const InferredColumn& c : inference.columns)
        text += (text.empty() ? "" : ", ") + c.column.name + " " + c.type +
                (c.column.field.empty() ? "" : " (" + c.column.field + ")") + " " + std::to_string(c.seen);
    return text;
}

TEST(Infer, JsonByTheFieldsOfAllMessages) {
    const Inference found = infer(
        Format::Json, {R"({"id": 1, "at": "2026-11-21T10:00:00Z", "tags": ["a"], "ok": true, "gone": null})",
                       R"({"id": 2.5, "at": "2026-11-21T10:00:01Z", "details": {"note": "x"}})", "nonsense"});
    EXPECT_EQ(shown(found),
              "id numeric 2, at timestamptz 2, tags jsonb 1, ok boolean 1, gone text 0, details jsonb 1");
    EXPECT_EQ(found.rows, 2u);
    EXPECT_EQ(found.undecodable, 1u);
    EXPECT_EQ(found.error->sqlstate, "22P02");
    EXPECT_EQ(found.columns[0].example, "1");
}

TEST(Infer, JsonThatIsNoObjectIsOneColumn) {
    EXPECT_EQ(shown(infer(Format::Json, {"17", "18"})), "value bigint (@) 2");
    EXPECT_EQ(shown(infer(Format::Json, {"[1, 2]"})), "value jsonb (@) 1");
    EXPECT_EQ(shown(infer(Format::Json, {})), "");
}

TEST(Infer, LongNamesAreCutAndFoundByTheirField) {
    const std::string name(100, 'n');
    const Inference found = infer(Format::Json, {"{\"" + name + "1\": 1, \"" + name + "2\": 2, \"a.b\": 3}"});
    ASSERT_EQ(found.columns.size(), 3u);
    EXPECT_EQ(found.columns[0].column.name, std::string(63, 'n'));
    EXPECT_EQ(found.columns[0].column.field, name + "1");
    EXPECT_EQ(found.columns[1].column.name, std::string(61, 'n') + "_2");
    EXPECT_EQ(found.columns[2].column.name, "a.b");
    EXPECT_EQ(found.columns[2].column.field, "");
}

TEST(Infer, ColumnsOfTheKeyDoNotClash) {
    const Inference value = infer(Format::Json, {R"({"id": 1})"});
    EXPECT_EQ(shown(infer(Format::Json, {R"({"id": 1, "region": "eu"})"}, Origin::Key, value.columns)),
              "key_id bigint (id) 1, region text 1");
    EXPECT_EQ(shown(infer(Format::Text, {"k"}, Origin::Key, value.columns)), "key text 1");
}

TEST(Infer, ConnectSchemasTellTypes) {
    const std::string schema =
        R"({"type": "struct", "fields": [{"field": "id", "type": "int32"}, {"field": "price", "type": "bytes",)"
        R"( "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2", "connect.decimal.precision": "10"}},)"
        R"( {"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"},)"
        R"( {"field": "zoned", "type": "string", "name": "io.debezium.time.ZonedTimestamp"}]})";
    const std::string row = R"({"id": 1, "price": "AfQ=", "at": 0, "zoned": "2026-11-21T10:00:00Z"})";
    EXPECT_EQ(shown(infer(Format::ConnectJson, {R"({"schema": )" + schema + R"(, "payload": )" + row + "}"})),
              "id integer 1, price numeric(10,2) 1, at timestamp 1, zoned timestamptz 1");
}

TEST(Infer, ChangesHaveTheirOperation) {
    EXPECT_EQ(shown(infer(Format::DebeziumJson,
                          {R"({"before": null, "after": {"id": 1, "note": "x"}, "op": "c", "source": {}})",
                           R"({"before": {"id": 1}, "after": null, "op": "d", "source": {}})"})),
              "id bigint 2, note text 1, op text (op) 2");
}

TEST(Infer, CsvByPlace) {
    const Inference found = infer(Format::Csv, {"1,2026-11-21,\"a,b\",", "2,2026-11-22,c,7", "only one"});
    EXPECT_EQ(shown(found), "column1 bigint 2, column2 date 2, column3 text 2, column4 bigint 1");
    EXPECT_EQ(found.undecodable, 1u);
}

}  // namespace
}  // namespace sluice
