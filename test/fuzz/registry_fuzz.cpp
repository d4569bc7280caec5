// Any bytes as what a registry answers, and as messages that name its schemas: no crash, no read outside,
// nothing printed that is not printable, and the same answer read twice. The input's first byte chooses.
#include "registry/answer.hpp"
#include "registry/client.hpp"
#include "registry/schema_cache.hpp"

#include "format/framing.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace sluice;

class StoppedClock : public Clock {
  public:
    time_point now() const override { return {}; }
};

void expect(bool right) {
    if (!right) std::abort();
}

void read_answer(std::string_view text) {
    const auto answer = read_schema_answer(text);
    if (answer) {
        expect(!answer.value().body.empty() && answer.value().references.size() <= 100);
        for (const SubjectVersion& reference : answer.value().references) expect(reference.version > 0);
        const SharedSchema schema = to_schema(1, {answer.value().kind, answer.value().body, {}});
        expect(schema->kind == SchemaKind::Protobuf || schema->body == answer.value().body);
    } else {
        expect(answer.error().kind == ErrorKind::Transient || answer.error().kind == ErrorKind::Data);
    }
    const RefusalAnswer refusal = read_refusal(text);
    expect(refusal.code >= 0 && refusal.message.size() <= 200);
    expect(std::all_of(refusal.message.begin(), refusal.message.end(),
                       [](char c) { return c >= ' ' && c <= '~'; }));
    const std::string body = protobuf_body(text);
    expect(body == text || (body.size() >= 2 && body[0] == '\x0A'));
}

// The input cut into messages of its first byte's length.
void read_messages(std::string_view text) {
    RecordSpec spec;
    spec.value = FormatSpec{.format = Format::Avro};
    spec.value->schema.framing = Framing::Confluent;
    spec.columns = {{.name = "a"}};
    const StoppedClock clock;
    SchemaCache cache(spec, clock);
    const size_t length = text.empty() ? 1 : static_cast<uint8_t>(text[0]) % 9 + 1;
    std::vector<MessageView> messages;
    for (size_t at = 0; at < text.size(); at += length) {
        MessageView message;
        message.value = Bytes::of(text.substr(at, length));
        messages.push_back(message);
    }
    const std::vector<int32_t> ids = cache.missing(messages);
    expect(std::is_sorted(ids.begin(), ids.end()));
    for (size_t i = 0; i < ids.size(); ++i) {
        if (i % 2)
            cache.keep(ids[i], std::make_shared<SchemaText>());
        else
            cache.keep_unknown(ids[i], Error::data("22P03", "none"));
    }
    expect(cache.missing(messages).empty());
    for (const MessageView& message : messages) {
        const auto frame = frame_of(Framing::Confluent, message.value.view(), Origin::Value);
        if (!frame) continue;
        expect(frame.value().body.size() + 5 == message.value.size);
        const auto schema = cache.find(frame.value().id);
        expect(schema || schema.error().kind == ErrorKind::Data);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    // A block of exactly the text's size, so that a read past the end shows.
    const std::vector<char> exact(data + 1, data + size);
    const std::string_view text(exact.data(), exact.size());
    data[0] & 1 ? read_messages(text) : read_answer(text);
    return 0;
}
