// Orders as messages of Protobuf, made and parsed by libprotobuf as the yardstick.
// Must not know how sluice reads them.
// Owns its types and the message that it parses into.
#pragma once

#include "format/schema.hpp"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

class ProtobufOrders {
  public:
    static constexpr const char* kSchema = R"(
syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Order {
  int64 id = 1; int64 version = 2; int32 customer_id = 3; string sku = 4; int32 quantity = 5; string price = 6;
  string status = 7; google.protobuf.Timestamp ordered_at = 8; string note = 9;
}
)";

    ProtobufOrders() {
        namespace pb = google::protobuf;
        pb::io::ArrayInputStream text(kSchema, static_cast<int>(std::string_view(kSchema).size()));
        pb::io::Tokenizer tokens(&text, nullptr);
        pb::FileDescriptorProto file, timestamp;
        file.set_name("orders");
        if (!pb::compiler::Parser().Parse(&tokens, &file)) std::abort();
        pb::Timestamp::descriptor()->file()->CopyTo(&timestamp);
        if (pool_.BuildFile(timestamp) == nullptr || pool_.BuildFile(file) == nullptr) std::abort();
        type_ = pool_.FindMessageTypeByName("Order");
        message_.reset(factory_.GetPrototype(type_)->New());
    }

    // The message of an order's nine fields.
    std::string bytes(const std::vector<std::string>& fields) {
        namespace pb = google::protobuf;
        message_->Clear();
        const pb::Reflection& reflection = *message_->GetReflection();
        for (int i = 0; i < type_->field_count(); ++i) {
            const pb::FieldDescriptor* field = type_->field(i);
            const std::string& text = fields[static_cast<size_t>(i)];
            switch (field->cpp_type()) {
                case pb::FieldDescriptor::CPPTYPE_INT64:
                    reflection.SetInt64(message_.get(), field, std::atoll(text.c_str()));
                    break;
                case pb::FieldDescriptor::CPPTYPE_INT32:
                    reflection.SetInt32(message_.get(), field, std::atoi(text.c_str()));
                    break;
                case pb::FieldDescriptor::CPPTYPE_STRING:
                    reflection.SetString(message_.get(), field, text);
                    break;
                default: {
                    pb::Timestamp at;
                    if (!pb::util::TimeUtil::FromString(text, &at)) std::abort();
                    pb::Message* inner = reflection.MutableMessage(message_.get(), field);
                    if (!inner->ParseFromString(at.SerializeAsString())) std::abort();
                }
            }
        }
        return message_->SerializeAsString();
    }

    // What a reader that knows types only at run time does.
    void parse(const std::string& bytes) {
        if (!message_->ParseFromString(bytes)) std::abort();
    }

    static SharedSchema schema() {
        return std::make_shared<SchemaText>(
            SchemaText{SchemaKind::Protobuf, "schema \"orders\"", kSchema, {}});
    }

  private:
    google::protobuf::DescriptorPool pool_;
    google::protobuf::DynamicMessageFactory factory_;
    const google::protobuf::Descriptor* type_ = nullptr;
    std::unique_ptr<google::protobuf::Message> message_;
};

}  // namespace sluice
