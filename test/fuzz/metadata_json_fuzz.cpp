// Any bytes as key, header name and header value: the JSON that metadata columns show is always valid, and
// text comes out of it as it went in. The input's first byte cuts the rest into the three.
#include "format/record_decoder.hpp"
#include "format/text_check.hpp"

#include <simdjson.h>

#include <cstdlib>

namespace {

using namespace sluice;

class OneHeader : public HeaderReader {
  public:
    explicit OneHeader(Header header) : header_(header) {}
    void read(const MessageView&, std::vector<Header>& headers) const override { headers.assign(1, header_); }

  private:
    Header header_;
};

void expect_member(const simdjson::dom::object& object, const char* name, const char* base64_name,
                   std::string_view bytes, TextCheck check) {
    const bool text = json_safe_text(bytes, check);
    std::string_view shown;
    if (object[text ? name : base64_name].get(shown) != simdjson::SUCCESS) std::abort();
    if (text ? shown != bytes : shown.size() != (bytes.size() + 2) / 3 * 4) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string_view key = rest.substr(0, data[0] & 31);
    const std::string_view name = rest.substr(key.size(), data[0] >> 5);
    const std::string_view value = rest.substr(key.size() + name.size());

    RecordSpec spec;
    spec.validate_utf8 = size % 5 != 0;
    const TextCheck check = spec.validate_utf8 ? TextCheck::Utf8 : TextCheck::NulOnly;
    spec.columns.push_back({.name = "meta", .origin = Origin::Metadata, .metadata = Metadata::Json});
    const OneHeader reader({name, Bytes::of(value)});
    Result<RecordDecoder> decoder = RecordDecoder::make(spec, &reader);
    if (!decoder) std::abort();

    MessageView message;
    message.topic = "orders";
    message.key = Bytes::of(key);
    Arena arena(64);
    Cell cell;
    if (decoder.value().decode(message, arena, {&cell, 1})) std::abort();

    simdjson::dom::parser parser;
    simdjson::dom::object record, header;
    if (parser.parse(std::string(cell.view())).get(record) != simdjson::SUCCESS) std::abort();
    expect_member(record, "key", "key_base64", key, check);
    if (record["headers"].at(0).get(header) != simdjson::SUCCESS) std::abort();
    expect_member(header, "name", "name_base64", name, check);
    expect_member(header, "value", "base64", value, check);
    return 0;
}
