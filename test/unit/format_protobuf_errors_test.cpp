#include "protobuf_shop.hpp"

namespace sluice {
namespace {

TEST(ProtobufErrors, TextMustBeText) {
    const Error bad = error_of(source({shaped("text")}), std::string("\x72\x03"
                                                                     "a\xff"
                                                                     "b"));
    EXPECT_EQ(bad.message, "column \"text\" is not valid UTF-8: 0xff 0x62 at byte 3 of the value");
    EXPECT_EQ(bad.detail, "In field \"text\".");
    EXPECT_EQ(error_of(source({shaped("text")}), std::string("\x72\x02"
                                                             "a\0",
                                                             4))
                  .message,
              "column \"text\" contains a NUL byte at byte 3 of the value");
    EXPECT_EQ(error_of(source({shaped("raw")}), order("raw: '\\377'")).column_name, "raw");
    // jsonb refuses a NUL itself, json keeps it.
    EXPECT_EQ(cell("text", "text: 'a\\000'", ColumnShape::Json), "\"a\\u0000\"");
    const Error nested = error_of(source({shaped("b", "buyer", ColumnShape::Json)}),
                                  std::string("\xaa\x01\x05\x12\x03\x0a\x01\xff", 8));
    EXPECT_EQ(nested.message, "column \"b\" is not valid UTF-8: 0xff at byte 7 of the value");
    EXPECT_EQ(nested.detail, "In field \"buyer.last.sku\".");
    // Only the value that counts must be text.
    EXPECT_EQ(shown(source({shaped("text"), shaped("word"), shaped("number")}),
                    std::string("\x72\x01\xff\x72\x01x\x9a\x01\x01\xff\x90\x01\x05")),
              (Texts{"x", kNull, "5"}));
    EXPECT_EQ(error_of(source({shaped("text")}), std::string("\x72\x01x\x72\x01\xff")).column_name, "text");
    // What nobody wants is not looked at.
    EXPECT_EQ(shown(source({shaped("i32")}), std::string("\x72\x01\xff\x08\x05")), (Texts{"5"}));
}

TEST(ProtobufErrors, MalformedMessagesSayWhere) {
    const auto fault = [](std::string_view bytes) {
        const Error error =
            error_of(source({shaped("i32"), shaped("sku", "buyer.last.sku"), shaped("many")}), bytes);
        EXPECT_EQ(error.sqlstate, "22P03");
        return error.message.substr(
                   std::string("protobuf value is no message of type \"shop.Order\" ").size()) +
               (error.detail.empty() ? "" : " | " + error.detail);
    };
    using namespace std::string_view_literals;
    EXPECT_EQ(fault("\x08"sv), "at byte 1 of the value: the message ends inside a number");
    EXPECT_EQ(fault("\x08\x80"sv), "at byte 1 of the value: the message ends inside a number");
    EXPECT_EQ(fault("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv),
              "at byte 1 of the value: a number has more than ten bytes");
    EXPECT_EQ(fault("\x00\x00"sv), "at byte 0 of the value: there is no such field tag");
    EXPECT_EQ(fault("\x08\x01\x0e"sv), "at byte 2 of the value: there is no such field tag");
    EXPECT_EQ(fault("\xf8\xff\xff\xff\x1f\x00"sv), "at byte 0 of the value: there is no such field tag");
    EXPECT_EQ(fault("\x72\xff\xff\xff\xff\x0f"sv),
              "at byte 1 of the value: a length goes beyond the end of the message");
    EXPECT_EQ(fault("\x3d\x01"sv), "at byte 1 of the value: the message ends inside a number");
    EXPECT_EQ(fault("\x0c"sv), "at byte 0 of the value: a group ends that has not begun");
    EXPECT_EQ(fault("\x9b\x06\x08\x01"sv), "at byte 2 of the value: the message ends inside a group");
    EXPECT_EQ(fault("\xaa\x01\x03\x12\x01\x0a"sv),
              "at byte 6 of the value: the message ends inside a number | In field \"buyer.last\".");
    EXPECT_EQ(fault("\xb2\x01\x02\x01\x80"sv),
              "at byte 4 of the value: the message ends inside a number | In field \"many\".");
}

TEST(ProtobufErrors, DepthIsLimited) {
    const auto nested = [](size_t depth) {
        std::string bytes;
        for (size_t i = 0; i < depth; ++i) {
            std::string around = "\xc2\x02";
            size_t size = bytes.size();
            for (; size >= 0x80; size >>= 7) around += static_cast<char>(size | 0x80);
            bytes = around + static_cast<char>(size) + bytes;
        }
        return bytes;
    };
    const RecordSpec spec = source({shaped("inner", {}, ColumnShape::Json)});
    EXPECT_NE(shown(spec, nested(100)).front(), kNull);
    EXPECT_EQ(error_of(spec, nested(101)).sqlstate, "54001");
    std::string groups;
    for (int i = 0; i < 100'000; ++i) groups += "\x9b\x06";
    EXPECT_EQ(error_of(spec, groups).sqlstate, "22P03");
}

TEST(ProtobufErrors, ALotOfJsonIsRefused) {
    // Two bytes each for a message whose defaults have hundreds.
    std::string bytes;
    for (int i = 0; i < 200'000; ++i) bytes += std::string("\xc2\x01\x00", 3);
    EXPECT_NE(shown(source({shaped("lines", {}, ColumnShape::Json)}), bytes).front(), kNull);
    for (int i = 0; i < 2'000'000; ++i) bytes += std::string("\xc2\x01\x00", 3);
    const Error error = error_of(source({shaped("lines", {}, ColumnShape::Json)}), bytes);
    EXPECT_EQ(error.sqlstate, "54001");
    EXPECT_EQ(error.column_name, "lines");
}

TEST(ProtobufErrors, ColumnsAreCheckedAgainstTheType) {
    const auto refusal = [](const std::string& path) {
        const Error error = refusal_of(source({shaped("c", path)}));
        EXPECT_EQ(error.kind, ErrorKind::Config);
        EXPECT_EQ(error.column_name, "c");
        return error.message + " | " + error.hint;
    };
    EXPECT_EQ(refusal("buyer.nam"),
              "column \"c\": message type \"shop.Order.Buyer\" has no field \"nam\" | Perhaps you meant "
              "\"name\"; option \"field\" names it.");
    EXPECT_EQ(refusal("lines.sku"),
              "column \"c\": field \"lines\" is repeated | Write which item is meant, as in lines[0].sku.");
    EXPECT_EQ(refusal("i32.x"), "column \"c\": field \"i32\" is a single value, and has nothing inside | ");
    EXPECT_EQ(refusal("buyer[0]"),
              "column \"c\": message type \"shop.Order.Buyer\" is no list, and has no item [0] | ");
    RecordSpec spec = source({shaped("I32")});
    EXPECT_EQ(refusal_of(spec).sqlstate, "42703");
    spec.value->json.ignore_case = true;
    EXPECT_EQ(shown(spec, order("i32: 4")), (Texts{"4"}));
    // A column that nobody wants is not looked for.
    spec = source({shaped("nowhere")});
    spec.columns[0].wanted = false;
    EXPECT_EQ(shown(spec, "garbage"), (Texts{kNull}));
}

}  // namespace
}  // namespace sluice
