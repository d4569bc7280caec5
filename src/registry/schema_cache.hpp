// The schemas of a registry that this process knows, by id, and the ids that are known to be none.
// Must not know where schemas come from. Messages choose the ids, so both have bounds.
// Shares the schemas with decoders.
#pragma once

#include "base/ports.hpp"
#include "base/types.hpp"
#include "format/format_spec.hpp"

#include <chrono>
#include <map>
#include <span>
#include <vector>

namespace sluice {

// A message is read with a schema that a registry knows by an id.
bool names_schemas(const std::optional<FormatSpec>& format);

class SchemaCache final : public SchemaFinder {
  public:
    explicit SchemaCache(const RecordSpec& record, const Clock& clock);

    // Never looks further than the cache: an id that `missing` was not asked for is a transient error.
    Result<SharedSchema> find(int32_t id) override;

    // The ids in these messages about which nothing is known, ascending. What was known before may be
    // forgotten, but nothing that these messages name.
    std::vector<int32_t> missing(std::span<const MessageView> messages);

    void keep(int32_t id, SharedSchema schema);
    // There is no such schema: so it stays for a while.
    void keep_unknown(int32_t id, Error error);

  private:
    struct Unknown {
        Error error;
        Clock::time_point until;
    };

    void note(std::span<const MessageView> messages, Bytes MessageView::*part, Origin origin);
    void forget();
    static size_t size_of(const SchemaText& schema);

    const Clock& clock_;
    bool value_ = false;  // the part names schemas, and somebody reads it
    bool key_ = false;
    std::vector<int32_t> named_;  // by the messages at hand, ascending
    std::map<int32_t, SharedSchema> known_;
    size_t known_bytes_ = 0;
    std::map<int32_t, Unknown> unknown_;
};

}  // namespace sluice
