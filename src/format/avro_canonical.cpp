#include "format/avro_canonical.hpp"

#include "base/json_text.hpp"

#include <array>
#include <vector>

namespace sluice {

namespace {

class Writer {
  public:
    explicit Writer(const AvroSchema& schema) : schema_(schema), defined_(schema.size()) {}

    std::string run() {
        put(schema_.root());
        return std::move(out_);
    }

  private:
    void put(uint32_t index) {
        const AvroNode& node = schema_.node(index);
        if (node.type < AvroType::Record) return append_json_string(out_, avro_type_name(node.type));
        if (is_named(node.type)) {
            if (defined_[index]) return append_json_string(out_, node.name);
            defined_[index] = true;
            out_ += "{\"name\":";
            append_json_string(out_, node.name);
            out_ += ",\"type\":\"" + std::string(avro_type_name(node.type)) + "\"";
        }
        switch (node.type) {
            case AvroType::Record:
                out_ += ",\"fields\":";
                put_list(node.fields, [&](const AvroField& field) {
                    out_ += "{\"name\":";
                    append_json_string(out_, field.name);
                    out_ += ",\"type\":";
                    put(field.type);
                    out_ += '}';
                });
                break;
            case AvroType::Enum:
                out_ += ",\"symbols\":";
                put_list(node.symbols, [&](const std::string& symbol) { append_json_string(out_, symbol); });
                break;
            case AvroType::Fixed:
                out_ += ",\"size\":" + std::to_string(node.size);
                break;
            case AvroType::Array:
                out_ += "{\"type\":\"array\",\"items\":";
                put(node.types[0]);
                break;
            case AvroType::Map:
                out_ += "{\"type\":\"map\",\"values\":";
                put(node.types[0]);
                break;
            default:
                return put_list(node.types, [&](uint32_t branch) { put(branch); });
        }
        out_ += '}';
    }

    template <class List, class Put>
    void put_list(const List& list, const Put& put_one) {
        out_ += '[';
        bool first = true;
        for (const auto& one : list) {
            if (!first) out_ += ',';
            first = false;
            put_one(one);
        }
        out_ += ']';
    }

    const AvroSchema& schema_;
    std::vector<bool> defined_;
    std::string out_;
};

constexpr uint64_t kEmpty = 0xc15d213aa4d7a795u;

constexpr auto kTable = [] {
    std::array<uint64_t, 256> table{};
    for (uint64_t i = 0; i < table.size(); ++i) {
        uint64_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? kEmpty : 0);
        table[i] = value;
    }
    return table;
}();

}  // namespace

std::string avro_canonical_form(const AvroSchema& schema) { return Writer(schema).run(); }

uint64_t avro_fingerprint(std::string_view canonical_form) {
    uint64_t value = kEmpty;
    for (char c : canonical_form) value = value >> 8 ^ kTable[(value ^ static_cast<uint8_t>(c)) & 0xFF];
    return value;
}

}  // namespace sluice
