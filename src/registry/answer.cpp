#include "registry/answer.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>

namespace sluice {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr size_t kMostReferences = 100;
constexpr size_t kShownMessage = 200;

Error not_understood(std::string detail) {
    return Error::transient("08P01", "its answer cannot be read", std::move(detail));
}

std::string printable(std::string_view text) {
    std::string result(text.substr(0, kShownMessage));
    for (char& c : result)
        if (c < ' ' || c > '~') c = '?';
    return result;
}

// The library copies the text, and there is nothing to copy from a null pointer.
simdjson::error_code read_object(simdjson::dom::parser& parser, std::string_view json, object& result) {
    return json.empty() ? simdjson::EMPTY : parser.parse(json.data(), json.size()).get(result);
}

bool read_kind(const object& answer, SchemaKind& kind, std::string_view& word) {
    if (answer["schemaType"].get(word) != simdjson::SUCCESS) return true;  // it is left out for Avro
    if (word == "AVRO") return kind = SchemaKind::Avro, true;
    if (word == "PROTOBUF") return kind = SchemaKind::Protobuf, true;
    if (word == "JSON") return kind = SchemaKind::JsonSchema, true;
    return false;
}

bool read_references(const object& answer, std::vector<SubjectVersion>& references) {
    array list;
    const auto found = answer["references"].get(list);
    // Some write null.
    if (found == simdjson::NO_SUCH_FIELD || answer["references"].is_null()) return true;
    if (found != simdjson::SUCCESS) return false;
    for (const element& each : list) {
        std::string_view name, subject;
        int64_t version = 0;
        if (each["name"].get(name) != simdjson::SUCCESS ||
            each["subject"].get(subject) != simdjson::SUCCESS ||
            each["version"].get(version) != simdjson::SUCCESS || version < 1 ||
            version > std::numeric_limits<int32_t>::max() || references.size() == kMostReferences)
            return false;
        references.push_back({std::string(name), std::string(subject), static_cast<int32_t>(version)});
    }
    return true;
}

// Six bits for each letter of base64; anything above them is no letter.
constexpr std::array<uint8_t, 256> kSixBits = [] {
    std::array<uint8_t, 256> table{};
    table.fill(0xFF);
    uint8_t next = 0;
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
        table[static_cast<uint8_t>(c)] = next++;
    return table;
}();

// Empty when it is not base64.
std::string from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return {};
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const uint8_t six = kSixBits[static_cast<uint8_t>(c)];
        if (six > 63) return {};
        bits = bits << 6 | six;
        if ((count += 6) < 8) continue;
        count -= 8;
        bytes += static_cast<char>(bits >> count & 0xFF);
    }
    return bytes;
}

}  // namespace

Result<SchemaAnswer> read_schema_answer(std::string_view json) {
    simdjson::dom::parser parser;
    object answer;
    if (const auto problem = read_object(parser, json, answer))
        return not_understood(std::string("It is not a JSON object: ") + simdjson::error_message(problem));
    std::string_view body;
    if (answer["schema"].get(body) != simdjson::SUCCESS || body.empty())
        return not_understood("It has no field \"schema\".");
    SchemaAnswer result;
    std::string_view word;
    if (!read_kind(answer, result.kind, word))
        return Error::data("0A000", "the schema is of a type that is not supported: " + printable(word), {},
                           "Types that work: AVRO, PROTOBUF and JSON.");
    if (!read_references(answer, result.references))
        return not_understood("Its field \"references\" is not a list of names, subjects and versions.");
    result.body = body;
    return result;
}

RefusalAnswer read_refusal(std::string_view json) {
    RefusalAnswer refusal;
    simdjson::dom::parser parser;
    object answer;
    if (read_object(parser, json, answer) != simdjson::SUCCESS) return refusal;
    int64_t code = 0;
    std::string_view message;
    if (answer["error_code"].get(code) == simdjson::SUCCESS && code > 0 && code <= 99'999)
        refusal.code = static_cast<int32_t>(code);
    if (answer["message"].get(message) == simdjson::SUCCESS) refusal.message = printable(message);
    return refusal;
}

std::string protobuf_body(std::string_view text) {
    const std::string file = from_base64(text);
    // Its first field is the file's name.
    if (file.empty() || file.front() != '\x0A') return std::string(text);
    std::string set = "\x0A";  // the field of a set that holds a file
    size_t size = file.size();
    for (; size >= 0x80; size >>= 7) set += static_cast<char>(size | 0x80);
    set += static_cast<char>(size);
    return set + file;
}

}  // namespace sluice
