// Writes a message of Protobuf as JSON, out of the pieces of the wire format that it consists of.
// Must not know columns.
// The text is in the scratch memory, which its user owns.
#pragma once

#include "format/protobuf_types.hpp"
#include "format/protobuf_wire.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// What is wrong, where in the message, and in which field: the names from the inside out.
struct ProtobufFault {
    enum class Kind { Malformed, Limit, Text, Time } kind = Kind::Malformed;
    const char* at = nullptr;
    const char* what = "";
    std::string_view text{};  // of Kind::Text: what is no UTF-8
    std::vector<std::string_view> path{};
};

// Values in the order of the message: a message that is given in several pieces consists of all of them.
struct PieceList {
    static constexpr uint32_t kNone = ~uint32_t{0};
    uint32_t first = kNone;
    uint32_t last = kNone;
    bool empty() const { return first == kNone; }
};

struct Piece {
    WireValue value{};
    WireType type = WireType::Bytes;
    uint32_t next = PieceList::kNone;
};

// Memory that decoding uses again and again: stacks, of which each message has the top.
struct ProtobufScratch {
    struct Entry {  // of a map
        int64_t number = 0;
        std::string_view key{};
        uint32_t order = 0;
        PieceList value{};
    };
    std::vector<Piece> pieces{};
    std::vector<PieceList> fields{};
    std::vector<uint32_t> cases{};  // which field of a oneof is set
    std::vector<Entry> entries{};
    std::string json{};

    void append(PieceList& list, WireType type, const WireValue& value);
    PieceList list_of(std::string_view bytes);
    // The piece behind that of a list, which may be part of a longer one; kNone at its end.
    uint32_t after(PieceList list, uint32_t at) const {
        return at == list.last ? PieceList::kNone : pieces[at].next;
    }
    // Forgets everything; what a huge message needed is given back.
    void clear();
};

// The fields of one message; they are on top of the stacks until `release`.
class ProtobufFields {
  public:
    explicit ProtobufFields(ProtobufScratch& scratch)
        : scratch_(scratch),
          pieces_(scratch.pieces.size()),
          fields_(scratch.fields.size()),
          cases_(scratch.cases.size()) {}

    // Sorts the pieces' contents by field. False at a fault.
    bool read(const ProtobufMessage& message, PieceList pieces, unsigned depth, ProtobufFault& fault);
    PieceList operator[](size_t field) const { return scratch_.fields[fields_ + field]; }
    // The last one given of a singular field; null when there is none.
    const Piece* last(size_t field) const {
        const PieceList list = (*this)[field];
        return list.empty() ? nullptr : &scratch_.pieces[list.last];
    }
    void release();
    // Keeps the pieces.
    void release_fields();

  private:
    void add(const ProtobufMessage& message, uint32_t field, WireType type, const WireValue& value);

    ProtobufScratch& scratch_;
    size_t pieces_, fields_, cases_;
};

class ProtobufJson {
  public:
    enum class BytesAs { Base64, Hex };  // in hexadecimal digits PostgreSQL reads it as bytea

    ProtobufJson(const ProtobufTypes& types, ProtobufScratch& scratch, BytesAs bytes)
        : types_(types), scratch_(scratch), json_(scratch.json), bytes_(bytes) {}

    // These append to the scratch memory's text. `depth` counts the messages around it. False at a fault.
    bool write_message(const ProtobufMessage& message, PieceList pieces, unsigned depth);
    bool write_field(const ProtobufField& field, PieceList pieces, unsigned depth);

    ProtobufFault& fault() { return fault_; }

  private:
    bool fail(ProtobufFault::Kind kind, const char* at, const char* what);
    bool write_members(const ProtobufMessage& message, PieceList pieces, unsigned depth, bool first);
    bool write_list(const ProtobufField& field, PieceList pieces, unsigned depth);
    bool write_map(const ProtobufField& field, PieceList pieces, unsigned depth);
    bool write_one(const ProtobufField& field, PieceList pieces, unsigned depth);
    bool write_scalar(const ProtobufField& field, const WireValue& value);
    bool write_default(const ProtobufField& field, unsigned depth);
    bool write_string(std::string_view text);
    bool write_bytes(std::string_view bytes);
    void write_real(const ProtobufField& field, uint64_t bits);
    bool write_known(const ProtobufMessage& message, PieceList pieces, unsigned depth);
    bool write_time(const ProtobufMessage& message, PieceList pieces, unsigned depth);
    bool write_value(const ProtobufMessage& message, PieceList pieces, unsigned depth);
    bool write_any(const ProtobufMessage& message, PieceList pieces, unsigned depth);
    bool write_mask(const ProtobufMessage& message, PieceList pieces, unsigned depth);

    const ProtobufTypes& types_;
    ProtobufScratch& scratch_;
    std::string& json_;
    BytesAs bytes_;
    ProtobufFault fault_;
};

// The time of a Timestamp or Duration, whose fields have been read.
struct ProtobufTime;
ProtobufTime time_of(const ProtobufFields& fields);

// What a google.protobuf.Value holds; null is its null.
const ProtobufField* held_by_value(const ProtobufMessage& message, const ProtobufFields& fields);

}  // namespace sluice
