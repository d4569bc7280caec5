#include "format/protobuf_json.hpp"

#include "base/json_text.hpp"
#include "format/protobuf_value.hpp"
#include "format/utf8.hpp"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

constexpr size_t kMostJson = size_t{64} << 20;  // a message of two bytes may stand for many defaults

}  // namespace

bool ProtobufJson::fail(ProtobufFault::Kind kind, const char* at, const char* what) {
    fault_.kind = kind;
    fault_.at = at;
    fault_.what = what;
    return false;
}

bool ProtobufJson::write_message(const ProtobufMessage& message, PieceList pieces, unsigned depth) {
    if (message.known != WellKnown::None) return write_known(message, pieces, depth);
    json_ += '{';
    if (!write_members(message, pieces, depth, true)) return false;
    json_ += '}';
    return true;
}

bool ProtobufJson::write_members(const ProtobufMessage& message, PieceList pieces, unsigned depth,
                                 bool first) {
    ProtobufFields fields(scratch_);
    if (!fields.read(message, pieces, depth, fault_)) return false;
    for (size_t i = 0; i < message.fields.size(); ++i) {
        const ProtobufField& field = message.fields[i];
        const PieceList values = fields[i];
        if (values.empty() && !field.has_default) continue;
        if (!first) json_ += ',';
        first = false;
        json_ += '"';
        json_ += field.name;
        json_ += "\":";
        if (!write_field(field, values, depth)) {
            fault_.path.push_back(field.name);
            return false;
        }
    }
    fields.release();
    return true;
}

bool ProtobufJson::write_field(const ProtobufField& field, PieceList pieces, unsigned depth) {
    // Checked at every value, because one value cannot add much.
    if (json_.size() > kMostJson)
        return fail(ProtobufFault::Kind::Limit,
                    pieces.empty() ? nullptr : scratch_.pieces[pieces.first].value.bytes.data(),
                    "as JSON it has more than 64 MB");
    if (field.is_map) return write_map(field, pieces, depth);
    if (field.is_repeated) return write_list(field, pieces, depth);
    return pieces.empty() ? write_default(field, depth) : write_one(field, pieces, depth);
}

bool ProtobufJson::write_list(const ProtobufField& field, PieceList pieces, unsigned depth) {
    json_ += '[';
    bool first = true;
    const auto begin_item = [&](const char* at) {
        if (!first) json_ += ',';
        first = false;
        return json_.size() <= kMostJson ||
               fail(ProtobufFault::Kind::Limit, at, "as JSON it has more than 64 MB");
    };
    const WireType type = wire_type_of(field.kind);
    for (uint32_t at = pieces.first; at != PieceList::kNone; at = scratch_.after(pieces, at)) {
        // A copy, because reading the item adds pieces.
        const Piece piece = scratch_.pieces[at];
        if (piece.type == type) {
            if (!begin_item(piece.value.bytes.data()) || !write_one(field, {at, at}, depth)) return false;
        } else {
            WireReader packed(piece.value.bytes, depth);
            WireValue value;
            while (packed.next_packed(type, value))
                if (!begin_item(value.bytes.data()) || !write_scalar(field, value)) return false;
            if (packed.fault() != nullptr)
                return fail(ProtobufFault::Kind::Malformed, packed.fault_at(), packed.fault());
        }
    }
    json_ += ']';
    return true;
}

