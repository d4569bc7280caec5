#include "format/avro_known.hpp"

#include "format/avro_canonical.hpp"
#include "format/delimited_rules.hpp"
#include "format/text_check.hpp"

#include <algorithm>
#include <cstdio>

namespace sluice {

namespace {

std::string hex(uint64_t fingerprint) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(fingerprint));
    return text;
}

// The length that some serializers leave out.
std::string_view with_length(std::string_view bytes, Arena& arena) {
    constexpr size_t kMostLength = 10;
    char* const out = arena.allocate(bytes.size() + kMostLength);
    char* to = out;
    uint64_t rest = uint64_t{bytes.size()} << 1;
    for (; rest >= 0x80; rest >>= 7) *to++ = static_cast<char>(rest | 0x80);
    *to++ = static_cast<char>(rest);
    to = std::copy(bytes.begin(), bytes.end(), to);
    return {out, static_cast<size_t>(to - out)};
}

}  // namespace

Result<AvroKnownSchemas> AvroKnownSchemas::make(const SchemaOptions& options, Origin part,
                                                SchemaFinder* finder, AvroPlanning planning) {
    const Framing framing = options.framing.value_or(Framing::None);
    AvroKnownSchemas made(framing, finder, std::move(planning));
    if (framing == Framing::Confluent && !options.writers.empty())
        return Error::config(
            "22023",
            "option \"" + option_name("schema", part) + "\" means nothing with framing \"confluent\"", {},
            "Each message says which schema of the registry wrote it.");
    if (framing == Framing::None && options.writers.size() != 1)
        return Error::config("22023",
                             "option \"" + option_name("schema", part) +
                                 "\" must name one schema, because messages do not say which one wrote them",
                             {}, "Messages say it with framing \"single-object\" or \"confluent\".");
    if (options.reader) {
        Result<SharedAvroSchema> reader = AvroSchema::parse(*options.reader);
        if (!reader) return std::move(reader.error());
        made.reader_ = std::move(reader).value();
    }
    for (const SharedSchema& text : options.writers) {
        const Result<SharedAvroSchema> writer = AvroSchema::parse(*text);
        if (!writer) return writer.error();
        Result<AvroKnown> known = made.know(*writer.value());
        if (!known) return std::move(known.error());
        made.named_.emplace_back(avro_fingerprint(avro_canonical_form(*writer.value())),
                                 std::move(known).value());
    }
    return made;
}

Result<AvroKnown> AvroKnownSchemas::know(const AvroSchema& writer) const {
    Result<SharedAvroReading> reading = AvroReading::make(writer, reader_.get());
    if (!reading) return std::move(reading.error());
    AvroKnown known{.name = writer.name(), .reading = std::move(reading).value()};
    if (Result<void> planned = planning_(known); !planned) return std::move(planned.error());
    return known;
}

std::optional<Error> AvroKnownSchemas::find(std::string_view payload, Origin part, Arena& arena,
                                            AvroMessage& message) {
    if (framing_ == Framing::None) {
        message = {&named_.front().second, payload, 0};
        return std::nullopt;
    }
    Result<Frame> frame = frame_of(framing_, payload, part);
    if (!frame) return std::move(frame.error());
    const Frame& taken = frame.value();
    message.body = taken.body;
    message.begin = payload.size() - taken.body.size();
    if (framing_ == Framing::Confluent) {
        const Found* found = nullptr;
        if (auto error = find_by_id(taken.id, found)) return error;
        message.known = &found->known;
        // Bytes that are the whole message are written by the registry's serializers as they are.
        if (found->is_raw) message.body = with_length(taken.body, arena);
        return std::nullopt;
    }
    const auto found = std::find_if(named_.begin(), named_.end(),
                                    [&](const auto& one) { return one.first == taken.fingerprint; });
    if (found == named_.end())
        return Error::data(
            "42704", "avro " + std::string(part_name(part)) + " was written by a schema that is not known",
            "Its fingerprint is " + hex(taken.fingerprint) + ".",
            "Name the schema in option \"" + option_name("schema", part) + "\" beside the others.");
    message.known = &found->second;
    return std::nullopt;
}

std::optional<Error> AvroKnownSchemas::find_by_id(int32_t id, const Found*& found) {
    if (last_ != nullptr && last_id_ == id) {
        found = last_;
    } else if (const auto known = by_id_.find(id); known != by_id_.end()) {
        found = &known->second;
    } else {
        Result<SharedSchema> text = finder_->find(id);
        if (!text) return std::move(text.error());
        Found made;
        const auto keep = [&](Error error) {
            error.kind = ErrorKind::Data;
            made.error = std::move(error);
        };
        if (const Result<SharedAvroSchema> writer = AvroSchema::parse(*text.value()); !writer) {
            keep(writer.error());
        } else {
            made.is_raw = writer.value()->node(writer.value()->root()).type == AvroType::Bytes;
            if (Result<AvroKnown> planned = know(*writer.value()); planned)
                made.known = std::move(planned).value();
            else
                keep(std::move(planned.error()));
        }
        // Nobody has as many in use, so it does not matter which ones go.
        if (by_id_.size() == kMostKnown) by_id_.clear();
        found = &by_id_.emplace(id, std::move(made)).first->second;
    }
    last_ = found;
    last_id_ = id;
    return found->error;
}

}  // namespace sluice
