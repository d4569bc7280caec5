#include "format/framing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

using namespace std::string_view_literals;

Frame frame(Framing framing, std::string_view payload) {
    const Result<Frame> result = frame_of(framing, payload, Origin::Value);
    EXPECT_TRUE(result) << result.error().message << " " << result.error().detail;
    return result ? result.value() : Frame{};
}

Error refused(Framing framing, std::string_view payload, Origin part = Origin::Value) {
    const Result<Frame> result = frame_of(framing, payload, part);
    EXPECT_FALSE(result);
    return result ? Error{} : result.error();
}

TEST(Framing, NoneLeavesThePayloadAlone) {
    EXPECT_EQ(frame(Framing::None, "\0\0\0\0\1x"sv).body, "\0\0\0\0\1x"sv);
    EXPECT_EQ(frame(Framing::None, "").body, "");
}

TEST(Framing, ConfluentHasAZeroAndAnIdInBigEndian) {
    const Frame found = frame(Framing::Confluent, "\0\x01\x02\x03\x04row"sv);
    EXPECT_EQ(found.id, 0x01020304);
    EXPECT_EQ(found.body, "row");
    EXPECT_EQ(frame(Framing::Confluent, "\0\0\0\0\x07"sv).body, "");
    EXPECT_EQ(frame(Framing::Confluent, "\0\xFF\xFF\xFF\xFF"sv).id, -1);
}

TEST(Framing, SingleObjectHasAFingerprintInLittleEndian) {
    const Frame found = frame(Framing::SingleObject, "\xC3\x01\x01\x02\x03\x04\x05\x06\x07\xF8row"sv);
    EXPECT_EQ(found.fingerprint, 0xF807060504030201u);
    EXPECT_EQ(found.body, "row");
}

TEST(Framing, SaysHowManyBytesAreMissing) {
    for (std::string_view payload : {""sv, "\0"sv, "\0\1\2\3"sv}) {
        const Error error = refused(Framing::Confluent, payload);
        EXPECT_EQ(error.kind, ErrorKind::Data);
        EXPECT_EQ(error.sqlstate, "22P03");
        EXPECT_EQ(error.message, "value has no schema id of a registry before it");
        EXPECT_EQ(error.detail,
                  "It has " + std::to_string(payload.size()) + " bytes, and the frame alone 5.");
    }
    EXPECT_EQ(refused(Framing::SingleObject, "\xC3\x01\0\0\0\0\0\0\0"sv).detail,
              "It has 9 bytes, and the frame alone 10.");
    EXPECT_EQ(refused(Framing::SingleObject, "\xC3"sv).detail, "It has 1 bytes, and the frame alone 10.");
}

TEST(Framing, SaysWhatStandsThereInstead) {
    EXPECT_EQ(refused(Framing::Confluent, "{\"id\": 1}").detail, "It begins with 0x7b instead of 0x00.");
    EXPECT_EQ(refused(Framing::Confluent, "x").detail, "It begins with 0x78 instead of 0x00.");
    const Error error = refused(Framing::SingleObject, "\xC3\x02\0\0\0\0\0\0\0\0"sv, Origin::Key);
    EXPECT_EQ(error.message, "key is not in Avro's single-object encoding");
    EXPECT_EQ(error.detail, "It begins with 0xc3 0x02 instead of 0xc3 0x01.");
    EXPECT_NE(error.hint, "");
}

}  // namespace
}  // namespace sluice
