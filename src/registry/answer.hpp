// What a schema registry answers, read from its JSON.
// Must not know how it was asked. The bytes come from another machine: nothing in them is trusted.
// Everything is returned by value.
#pragma once

#include "base/result.hpp"
#include "format/schema.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// A version of a subject that a schema refers to.
struct SubjectVersion {
    std::string name;  // what the schema calls it
    std::string subject;
    int32_t version = 0;
    friend bool operator==(const SubjectVersion&, const SubjectVersion&) = default;
};

struct SchemaAnswer {
    SchemaKind kind = SchemaKind::Avro;
    std::string body;
    std::vector<SubjectVersion> references;
};

// The answer to /schemas/ids/… and to /subjects/…/versions/…. A schema of a kind that nobody knows is an
// error of data; an answer that is none is a transient one.
Result<SchemaAnswer> read_schema_answer(std::string_view json);

// What a registry says when it has nothing to give.
struct RefusalAnswer {
    int32_t code = 0;     // 40403: there is no such schema; 0: the answer has none
    std::string message;  // printable ASCII, cut to a length that can be shown
};
RefusalAnswer read_refusal(std::string_view json);

// Some registries hand out Protobuf schemas as a serialized FileDescriptorProto in base64: then the same as a
// serialized FileDescriptorSet, and otherwise the text as it is.
std::string protobuf_body(std::string_view text);

}  // namespace sluice
