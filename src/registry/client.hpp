// Asks a schema registry, which may have several addresses, for the schema of an id and all that it refers
// to. Must not keep schemas: its callers do. Owns the connection; what it returns is the caller's.
#pragma once

#include "base/ports.hpp"
#include "base/result.hpp"
#include "format/schema.hpp"
#include "registry/answer.hpp"
#include "registry/http.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice {

// A schema as a registry hands it out, which is also how it is stored.
struct RegistrySchema {
    SchemaKind kind = SchemaKind::Avro;
    std::string body;
    std::vector<SchemaText::Reference> references;  // each after those that it needs itself
};

// As decoders take it.
SharedSchema to_schema(int32_t id, const RegistrySchema& schema);

class RegistryClient {
  public:
    // `options` are those of the source without their prefix: url, username, password, ca_pem, …
    explicit RegistryClient(const std::map<std::string, std::string>& options);

    // No such schema: Data. Not there at the moment: Transient, 08xxx, from the last address. Log-in refused:
    // Config, 28000. All name the URL. Throws what the waiter throws.
    Result<RegistrySchema> fetch(int32_t id, Waiter& waiter);

  private:
    class References;

    Result<SchemaAnswer> get(const std::string& path, Waiter& waiter);
    Result<SchemaAnswer> ask(const std::string& url, Waiter& waiter);

    std::vector<std::string> urls_;
    size_t current_ = 0;  // the address that answered last
    HttpClient http_;
};

}  // namespace sluice
