#include "base/json_text.hpp"
#include "job/words.hpp"

#include <algorithm>

#include "pg/bookkeeping.hpp"
#include "pg/registry_schemas.hpp"

extern "C" {
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
}

namespace sluice {

namespace {

using spi::Param;

// As long as nobody can stop a job: about a second.
constexpr size_t kAskedAtOnce = 100;
// Of one server. A schema that was pushed out is asked for again.
constexpr int kMostStored = 10'000;

std::string from_hex(const std::string& hex) {
    std::string bytes(hex.size() / 2, '\0');
    call([&] { hex_decode(hex.data(), hex.size(), bytes.data()); });
    return bytes;
}

std::string references_json(const RegistrySchema& schema) {
    std::string json = "[";
    for (const auto& [name, body] : schema.references) {
        json += json.size() > 1 ? ", {\"name\": " : "{\"name\": ";
        append_json_string(json, name);
        json += ", \"body\": ";
        append_json_string(json, body);
        json += '}';
    }
    return json + "]";
}

}  // namespace

std::unique_ptr<RegistrySchemas> RegistrySchemas::of(const SourceSpec& source, Oid relation) {
    const bool needed = names_schemas(source.record.value) || names_schemas(source.record.key);
    if (!needed || source.registry.count("url") == 0) return nullptr;
    const Oid server = call([&] { return GetForeignServerIdByRelId(relation); });
    return std::unique_ptr<RegistrySchemas>(new RegistrySchemas(source, server));
}

RegistrySchemas::RegistrySchemas(const SourceSpec& source, Oid server)
    : server_(server), cache_(source.record, clock_), options_(source.registry) {}

std::optional<Error> RegistrySchemas::learn(std::span<const MessageView> messages, Waiter& waiter) {
    std::vector<int32_t> missing = cache_.missing(messages);
    if (missing.empty()) return std::nullopt;
    read_stored(missing);
    Fetched fetched;
    return ask(missing, waiter, fetched);
}

Result<RegistrySchemas::Learned> RegistrySchemas::learn_in_worker(std::span<const MessageView> messages,
                                                                  Waiter& waiter) {
    std::vector<int32_t> missing = cache_.missing(messages);
    if (missing.empty()) return Learned::All;
    {
        spi::Transaction transaction;
        read_stored(missing);
        transaction.commit();
    }
    const size_t count = std::min(missing.size(), kAskedAtOnce);
    Fetched fetched;
    const std::optional<Error> error = ask({missing.data(), count}, waiter, fetched);
    for (const auto& [id, schema] : fetched) store(id, schema);
    if (error) return *error;
    return count < missing.size() ? Learned::Some : Learned::All;
}

// Takes those that are found out of `missing`.
void RegistrySchemas::read_stored(std::vector<int32_t>& missing) {
    Bookkeeping bookkeeping;
    // Text in any encoding of a database is UTF-8 here, as parsers want it.
    const spi::Rows rows = spi::run(
        "SELECT s.id, s.kind, pg_catalog.encode(pg_catalog.convert_to(s.body, 'UTF8'), 'hex'),"
        "       pg_catalog.encode(pg_catalog.convert_to(r.value ->> 'name', 'UTF8'), 'hex'),"
        "       pg_catalog.encode(pg_catalog.convert_to(r.value ->> 'body', 'UTF8'), 'hex')"
        "  FROM sluice.registry_schema s"
        "  LEFT JOIN LATERAL pg_catalog.jsonb_array_elements(s.schema_references)"
        "            WITH ORDINALITY r(value, place) ON true"
        " WHERE s.server = $1 AND s.registry_url = $2 AND s.id = ANY ($3) ORDER BY s.id, r.place",
        {Param::oid(server_), Param::text(options_.at("url")), Param::int4_array(missing)});
    for (size_t i = 0; i < rows.size();) {
        const auto id = static_cast<int32_t>(rows.integer(i, 0));
        RegistrySchema schema{
            value_or_fail(value_for(kSchemaKinds, "kind", rows.text(i, 1))), from_hex(rows.text(i, 2)), {}};
        for (; i < rows.size() && rows.integer(i, 0) == id; ++i)
            if (!rows.is_null(i, 3))
                schema.references.push_back({from_hex(rows.text(i, 3)), from_hex(rows.text(i, 4))});
        cache_.keep(id, to_schema(id, schema));
        std::erase(missing, id);
    }
}

std::optional<Error> RegistrySchemas::ask(std::span<const int32_t> ids, Waiter& waiter, Fetched& fetched) {
    if (!client_) client_.emplace(options_);
    for (const int32_t id : ids) {
        Result<RegistrySchema> schema = client_->fetch(id, waiter);
        if (schema) {
            cache_.keep(id, to_schema(id, schema.value()));
            fetched.emplace_back(id, std::move(schema).value());
        } else if (schema.error().kind == ErrorKind::Data) {
            cache_.keep_unknown(id, std::move(schema.error()));
        } else {
            return std::move(schema.error());
        }
    }
    return std::nullopt;
}

// In a transaction of its own: a schema that the database's encoding cannot hold is not kept.
void RegistrySchemas::store(int32_t id, const RegistrySchema& schema) {
    spi::Transaction transaction;
    try {
        {
            Bookkeeping bookkeeping;
            // What was kept of another registry means other schemas. The server may be gone by now.
            const spi::Rows stored = spi::run(
                "INSERT INTO sluice.registry_schema AS s (server, id, registry_url, kind, body, "
                "schema_references)"
                " SELECT f.oid, $2, $3, $4, pg_catalog.convert_from($5, 'UTF8'),"
                "        pg_catalog.convert_from($6, 'UTF8')::pg_catalog.jsonb"
                "   FROM pg_catalog.pg_foreign_server f WHERE f.oid = $1"
                " ON CONFLICT (server, id) DO UPDATE SET registry_url = excluded.registry_url,"
                "  kind = excluded.kind, body = excluded.body, schema_references = "
                "excluded.schema_references,"
                "  fetched_at = excluded.fetched_at WHERE s.registry_url <> excluded.registry_url",
                {Param::oid(server_), Param::int4(id), Param::text(options_.at("url")),
                 Param::text(word_for(kSchemaKinds, schema.kind)), Param::bytea(schema.body),
                 Param::bytea(references_json(schema))});
            if (stored.processed() > 0)
                spi::run(
                    "DELETE FROM sluice.registry_schema WHERE server = $1 AND id IN (SELECT id FROM"
                    " sluice.registry_schema WHERE server = $1 ORDER BY fetched_at DESC OFFSET $2)",
                    {Param::oid(server_), Param::int4(kMostStored)});
        }
        transaction.commit();
    } catch (const PgError& e) {
        // 22: invalid or untranslatable text.
        if (to_error(e.record, Stage::Fetch).sqlstate.rfind("22", 0) != 0) throw;
        transaction.abort();
    }
}

}  // namespace sluice
