#include "format/avro_json.hpp"

#include "base/json_text.hpp"
#include "format/utf8.hpp"

#include <cmath>

namespace sluice {

namespace {

void append_hex(std::string& out, std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += "\"\\\\x";
    for (char c : bytes) {
        out += kDigits[static_cast<uint8_t>(c) >> 4];
        out += kDigits[static_cast<uint8_t>(c) & 15];
    }
    out += '"';
}

}  // namespace

bool AvroJson::too_large() {
    return cursor_.fail("it would have more than " + std::to_string(most_) + " bytes as JSON",
                        AvroFault::Kind::Limit);
}

bool AvroJson::put(uint32_t index, size_t level) {
    if (level == AvroCursor::kMostLevels) return cursor_.too_deep();
    if (!put_value(reading_.shape(index), level)) return false;
    return out_.size() <= most_ || too_large();
}

bool AvroJson::put_value(const AvroShape& shape, size_t level) {
    switch (shape.wire) {
        case AvroWire::Null:
            out_ += "null";
            return true;
        case AvroWire::Record:
            return put_record(shape, level);
        case AvroWire::Array:
        case AvroWire::Map:
            return put_items(shape, level);
        case AvroWire::Union: {
            uint32_t branch = 0;
            return cursor_.take_index(shape.inner.size(), branch) && put(shape.inner[branch], level + 1);
        }
        case AvroWire::Unreadable:
            return cursor_.fail(shape.problem, AvroFault::Kind::Unreadable);
        default:
            return put_scalar(shape);
    }
}

bool AvroJson::put_scalar(const AvroShape& shape) {
    AvroScalar scalar;
    const size_t at = cursor_.offset();
    if (!take_avro_scalar(cursor_, shape, scalar)) return false;
    const auto refused = [&](AvroRefusal refusal) {
        refusal_ = refusal;
        if (refusal.what) cursor_.go_to(at);
        return refusal.what == nullptr;
    };
    const auto put_text = [&](bool quoted) {
        if (quoted) out_ += '"';
        const bool written = refused(append_avro_text(out_, shape, scalar));
        if (quoted) out_ += '"';
        return written;
    };
    switch (shape.type) {
        case AvroType::Boolean:
            out_ += scalar.number ? "true" : "false";
            return true;
        case AvroType::Int:
        case AvroType::Long:
            return put_text(shape.meaning.kind != AvroMeaning::Plain);
        case AvroType::Float:
        case AvroType::Double:
            return put_text(!std::isfinite(scalar.real));
        case AvroType::Bytes:
        case AvroType::Fixed:
            if (shape.meaning.kind != AvroMeaning::Plain)
                return put_text(shape.meaning.kind != AvroMeaning::Decimal);
            if (bytes_ == AvroBytesAs::Base64)
                append_json_base64(out_, scalar.bytes);
            else
                append_hex(out_, scalar.bytes);
            return true;
        default:
            return put_string(scalar.bytes, at);
    }
}

bool AvroJson::put_string(std::string_view text, size_t at) {
    if (!valid_utf8(text)) {
        cursor_.go_to(at);
        return cursor_.fail("a string is not valid UTF-8", AvroFault::Kind::Encoding);
    }
    append_json_string(out_, text);
    return true;
}

bool AvroJson::put_record(const AvroShape& shape, size_t level) {
    if (shape.meaning.kind == AvroMeaning::VariableDecimal) {
        const size_t at = cursor_.offset();
        if (!take_variable_decimal(cursor_, reading_, shape, out_, refusal_)) return false;
        if (refusal_.what) cursor_.go_to(at);
        return refusal_.what == nullptr;
    }
    out_ += '{';
    bool first = true;
    for (const AvroPart& part : shape.parts) {
        if (!part.kept) {
            if (!cursor_.skip(reading_, part.shape, level + 1)) return cursor_.inside(part.name);
            continue;
        }
        if (!first) out_ += ',';
        first = false;
        append_json_string(out_, part.name);
        out_ += ':';
        if (!(part.written ? put(part.shape, level + 1) : put_initial(part, level)))
            return cursor_.inside(part.name);
    }
    out_ += '}';
    return true;
}

bool AvroJson::put_initial(const AvroPart& part, size_t level) {
    AvroCursor cursor(part.initial);
    AvroJson inner(reading_, cursor, bytes_, out_, most_);
    if (inner.put(part.shape, level + 1)) return true;
    refusal_ = inner.refusal_;
    return cursor_.fail("its default: " + cursor.fault().what, cursor.fault().kind);
}

bool AvroJson::put_items(const AvroShape& shape, size_t level) {
    const bool map = shape.wire == AvroWire::Map;
    const uint64_t least = reading_.shape(shape.inner[0]).least + (map ? 1 : 0);
    out_ += map ? '{' : '[';
    uint64_t index = 0;
    for (AvroCursor::Block block;;) {
        if (!cursor_.take_block(least, block)) return false;
        if (block.count == 0) break;
        // Items need not have bytes in the message, but they have some in JSON.
        if (block.count > most_ / 2) return too_large();
        for (uint64_t i = 0; i < block.count; ++i, ++index) {
            if (index > 0) out_ += ',';
            bool put_it = true;
            if (map) {
                std::string_view key;
                const size_t at = cursor_.offset();
                put_it = cursor_.take_bytes(key) && put_string(key, at);
                out_ += ':';
            }
            if (!put_it || !put(shape.inner[0], level + 1))
                return cursor_.inside("[" + std::to_string(index) + "]");
        }
        if (!cursor_.end_block(block)) return false;
    }
    out_ += map ? '}' : ']';
    return true;
}

}  // namespace sluice
