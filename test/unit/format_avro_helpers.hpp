// Short ways to write Avro in a test: values, schemas, sources that read them.
// Must not decide what is right.
// Returns its own bytes.
#pragma once

#include "format_helpers.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <string>

namespace sluice::avro {

inline std::string number(int64_t value) {
    std::string out;
    auto rest = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(rest | 0x80);
    return out + static_cast<char>(rest);
}

inline std::string text(std::string_view value) {
    return number(static_cast<int64_t>(value.size())) + std::string(value);
}

template <class Number>
std::string raw(Number value) {
    std::string out(sizeof value, '\0');
    std::memcpy(out.data(), &value, sizeof value);
    return out;
}

inline SharedSchema schema_of(std::string body, std::string name = "schema \"s\"") {
    return std::make_shared<SchemaText>(SchemaText{SchemaKind::Avro, std::move(name), std::move(body), {}});
}

// A record with these fields.
inline std::string record(const std::string& fields, const std::string& name = "R") {
    return R"({"type":"record","name":")" + name + R"(","fields":[)" + fields + "]}";
}

// A field `a` of the type alone.
inline std::string one(const std::string& type) { return record(R"({"name":"a","type":)" + type + "}"); }

inline SourceColumn column(std::string name, std::string path = {}, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name), .field = std::move(path), .shape = shape};
}

inline RecordSpec source(const std::string& schema, std::vector<SourceColumn> columns,
                         JsonOptions options = {}) {
    RecordSpec spec;
    spec.value = FormatSpec{Format::Avro, {}, std::move(options)};
    spec.value->schema.schema = {"s"};
    spec.value->schema.writers = {schema_of(schema)};
    spec.columns = std::move(columns);
    return spec;
}

inline RecordSpec read_by(RecordSpec spec, const std::string& reader) {
    spec.value->schema.reader_schema = "r";
    spec.value->schema.reader = schema_of(reader, "schema \"r\"");
    return spec;
}

// The decoder sees blocks of exactly the sizes.
inline Decoded decode_exact(const RecordDecoder& decoder, std::string_view value,
                            std::optional<std::string_view> key = {}) {
    const std::vector<char> exact(value.begin(), value.end());
    const std::vector<char> exact_key(key ? key->begin() : value.end(), key ? key->end() : value.end());
    return decode(decoder, message_of(Bytes::of({exact.data(), exact.size()}),
                                      key ? Bytes::of({exact_key.data(), exact_key.size()}) : Bytes{}));
}

inline std::string shown(const Decoded& decoded, size_t i) {
    switch (decoded.kinds[i]) {
        case CellKind::Null:
            return "null";
        case CellKind::Absent:
            return "absent";
        case CellKind::Int:
            return "int " + std::to_string(decoded.numbers[i]);
        case CellKind::EpochUs:
            return "us " + std::to_string(decoded.numbers[i]);
        case CellKind::Binary:
            return "bytes " + *decoded.texts[i];
        case CellKind::Json:
            return "json " + *decoded.texts[i];
        default:
            return *decoded.texts[i];
    }
}

using Cells = std::vector<std::string>;

inline Cells cells_of(const RecordSpec& spec, std::string_view value) {
    const Decoded decoded = decode_exact(decoder_of(spec), value);
    if (decoded.error) return {decoded.error->message + "; " + decoded.error->detail};
    Cells cells;
    for (size_t i = 0; i < decoded.kinds.size(); ++i) cells.push_back(shown(decoded, i));
    return cells;
}

// What becomes of a value of the type in a column of the shape.
inline std::string cell(const std::string& type, const std::string& value,
                        ColumnShape shape = ColumnShape::Scalar, JsonOptions options = {}) {
    return cells_of(source(one(type), {column("a", {}, shape)}, std::move(options)), value)[0];
}

inline Error fault(const RecordSpec& spec, std::string_view value) {
    const Decoded decoded = decode_exact(decoder_of(spec), value);
    if (!decoded.error) throw std::runtime_error("decoded without error");
    return *decoded.error;
}

class FakeFinder : public SchemaFinder {
  public:
    std::map<int32_t, SharedSchema> schemas;
    int asked = 0;

    Result<SharedSchema> find(int32_t id) override {
        ++asked;
        const auto found = schemas.find(id);
        if (found != schemas.end()) return found->second;
        return Error::data("42704", "there is no schema " + std::to_string(id));
    }
};

inline std::string framed(int32_t id, const std::string& body) {
    std::string out(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(static_cast<uint32_t>(id) >> shift & 0xFF);
    return out + body;
}

}  // namespace sluice::avro
