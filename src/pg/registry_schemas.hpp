// The schemas that messages of a source name by ids of a registry: from memory, from the table in which
// workers keep them, or from the registry itself. Must not know formats nor what a schema means. An id means
// one schema for ever, so what is known stays known. Owns the connection to the registry; shares the schemas
// with decoders.
#pragma once

#include "job/source_spec.hpp"
#include "registry/client.hpp"
#include "registry/schema_cache.hpp"

#include <memory>
#include <optional>
#include <span>

#include "pg/airlock.hpp"

namespace sluice {

class RegistrySchemas {
  public:
    // Nothing when no format of the source names schemas, or its server has no registry: then
    // RecordDecoder::make tells the difference. `relation` is the source; needs a transaction.
    static std::unique_ptr<RegistrySchemas> of(const SourceSpec& source, Oid relation);

    SchemaFinder* finder() { return &cache_; }

    // Makes known what the messages name, before they are decoded. An id that is no schema is no error here:
    // its messages are. Inside the caller's transaction; waits for the registry in it, so not in a worker.
    std::optional<Error> learn(std::span<const MessageView> messages, Waiter& waiter);

    enum class Learned { All, Some };
    // The same with transactions of its own, none of which is open while the registry is asked, and keeps
    // what it learns for other processes and for times when the registry is away. Some: call again, after a
    // look whether the job is still wanted.
    Result<Learned> learn_in_worker(std::span<const MessageView> messages, Waiter& waiter);

  private:
    RegistrySchemas(const SourceSpec& source, Oid server);

    class SteadyTime : public Clock {
      public:
        time_point now() const override { return std::chrono::steady_clock::now(); }
    };
    using Fetched = std::vector<std::pair<int32_t, RegistrySchema>>;

    void read_stored(std::vector<int32_t>& missing);
    std::optional<Error> ask(std::span<const int32_t> ids, Waiter& waiter, Fetched& fetched);
    void store(int32_t id, const RegistrySchema& schema);

    Oid server_;
    SteadyTime clock_;
    SchemaCache cache_;
    std::map<std::string, std::string> options_;
    std::optional<RegistryClient> client_;  // once it is needed
};

}  // namespace sluice
