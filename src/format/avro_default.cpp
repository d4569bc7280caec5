#include "format/avro_default.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace sluice {

namespace {

namespace dom = simdjson::dom;

void put_long(std::string& out, int64_t value) {
    auto rest = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(rest | 0x80);
    out += static_cast<char>(rest);
}

template <class Number>
void put_number(std::string& out, Number value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof bytes);
}

// Bytes are written as characters U+0000 to U+00FF.
bool put_latin(std::string_view text, std::string& out) {
    for (size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<uint8_t>(text[i]);
        if (lead < 0x80) {
            out += text[i];
        } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
            out += static_cast<char>((lead & 3) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3F));
        } else {
            return false;
        }
    }
    return true;
}

class Encoder {
  public:
    Encoder(const AvroSchema& schema, std::string& out, size_t& budget)
        : schema_(schema), out_(out), budget_(budget) {}

    bool put(uint32_t type, const dom::element& json, size_t level) {
        const size_t before = out_.size();
        if (level > AvroSchema::kMostLevels || budget_ == 0) return false;
        --budget_;
        if (!put_value(schema_.node(type), json, level)) return false;
        const size_t written = is_leaf(schema_.node(type).type) ? out_.size() - before : 0;
        if (written > budget_) return false;
        budget_ -= written;
        return true;
    }

  private:
    static bool is_leaf(AvroType type) { return type < AvroType::Record || type == AvroType::Fixed; }

    bool put_value(const AvroNode& node, const dom::element& json, size_t level) {
        std::string_view text;
        int64_t number = 0;
        double real = 0;
        switch (node.type) {
            case AvroType::Null:
                return json.is_null();
            case AvroType::Boolean: {
                bool value = false;
                if (json.get(value) != simdjson::SUCCESS) return false;
                out_ += static_cast<char>(value);
                return true;
            }
            case AvroType::Int:
            case AvroType::Long: {
                if (!whole(json, number)) return false;
                const bool fits = node.type == AvroType::Long || (number >= INT32_MIN && number <= INT32_MAX);
                if (fits) put_long(out_, number);
                return fits;
            }
            case AvroType::Float:
            case AvroType::Double:
                if (!real_of(json, real)) return false;
                if (node.type == AvroType::Float)
                    put_number(out_, static_cast<float>(real));
                else
                    put_number(out_, real);
                return true;
            case AvroType::String:
                if (json.get(text) != simdjson::SUCCESS) return false;
                put_long(out_, static_cast<int64_t>(text.size()));
                out_ += text;
                return true;
            case AvroType::Bytes:
            case AvroType::Fixed: {
                std::string bytes;
                if (json.get(text) != simdjson::SUCCESS || !put_latin(text, bytes)) return false;
                if (node.type == AvroType::Bytes) put_long(out_, static_cast<int64_t>(bytes.size()));
                out_ += bytes;
                return node.type == AvroType::Bytes || bytes.size() == node.size;
            }
            case AvroType::Enum: {
                if (json.get(text) != simdjson::SUCCESS) return false;
                const auto found = std::find(node.symbols.begin(), node.symbols.end(), text);
                put_long(out_, found - node.symbols.begin());
                return found != node.symbols.end();
            }
            case AvroType::Array:
                return put_array(node, json, level);
            case AvroType::Map:
                return put_map(node, json, level);
            case AvroType::Union:
                return put_union(node, json, level);
            case AvroType::Record:
                return put_record(node, json, level);
        }
        return false;
    }

    static bool whole(const dom::element& json, int64_t& number) {
        double real = 0;
        if (json.get(number) == simdjson::SUCCESS) return true;
        constexpr double kLimit = 9007199254740992.0;  // beyond it not every whole number is a double
        if (json.get(real) != simdjson::SUCCESS || real != std::floor(real) || std::abs(real) > kLimit)
            return false;
        number = static_cast<int64_t>(real);
        return true;
    }

    static bool real_of(const dom::element& json, double& real) {
        std::string_view text;
        if (json.get(real) == simdjson::SUCCESS) return true;
        if (json.get(text) != simdjson::SUCCESS) return false;
        constexpr double kInfinity = std::numeric_limits<double>::infinity();
        if (text != "NaN" && text != "Infinity" && text != "-Infinity") return false;
        real = text == "NaN" ? std::numeric_limits<double>::quiet_NaN()
                             : (text == "Infinity" ? kInfinity : -kInfinity);
        return true;
    }

    bool put_array(const AvroNode& node, const dom::element& json, size_t level) {
        dom::array array;
        if (json.get(array) != simdjson::SUCCESS) return false;
        if (array.size() > 0) put_long(out_, static_cast<int64_t>(array.size()));
        for (const dom::element& item : array)
            if (!put(node.types[0], item, level + 1)) return false;
        put_long(out_, 0);
        return true;
    }

    bool put_map(const AvroNode& node, const dom::element& json, size_t level) {
        dom::object object;
        if (json.get(object) != simdjson::SUCCESS) return false;
        if (object.size() > 0) put_long(out_, static_cast<int64_t>(object.size()));
        for (const auto& [key, value] : object) {
            put_long(out_, static_cast<int64_t>(key.size()));
            out_ += key;
            if (!put(node.types[0], value, level + 1)) return false;
        }
        put_long(out_, 0);
        return true;
    }

    // Avro says that it is a value of the first branch; newer versions take any.
    bool put_union(const AvroNode& node, const dom::element& json, size_t level) {
        for (size_t branch = 0; branch < node.types.size(); ++branch) {
            const size_t before = out_.size();
            put_long(out_, static_cast<int64_t>(branch));
            if (put(node.types[branch], json, level + 1)) return true;
            out_.resize(before);
        }
        return false;
    }

    bool put_record(const AvroNode& node, const dom::element& json, size_t level) {
        dom::object object;
        if (json.get(object) != simdjson::SUCCESS) return false;
        for (const AvroField& field : node.fields) {
            dom::element value;
            if (object[field.name].get(value) == simdjson::SUCCESS) {
                if (!put(field.type, value, level + 1)) return false;
            } else if (field.initial && field.initial->size() <= budget_) {
                budget_ -= field.initial->size();
                out_ += *field.initial;
            } else {
                return false;
            }
        }
        return true;
    }

    const AvroSchema& schema_;
    std::string& out_;
    size_t& budget_;
};

}  // namespace

bool encode_avro_default(const AvroSchema& schema, uint32_t type, const dom::element& json, std::string& out,
                         size_t& budget) {
    return Encoder(schema, out, budget).put(type, json, 0);
}

}  // namespace sluice
