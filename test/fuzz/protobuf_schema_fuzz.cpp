// Any bytes as a schema, and any as a message of it by its frame: libprotobuf, which reads the schema,
// neither ends the process nor recurses too deep. The first byte says how long the schema is, in units of 16.
#include "format/record_decoder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace sluice;

class OneSchema : public SchemaFinder {
  public:
    explicit OneSchema(SharedSchema schema) : schema_(std::move(schema)) {}
    Result<SharedSchema> find(int32_t) override { return schema_; }

  private:
    SharedSchema schema_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    const size_t length = std::min<size_t>(size_t{data[0]} * 16, size - 1);
    const std::string body(data + 1, data + 1 + length);
    const std::string message(data + 1 + length, data + size);
    OneSchema schemas(
        std::make_shared<SchemaText>(SchemaText{SchemaKind::Protobuf, "schema", body, {{"other", body}}}));
    RecordSpec spec;
    spec.value = FormatSpec{.format = Format::Protobuf};
    spec.value->schema.framing = Framing::Confluent;
    spec.columns = {{.name = "all", .field = "$", .shape = ColumnShape::Json}, {.name = "a"}};
    const RecordDecoder decoder = std::move(RecordDecoder::make(std::move(spec), nullptr, &schemas)).value();
    Arena arena;
    std::vector<Cell> row(decoder.column_count());
    for (const std::string& frame : {std::string(6, '\0'), std::string(5, '\0')}) {
        const std::string value = frame + message;
        MessageView view;
        view.value = Bytes::of(value);
        (void)decoder.decode(view, arena, Row(row));
    }
    return 0;
}
