#include "format/framing.hpp"

#include "format/text_check.hpp"

#include <string>

namespace sluice {

namespace {

constexpr std::string_view kConfluentMagic("\0", 1), kSingleObjectMagic("\xC3\x01", 2);

std::string hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        text += text.empty() ? "0x" : " 0x";
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

Error no_frame(Framing framing, Origin part, std::string detail) {
    const bool confluent = framing == Framing::Confluent;
    return Error::data(
        "22P03",
        std::string(part_name(part)) + (confluent ? " has no schema id of a registry before it"
                                                  : " is not in Avro's single-object encoding"),
        std::move(detail),
        confluent
            ? "The producer must write with a serializer of the schema registry; bytes without an id "
              "are read with framing 'none'."
            : "The producer must write two bytes C3 01 and the schema's fingerprint first; bytes without "
              "them are read with framing 'none'.");
}

}  // namespace

Result<Frame> frame_of(Framing framing, std::string_view payload, Origin part) {
    if (framing == Framing::None) return Frame{.body = payload};
    const bool confluent = framing == Framing::Confluent;
    const std::string_view magic = confluent ? kConfluentMagic : kSingleObjectMagic;
    const size_t number = confluent ? sizeof(int32_t) : sizeof(uint64_t);
    if (!payload.starts_with(magic.substr(0, payload.size())))
        return no_frame(
            framing, part,
            "It begins with " + hex(payload.substr(0, magic.size())) + " instead of " + hex(magic) + ".");
    if (payload.size() < magic.size() + number)
        return no_frame(framing, part,
                        "It has " + std::to_string(payload.size()) + " bytes, and the frame alone " +
                            std::to_string(magic.size() + number) + ".");
    Frame frame{.body = payload.substr(magic.size() + number)};
    const auto byte = [&](size_t i) { return uint64_t{static_cast<uint8_t>(payload[magic.size() + i])}; };
    uint64_t value = 0;
    for (size_t i = 0; i < number; ++i) value = value << 8 | byte(confluent ? i : number - 1 - i);
    if (confluent)
        frame.id = static_cast<int32_t>(static_cast<uint32_t>(value));
    else
        frame.fingerprint = value;
    return frame;
}

}  // namespace sluice
