#include "format/protobuf_json.hpp"
#include "format/protobuf_value.hpp"

namespace sluice {

namespace {

constexpr size_t kKeptPieces = size_t{64} << 10, kKeptText = size_t{1} << 20;

template <class Stack>
void give_back(Stack& stack, size_t kept) {
    if (stack.capacity() > kept) Stack().swap(stack);
    stack.clear();
}

}  // namespace

void ProtobufScratch::append(PieceList& list, WireType type, const WireValue& value) {
    const auto added = static_cast<uint32_t>(pieces.size());
    if (list.empty())
        list.first = added;
    else
        pieces[list.last].next = added;
    list.last = added;
    pieces.push_back({value, type});
}

PieceList ProtobufScratch::list_of(std::string_view bytes) {
    PieceList list;
    append(list, WireType::Bytes, {0, bytes});
    return list;
}

void ProtobufScratch::clear() {
    give_back(pieces, kKeptPieces);
    give_back(fields, kKeptPieces);
    give_back(cases, kKeptPieces);
    give_back(entries, kKeptPieces);
    give_back(json, kKeptText);
}

bool ProtobufFields::read(const ProtobufMessage& message, PieceList list, unsigned depth,
                          ProtobufFault& fault) {
    if (depth > kMostProtobufDepth) {
        fault.kind = ProtobufFault::Kind::Limit;
        fault.at = list.empty() ? nullptr : scratch_.pieces[list.first].value.bytes.data();
        fault.what = "messages are nested more than 100 deep";
        return false;
    }
    scratch_.fields.resize(fields_ + message.fields.size());
    scratch_.cases.resize(cases_ + message.oneofs, PieceList::kNone);
    for (uint32_t at = list.first; at != PieceList::kNone; at = scratch_.after(list, at)) {
        WireReader reader(scratch_.pieces[at].value.bytes, depth);
        uint32_t number;
        WireType type;
        WireValue value;
        while (reader.next(number, type) && reader.take(number, type, value)) {
            const uint32_t field = message.numbers.find(number);
            if (field != ProtobufNumbers::kNone && has_wire_type(message.fields[field], type))
                add(message, field, type, value);
        }
        if (reader.fault() != nullptr) {
            fault.kind = ProtobufFault::Kind::Malformed;
            fault.at = reader.fault_at();
            fault.what = reader.fault();
            return false;
        }
    }
    return true;
}

void ProtobufFields::add(const ProtobufMessage& message, uint32_t position, WireType type,
                         const WireValue& value) {
    const ProtobufField& field = message.fields[position];
    PieceList& list = scratch_.fields[fields_ + position];
    if (field.oneof != ProtobufNumbers::kNone) {
        uint32_t& set = scratch_.cases[cases_ + field.oneof];
        if (set != position && set != PieceList::kNone) scratch_.fields[fields_ + set] = {};
        set = position;
    }
    // Messages are merged; of other singular values the last one counts.
    if (!field.is_repeated && !is_message(field.kind)) list = {};
    scratch_.append(list, type, value);
}

void ProtobufFields::release() {
    scratch_.pieces.resize(pieces_);
    release_fields();
}

void ProtobufFields::release_fields() {
    scratch_.fields.resize(fields_);
    scratch_.cases.resize(cases_);
}

ProtobufTime time_of(const ProtobufFields& fields) {
    const Piece* const seconds = fields.last(0);
    const Piece* const nanos = fields.last(1);
    return {seconds == nullptr ? 0 : integer_of(ProtobufKind::Int64, seconds->value.bits),
            nanos == nullptr ? 0 : integer_of(ProtobufKind::Int32, nanos->value.bits)};
}

const ProtobufField* held_by_value(const ProtobufMessage& message, const ProtobufFields& fields) {
    constexpr size_t kNull = 0;
    for (size_t i = kNull + 1; i < message.fields.size(); ++i)
        if (!fields[i].empty()) return &message.fields[i];
    return nullptr;
}

bool ProtobufJson::write_known(const ProtobufMessage& message, PieceList pieces, unsigned depth) {
    switch (message.known) {
        case WellKnown::Timestamp:
        case WellKnown::Duration:
            return write_time(message, pieces, depth);
        case WellKnown::Value:
            return write_value(message, pieces, depth);
        case WellKnown::Any:
            return write_any(message, pieces, depth);
        case WellKnown::FieldMask:
            return write_mask(message, pieces, depth);
        default:
            break;
    }
    // The others are their only field.
    ProtobufFields fields(scratch_);
    if (!fields.read(message, pieces, depth, fault_)) return false;
    if (!write_field(message.fields[0], fields[0], depth)) return false;
    fields.release();
    return true;
}

bool ProtobufJson::write_time(const ProtobufMessage& message, PieceList pieces, unsigned depth) {
    ProtobufFields fields(scratch_);
    if (!fields.read(message, pieces, depth, fault_)) return false;
    const ProtobufTime time = time_of(fields);
    fields.release();
    const bool duration = message.known == WellKnown::Duration;
    if (duration ? !is_duration(time) : !is_timestamp(time))
        return fail(ProtobufFault::Kind::Time,
                    pieces.empty() ? nullptr : scratch_.pieces[pieces.first].value.bytes.data(),
                    duration ? "is out of range for a Duration" : "is out of range for a Timestamp");
    char text[kMostTimeText];
    json_ += '"';
    json_.append(text, duration ? write_duration(time, text) : write_timestamp(time, text));
    json_ += '"';
    return true;
}

bool ProtobufJson::write_value(const ProtobufMessage& message, PieceList pieces, unsigned depth) {
    ProtobufFields fields(scratch_);
    if (!fields.read(message, pieces, depth, fault_)) return false;
    const ProtobufField* const held = held_by_value(message, fields);
    if (held == nullptr)
        json_ += "null";
    else if (!write_field(*held, fields[static_cast<size_t>(held - message.fields.data())], depth))
        return false;
    fields.release();
    return true;
}

bool ProtobufJson::write_any(const ProtobufMessage& message, PieceList pieces, unsigned depth) {
    ProtobufFields fields(scratch_);
    if (!fields.read(message, pieces, depth, fault_)) return false;
    const Piece* const url = fields.last(0);
    const Piece* const value = fields.last(1);
    const std::string_view name = url == nullptr ? std::string_view() : url->value.bytes;
    const std::string_view bytes = value == nullptr ? std::string_view() : value->value.bytes;
    const size_t slash = name.rfind('/');
    const ProtobufMessage* const type =
        slash == std::string_view::npos ? nullptr : types_.find(name.substr(slash + 1));
    json_ += type == nullptr ? "{\"type_url\":" : "{\"@type\":";
    if (!write_string(name)) return false;
    if (type == nullptr) {
        json_ += ",\"value\":";
        if (!write_bytes(bytes)) return false;
    } else if (type->known != WellKnown::None) {
        json_ += ",\"value\":";
        if (!write_known(*type, scratch_.list_of(bytes), depth + 1)) return false;
    } else if (!write_members(*type, scratch_.list_of(bytes), depth + 1, false)) {
        return false;
    }
    json_ += '}';
    fields.release();
    return true;
}

// The paths with commas between them, as JSON has it; their names stay as they are.
bool ProtobufJson::write_mask(const ProtobufMessage& message, PieceList pieces, unsigned depth) {
    ProtobufFields fields(scratch_);
    if (!fields.read(message, pieces, depth, fault_)) return false;
    json_ += '"';
    const PieceList paths = fields[0];
    for (uint32_t at = paths.first; at != PieceList::kNone; at = scratch_.after(paths, at)) {
        if (at != paths.first) json_ += ',';
        const size_t begin = json_.size();
        if (!write_string(scratch_.pieces[at].value.bytes)) return false;
        json_.erase(begin, 1);
        json_.pop_back();
    }
    json_ += '"';
    fields.release();
    return true;
}

}  // namespace sluice
