// Protobuf schemas and messages for tests, written as text and made by libprotobuf itself.
// Must not know how sluice reads them.
// Messages are copies.
#pragma once

#include "format/schema.hpp"
#include "format_helpers.hpp"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace sluice {

inline SharedSchema protobuf_text(std::string body, std::vector<SchemaText::Reference> references = {}) {
    return std::make_shared<SchemaText>(
        SchemaText{SchemaKind::Protobuf, "schema \"shop\"", std::move(body), std::move(references)});
}

// libprotobuf's own reading of a schema whose main file is "main".
class ProtobufTestSchema : google::protobuf::compiler::SourceTree,
                           google::protobuf::compiler::MultiFileErrorCollector {
  public:
    explicit ProtobufTestSchema(const SchemaText& schema)
        : linked_(*google::protobuf::DescriptorPool::generated_pool()), database_(this, &linked_) {
        google::protobuf::SetLogHandler(nullptr);
        files_["main"] = schema.body;
        for (const SchemaText::Reference& file : schema.references) files_[file.name] = file.body;
        database_.RecordErrorsTo(this);
        pool_ = std::make_unique<google::protobuf::DescriptorPool>(&database_,
                                                                   database_.GetValidationErrorCollector());
        if (pool_->FindFileByName("main") == nullptr) throw std::runtime_error("schema: " + error_);
    }

    const google::protobuf::DescriptorPool& pool() const { return *pool_; }
    const google::protobuf::FileDescriptor& file() const { return *pool_->FindFileByName("main"); }

    std::unique_ptr<google::protobuf::Message> make(const std::string& type) {
        const auto* descriptor = pool_->FindMessageTypeByName(type);
        if (descriptor == nullptr) throw std::runtime_error("no type " + type);
        return std::unique_ptr<google::protobuf::Message>(factory_.GetPrototype(descriptor)->New());
    }

    // A message in libprotobuf's text format, on the wire.
    std::string bytes(const std::string& type, const std::string& text) {
        const auto message = make(type);
        google::protobuf::TextFormat::Parser parser;
        parser.AllowPartialMessage(true);
        if (!parser.ParseFromString(text, message.get()))
            throw std::runtime_error("no text of a message: " + text);
        return message->SerializePartialAsString();
    }

    // The file and all that it imports, as protoc writes them.
    std::string descriptor_set() const {
        google::protobuf::FileDescriptorSet set;
        add(file(), set);
        return set.SerializeAsString();
    }

  private:
    static void add(const google::protobuf::FileDescriptor& file, google::protobuf::FileDescriptorSet& set) {
        for (const auto& known : set.file())
            if (known.name() == file.name()) return;
        for (int i = 0; i < file.dependency_count(); ++i) add(*file.dependency(i), set);
        file.CopyTo(set.add_file());
    }

    google::protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override {
        const auto found = files_.find(name);
        if (found == files_.end()) return nullptr;
        return new google::protobuf::io::ArrayInputStream(found->second.data(),
                                                          static_cast<int>(found->second.size()));
    }
    void AddError(const std::string& file, int line, int, const std::string& message) override {
        error_ = file + ":" + std::to_string(line + 1) + ": " + message;
    }

    std::map<std::string, std::string> files_;
    std::string error_;
    google::protobuf::DescriptorPoolDatabase linked_;
    google::protobuf::compiler::SourceTreeDescriptorDatabase database_;
    std::unique_ptr<google::protobuf::DescriptorPool> pool_;
    google::protobuf::DynamicMessageFactory factory_;
};

// A source of format protobuf whose messages are of the schema.
inline RecordSpec protobuf_source(std::vector<SourceColumn> columns, std::vector<SharedSchema> schemas,
                                  std::string message = {}) {
    RecordSpec spec;
    spec.value = FormatSpec{.format = Format::Protobuf};
    if (!message.empty()) spec.value->schema.message = std::move(message);
    for (SharedSchema& schema : schemas) {
        spec.value->schema.schema.push_back("shop");
        spec.value->schema.writers.push_back(std::move(schema));
    }
    spec.columns = std::move(columns);
    return spec;
}

inline SourceColumn shaped(std::string name, std::string path = {}, ColumnShape shape = ColumnShape::Scalar) {
    return {.name = std::move(name), .field = std::move(path), .shape = shape};
}

// Every cell as text: numbers in digits, with a word before those that are no text.
inline Texts shown(const RecordDecoder& decoder, std::string_view value) {
    const std::vector<char> exact(value.begin(), value.end());
    const Decoded decoded =
        decode(decoder, message_of(Bytes::of({exact.empty() ? "" : exact.data(), exact.size()})));
    if (decoded.error)
        throw std::runtime_error("not decoded: " + decoded.error->message + " " + decoded.error->detail);
    Texts texts;
    for (size_t i = 0; i < decoded.kinds.size(); ++i) {
        switch (decoded.kinds[i]) {
            case CellKind::Int:
                texts.push_back(std::to_string(decoded.numbers[i]));
                break;
            case CellKind::EpochUs:
                texts.push_back("us " + std::to_string(decoded.numbers[i]));
                break;
            case CellKind::Binary:
                texts.push_back("bytes " + *decoded.texts[i]);
                break;
            case CellKind::Json:
                texts.push_back("json " + *decoded.texts[i]);
                break;
            default:
                texts.push_back(decoded.texts[i]);
        }
    }
    return texts;
}

inline Texts shown(RecordSpec spec, std::string_view value) {
    return shown(decoder_of(std::move(spec)), value);
}

}  // namespace sluice