bool ProtobufJson::write_map(const ProtobufField& field, PieceList pieces, unsigned depth) {
    const ProtobufMessage& entry = *field.message;
    const size_t first = scratch_.entries.size(), first_piece = scratch_.pieces.size();
    for (uint32_t at = pieces.first; at != PieceList::kNone; at = scratch_.after(pieces, at)) {
        ProtobufFields fields(scratch_);
        if (!fields.read(entry, {at, at}, depth + 1, fault_)) return false;
        ProtobufScratch::Entry added;
        const Piece* const key = fields.last(0);
        added.key = key == nullptr ? std::string_view() : key->value.bytes;
        if (entry.key().kind != ProtobufKind::String)
            added.number = key == nullptr ? 0 : integer_of(entry.key().kind, key->value.bits);
        added.order = at;
        added.value = fields[1];
        scratch_.entries.push_back(added);
        fields.release_fields();
    }
    // The last of equal keys counts.
    const bool text = entry.key().kind == ProtobufKind::String;
    const auto same = [&](const auto& a, const auto& b) {
        return text ? a.key == b.key : a.number == b.number;
    };
    std::sort(scratch_.entries.begin() + static_cast<ptrdiff_t>(first), scratch_.entries.end(),
              [&](const auto& a, const auto& b) {
                  if (same(a, b)) return a.order < b.order;
                  return text ? a.key < b.key : a.number < b.number;
              });
    json_ += '{';
    const size_t end = scratch_.entries.size();
    bool begun = false;
    for (size_t i = first; i < end; ++i) {
        const ProtobufScratch::Entry one = scratch_.entries[i];
        if (i + 1 < end && same(one, scratch_.entries[i + 1])) continue;
        if (begun) json_ += ',';
        begun = true;
        if (text) {
            if (!write_string(one.key)) return false;
        } else if (entry.key().kind == ProtobufKind::Bool) {
            json_ += one.number != 0 ? "\"true\"" : "\"false\"";
        } else {
            char digits[kMostNumberText];
            json_ += '"';
            json_.append(digits, write_integer(entry.key().kind == ProtobufKind::UInt64 ||
                                                       entry.key().kind == ProtobufKind::Fixed64
                                                   ? ProtobufKind::UInt64
                                                   : ProtobufKind::Int64,
                                               static_cast<uint64_t>(one.number), digits));
            json_ += '"';
        }
        json_ += ':';
        if (!write_field(entry.value(), one.value, depth + 1)) return false;
    }
    json_ += '}';
    scratch_.entries.resize(first);
    scratch_.pieces.resize(first_piece);
    return true;
}

bool ProtobufJson::write_one(const ProtobufField& field, PieceList pieces, unsigned depth) {
    if (is_message(field.kind)) return write_message(*field.message, pieces, depth + 1);
    return write_scalar(field, scratch_.pieces[pieces.last].value);
}

bool ProtobufJson::write_default(const ProtobufField& field, unsigned depth) {
    // The value of a map's entry that has none.
    if (is_message(field.kind)) return write_message(*field.message, {}, depth + 1);
    return write_scalar(field, {field.default_bits, field.default_bytes});
}

bool ProtobufJson::write_scalar(const ProtobufField& field, const WireValue& value) {
    char digits[kMostNumberText];
    switch (field.kind) {
        case ProtobufKind::Bool:
            json_ += value.bits != 0 ? "true" : "false";
            return true;
        case ProtobufKind::Enum: {
            if (field.enumeration->is_null) {
                json_ += "null";
                return true;
            }
            const std::string_view name = field.enumeration->quoted(static_cast<int32_t>(value.bits));
            if (!name.empty()) {
                json_ += name;
                return true;
            }
            break;
        }
        case ProtobufKind::Float:
        case ProtobufKind::Double:
            write_real(field, value.bits);
            return true;
        case ProtobufKind::String:
            return write_string(value.bytes);
        case ProtobufKind::Bytes:
            return write_bytes(value.bytes);
        default:
            break;
    }
    json_.append(digits, write_integer(field.kind, value.bits, digits));
    return true;
}

void ProtobufJson::write_real(const ProtobufField& field, uint64_t bits) {
    char digits[kMostNumberText];
    const std::string_view text(digits, sluice::write_real(field.kind, bits, digits));
    const bool finite = std::isfinite(real_of(field.kind, bits));
    if (!finite) json_ += '"';
    json_ += text;
    if (!finite) json_ += '"';
}

bool ProtobufJson::write_string(std::string_view text) {
    if (!valid_utf8(text)) {
        fault_.text = text;
        return fail(ProtobufFault::Kind::Text, text.data(), "");
    }
    append_json_string(json_, text);
    return true;
}

bool ProtobufJson::write_bytes(std::string_view bytes) {
    if (bytes_ == BytesAs::Base64) {
        append_json_base64(json_, bytes);
        return true;
    }
    constexpr char kDigits[] = "0123456789abcdef";
    json_ += "\"\\\\x";
    for (char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        json_ += kDigits[byte >> 4];
        json_ += kDigits[byte & 15];
    }
    json_ += '"';
    return true;
}

}  // namespace sluice
