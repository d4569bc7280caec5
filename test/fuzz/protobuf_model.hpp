// What sluice should make of a Protobuf message, told slowly by libprotobuf's own reflection.
// Must not know how sluice reads messages.
// Returns copies.
#pragma once

#include "base/json_text.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice {

namespace pb = google::protobuf;

class ProtobufModel {
  public:
    // What has no JSON: a time out of range, an Any whose bytes are not of its type.
    struct NoJson : std::runtime_error {
        using std::runtime_error::runtime_error;
    };

    explicit ProtobufModel(google::protobuf::DynamicMessageFactory& factory) : factory_(factory) {}

    std::string json(const pb::Message& message) {
        const std::string& name = message.GetDescriptor()->full_name();
        constexpr std::string_view kGoogle = "google.protobuf.";
        if (name.starts_with(kGoogle)) {
            const std::string known = name.substr(kGoogle.size());
            if (known == "Timestamp") return quoted(timestamp(message));
            if (known == "Duration") return quoted(duration(message));
            if (known == "Value") return value(message);
            if (known == "Any") return any(message);
            if (known == "FieldMask") return mask(message);
            if (known == "Struct" || known == "ListValue" || known.ends_with("Value"))
                return *field(message, *message.GetDescriptor()->field(0));
        }
        return '{' + members(message) + '}';
    }

    // As in a column of type jsonb; nothing is NULL.
    std::optional<std::string> field(const pb::Message& message, const pb::FieldDescriptor& field) {
        const pb::Reflection& reflection = *message.GetReflection();
        if (field.is_map()) return map(message, field);
        if (field.is_repeated()) {
            std::string list;
            for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
                list += (i ? "," : "") + item(message, field, i);
            return '[' + list + ']';
        }
        const bool has_default =
            field.real_containing_oneof() == nullptr && (!field.has_presence() || field.has_default_value());
        if (!has_default && !reflection.HasField(message, &field)) return std::nullopt;
        return single(message, field);
    }

