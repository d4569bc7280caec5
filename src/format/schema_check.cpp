#include "format/schema_check.hpp"

#include "format/avro_schema.hpp"
#include "format/protobuf_schema.hpp"

#include <simdjson.h>

namespace sluice {

namespace {

Error wrong(const SchemaText& schema, std::string detail) {
    return Error::config("22P02", schema.name + " cannot be read", std::move(detail));
}

Result<void> check_json(const SchemaText& schema) {
    using Type = simdjson::dom::element_type;
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    // The library may read a little beyond the end, so it copies.
    if (const auto problem = parser.parse(schema.body.data(), schema.body.size()).get(root))
        return wrong(schema, std::string("It is not valid JSON: ") + simdjson::error_message(problem));
    const Type type = root.type();
    if (type == Type::OBJECT || type == Type::BOOL) return {};
    return wrong(schema, "A JSON Schema is an object, true or false.");
}

Result<void> check_avro(const SchemaText& schema) {
    Result<SharedAvroSchema> parsed = AvroSchema::parse(schema);
    return parsed ? Result<void>() : Result<void>(std::move(parsed.error()));
}

Result<void> check_protobuf(const SchemaText& schema) {
    const SharedSchema shared = std::make_shared<const SchemaText>(schema);
    const auto types = read_protobuf_schema({&shared, 1});
    return types ? Result<void>() : Result<void>(types.error());
}

}  // namespace

Result<void> check_schema(const SchemaText& schema) {
    if (schema.body.empty()) return wrong(schema, "It is empty.");
    switch (schema.kind) {
        case SchemaKind::Avro:
            return check_avro(schema);
        case SchemaKind::JsonSchema:
            return check_json(schema);
        case SchemaKind::Protobuf:
            return check_protobuf(schema);
    }
    return {};
}

}  // namespace sluice
