#include "format/protobuf_schema.hpp"

#include "format/protobuf_files.hpp"
#include "format/utf8.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <bit>
#include <initializer_list>

namespace sluice {

namespace pb = google::protobuf;

namespace {

ProtobufKind kind_of(const pb::FieldDescriptor& field) {
    switch (field.type()) {
        case pb::FieldDescriptor::TYPE_DOUBLE:
            return ProtobufKind::Double;
        case pb::FieldDescriptor::TYPE_FLOAT:
            return ProtobufKind::Float;
        case pb::FieldDescriptor::TYPE_INT64:
            return ProtobufKind::Int64;
        case pb::FieldDescriptor::TYPE_UINT64:
            return ProtobufKind::UInt64;
        case pb::FieldDescriptor::TYPE_INT32:
            return ProtobufKind::Int32;
        case pb::FieldDescriptor::TYPE_FIXED64:
            return ProtobufKind::Fixed64;
        case pb::FieldDescriptor::TYPE_FIXED32:
            return ProtobufKind::Fixed32;
        case pb::FieldDescriptor::TYPE_BOOL:
            return ProtobufKind::Bool;
        case pb::FieldDescriptor::TYPE_STRING:
            return ProtobufKind::String;
        case pb::FieldDescriptor::TYPE_GROUP:
            return ProtobufKind::Group;
        case pb::FieldDescriptor::TYPE_MESSAGE:
            return ProtobufKind::Message;
        case pb::FieldDescriptor::TYPE_BYTES:
            return ProtobufKind::Bytes;
        case pb::FieldDescriptor::TYPE_UINT32:
            return ProtobufKind::UInt32;
        case pb::FieldDescriptor::TYPE_ENUM:
            return ProtobufKind::Enum;
        case pb::FieldDescriptor::TYPE_SFIXED32:
            return ProtobufKind::SFixed32;
        case pb::FieldDescriptor::TYPE_SFIXED64:
            return ProtobufKind::SFixed64;
        case pb::FieldDescriptor::TYPE_SINT32:
            return ProtobufKind::SInt32;
        case pb::FieldDescriptor::TYPE_SINT64:
            return ProtobufKind::SInt64;
    }
    return ProtobufKind::Bytes;
}

template <class Int>
uint64_t zigzag(Int value) {
    return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(static_cast<int64_t>(value) >> 63);
}

// As a varint or a fixed-size value would have it.
uint64_t default_bits(const pb::FieldDescriptor& field, ProtobufKind kind) {
    switch (field.cpp_type()) {
        case pb::FieldDescriptor::CPPTYPE_INT32: {
            const int32_t value = field.default_value_int32();
            return kind == ProtobufKind::SInt32 ? zigzag(value) : static_cast<uint64_t>(value);
        }
        case pb::FieldDescriptor::CPPTYPE_INT64: {
            const int64_t value = field.default_value_int64();
            return kind == ProtobufKind::SInt64 ? zigzag(value) : static_cast<uint64_t>(value);
        }
        case pb::FieldDescriptor::CPPTYPE_UINT32:
            return field.default_value_uint32();
        case pb::FieldDescriptor::CPPTYPE_UINT64:
            return field.default_value_uint64();
        case pb::FieldDescriptor::CPPTYPE_DOUBLE:
            return std::bit_cast<uint64_t>(field.default_value_double());
        case pb::FieldDescriptor::CPPTYPE_FLOAT:
            return std::bit_cast<uint32_t>(field.default_value_float());
        case pb::FieldDescriptor::CPPTYPE_BOOL:
            return field.default_value_bool() ? 1 : 0;
        case pb::FieldDescriptor::CPPTYPE_ENUM:
            return static_cast<uint64_t>(int64_t{field.default_value_enum()->number()});
        case pb::FieldDescriptor::CPPTYPE_STRING:
        case pb::FieldDescriptor::CPPTYPE_MESSAGE:
            break;
    }
    return 0;
}

// A file of the user's may have the name of a well-known type with other fields.
struct Expected {
    std::string_view name;
    ProtobufKind kind;
    bool is_repeated = false;
};

bool has_fields(const ProtobufMessage& message, std::initializer_list<Expected> fields) {
    return std::equal(message.fields.begin(), message.fields.end(), fields.begin(), fields.end(),
                      [&](const ProtobufField& field, const Expected& expected) {
                          return field.name == expected.name && field.kind == expected.kind &&
                                 field.is_repeated == expected.is_repeated &&
                                 field.number == static_cast<uint32_t>(&field - message.fields.data()) + 1;
                      });
}

bool is_wrapper(const ProtobufMessage& message) {
    return message.fields.size() == 1 && message.fields[0].name == "value" && message.fields[0].number == 1 &&
           !message.fields[0].is_repeated && !is_message(message.fields[0].kind);
}

WellKnown well_known(const ProtobufMessage& message) {
    using Kind = ProtobufKind;
    constexpr std::string_view kPackage = "google.protobuf.";
    if (!message.name.starts_with(kPackage)) return WellKnown::None;
    const std::string_view name = std::string_view(message.name).substr(kPackage.size());
    const auto is = [&](std::string_view wanted, std::initializer_list<Expected> fields) {
        return name == wanted && has_fields(message, fields);
    };
    if (is("Timestamp", {{"seconds", Kind::Int64}, {"nanos", Kind::Int32}})) return WellKnown::Timestamp;
    if (is("Duration", {{"seconds", Kind::Int64}, {"nanos", Kind::Int32}})) return WellKnown::Duration;
    if (is("Any", {{"type_url", Kind::String}, {"value", Kind::Bytes}})) return WellKnown::Any;
    if (is("FieldMask", {{"paths", Kind::String, true}})) return WellKnown::FieldMask;
    if (is("Struct", {{"fields", Kind::Message, true}})) return WellKnown::Struct;
    if (is("ListValue", {{"values", Kind::Message, true}})) return WellKnown::ListValue;
    if (is("Value", {{"null_value", Kind::Enum},
                     {"number_value", Kind::Double},
                     {"string_value", Kind::String},
                     {"bool_value", Kind::Bool},
                     {"struct_value", Kind::Message},
                     {"list_value", Kind::Message}}))
        return WellKnown::Value;
    constexpr std::string_view kWrappers[] = {"DoubleValue", "FloatValue",  "Int64Value",
                                              "UInt64Value", "Int32Value",  "UInt32Value",
                                              "BoolValue",   "StringValue", "BytesValue"};
    const bool wrapper = std::find(std::begin(kWrappers), std::end(kWrappers), name) != std::end(kWrappers);
    return wrapper && is_wrapper(message) ? WellKnown::Wrapper : WellKnown::None;
}

class Builder {
  public:
    explicit Builder(ProtobufTypes& types) : types_(types) {}

