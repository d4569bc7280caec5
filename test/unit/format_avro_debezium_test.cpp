#include "format_avro_helpers.hpp"

namespace sluice::avro {
namespace {

constexpr std::string_view kUnavailable = "__debezium_unavailable_value";

SourceColumn told(std::string name, std::string path, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name),
            .origin = Origin::Metadata,
            .metadata = Metadata::Change,
            .field = std::move(path),
            .shape = shape};
}

// As Debezium's connector for PostgreSQL writes it, cut short.
const std::string kEnvelope =
    R"({"type":"record","name":"Envelope","namespace":"shop.public.orders","fields":[
    {"name":"before","type":["null",{"type":"record","name":"Value","fields":[
        {"name":"id","type":"int"},
        {"name":"v","type":["null","string"],"default":null},
        {"name":"at","type":["null",{"type":"long","connect.version":1,
            "connect.name":"io.debezium.time.MicroTimestamp"}],"default":null},
        {"name":"tags","type":["null",{"type":"array","items":["null","string"]}],"default":null},
        {"name":"raw","type":["null","bytes"],"default":null}],
        "connect.name":"shop.public.orders.Value"}],"default":null},
    {"name":"after","type":["null","Value"],"default":null},
    {"name":"source","type":{"type":"record","name":"Source","namespace":"io.debezium.connector.postgresql","fields":[
        {"name":"db","type":"string"},{"name":"lsn","type":["null","long"],"default":null},
        {"name":"ts_ms","type":"long"}]}},
    {"name":"op","type":"string"},
    {"name":"ts_ms","type":["null","long"],"default":null}],"connect.name":"shop.public.orders.Envelope"})";

struct Image {
    int id;
    std::optional<std::string> v;
    std::optional<std::string> raw = std::nullopt;
    bool unavailable_tags = false;
};

std::string image(const std::optional<Image>& row) {
    if (!row) return number(0);
    const auto nullable = [](const std::optional<std::string>& v) {
        return v ? number(1) + text(*v) : number(0);
    };
    return number(1) + number(row->id) + nullable(row->v) + number(1) + number(1'000'000) +
           (row->unavailable_tags ? number(1) + number(1) + number(1) + text(kUnavailable) + number(0)
                                  : number(1) + number(0)) +
           nullable(row->raw);
}

