// Random schemas and messages: what every path gives is what libprotobuf's own reflection says.
#include "../fuzz/protobuf_model.hpp"
#include "protobuf_helpers.hpp"

#include <random>

namespace sluice {
namespace {

using Field = pb::FieldDescriptorProto;

class Random {
  public:
    explicit Random(uint64_t seed) : engine_(seed) {}

    uint64_t bits() { return engine_(); }
    int below(int bound) { return static_cast<int>(engine_() % static_cast<uint64_t>(bound)); }
    bool one_in(int n) { return below(n) == 0; }
    // Small ones are as likely as those of all sizes.
    uint64_t number() { return one_in(2) ? bits() % 300 : bits() >> below(64); }

    std::string text() {
        const char* const kParts[] = {"a", "B", "é", "\"", "\\", "\n", "€", "😀", " ", "x.y", "\x01", "true"};
        std::string text;
        for (int i = below(6); i > 0; --i) text += kParts[below(12)];
        return text;
    }

  private:
    std::mt19937_64 engine_;
};

const char* const kGoogles[] = {"Timestamp",  "Duration",   "Int64Value", "StringValue",
                                "BytesValue", "FloatValue", "Struct",     "Value",
                                "ListValue",  "Any",        "FieldMask"};
const char* const kFiles[] = {"timestamp", "duration", "wrappers", "struct", "any", "field_mask"};

// A file with some types that refer to each other.
class RandomSchema {
  public:
    RandomSchema(Random& random, bool proto3) : random_(random), proto3_(proto3) {
        file_.set_name("main");
        file_.set_package("p");
        if (proto3) file_.set_syntax("proto3");
        for (const char* name : kFiles)
            file_.add_dependency("google/protobuf/" + std::string(name) + ".proto");
        auto* color = file_.add_enum_type();
        color->set_name("Color");
        for (int i = 0; i < 4; ++i) {
            color->add_value()->set_name("C" + std::to_string(i));
            color->mutable_value(i)->set_number(i * i * (i % 2 == 1 ? -1 : 1));
        }
        for (int i = 0; i < kTypes; ++i) add_type("M" + std::to_string(i));
    }

    const pb::FileDescriptorProto& file() const { return file_; }

    // The same, but what is packed here is not there: a reader takes both.
    pb::FileDescriptorProto with_other_packing() const {
        pb::FileDescriptorProto other = file_;
        for (auto& type : *other.mutable_message_type())
            for (auto& field : *type.mutable_field())
                if (field.label() == Field::LABEL_REPEATED && field.type() != Field::TYPE_STRING &&
                    field.type() != Field::TYPE_BYTES && field.type() != Field::TYPE_MESSAGE &&
                    field.type() != Field::TYPE_GROUP)
                    field.mutable_options()->set_packed(!field.options().packed());
        return other;
    }

  private:
    static constexpr int kTypes = 4;

    void add_type(const std::string& name) {
        pb::DescriptorProto& type = *file_.add_message_type();
        type.set_name(name);
        const int count = 1 + random_.below(12);
        int number = 0;
        const bool has_oneof = random_.one_in(2);
        std::vector<pb::FieldDescriptorProto> members;
        for (int i = 0; i < count; ++i) {
            number += 1 + (random_.one_in(8) ? random_.below(1'000'000) : random_.below(3));
            if (number >= 19000 && number <= 19999) number = 20000;
            Field field;
            field.set_name("f" + std::to_string(i));
            field.set_number(number);
            field.set_label(Field::LABEL_OPTIONAL);
            if (random_.one_in(8)) {
                add_map(type, field);
                *type.add_field() = field;
                continue;
            }
            set_type(type, field);
            if (has_oneof && random_.one_in(3)) {
                field.set_oneof_index(0);
                members.push_back(field);
                continue;
            }
            set_label(field);
            *type.add_field() = field;
        }
        // The members of a oneof stand together.
        if (!members.empty()) type.add_oneof_decl()->set_name("one");
        for (const auto& member : members) *type.add_field() = member;
        for (auto& field : *type.mutable_field()) {
            if (!field.proto3_optional()) continue;
            field.set_oneof_index(type.oneof_decl_size());
            type.add_oneof_decl()->set_name("_" + field.name());
        }
    }

    void set_label(Field& field) {
        if (random_.one_in(3)) {
            field.set_label(Field::LABEL_REPEATED);
            const bool packable = field.type() != Field::TYPE_STRING && field.type() != Field::TYPE_BYTES &&
                                  field.type() != Field::TYPE_MESSAGE && field.type() != Field::TYPE_GROUP;
            if (packable) field.mutable_options()->set_packed(random_.one_in(2));
        } else if (proto3_) {
            field.set_proto3_optional(random_.one_in(3));
        } else if (random_.one_in(3)) {
            if (field.type() == Field::TYPE_STRING) field.set_default_value("d\"é");
            if (field.type() == Field::TYPE_INT32 || field.type() == Field::TYPE_SINT64)
                field.set_default_value("-7");
            if (field.type() == Field::TYPE_ENUM) field.set_default_value("C2");
            if (field.type() == Field::TYPE_DOUBLE) field.set_default_value("1.5");
        }
    }

