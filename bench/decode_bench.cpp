// How fast one core turns messages into cells, and how fast a library walks over the same bytes.
// usage: decode_bench [SECONDS for each case [PART OF THE NAMES of the cases]]
// Prints megabytes of payload a second; judges nothing, because machines differ.
#include "../test/tools/orders.hpp"
#include "format/record_decoder.hpp"
#include "protobuf_orders.hpp"

#include <avro.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace sluice;

constexpr size_t kMessages = 20'000;  // about 2 MB of orders: larger than the inner caches, as a batch is

using Payload = std::function<std::string(const std::string& order)>;

struct Case {
    const char* name;
    RecordSpec spec;
    Payload payload;
};

const char* const kNames[] = {"id",    "version", "customer_id", "sku", "quantity",
                              "price", "status",  "ordered_at",  "note"};
constexpr size_t kNumbers[] = {0, 1, 2, 4, 5};

RecordSpec source(FormatSpec format, size_t columns, size_t wanted) {
    RecordSpec spec;
    spec.value = std::move(format);
    for (size_t i = 0; i < columns; ++i)
        spec.columns.push_back({.name = "c" + std::to_string(i), .wanted = i < wanted});
    return spec;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

// The fields of an order, without quotes.
std::vector<std::string> fields_of(const std::string& order) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : order) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    return fields;
}

std::string as_json(const std::string& order) {
    const std::vector<std::string> fields = fields_of(order);
    std::string json = "{";
    for (size_t i = 0; i < fields.size(); ++i) {
        const bool number = std::find(std::begin(kNumbers), std::end(kNumbers), i) != std::end(kNumbers);
        json += (i ? ",\"" : "\"") + std::string(kNames[i]) + "\":";
        json += number ? fields[i] : "\"" + fields[i] + "\"";
    }
    return json + "}";
}

RecordSpec json_source(size_t wanted) {
    RecordSpec spec = source(FormatSpec{Format::Json, {}, {}}, std::size(kNames), wanted);
    for (size_t i = 0; i < std::size(kNames); ++i) {
        spec.columns[i].name = kNames[i];
        const bool number = std::find(std::begin(kNumbers), std::end(kNumbers), i) != std::end(kNumbers);
        if (number && i != 5) spec.columns[i].shape = ColumnShape::Integer;
    }
    return spec;
}