    // Of the last entry of the key; nothing when there is none.
    const pb::Message* entry(const pb::Message& message, const pb::FieldDescriptor& field,
                             const std::string& key) {
        const pb::Message* found = nullptr;
        for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
            const pb::Message& one = message.GetReflection()->GetRepeatedMessage(message, &field, i);
            if (key_of(one).second == key) found = &one;
        }
        return found;
    }

    std::pair<std::pair<__int128, std::string>, std::string> key_of(const pb::Message& entry) {
        const pb::FieldDescriptor& key = *entry.GetDescriptor()->field(0);
        const pb::Reflection& reflection = *entry.GetReflection();
        if (key.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING) {
            const std::string text = reflection.GetString(entry, &key);
            return {{0, text}, text};
        }
        std::string text = single(entry, key);
        __int128 number = 0;
        switch (key.cpp_type()) {
            case pb::FieldDescriptor::CPPTYPE_BOOL:
                number = reflection.GetBool(entry, &key);
                break;
            case pb::FieldDescriptor::CPPTYPE_INT32:
                number = reflection.GetInt32(entry, &key);
                break;
            case pb::FieldDescriptor::CPPTYPE_INT64:
                number = reflection.GetInt64(entry, &key);
                break;
            case pb::FieldDescriptor::CPPTYPE_UINT32:
                number = reflection.GetUInt32(entry, &key);
                break;
            default:
                // In the order of 64 bits with a sign.
                number = static_cast<int64_t>(reflection.GetUInt64(entry, &key));
        }
        return {{number, ""}, text};
    }

    std::string item(const pb::Message& message, const pb::FieldDescriptor& field, int i) {
        const pb::Reflection& reflection = *message.GetReflection();
        switch (field.cpp_type()) {
            case pb::FieldDescriptor::CPPTYPE_INT32:
                return std::to_string(reflection.GetRepeatedInt32(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_INT64:
                return std::to_string(reflection.GetRepeatedInt64(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_UINT32:
                return std::to_string(reflection.GetRepeatedUInt32(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_UINT64:
                return std::to_string(reflection.GetRepeatedUInt64(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_DOUBLE:
                return real(reflection.GetRepeatedDouble(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_FLOAT:
                return real(reflection.GetRepeatedFloat(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_BOOL:
                return reflection.GetRepeatedBool(message, &field, i) ? "true" : "false";
            case pb::FieldDescriptor::CPPTYPE_ENUM:
                return enumeration(field, reflection.GetRepeatedEnumValue(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_STRING:
                return text(field, reflection.GetRepeatedString(message, &field, i));
            case pb::FieldDescriptor::CPPTYPE_MESSAGE:
                break;
        }
        return json(reflection.GetRepeatedMessage(message, &field, i));
    }

    std::string single(const pb::Message& message, const pb::FieldDescriptor& field) {
        const pb::Reflection& reflection = *message.GetReflection();
        switch (field.cpp_type()) {
            case pb::FieldDescriptor::CPPTYPE_INT32:
                return std::to_string(reflection.GetInt32(message, &field));
            case pb::FieldDescriptor::CPPTYPE_INT64:
                return std::to_string(reflection.GetInt64(message, &field));
            case pb::FieldDescriptor::CPPTYPE_UINT32:
                return std::to_string(reflection.GetUInt32(message, &field));
            case pb::FieldDescriptor::CPPTYPE_UINT64:
                return std::to_string(reflection.GetUInt64(message, &field));
            case pb::FieldDescriptor::CPPTYPE_DOUBLE:
                return real(reflection.GetDouble(message, &field));
            case pb::FieldDescriptor::CPPTYPE_FLOAT:
                return real(reflection.GetFloat(message, &field));
            case pb::FieldDescriptor::CPPTYPE_BOOL:
                return reflection.GetBool(message, &field) ? "true" : "false";
            case pb::FieldDescriptor::CPPTYPE_ENUM:
                return enumeration(field, reflection.GetEnumValue(message, &field));
            case pb::FieldDescriptor::CPPTYPE_STRING:
                return text(field, reflection.GetString(message, &field));
            case pb::FieldDescriptor::CPPTYPE_MESSAGE:
                break;
        }
        return json(reflection.GetMessage(message, &field));
    }

  private:
    static std::string quoted(const std::string& text) { return '"' + text + '"'; }

    template <class Real>
    static std::string real(Real value) {
        if (std::isnan(value)) return "\"NaN\"";
        if (std::isinf(value)) return value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
        const Real size = std::abs(value);
        const bool plain = size == 0 || (size >= Real{1e-5f} && size < Real{1e15f});
        char digits[64];
        return {digits, std::to_chars(digits, digits + sizeof digits, value,
                                      plain ? std::chars_format::fixed : std::chars_format::scientific)
                            .ptr};
    }

    static std::string enumeration(const pb::FieldDescriptor& field, int number) {
        if (field.enum_type()->full_name() == "google.protobuf.NullValue") return "null";
        const auto* value = field.enum_type()->FindValueByNumber(number);
        return value == nullptr ? std::to_string(number) : quoted(value->name());
    }

    static std::string text(const pb::FieldDescriptor& field, const std::string& value) {
        std::string json;
        if (field.type() == pb::FieldDescriptor::TYPE_BYTES)
            append_json_base64(json, value);
        else
            append_json_string(json, value);
        return json;
    }

    std::string members(const pb::Message& message) {
        std::vector<const pb::FieldDescriptor*> fields;
        for (int i = 0; i < message.GetDescriptor()->field_count(); ++i)
            fields.push_back(message.GetDescriptor()->field(i));
        std::string json;
        for (const pb::FieldDescriptor* one : fields)
            if (const auto shown = field(message, *one))
                json += (json.empty() ? "" : ",") + quoted(one->name()) + ":" + *shown;
        return json;
    }

    std::string map(const pb::Message& message, const pb::FieldDescriptor& field) {
        std::map<std::pair<__int128, std::string>, std::string> entries;
        for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
            const pb::Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
            auto [order, key] = key_of(entry);
            std::string shown;
            append_json_string(shown, key);
            entries[order] = shown + ":" + single(entry, *entry.GetDescriptor()->field(1));
        }
        std::string json;
        for (const auto& [key, entry] : entries) json += (json.empty() ? "" : ",") + entry;
        return '{' + json + '}';
    }

    struct Time {
        int64_t seconds;
        int nanos;
    };

    static Time time(const pb::Message& message) {
        const pb::Descriptor& type = *message.GetDescriptor();
        return {message.GetReflection()->GetInt64(message, type.field(0)),
                message.GetReflection()->GetInt32(message, type.field(1))};
    }

    static std::string fraction(int nanos) {
        if (nanos == 0) return "";
        char digits[16];
        std::snprintf(digits, sizeof digits, ".%09d", std::abs(nanos));
        std::string text(digits);
        while (text.ends_with("000")) text.resize(text.size() - 3);
        return text;
    }

    static std::string timestamp(const pb::Message& message) {
        const Time at = time(message);
        if (at.seconds < -62135596800 || at.seconds > 253402300799 || at.nanos < 0 || at.nanos > 999'999'999)
            throw NoJson("timestamp");
        const std::time_t seconds = at.seconds;
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        char text[64];
        std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        return text + fraction(at.nanos) + "Z";
    }

    static std::string duration(const pb::Message& message) {
        const Time time = ProtobufModel::time(message);
        if (time.seconds < -315576000000 || time.seconds > 315576000000 || time.nanos < -999'999'999 ||
            time.nanos > 999'999'999 || (time.seconds < 0 && time.nanos > 0) ||
            (time.seconds > 0 && time.nanos < 0))
            throw NoJson("duration");
        return (time.seconds < 0 || time.nanos < 0 ? "-" : "") + std::to_string(std::abs(time.seconds)) +
               fraction(time.nanos) + "s";
    }

    std::string value(const pb::Message& message) {
        const auto* set =
            message.GetReflection()->GetOneofFieldDescriptor(message, message.GetDescriptor()->oneof_decl(0));
        return set == nullptr ? "null" : single(message, *set);
    }

    std::string mask(const pb::Message& message) {
        const auto& paths = *message.GetDescriptor()->field(0);
        std::string json;
        for (int i = 0; i < message.GetReflection()->FieldSize(message, &paths); ++i)
            json += (i ? "," : "") + message.GetReflection()->GetRepeatedString(message, &paths, i);
        return text(paths, json);
    }

    std::string any(const pb::Message& message) {
        const auto* url_field = message.GetDescriptor()->field(0);
        const std::string url = message.GetReflection()->GetString(message, url_field);
        const std::string bytes =
            message.GetReflection()->GetString(message, message.GetDescriptor()->field(1));
        const size_t slash = url.rfind('/');
        const auto* type =
            slash == std::string::npos
                ? nullptr
                : message.GetDescriptor()->file()->pool()->FindMessageTypeByName(url.substr(slash + 1));
        if (type == nullptr || type->options().map_entry())
            return "{\"type_url\":" + text(*url_field, url) +
                   ",\"value\":" + text(*message.GetDescriptor()->field(1), bytes) + "}";
        const std::unique_ptr<pb::Message> inner(factory_.GetPrototype(type)->New());
        if (!inner->ParsePartialFromString(bytes)) throw NoJson("any");
        const std::string shown = json(*inner);
        const std::string head = "{\"@type\":" + text(*url_field, url);
        if (shown.starts_with('{') && !type->full_name().starts_with("google.protobuf.")) {
            const std::string inside = shown.substr(1);
            return head + (inside == "}" ? "" : ",") + inside;
        }
        return head + ",\"value\":" + shown + "}";
    }

    google::protobuf::DynamicMessageFactory& factory_;
};

}  // namespace sluice
