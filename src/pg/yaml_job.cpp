#include "base/nearest.hpp"

#include <algorithm>

#include "pg/attempt.hpp"
#include "pg/job_access.hpp"
#include "pg/source.hpp"
#include "pg/system_catalog.hpp"
#include "pg/target_facts.hpp"
#include "pg/user_mapping.hpp"
#include "pg/yaml_job.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
}

namespace sluice {

namespace {

using spi::Param;

constexpr const char* kWrapper = "sluice_fdw";

void execute(const std::string& sql) {
    PinnedPath path;
    spi::Connection connection;
    spi::run(sql);
}

bool has_right(const char* question, Oid object) {
    return query_catalog(question, {Param::oid(object)}).boolean(0, 0);
}

std::string options_clause(const OptionList& options) {
    std::string list;
    for (const auto& [name, value] : options) {
        const char* literal = call([&] { return quote_literal_cstr(value.c_str()); });
        list += (list.empty() ? "" : ", ") + quoted_name(name) + " " + literal;
    }
    return list.empty() ? list : " OPTIONS (" + list + ")";
}

List* to_list(const OptionList& options) {
    List* list = NIL;
    for (const auto& [name, value] : options) {
        auto* text = reinterpret_cast<Node*>(makeString(pstrdup(value.c_str())));
        list = lappend(list, makeDefElem(pstrdup(name.c_str()), text, -1));
    }
    return list;
}

struct SqlType {
    Oid type = InvalidOid;
    int32 typmod = -1;
};

SqlType parse_type(const char* text) {
    return call([&] {
        SqlType parsed;
#if PG_VERSION_NUM >= 160000
        parseTypeString(text, &parsed.type, &parsed.typmod, nullptr);
#else
        parseTypeString(text, &parsed.type, &parsed.typmod, false);
#endif
        return parsed;
    });
}

// As it reads under a pinned path.
std::string type_text(SqlType type) {
    PinnedPath path;
    return call([&] { return format_type_with_typemod(type.type, type.typmod); });
}

std::string nearest_type(const std::string& word) {
    const spi::Rows rows = query_catalog(
        "SELECT format_type(oid, NULL) FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace"
        " AND typtype IN ('b', 'r') AND typelem = 0 ORDER BY 1");
    std::vector<std::string> names;
    for (size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string near = nearest(word, candidates);
    return near.empty() ? near : "Perhaps you meant " + near + ".";
}

std::string without_blanks(std::string text) {
    std::erase(text, ' ');
    return text;
}

class SourceMaker {
  public:
    SourceMaker(const YamlJob& yaml, const YamlPlaces& places, JobId id, Oid owner,
                std::vector<Error> problems)
        : yaml_(yaml),
          places_(places),
          id_(std::to_string(id.value)),
          owner_(owner),
          as_owner_(owner),
          options_(source_options_of(yaml)),
          problems_(std::move(problems)) {
        owner_name_ = call([&] { return GetUserNameFromId(owner, false); });
    }

    MadeSource make() {
        choose_schema();
        read_types();
        const bool new_server = yaml_.server.empty();
        new_server ? check_new_server() : check_server();
        if (!problems_.empty()) fail(combine(problems_));
        MadeSource made;
        server_ = yaml_.server;
        if (new_server) made.owned.server = create_server();
        made.name = create_table();
        made.owned.source = true;
        return made;
    }

  private:
    void problem(std::initializer_list<std::string_view> path, Error error) {
        problems_.push_back(places_.at(path, std::move(error)));
    }

    Error lacking(const std::string& right, const std::string& kind, const std::string& object) const {
        return Error::config(
            "42501", "role " + quoted_name(owner_name_) + " lacks " + right + " on " + object, {},
            "GRANT " + right + " ON " + kind + " " + object + " TO " + quoted_name(owner_name_) + ";");
    }

    void choose_schema() {
        const auto target = find_target(yaml_.job.target);
        if (!target) problem({"OUTPUT", "TABLE"}, target.error());
        std::string_view section = "METADATA";
        Oid schema = InvalidOid;
        if (!yaml_.metadata_schema.empty()) {
            schema_ = yaml_.metadata_schema;
            schema = call([&] { return get_namespace_oid(schema_.c_str(), true); });
            if (!OidIsValid(schema))
                return problem({section, "SCHEMA"},
                               Error::config("3F000", "schema " + quoted_name(schema_) + " does not exist"));
        } else {
            if (!target) return;
            section = "OUTPUT";
            schema = call([&] { return get_rel_namespace(target.value().relation); });
            schema_ = call([&] { return get_namespace_name(schema); });
        }
        if (has_right("SELECT has_schema_privilege($1, 'CREATE')", schema)) return;
        Error error = lacking("CREATE", "SCHEMA", quoted_name(schema_));
        error.detail = "The job's foreign table lies there; METADATA.SCHEMA says otherwise.";
        problem({section, "SCHEMA"}, std::move(error));
    }

    void read_types() {
        for (const auto& [part, payload] : {std::pair{"VALUE", &yaml_.value}, {"KEY", &yaml_.key}})
            if (*payload)
                for (size_t i = 0; i < (*payload)->columns.size(); ++i)
                    read_type(part, i, (*payload)->columns[i]);
        for (size_t i = 0; i < yaml_.meta.size(); ++i) read_type("META", i, yaml_.meta[i].column);
    }

    void read_type(std::string_view part, size_t column, const YamlColumn& written) {
        SqlType type;
        if (auto refusal = attempt([&] { type = parse_type(written.type.c_str()); })) {
            Error error = std::move(refusal->error);
            if (error.sqlstate == "42704") error.hint = nearest_type(written.type);
            problems_.push_back(places_.at_type(part, column, std::move(error)));
        } else if (call([&] { return get_typtype(type.type); }) == TYPTYPE_PSEUDO) {
            problems_.push_back(places_.at_type(
                part, column, Error::config("42P16", "no column can be of type " + written.type)));
        } else {
            types_.push_back(type_text(type));
        }
    }

    void check_new_server() {
        const Oid wrapper = call([] { return get_foreign_data_wrapper_oid(kWrapper, false); });
        if (!has_right("SELECT has_foreign_data_wrapper_privilege($1, 'USAGE')", wrapper)) {
            Error error = lacking("USAGE", "FOREIGN DATA WRAPPER", kWrapper);
            error.detail = "The job needs a server of its own, unless SERVER names one.";
            problem({"INPUT", "SOURCE", "BROKERS"}, std::move(error));
        }
        if (auto checked = check_written_options(Scope::Server, options_.server); !checked)
            problem({"PROPERTIES"}, checked.error());
        if (auto checked = check_written_options(Scope::UserMapping, options_.user_mapping); !checked)
            problem({"PROPERTIES"}, checked.error());
    }

    // A server that is there must be the one that the document describes.
    void check_server() {
        const auto wrong = [&](Error error) { problem({"INPUT", "SOURCE", "SERVER"}, std::move(error)); };
        const std::string name = quoted_name(yaml_.server);
        const Oid server = call([&] { return get_foreign_server_oid(yaml_.server.c_str(), true); });
        if (!OidIsValid(server)) return wrong(unknown_server(name));
        if (!is_sluice_server(server))
            return wrong(Error::config("42809", "server " + name + " is not a Kafka server", {},
                                       "It belongs to another foreign data wrapper than sluice_fdw."));
        if (!has_right("SELECT has_server_privilege($1, 'USAGE')", server))
            wrong(lacking("USAGE", "FOREIGN SERVER", name));
        const SourceSpec has = load_topic(server, yaml_.topic, owner_);
        if (!yaml_.brokers.empty() && without_blanks(yaml_.brokers) != without_blanks(has.brokers))
            problem({"INPUT", "SOURCE", "BROKERS"},
                    Error::config("22023", "server " + name + " has other brokers: " + has.brokers, {},
                                  "Leave BROKERS or SERVER away."));
        const auto url = has.registry.find("url");
        if (!yaml_.registry_url.empty() && (url == has.registry.end() || url->second != yaml_.registry_url))
            problem({"INPUT", "SOURCE", "REGISTRY_URL"},
                    Error::config("22023", "server " + name + " has another registry", {},
                                  "Leave REGISTRY_URL or SERVER away."));
        for (const auto& [property, value] : yaml_.properties) match_property(name, has, property, value);
        if (!yaml_.secrets.empty())
            problem({"PROPERTIES"},
                    Error::config("22023",
                                  "property " + yaml_.secrets.begin()->first +
                                      " belongs to a user mapping of server " + name,
                                  {},
                                  "Write it there: CREATE USER MAPPING FOR " + quoted_name(owner_name_) +
                                      " SERVER " + name + " OPTIONS (...);"));
    }

    Error unknown_server(const std::string& name) const {
        const spi::Rows rows = query_catalog(
            "SELECT s.srvname FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw"
            " WHERE w.fdwname = $1 ORDER BY 1",
            {Param::of(NAMEOID,
                       call([] { return DirectFunctionCall1(namein, CStringGetDatum(kWrapper)); }))});
        std::vector<std::string> names;
        for (size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
        const std::vector<std::string_view> candidates(names.begin(), names.end());
        const std::string near = nearest(yaml_.server, candidates);
        return Error::config(
            "42704", "server " + name + " does not exist", {},
            near.empty() ? "Leave SERVER away and name BROKERS: then the job gets a server of its own."
                         : "Perhaps you meant " + quoted_name(near) + ".");
    }

    // What the server does not say can be said for one topic, if the property allows it.
    void match_property(const std::string& server, const SourceSpec& has, const std::string& property,
                        const std::string& value) {
        const auto found = has.properties.find(property);
        if (found != has.properties.end() && found->second == value) return;
        if (kafka_property(property, Scope::Table)) {
            for (auto& option : property_options({{property, value}}))
                options_.table.push_back(std::move(option));
            return;
        }
        problem({"PROPERTIES"},
                Error::config("22023",
                              found == has.properties.end() ? "server " + server + " does not set " + property
                                                            : "server " + server + " sets " + property +
                                                                  " to \"" + found->second + "\"",
                              {}, "Leave the property or SERVER away."));
    }

    std::string create_server() {
        server_ = "sluice_server_" + id_;
        execute("CREATE SERVER " + quoted_name(server_) + " FOREIGN DATA WRAPPER " + kWrapper +
                options_clause(options_.server));
        if (!options_.user_mapping.empty())
            call([&] { create_user_mapping(server_.c_str(), owner_, to_list(options_.user_mapping)); });
        return server_;
    }

    std::string create_table() const {
        const std::string name = quoted_name(schema_) + ".sluice_ext_" + id_;
        std::string columns;
        for (size_t i = 0; i < types_.size(); ++i)
            columns += (columns.empty() ? "" : ", ") + quoted_name(options_.columns[i].name) + " " +
                       types_[i] + options_clause(options_.columns[i].options);
        execute("CREATE FOREIGN TABLE " + name + " (" + columns + ") SERVER " + quoted_name(server_) +
                options_clause(options_.table));
        return name;
    }

    const YamlJob& yaml_;
    const YamlPlaces& places_;
    const std::string id_;
    const Oid owner_;
    const RunAs as_owner_;
    SourceOptions options_;
    std::vector<Error> problems_;
    std::string owner_name_;
    std::string schema_;
    std::string server_;
    std::vector<std::string> types_;
};

std::vector<std::string> column_types(Oid relation) {
    const spi::Rows rows = query_catalog(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        {Param::oid(relation)});
    std::vector<std::string> types;
    for (size_t i = 0; i < rows.size(); ++i) types.push_back(rows.text(i, 0));
    return types;
}

struct RelationName {
    std::string schema;
    std::string name;
};

RelationName name_of(Oid relation) {
    const char* schema = call([&] { return get_namespace_name(get_rel_namespace(relation)); });
    return {schema, call([&] { return get_rel_name(relation); })};
}

bool owns_server(JobId job) {
    Bookkeeping bookkeeping;
    return spi::run("SELECT owned_server IS NOT NULL FROM sluice.job WHERE job_id = $1",
                    {Param::int4(job.value)})
        .boolean(0, 0);
}

}  // namespace

MadeSource make_source(const YamlJob& yaml, const YamlPlaces& places, JobId id, Oid owner,
                       std::vector<Error> problems) {
    return SourceMaker(yaml, places, id, owner, std::move(problems)).make();
}

YamlJob describe_job(const catalog::StoredJob& job) {
    check_source_is_there(job);
    check_target_is_there(job);
    const RelationName source_name = name_of(job.source);
    const RelationName target_name = name_of(job.target);
    const SourceSpec source = load_source(job.source, job.owner);
    YamlJob yaml = yaml_job_of(job.spec, source, column_types(job.source));
    yaml.database = call([] { return get_database_name(MyDatabaseId); });
    yaml.user = call([&] { return GetUserNameFromId(job.owner, false); });
    yaml.version = 2;
    yaml.schema = target_name.schema;
    yaml.table = target_name.name;
    if (source_name.schema != target_name.schema) yaml.metadata_schema = source_name.schema;

    if (owns_server(job.id)) {
        std::erase_if(yaml.properties, [&](const auto& property) {
            if (kafka_property(property.first, Scope::Server)) return false;
            yaml.secrets[property.first] = {};
            return true;
        });
        return yaml;
    }
    const Oid server = call([&] { return GetForeignServerIdByRelId(job.source); });
    yaml.server = call([&] { return GetForeignServer(server)->servername; });
    yaml.brokers.clear();
    yaml.registry_url.clear();
    const SourceSpec of_server = load_topic(server, source.topic, job.owner);
    std::erase_if(yaml.properties, [&](const auto& property) {
        const auto found = of_server.properties.find(property.first);
        return found != of_server.properties.end() && found->second == property.second;
    });
    return yaml;
}

}  // namespace sluice