constexpr const char* kAvroSchema = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"long"},{"name":"version","type":"long"},{"name":"customer_id","type":"int"},
    {"name":"sku","type":"string"},{"name":"quantity","type":"int"},
    {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},
    {"name":"status","type":"string"},{"name":"ordered_at","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"note","type":["null","string"]}]})";

void put_long(std::string& out, int64_t value) {
    auto rest = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(rest | 0x80);
    out += static_cast<char>(rest);
}

void put_bytes(std::string& out, const std::string& bytes) {
    put_long(out, static_cast<int64_t>(bytes.size()));
    out += bytes;
}

std::string as_avro(const std::string& order) {
    const std::vector<std::string> fields = fields_of(order);
    std::string out;
    for (const size_t i : {0, 1, 2}) put_long(out, std::stoll(fields[i]));
    put_bytes(out, fields[3]);
    put_long(out, std::stoll(fields[4]));
    std::string cents = fields[5], digits;
    cents.erase(cents.find('.'), 1);
    for (int64_t rest = std::stoll(cents); rest > 0 || digits.empty(); rest >>= 8)
        digits.insert(digits.begin(), static_cast<char>(rest & 0xFF));
    if (digits.front() < 0) digits.insert(digits.begin(), '\0');
    put_bytes(out, digits);
    put_bytes(out, fields[6]);
    put_long(out, 1'700'000'000'000'000 + std::stoll(fields[0]));  // any time has as many bytes
    put_long(out, 1);
    put_bytes(out, fields[8]);
    return out;
}

RecordSpec avro_source(size_t wanted) {
    RecordSpec spec = json_source(wanted);
    spec.value = FormatSpec{Format::Avro, {}, {}};
    spec.value->schema.schema = {"order"};
    spec.value->schema.writers = {
        std::make_shared<SchemaText>(SchemaText{SchemaKind::Avro, "schema \"order\"", kAvroSchema, {}})};
    spec.columns[5].shape = ColumnShape::Numeric;
    spec.columns[7].shape = ColumnShape::Time;
    return spec;
}

RecordSpec protobuf_source(size_t wanted) {
    FormatSpec format{.format = Format::Protobuf};
    format.schema.schema = {"orders"};
    format.schema.writers = {ProtobufOrders::schema()};
    RecordSpec spec = source(std::move(format), std::size(kNames), wanted);
    constexpr size_t kPrice = 5, kTime = 7;
    for (size_t i = 0; i < std::size(kNames); ++i) {
        spec.columns[i].name = kNames[i];
        const bool number = std::find(std::begin(kNumbers), std::end(kNumbers), i) != std::end(kNumbers);
        if (number && i != kPrice) spec.columns[i].shape = ColumnShape::Integer;
    }
    spec.columns[kPrice].shape = ColumnShape::Numeric;
    spec.columns[kTime].shape = ColumnShape::Time;
    return spec;
}

std::string as_protobuf(const std::string& order) {
    static ProtobufOrders orders;
    return orders.bytes(fields_of(order));
}

std::vector<std::string> payloads_of(const Payload& payload) {
    tools::Orders orders(1'000'000, 1);
    std::vector<std::string> payloads(kMessages);
    for (std::string& one : payloads) {
        std::string order;
        orders.append(order);
        one = payload(order);
    }
    return payloads;
}

// Calls `all`, which goes over all payloads once, for as long as that.
template <class All>
void measure(const char* name, const std::vector<std::string>& payloads, double length, const All& all) {
    size_t bytes = 0;
    for (const std::string& payload : payloads) bytes += payload.size();
    // The processor's time, so that whatever else runs on the machine does not count.
    const std::clock_t start = std::clock();
    double spent = 0;
    size_t rounds = 0;
    for (; spent < length; ++rounds) {
        all();
        spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    }
    const double total = static_cast<double>(rounds);
    std::printf("%-38s %8.0f MB/s %8.0f ns/message %6zu bytes/message\n", name,
                total * static_cast<double>(bytes) / spent / 1e6,
                spent / total / static_cast<double>(kMessages) * 1e9, bytes / kMessages);
}

void run(const Case& one, double length) {
    const std::vector<std::string> payloads = payloads_of(one.payload);
    Result<RecordDecoder> decoder = RecordDecoder::make(one.spec, nullptr);
    if (!decoder) {
        std::fprintf(stderr, "%s: %s\n", one.name, decoder.error().message.c_str());
        std::exit(1);
    }
    Arena arena;
    std::vector<Cell> row(one.spec.columns.size());
    measure(one.name, payloads, length, [&] {
        arena.reset();
        for (const std::string& payload : payloads) {
            MessageView message;
            message.value = Bytes::of(payload);
            if (std::optional<Error> error = decoder.value().decode(message, arena, row)) {
                std::fprintf(stderr, "%s: %s\n", one.name, error->message.c_str());
                std::exit(1);
            }
        }
    });
}

// simdjson's own walk over all fields of the same bytes, which it wants padded.
void walk_json(double length) {
    const std::vector<std::string> payloads = payloads_of(as_json);
    std::vector<simdjson::padded_string> padded;
    for (const std::string& payload : payloads) padded.emplace_back(payload);
    simdjson::ondemand::parser parser;
    size_t seen = 0;
    measure("  simdjson's walk over these", payloads, length, [&] {
        for (const simdjson::padded_string& payload : padded) {
            simdjson::ondemand::document document = parser.iterate(payload);
            for (auto field : document.get_object()) {
                seen += field.unescaped_key().value_unsafe().size();
                seen += field.value().raw_json_token().value_unsafe().size();
            }
        }
    });
    if (seen == 0) std::exit(1);
}

// libavro's generic reading of the same bytes.
void read_avro(double length) {
    const std::vector<std::string> payloads = payloads_of(as_avro);
    avro_schema_t schema;
    avro_value_t value;
    if (avro_schema_from_json_length(kAvroSchema, std::strlen(kAvroSchema), &schema) != 0) std::exit(1);
    avro_value_iface_t* const iface = avro_generic_class_from_schema(schema);
    if (avro_generic_value_new(iface, &value) != 0) std::exit(1);
    const avro_reader_t reader = avro_reader_memory("", 0);
    measure("  libavro's generic read of these", payloads, length, [&] {
        for (const std::string& payload : payloads) {
            avro_reader_memory_set_source(reader, payload.data(), static_cast<int64_t>(payload.size()));
            if (avro_value_read(reader, &value) != 0) std::exit(1);
        }
    });
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_reader_free(reader);
    avro_schema_decref(schema);
}

// libprotobuf's own parse of the same bytes into a message whose type is known at run time.
void parse_protobuf(double length) {
    const std::vector<std::string> payloads = payloads_of(as_protobuf);
    ProtobufOrders orders;
    measure("  libprotobuf's parse of these", payloads, length, [&] {
        for (const std::string& payload : payloads) orders.parse(payload);
    });
}

}  // namespace

int main(int argc, char** argv) {
    const double length = argc > 1 ? std::atof(argv[1]) : 1.0;
    const auto as_it_is = [](const std::string& order) { return order; };
    const FormatSpec csv{Format::Csv, {}};
    RecordSpec unchecked = source(csv, 9, 9);
    unchecked.validate_utf8 = false;
    const FormatSpec tab{Format::Delimited, {}};
    const FormatSpec bars{Format::Delimited, {.delimiter = "||", .quote = "\""}};
    const std::vector<Case> cases = {
        {"csv, orders", source(csv, 9, 9), as_it_is},
        {"csv, orders, no UTF-8 check", unchecked, as_it_is},
        {"csv, orders, two of nine wanted", source(csv, 9, 2), as_it_is},
        {"csv, quoted JSON in one column", source(csv, 2, 2),
         [](const std::string& order) {
             return "1,\"{\"\"order\"\":\"\"" + replace_all(replace_all(order, "\"", ""), ",", "\"\",\"\"") +
                    "\"\"}\"";
         }},
        {"delimited, tab", source(tab, 1, 1),
         [](const std::string& order) { return replace_all(order, "\t", "\\t"); }},
        {"delimited, \"||\" and quotes", source(bars, 1, 1), as_it_is},
        {"text", source({Format::Text, {}}, 1, 1), as_it_is},
        {"json, orders", json_source(9), as_json},
        {"json, orders, two of nine wanted", json_source(2), as_json},
        {"avro, orders", avro_source(9), as_avro},
        {"avro, orders, two of nine wanted", avro_source(2), as_avro},
        {"protobuf, orders", protobuf_source(9), as_protobuf},
        {"protobuf, orders, two of nine wanted", protobuf_source(2), as_protobuf},
    };
    const std::string wanted = argc > 2 ? argv[2] : "";
    for (const Case& one : cases)
        if (std::string(one.name).find(wanted) != std::string::npos) run(one, length);
    if (std::string("json").find(wanted) != std::string::npos) walk_json(length);
    if (std::string("avro").find(wanted) != std::string::npos) read_avro(length);
    if (std::string("protobuf").find(wanted) != std::string::npos) parse_protobuf(length);
    return 0;
}