std::string event(const std::string& op, const std::optional<Image>& before,
                  const std::optional<Image>& after) {
    return image(before) + image(after) + text("shop") + number(1) + number(77) + number(5) + text(op) +
           number(1) + number(9'000);
}

RecordSpec debezium(std::vector<SourceColumn> columns) {
    RecordSpec spec = source(kEnvelope, std::move(columns));
    spec.value->format = Format::DebeziumAvro;
    return spec;
}

RecordSpec orders() {
    return debezium({column("id"), column("v"), column("at", {}, ColumnShape::Time), told("op", "op"),
                     told("lsn", "source.lsn"), told("ts", "ts_ms", ColumnShape::Time),
                     told("doc", "source", ColumnShape::Json)});
}

const std::string kSource = R"({"db":"shop","lsn":77,"ts_ms":5})";

TEST(DebeziumAvro, TheRowIsTheImageThatTheOperationMakes) {
    const RecordSpec spec = orders();
    EXPECT_EQ(cells_of(spec, event("c", {}, Image{1, "a"})),
              (Cells{"int 1", "a", "us 1000000", "c", "int 77", "us 9000000", kSource}));
    EXPECT_EQ(cells_of(spec, event("u", Image{1, "a"}, Image{1, {}}))[1], "null");
    EXPECT_EQ(cells_of(spec, event("d", Image{1, "old"}, {})),
              (Cells{"int 1", "old", "us 1000000", "d", "int 77", "us 9000000", kSource}));
    EXPECT_EQ(cells_of(spec, event("r", {}, Image{2, {}}))[0], "int 2");
    EXPECT_EQ(cells_of(spec, event("t", {}, {})),
              (Cells{"null", "null", "null", "t", "int 77", "us 9000000", kSource}));
    EXPECT_EQ(cells_of(spec, event("m", {}, {}))[3], "m");
    EXPECT_EQ(decode(decoder_of(spec), message_of({})).kinds, std::vector<CellKind>(7, CellKind::Null));
}

TEST(DebeziumAvro, EventsThatTellTooLittleAreRefused) {
    const RecordSpec spec = orders();
    EXPECT_EQ(fault(spec, event("x", {}, {})).message,
              "change event has an unknown operation in field \"op\"");
    EXPECT_EQ(fault(spec, event("", {}, {})).message,
              "change event has an unknown operation in field \"op\"");
    EXPECT_EQ(fault(spec, event("c", {}, {})).message, "change event has no row in field \"after\"");
    RecordSpec flat = source(one("\"int\""), {column("a")});
    flat.value->format = Format::DebeziumAvro;
    EXPECT_EQ(fault(flat, number(1)).message, "change event has no field \"op\"");
    EXPECT_EQ(refusal_of(debezium({column("id"), told("x", "sorce.lsn")})).hint,
              "Perhaps you meant \"source\".");
    const std::string good = event("u", Image{1, "a"}, Image{1, "b"});
    const RecordDecoder decoder = decoder_of(spec);
    for (size_t size = 0; size < good.size(); ++size)
        EXPECT_EQ(decode_exact(decoder, good.substr(0, size)).error->sqlstate, "22P03") << size;
}

TEST(DebeziumAvro, ADeletionWithoutBeforeIsToldByTheKey) {
    RecordSpec spec = orders();
    const std::string gone = event("d", {}, {});
    EXPECT_EQ(fault(spec, gone).message, "change event deletes a row and does not say which");
    const Error unread = *decode_exact(decoder_of(spec), gone, number(3)).error;
    EXPECT_EQ(unread.detail, "Its field \"before\" is null, and nothing says how to read the key.");
    spec.key = FormatSpec{Format::Avro, {}, {}};
    spec.key->schema.schema = {"k"};
    spec.key->schema.writers = {schema_of(record(R"({"name":"id","type":"int"})", "Key"))};
    const Decoded decoded = decode_exact(decoder_of(spec), gone, number(3));
    ASSERT_FALSE(decoded.error) << decoded.error->message;
    EXPECT_EQ(decoded.numbers[0], 3);
    EXPECT_EQ(decoded.kinds[1], CellKind::Null);
    EXPECT_EQ(decoded.texts[3], "d");
    const Error bad = *decode_exact(decoder_of(spec), gone, "\xff").error;
    EXPECT_EQ(bad.sqlstate, "22P03");
    EXPECT_NE(bad.detail.find("so the key must tell which"), std::string::npos);
}

TEST(DebeziumAvro, ARegistryKnowsTheKeyToo) {
    FakeFinder finder;
    finder.schemas[1] = schema_of(kEnvelope);
    finder.schemas[2] = schema_of(record(R"({"name":"id","type":"int"})", "Key"));
    RecordSpec spec = orders();
    spec.value->schema = {};
    spec.value->schema.framing = Framing::Confluent;
    spec.key = FormatSpec{Format::Avro, {}, {}, spec.value->schema};
    const RecordDecoder decoder = RecordDecoder::make(spec, nullptr, &finder).value();
    EXPECT_EQ(decode_exact(decoder, framed(1, event("c", {}, Image{4, "a"}))).numbers[0], 4);
    EXPECT_EQ(decode_exact(decoder, framed(1, event("d", {}, {})), framed(2, number(3))).numbers[0], 3);
    EXPECT_EQ(decode_exact(decoder, framed(1, event("d", {}, {})), framed(7, number(3))).error->message,
              "there is no schema 7");
}

TEST(DebeziumAvro, UnavailableValuesComeFromBefore) {
    const std::string word(kUnavailable);
    const RecordSpec spec = debezium({column("id"), column("v"), column("tags", {}, ColumnShape::Nested),
                                      column("raw", {}, ColumnShape::Bytes)});
    EXPECT_EQ(cells_of(spec, event("u", Image{1, "old", "r"}, Image{1, word, word})),
              (Cells{"int 1", "old", "json []", "bytes r"}));
    EXPECT_EQ(cells_of(spec, event("u", Image{1, "old"}, Image{1, "new", "s", true})),
              (Cells{"int 1", "new", "json []", "bytes s"}));
    const Error gone = fault(spec, event("u", {}, Image{1, word}));
    EXPECT_EQ(gone.sqlstate, "0A000");
    EXPECT_EQ(gone.message, "field \"v\" is unavailable");
    EXPECT_EQ(gone.column_name, "v");
    EXPECT_EQ(fault(spec, event("u", Image{1, word}, Image{1, word})).message, "field \"v\" is unavailable");
    EXPECT_EQ(fault(spec, event("u", Image{1, {}}, Image{1, word})).message, "field \"v\" is unavailable");
    // Nobody asks for it.
    EXPECT_EQ(cells_of(debezium({column("id")}), event("u", {}, Image{1, word})), (Cells{"int 1"}));
    // A flattened event has no before.
    EXPECT_EQ(fault(source(one("\"string\""), {column("a")}), text(word)).message,
              "field \"a\" is unavailable");
}

TEST(DebeziumAvro, ItsKeyIsAPlainRecord) {
    RecordSpec spec = orders();
    spec.columns.push_back(key_column("id"));
    spec.key = FormatSpec{Format::DebeziumAvro, {}, {}};
    spec.key->schema.schema = {"k"};
    spec.key->schema.writers = {schema_of(record(R"({"name":"id","type":"int"})", "Key"))};
    EXPECT_EQ(decode_exact(decoder_of(spec), event("c", {}, Image{4, "a"}), number(8)).numbers[7], 8);
}

}  // namespace
}  // namespace sluice::avro
