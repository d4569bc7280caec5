// Any bytes as a message: no crash, no read outside of it, and what is read is what libprotobuf reads. What
// sluice takes, libprotobuf takes; sluice also refuses text that PostgreSQL cannot hold and times that are
// none.
#include "format/record_decoder.hpp"
#include "protobuf_model.hpp"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace sluice;

const char* const kSchema = R"(
syntax = "proto3";
package f;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/any.proto";
enum E { A = 0; B = 1; C = -1; }
message M {
  int32 i32 = 1; sint64 s64 = 2; fixed32 f32 = 3; double real = 4; string text = 5; bytes raw = 6; E e = 7;
  optional uint64 maybe = 8; M inner = 9;
  oneof one { int32 number = 10; string word = 11; M message = 12; }
  repeated int32 many = 13; repeated string words = 14; repeated M list = 15; map<string, M> map = 16;
  map<sint32, bool> flags = 17;
  google.protobuf.Timestamp at = 18; google.protobuf.Duration took = 19; google.protobuf.Int64Value wrapped = 20;
  google.protobuf.Struct extra = 21; google.protobuf.Value value = 22; google.protobuf.Any any = 23;
}
)";

class Files : public pb::compiler::SourceTree {
  public:
    pb::io::ZeroCopyInputStream* Open(const std::string& name) override {
        if (name != "main") return nullptr;
        return new pb::io::ArrayInputStream(kSchema,
                                            static_cast<int>(std::char_traits<char>::length(kSchema)));
    }
};

struct Libprotobuf {
    Files files;
    pb::DescriptorPoolDatabase linked{*pb::DescriptorPool::generated_pool()};
    pb::compiler::SourceTreeDescriptorDatabase database{&files, &linked};
    pb::DescriptorPool pool{&database};
    pb::DynamicMessageFactory factory;
    const pb::Message* prototype;

    Libprotobuf() {
        pb::SetLogHandler(nullptr);
        if (pool.FindFileByName("main") == nullptr) std::abort();
        prototype = factory.GetPrototype(pool.FindMessageTypeByName("f.M"));
    }
};

RecordSpec source(std::vector<SourceColumn> columns) {
    RecordSpec spec;
    spec.value = FormatSpec{.format = Format::Protobuf};
    spec.value->schema.schema = {"f"};
    spec.value->schema.writers = {
        std::make_shared<SchemaText>(SchemaText{SchemaKind::Protobuf, "schema", kSchema, {}})};
    spec.value->schema.message = "f.M";
    spec.value->json.timestamp_unit = TimestampUnit::Milliseconds;
    spec.columns = std::move(columns);
    return spec;
}

RecordDecoder decoder_of(RecordSpec spec) {
    return std::move(RecordDecoder::make(std::move(spec), nullptr)).value();
}

// All shapes, and paths into everything.
RecordDecoder many_columns() {
    std::vector<SourceColumn> columns;
    for (const char* path : {"i32",
                             "s64",
                             "real",
                             "text",
                             "raw",
                             "e",
                             "maybe",
                             "inner.inner.text",
                             "number",
                             "word",
                             "message.i32",
                             "many[1]",
                             "words",
                             "list[1].list[0].text",
                             "list[2]",
                             "map.a.i32",
                             "map.a",
                             "flags.\"1\"",
                             "at",
                             "took",
                             "wrapped",
                             "extra",
                             "extra.fields.a.list_value.values[0]",
                             "value",
                             "any",
                             "any.value"}) {
        for (const ColumnShape shape :
             {ColumnShape::Scalar, ColumnShape::Integer, ColumnShape::Json, ColumnShape::Bytes,
              ColumnShape::Time, ColumnShape::Clock, ColumnShape::Nested})
            columns.push_back({.name = "c", .field = path, .shape = shape});
    }
    return decoder_of(source(std::move(columns)));
}

void expect(bool right) {
    if (!right) std::abort();
}

// Of messages that libprotobuf takes, those are refused that are too large as JSON or too deep in an Any, and
// tags of more than 32 bits.
bool is_stricter(const Error& error) {
    return error.sqlstate == "54001" || error.message.find("no such field tag") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Libprotobuf libprotobuf;
    static const RecordDecoder many = many_columns();
    static const RecordDecoder whole =
        decoder_of(source({{.name = "all", .field = "$", .shape = ColumnShape::Json},
                           {.name = "inner", .shape = ColumnShape::Json},
                           {.name = "word", .shape = ColumnShape::Json}}));
    // A block of exactly the message's size, so that a read past the end shows.
    const std::vector<char> exact(data, data + size);
    MessageView view;
    view.value = Bytes::of({exact.empty() ? "" : exact.data(), exact.size()});
    Arena arena;
    std::vector<Cell> row(many.column_count());
    (void)many.decode(view, arena, Row(row));
    row.resize(whole.column_count());
    const std::optional<Error> error = whole.decode(view, arena, Row(row));
    const std::unique_ptr<pb::Message> message(libprotobuf.prototype->New());
    // libprotobuf also reads what another member of a oneof or another entry of a map has replaced.
    if (!message->ParsePartialFromArray(data, static_cast<int>(size))) return 0;
    ProtobufModel model(libprotobuf.factory);
    try {
        const std::string json = model.json(*message);
        if (error) return expect(is_stricter(*error)), 0;
        expect(row[0].view() == json);
        const pb::Descriptor& type = *message->GetDescriptor();
        for (const auto& [cell, field] : {std::pair<size_t, const char*>{1, "inner"}, {2, "word"}}) {
            const auto expected = model.field(*message, *type.FindFieldByName(field));
            expect(expected ? row[cell].view() == *expected : row[cell].kind == CellKind::Null);
        }
    } catch (const ProtobufModel::NoJson&) {
        expect(error.has_value());
    }
    return 0;
}