    void set_scalar(Field& field) {
        do field.set_type(static_cast<Field::Type>(1 + random_.below(18)));
        while (field.type() == Field::TYPE_MESSAGE || field.type() == Field::TYPE_GROUP);
        if (field.type() == Field::TYPE_ENUM) field.set_type_name(".p.Color");
    }

    void set_message(Field& field) {
        field.set_type(Field::TYPE_MESSAGE);
        field.set_type_name(random_.one_in(2)
                                ? ".p.M" + std::to_string(random_.below(kTypes))
                                : ".google.protobuf." +
                                      std::string(kGoogles[random_.below(std::size(kGoogles))]));
    }

    void set_type(pb::DescriptorProto& type, Field& field) {
        if (!proto3_ && random_.one_in(10)) {
            auto* group = type.add_nested_type();
            group->set_name("G" + field.name());
            auto* inner = group->add_field();
            inner->set_name("n");
            inner->set_number(1);
            inner->set_label(Field::LABEL_OPTIONAL);
            inner->set_type(Field::TYPE_SINT32);
            field.set_type(Field::TYPE_GROUP);
            field.set_type_name(".p." + type.name() + ".G" + field.name());
            field.set_name("g" + field.name());
        } else if (random_.one_in(3)) {
            set_message(field);
        } else {
            set_scalar(field);
        }
    }

    void add_map(pb::DescriptorProto& type, Field& field) {
        auto* entry = type.add_nested_type();
        std::string name = field.name() + "Entry";
        name[0] = 'F';
        entry->set_name(name);
        entry->mutable_options()->set_map_entry(true);
        auto* key = entry->add_field();
        key->set_name("key");
        key->set_number(1);
        key->set_label(Field::LABEL_OPTIONAL);
        do set_scalar(*key);
        while (key->type() == Field::TYPE_DOUBLE || key->type() == Field::TYPE_FLOAT ||
               key->type() == Field::TYPE_BYTES || key->type() == Field::TYPE_ENUM);
        key->clear_type_name();
        auto* value = entry->add_field();
        value->set_name("value");
        value->set_number(2);
        value->set_label(Field::LABEL_OPTIONAL);
        if (random_.one_in(3))
            set_message(*value);
        else
            set_scalar(*value);
        field.set_label(Field::LABEL_REPEATED);
        field.set_type(Field::TYPE_MESSAGE);
        field.set_type_name(".p." + type.name() + "." + name);
    }

    Random& random_;
    bool proto3_;
    pb::FileDescriptorProto file_;
};

class RandomMessage {
  public:
    RandomMessage(Random& random, pb::DynamicMessageFactory& factory) : random_(random), factory_(factory) {}

    void fill(pb::Message& message, int depth) {
        const pb::Descriptor& type = *message.GetDescriptor();
        const std::string& name = type.full_name();
        if (name == "google.protobuf.Timestamp" || name == "google.protobuf.Duration")
            return fill_time(message);
        if (name == "google.protobuf.Any") return fill_any(message, depth);
        for (int i = 0; i < type.field_count(); ++i) {
            const pb::FieldDescriptor& field = *type.field(i);
            if (random_.one_in(3) || (depth > 4 && field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE))
                continue;
            for (int n = field.is_repeated() ? random_.below(4) : 1; n > 0; --n) set(message, field, depth);
        }
    }

