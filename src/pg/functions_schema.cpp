// create_schema and drop_schema: the schemas that messages are written by, kept in the database. A schema
// never changes: jobs and other schemas that use it can rely on it, and a new version is a new schema.
#include "format/schema_check.hpp"
#include "job/identifier.hpp"
#include "job/words.hpp"

#include <algorithm>
#include <string>

#include "pg/arguments.hpp"
#include "pg/bookkeeping.hpp"
#include "pg/job_access.hpp"
#include "pg/schemas.hpp"
#include "pg/source.hpp"
#include "pg/system_catalog.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/acl.h"
}

namespace sluice {

namespace {

using spi::Param;

// A worker keeps what its source names in memory, and parsers need several times as much.
constexpr size_t kLongestBody = 1 << 20;
constexpr size_t kShownUsers = 20;

std::string in_utf8(const std::string& text) {
    return call([&] { return pg_server_to_any(text.c_str(), static_cast<int>(text.size()), PG_UTF8); });
}

SchemaReferences read_references(const std::optional<std::string>& json) {
    SchemaReferences references;
    if (!json) return references;
    const Error wrong =
        Error::config("22023", "argument schema_references must be a JSON object of strings", {},
                      "Write it as in {\"what the body calls it\": \"name of the schema\"}.");
    spi::Connection connection;
    if (spi::run("SELECT pg_catalog.jsonb_typeof($1::pg_catalog.jsonb)", {Param::text(*json)}).text(0, 0) !=
        "object")
        fail(wrong);
    const spi::Rows rows = spi::run(
        "SELECT r.key, r.value OPERATOR(pg_catalog.#>>) '{}', pg_catalog.jsonb_typeof(r.value)"
        " FROM pg_catalog.jsonb_each($1::pg_catalog.jsonb) r ORDER BY r.key",
        {Param::text(*json)});
    for (size_t i = 0; i < rows.size(); ++i) {
        if (rows.text(i, 2) != "string") fail(wrong);
        references.emplace_back(rows.text(i, 0), rows.text(i, 1));
    }
    return references;
}

void check_name(const std::string& name) {
    if (name.empty() || name.size() >= NAMEDATALEN)
        fail(Error::config("42602", "the name of a schema has 1 to " + std::to_string(NAMEDATALEN - 1) +
                                        " bytes, this one has " + std::to_string(name.size())));
}

// `body` as it is stored: text in the database's encoding, or bytes.
void create_schema(const Arguments& arguments, const std::string& body, bool is_text) {
    require_primary();
    const std::string name = arguments.required_text(0, "name");
    check_name(name);
    const SchemaKind kind =
        value_or_fail(value_for(kSchemaKinds, "argument kind", arguments.required_text(1, "kind")));
    if (!is_text && kind != SchemaKind::Protobuf)
        fail(Error::config("22023",
                           "the body of a schema of kind " + std::string(word_for(kSchemaKinds, kind)) +
                               " is text, not bytea",
                           "Only kind protobuf has a binary form, a FileDescriptorSet."));
    if (body.size() > kLongestBody)
        fail(Error::config("54000", "the body of a schema has at most " + std::to_string(kLongestBody) +
                                        " bytes, this one has " + std::to_string(body.size())));
    const std::optional<std::string> json = arguments.jsonb(3);
    const SchemaReferences references = read_references(json);
    value_or_fail(check_schema({kind, "schema \"" + name + "\"", is_text ? in_utf8(body) : body,
                                collect_references(references, kind)}));
    const Oid owner = GetUserId();
    Bookkeeping bookkeeping;
    // Somebody else may take the name at the same time.
    const spi::Rows stored = spi::run(
        "INSERT INTO sluice.schema (name, kind, owner, body, binary_body, schema_references)"
        " VALUES ($1, $2, $3::oid::regrole, $4, $5, COALESCE($6::pg_catalog.jsonb, '{}'))"
        " ON CONFLICT (name) DO NOTHING",
        {Param::text(name), Param::text(word_for(kSchemaKinds, kind)), Param::oid(owner),
         is_text ? Param::text(body) : Param::null_of(TEXTOID),
         is_text ? Param::null_of(BYTEAOID) : Param::bytea(body), Param::optional_text(json)});
    if (stored.processed() == 0)
        fail(Error::config("42710", "schema \"" + name + "\" already exists", "A schema never changes.",
                           "Give a new version another name, and let foreign tables use that one."));
}

// Foreign tables whose options name the schema, by their names.
std::vector<std::string> tables_with(const std::string& name) {
    const spi::Rows rows = query_catalog(
        "SELECT f.ftrelid, o.option_value FROM pg_foreign_table f, pg_options_to_table(f.ftoptions) o"
        " WHERE o.option_name IN ('schema', 'reader_schema', 'key_schema', 'key_reader_schema') ORDER BY 1");
    std::vector<std::string> tables;
    for (size_t i = 0; i < rows.size(); ++i) {
        const Oid relation = static_cast<Oid>(rows.integer(i, 0));
        const auto names = parse_identifiers(rows.text(i, 1));
        if (!names || std::find(names.value().begin(), names.value().end(), name) == names.value().end() ||
            !is_sluice_table(relation))
            continue;
        const std::string table = "foreign table " + qualified_name(relation);
        if (tables.empty() || tables.back() != table) tables.push_back(table);
    }
    return tables;
}

std::vector<std::string> schemas_with(const std::string& name) {
    Bookkeeping bookkeeping;
    const spi::Rows rows = spi::run(
        "SELECT s.name FROM sluice.schema s WHERE EXISTS (SELECT FROM"
        " pg_catalog.jsonb_each_text(s.schema_references) r WHERE r.value = $1) ORDER BY s.name",
        {Param::text(name)});
    std::vector<std::string> schemas;
    for (size_t i = 0; i < rows.size(); ++i) schemas.push_back("schema \"" + rows.text(i, 0) + "\"");
    return schemas;
}

void refuse_while_used(const std::string& name) {
    std::vector<std::string> users = tables_with(name);
    for (std::string& schema : schemas_with(name)) users.push_back(std::move(schema));
    if (users.empty()) return;
    std::string list;
    for (size_t i = 0; i < std::min(users.size(), kShownUsers); ++i)
        list += (i == 0 ? "" : "\n") + users[i] + " uses it";
    if (users.size() > kShownUsers) list += "\nand " + std::to_string(users.size() - kShownUsers) + " others";
    fail(
        Error::config("2BP01", "cannot drop schema \"" + name + "\" because others use it", std::move(list),
                      "Drop them first, or let them use another schema: ALTER FOREIGN TABLE ... OPTIONS (SET "
                      "schema '...')."));
}

}  // namespace

SLUICE_FUNCTION(sluice_create_schema_text) {
    const Arguments arguments(fcinfo);
    create_schema(arguments, arguments.required_text(2, "body"), true);
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_create_schema_bytea) {
    const Arguments arguments(fcinfo);
    create_schema(arguments, arguments.required_text(2, "body"), false);
    PG_RETURN_VOID();
}

SLUICE_FUNCTION(sluice_drop_schema) {
    require_primary();
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text(0, "name");
    const Oid owner = [&] {
        Bookkeeping bookkeeping;
        // Locked before anybody looks for references, so that none is made meanwhile.
        const spi::Rows rows =
            spi::run("SELECT owner::pg_catalog.oid FROM sluice.schema WHERE name = $1 FOR UPDATE",
                     {Param::text(name)});
        if (rows.empty()) fail(unknown_schema(name));
        return static_cast<Oid>(rows.integer(0, 0));
    }();
    if (!call([&] { return has_privs_of_role(GetUserId(), owner); }))
        fail(Error::config("42501", "permission denied for schema \"" + name + "\"", {},
                           "Only its owner, members of that role and superusers may drop it."));
    refuse_while_used(name);
    Bookkeeping bookkeeping;
    spi::run("DELETE FROM sluice.schema WHERE name = $1", {Param::text(name)});
    PG_RETURN_VOID();
}

}  // namespace sluice
