#include "registry/schema_cache.hpp"

#include "format/framing.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace sluice {

namespace {

constexpr size_t kMostKnown = 1'000;
constexpr size_t kMostKnownBytes = 16 << 20;
constexpr size_t kMostUnknown = 10'000;
constexpr std::chrono::seconds kUnknownFor{30};

bool is_read(const RecordSpec& record, Origin part) {
    return std::any_of(record.columns.begin(), record.columns.end(), [&](const SourceColumn& column) {
        const bool tells_change = column.origin == Origin::Metadata && column.metadata == Metadata::Change;
        return column.wanted && (column.origin == part || (tells_change && part == Origin::Value));
    });
}

}  // namespace

bool names_schemas(const std::optional<FormatSpec>& format) {
    return format && needs_schema(format->format) && format->schema.framing == Framing::Confluent &&
           format->schema.schema.empty();
}

SchemaCache::SchemaCache(const RecordSpec& record, const Clock& clock)
    : clock_(clock),
      value_(names_schemas(record.value) && is_read(record, Origin::Value)),
      // A change may need the key whatever the columns read.
      key_(names_schemas(record.key) &&
           (is_read(record, Origin::Key) || (record.value && is_change_format(record.value->format)))) {}

Result<SharedSchema> SchemaCache::find(int32_t id) {
    if (const auto known = known_.find(id); known != known_.end()) return known->second;
    if (const auto unknown = unknown_.find(id); unknown != unknown_.end()) return unknown->second.error;
    return Error::transient("40001", "schema " + std::to_string(id) + " of the registry was not asked for",
                            {}, "Try again.");
}

std::vector<int32_t> SchemaCache::missing(std::span<const MessageView> messages) {
    named_.clear();
    if (value_) note(messages, &MessageView::value, Origin::Value);
    if (key_) note(messages, &MessageView::key, Origin::Key);
    std::sort(named_.begin(), named_.end());
    named_.erase(std::unique(named_.begin(), named_.end()), named_.end());
    forget();
    std::vector<int32_t> missing;
    for (const int32_t id : named_)
        if (known_.count(id) == 0 && unknown_.count(id) == 0) missing.push_back(id);
    return missing;
}

void SchemaCache::keep(int32_t id, SharedSchema schema) {
    if (const auto [place, is_new] = known_.emplace(id, schema); is_new) known_bytes_ += size_of(*schema);
}

size_t SchemaCache::size_of(const SchemaText& schema) {
    size_t size = schema.body.size();
    for (const SchemaText::Reference& reference : schema.references) size += reference.body.size();
    return size;
}

void SchemaCache::keep_unknown(int32_t id, Error error) {
    unknown_[id] = {std::move(error), clock_.now() + kUnknownFor};
}

void SchemaCache::note(std::span<const MessageView> messages, Bytes MessageView::*part, Origin origin) {
    std::optional<int32_t> last;  // nearly always the same as before
    for (const MessageView& message : messages) {
        const Bytes payload = message.*part;
        if (payload.is_null()) continue;
        const Result<Frame> frame = frame_of(Framing::Confluent, payload.view(), origin);
        // The decoder will say what is wrong with it.
        if (!frame || frame.value().id == last) continue;
        last = frame.value().id;
        named_.push_back(*last);
    }
}

void SchemaCache::forget() {
    const auto now = clock_.now();
    const auto is_named = [&](int32_t id) { return std::binary_search(named_.begin(), named_.end(), id); };
    const bool many_unknown = unknown_.size() > kMostUnknown;
    std::erase_if(unknown_, [&](const auto& one) {
        return one.second.until <= now || (many_unknown && !is_named(one.first));
    });
    if (known_.size() <= kMostKnown && known_bytes_ <= kMostKnownBytes) return;
    std::erase_if(known_, [&](const auto& one) { return !is_named(one.first); });
    known_bytes_ = 0;
    for (const auto& [id, schema] : known_) known_bytes_ += size_of(*schema);
}

}  // namespace sluice