  private:
    void fill_time(pb::Message& message) {
        const pb::Descriptor& type = *message.GetDescriptor();
        const pb::Reflection& reflection = *message.GetReflection();
        const bool duration = type.name() == "Duration";
        const int64_t sign = random_.one_in(2) ? 1 : -1;
        reflection.SetInt64(&message, type.field(0),
                            static_cast<int64_t>(random_.bits() % 62'135'596'800) * sign);
        const int nanos = random_.one_in(2) ? random_.below(1000) * 1'000'000 : random_.below(1'000'000'000);
        reflection.SetInt32(&message, type.field(1), duration ? nanos * static_cast<int>(sign) : nanos);
    }

    void fill_any(pb::Message& message, int depth) {
        const pb::Descriptor& type = *message.GetDescriptor();
        const pb::Reflection& reflection = *message.GetReflection();
        if (random_.one_in(3)) {
            reflection.SetString(&message, type.field(0), "x/y.Unknown");
            reflection.SetString(&message, type.field(1), random_.text());
            return;
        }
        const std::string name = random_.one_in(2) ? "p.M0" : "google.protobuf.Duration";
        const auto* inner_type = type.file()->pool()->FindMessageTypeByName(name);
        const std::unique_ptr<pb::Message> inner(factory_.GetPrototype(inner_type)->New());
        if (depth < 3) fill(*inner, depth + 2);
        reflection.SetString(&message, type.field(0), "type.googleapis.com/" + name);
        reflection.SetString(&message, type.field(1), inner->SerializePartialAsString());
    }

    void set(pb::Message& message, const pb::FieldDescriptor& field, int depth) {
        const pb::Reflection& r = *message.GetReflection();
        const bool many = field.is_repeated();
        const uint64_t number = random_.number();
        switch (field.cpp_type()) {
            case pb::FieldDescriptor::CPPTYPE_INT32:
                return many ? r.AddInt32(&message, &field, static_cast<int32_t>(number))
                            : r.SetInt32(&message, &field, static_cast<int32_t>(number));
            case pb::FieldDescriptor::CPPTYPE_INT64:
                return many ? r.AddInt64(&message, &field, static_cast<int64_t>(number))
                            : r.SetInt64(&message, &field, static_cast<int64_t>(number));
            case pb::FieldDescriptor::CPPTYPE_UINT32:
                return many ? r.AddUInt32(&message, &field, static_cast<uint32_t>(number))
                            : r.SetUInt32(&message, &field, static_cast<uint32_t>(number));
            case pb::FieldDescriptor::CPPTYPE_UINT64:
                return many ? r.AddUInt64(&message, &field, number) : r.SetUInt64(&message, &field, number);
            case pb::FieldDescriptor::CPPTYPE_DOUBLE: {
                const double real = random_.one_in(2) ? static_cast<double>(number) / 100
                                                      : std::bit_cast<double>(random_.bits());
                return many ? r.AddDouble(&message, &field, real) : r.SetDouble(&message, &field, real);
            }
            case pb::FieldDescriptor::CPPTYPE_FLOAT: {
                const float real = random_.one_in(2)
                                       ? static_cast<float>(number) / 100
                                       : std::bit_cast<float>(static_cast<uint32_t>(random_.bits()));
                return many ? r.AddFloat(&message, &field, real) : r.SetFloat(&message, &field, real);
            }
            case pb::FieldDescriptor::CPPTYPE_BOOL:
                return many ? r.AddBool(&message, &field, number % 2 != 0)
                            : r.SetBool(&message, &field, number % 2 != 0);
            case pb::FieldDescriptor::CPPTYPE_ENUM: {
                const auto* value = field.enum_type()->value(random_.below(field.enum_type()->value_count()));
                return many ? r.AddEnum(&message, &field, value) : r.SetEnum(&message, &field, value);
            }
            case pb::FieldDescriptor::CPPTYPE_STRING: {
                const std::string text = random_.text();
                return many ? r.AddString(&message, &field, text) : r.SetString(&message, &field, text);
            }
            case pb::FieldDescriptor::CPPTYPE_MESSAGE:
                return fill(many ? *r.AddMessage(&message, &field) : *r.MutableMessage(&message, &field),
                            depth + 1);
        }
    }

    Random& random_;
    pb::DynamicMessageFactory& factory_;
};

// A path that may or may not lead to something, and what the model finds there.
class RandomPath {
  public:
    RandomPath(Random& random, ProtobufModel& model) : random_(random), model_(model) {}

    std::string text;
    std::optional<std::string> expected;

    void walk(const pb::Message* message, const pb::Descriptor& type) {
        const pb::FieldDescriptor& field = *type.field(random_.below(type.field_count()));
        text += (text.empty() ? "" : ".") + field.name();
        if (field.is_map() && random_.one_in(2)) return map_entry(message, field);
        if (field.is_repeated() && !field.is_map() && random_.one_in(2)) return item(message, field);
        if (field.is_repeated() || !goes_inside(field)) {
            expected = message == nullptr ? std::nullopt : model_.field(*message, field);
            return;
        }
        const bool there = message != nullptr && message->GetReflection()->HasField(*message, &field);
        walk(there ? &message->GetReflection()->GetMessage(*message, &field) : nullptr,
             *field.message_type());
    }

  private:
    bool goes_inside(const pb::FieldDescriptor& field) {
        return field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE && random_.one_in(2);
    }

    void item(const pb::Message* message, const pb::FieldDescriptor& field) {
        const int index = random_.below(4);
        text += "[" + std::to_string(index) + "]";
        const bool there =
            message != nullptr && index < message->GetReflection()->FieldSize(*message, &field);
        if (goes_inside(field))
            walk(there ? &message->GetReflection()->GetRepeatedMessage(*message, &field, index) : nullptr,
                 *field.message_type());
        else if (there)
            expected = model_.item(*message, field, index);
    }

    void map_entry(const pb::Message* message, const pb::FieldDescriptor& field) {
        const pb::FieldDescriptor& value = *field.message_type()->field(1);
        const int size = message == nullptr ? 0 : message->GetReflection()->FieldSize(*message, &field);
        std::string key = "7";
        if (size > 0)
            key = model_
                      .key_of(
                          message->GetReflection()->GetRepeatedMessage(*message, &field, random_.below(size)))
                      .second;
        std::string quoted = "\"";
        for (const char c : key) quoted.append(c == '"' ? 2 : 1, c);
        text += "." + quoted + "\"";
        const pb::Message* const entry = message == nullptr ? nullptr : model_.entry(*message, field, key);
        if (goes_inside(value))
            walk(entry == nullptr ? nullptr : &entry->GetReflection()->GetMessage(*entry, &value),
                 *value.message_type());
        else if (entry != nullptr)
            expected = model_.single(*entry, value);
    }

    Random& random_;
    ProtobufModel& model_;
};

// JSON's null is NULL in a column.
std::optional<std::string> as_cell(const std::optional<std::string>& expected) {
    return expected == "null" ? std::nullopt : expected;
}

void check_schema_of(uint64_t seed, bool proto3) {
    SCOPED_TRACE("seed " + std::to_string(seed) + (proto3 ? ", proto3" : ", proto2"));
    Random random(seed);
    const RandomSchema schema(random, proto3);
    pb::FileDescriptorSet set;
    *set.add_file() = schema.file();
    pb::DescriptorPoolDatabase linked(*pb::DescriptorPool::generated_pool());
    const auto build = [&](const pb::FileDescriptorProto& file, pb::SimpleDescriptorDatabase& own,
                           pb::MergedDescriptorDatabase& both) {
        own.Add(file);
        auto pool = std::make_unique<pb::DescriptorPool>(&both);
        return pool;
    };
    pb::SimpleDescriptorDatabase own, other_own;
    pb::MergedDescriptorDatabase both(&own, &linked), other_both(&other_own, &linked);
    const auto pool = build(schema.file(), own, both);
    const auto other = build(schema.with_other_packing(), other_own, other_both);
    const pb::Descriptor* const type = pool->FindMessageTypeByName("p.M0");
    const pb::Descriptor* const other_type = other->FindMessageTypeByName("p.M0");
    ASSERT_TRUE(type != nullptr && other_type != nullptr) << schema.file().DebugString();
    const SharedSchema body = protobuf_text(set.SerializeAsString());
    pb::DynamicMessageFactory factory, other_factory;
    ProtobufModel model(factory);
    for (int round = 0; round < 12; ++round) {
        // Two messages one after the other are one, merged.
        std::string bytes;
        for (int i = random.below(3); i >= 0; --i) {
            const bool same = random.one_in(2);
            auto& from = same ? factory : other_factory;
            const std::unique_ptr<pb::Message> message(from.GetPrototype(same ? type : other_type)->New());
            RandomMessage(random, from).fill(*message, 0);
            bytes += message->SerializePartialAsString();
            if (random.one_in(4))
                bytes += std::string(
                    "\xfa\xff\xff\xff\x0f\x02hi\xe3\xff\xff\xff\x0f\x08\x01\xe4\xff\xff\xff\x0f", 20);
        }
        const std::unique_ptr<pb::Message> message(factory.GetPrototype(type)->New());
        ASSERT_TRUE(message->ParsePartialFromString(bytes));
        std::vector<SourceColumn> columns{shaped("all", "$", ColumnShape::Json)};
        Texts expected;
        try {
            expected.push_back(model.json(*message));
            for (int i = 0; i < 20; ++i) {
                RandomPath path(random, model);
                path.walk(message.get(), *type);
                columns.push_back(shaped("c" + std::to_string(i), path.text, ColumnShape::Json));
                expected.push_back(as_cell(path.expected));
            }
        } catch (const ProtobufModel::NoJson&) {
            // The type of one Any and the value of another may have become one.
            EXPECT_FALSE(error_of(protobuf_source(columns, {body}, "p.M0"), bytes).message.empty());
            continue;
        }
        const Texts found = shown(protobuf_source(columns, {body}, "p.M0"), bytes);
        for (size_t i = 0; i < columns.size(); ++i)
            EXPECT_EQ(as_cell(found[i]), expected[i]) << columns[i].field << "\n" << message->DebugString();
        if (testing::Test::HasFailure()) FAIL() << schema.file().DebugString();
    }
}

TEST(ProtobufProperty, PathsGiveWhatReflectionSays) {
    pb::SetLogHandler(nullptr);
    for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed)
        check_schema_of(seed, seed % 2 == 0);
}

}  // namespace
}  // namespace sluice