    void build(const std::vector<const pb::FileDescriptor*>& files) {
        // All of them first, because fields refer to any.
        for (const pb::FileDescriptor* file : files) {
            for (int i = 0; i < file->enum_type_count(); ++i) add_enum(*file->enum_type(i));
            for (int i = 0; i < file->message_type_count(); ++i) add_message(*file->message_type(i));
        }
        for (const pb::FileDescriptor* file : files)
            for (int i = 0; i < file->message_type_count(); ++i) fill(*file->message_type(i));
        for (const pb::FileDescriptor* file : files) {
            for (int i = 0; i < file->extension_count(); ++i) add_extension(*file->extension(i));
            for (int i = 0; i < file->message_type_count(); ++i) add_extensions(*file->message_type(i));
        }
        for (ProtobufMessage& message : types_.messages) {
            message.known = well_known(message);
            for (size_t i = 0; i < message.fields.size(); ++i)
                message.numbers.add(message.fields[i].number, static_cast<uint32_t>(i));
            if (!message.is_entry) types_.by_name.emplace(message.name, &message);
        }
        for (int i = 0; i < files.front()->message_type_count(); ++i)
            types_.main.push_back(messages_.at(files.front()->message_type(i)));
    }

  private:
    void add_enum(const pb::EnumDescriptor& descriptor) {
        ProtobufEnum& added = types_.enums.emplace_back();
        added.name = descriptor.full_name();
        added.is_null = added.name == "google.protobuf.NullValue";
        for (int i = 0; i < descriptor.value_count(); ++i)
            added.values.emplace_back(descriptor.value(i)->number(), '"' + descriptor.value(i)->name() + '"');
        std::stable_sort(added.values.begin(), added.values.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        const auto aliases = std::unique(added.values.begin(), added.values.end(),
                                         [](const auto& a, const auto& b) { return a.first == b.first; });
        added.values.erase(aliases, added.values.end());
        enums_.emplace(&descriptor, &added);
    }

    ProtobufMessage* add_message(const pb::Descriptor& descriptor) {
        ProtobufMessage& added = types_.messages.emplace_back();
        added.name = descriptor.full_name();
        added.is_entry = descriptor.options().map_entry();
        added.oneofs = static_cast<uint32_t>(descriptor.real_oneof_decl_count());
        messages_.emplace(&descriptor, &added);
        for (int i = 0; i < descriptor.enum_type_count(); ++i) add_enum(*descriptor.enum_type(i));
        for (int i = 0; i < descriptor.nested_type_count(); ++i) {
            const pb::Descriptor& nested = *descriptor.nested_type(i);
            ProtobufMessage* inside = add_message(nested);
            if (!inside->is_entry) added.nested.push_back(inside);
        }
        return &added;
    }

    void fill(const pb::Descriptor& descriptor) {
        ProtobufMessage& message = *messages_.at(&descriptor);
        for (int i = 0; i < descriptor.field_count(); ++i)
            message.fields.push_back(field_of(*descriptor.field(i), descriptor.field(i)->name()));
        // A map's entry is incomplete on the wire as often as it likes.
        if (message.is_entry)
            for (ProtobufField& field : message.fields) field.has_default = !is_message(field.kind);
        for (int i = 0; i < descriptor.nested_type_count(); ++i) fill(*descriptor.nested_type(i));
    }

    void add_extensions(const pb::Descriptor& descriptor) {
        for (int i = 0; i < descriptor.extension_count(); ++i) add_extension(*descriptor.extension(i));
        for (int i = 0; i < descriptor.nested_type_count(); ++i) add_extensions(*descriptor.nested_type(i));
    }

    void add_extension(const pb::FieldDescriptor& extension) {
        messages_.at(extension.containing_type())
            ->fields.push_back(field_of(extension, "[" + extension.full_name() + "]"));
    }

    ProtobufField field_of(const pb::FieldDescriptor& descriptor, std::string name) {
        ProtobufField field;
        field.name = std::move(name);
        field.number = static_cast<uint32_t>(descriptor.number());
        field.kind = kind_of(descriptor);
        field.is_repeated = descriptor.is_repeated();
        field.is_map = descriptor.is_map();
        if (descriptor.real_containing_oneof() != nullptr)
            field.oneof = static_cast<uint32_t>(descriptor.real_containing_oneof()->index());
        else
            field.has_default =
                field.is_repeated || !descriptor.has_presence() || descriptor.has_default_value();
        if (descriptor.message_type() != nullptr) field.message = messages_.at(descriptor.message_type());
        if (descriptor.enum_type() != nullptr) field.enumeration = enums_.at(descriptor.enum_type());
        field.default_bits = default_bits(descriptor, field.kind);
        if (descriptor.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING)
            field.default_bytes = descriptor.default_value_string();
        // A default that no text can have stands in for nothing.
        if (field.kind == ProtobufKind::String && !valid_utf8(field.default_bytes)) field.has_default = false;
        return field;
    }

    ProtobufTypes& types_;
    std::unordered_map<const pb::Descriptor*, ProtobufMessage*> messages_;
    std::unordered_map<const pb::EnumDescriptor*, const ProtobufEnum*> enums_;
};

}  // namespace

Result<std::shared_ptr<const ProtobufTypes>> read_protobuf_schema(std::span<const SharedSchema> schemas) {
    const Result<ProtobufFiles> files = ProtobufFiles::read(schemas);
    if (!files) return files.error();
    auto types = std::make_shared<ProtobufTypes>();
    types->schema = schemas.front()->name;
    Builder(*types).build(files.value().files());
    return std::shared_ptr<const ProtobufTypes>(std::move(types));
}

}  // namespace sluice
