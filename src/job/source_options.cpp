#include "job/source_options.hpp"

#include "format/payload.hpp"
#include "job/identifier.hpp"
#include "job/source_rules.hpp"
#include "job/words.hpp"

#include <algorithm>
#include <set>

namespace sluice {

namespace {

std::string subject(std::string_view name) { return "option \"" + clipped(name) + "\""; }

const SourceRule* find_rule(Scope scope, std::string_view name) {
    for (const SourceRule& rule : source_rules())
        if (rule.info.scope == scope && rule.info.name == name) return &rule;
    return nullptr;
}

std::vector<std::string_view> names_of(Scope scope) {
    std::vector<std::string_view> names;
    for (const SourceRule& rule : source_rules())
        if (rule.info.scope == scope) names.push_back(rule.info.name);
    return names;
}

Error unknown_option(Scope scope, std::string_view name) {
    std::string list;
    const auto known = names_of(scope);
    for (std::string_view option : known) list += (list.empty() ? "" : ", ") + std::string(option);
    std::string hint = nearest_hint(name, known);
    for (const SourceRule& rule : source_rules())
        if (rule.info.name == name && rule.info.scope != scope)
            hint = "It is an option of a " + std::string(scope_name(rule.info.scope)) + ".";
    if (scope == Scope::Server) list += ", and Kafka properties";
    if (scope == Scope::UserMapping)
        list += ", and Kafka properties that log a role in, such as sasl_username and sasl_password";
    return Error::config("HV00D", "unknown " + subject(name) + " of a " + std::string(scope_name(scope)),
                         "Options of a " + std::string(scope_name(scope)) + ": " + list + ".",
                         std::move(hint));
}

bool is_option_elsewhere(Scope scope, std::string_view name) {
    const auto rules = source_rules();
    return std::any_of(rules.begin(), rules.end(), [&](const SourceRule& rule) {
        return rule.info.scope != scope && rule.info.name == name;
    });
}

// The dotted name of a Kafka property, or why there is no such option here.
Result<std::string> property_name(Scope scope, std::string_view name, PropertyCheck properties) {
    if (scope == Scope::Column || is_option_elsewhere(scope, name)) return unknown_option(scope, name);
    auto property = properties(name, scope);
    if (property) return property;
    if (!nearest(name, names_of(scope)).empty()) return unknown_option(scope, name);
    if (scope == Scope::UserMapping) return property;
    // A foreign table has few properties of its own: only one that is known elsewhere was meant as a
    // property.
    const bool meant =
        scope == Scope::Server || properties(name, Scope::Server) || properties(name, Scope::UserMapping);
    return meant ? std::move(property) : unknown_option(scope, name);
}

const std::string* find(const OptionList& options, std::string_view name) {
    for (const auto& [key, value] : options)
        if (key == name) return &value;
    return nullptr;
}

std::optional<std::string> text_of(const OptionList& options, const std::string& name) {
    const std::string* value = find(options, name);
    return value ? std::optional(*value) : std::nullopt;
}

std::vector<std::string> names_in(const OptionList& options, const std::string& name) {
    const std::string* value = find(options, name);
    return value ? parse_identifiers(*value).value() : std::vector<std::string>();
}

template <class E, size_t N>
std::optional<E> word_in(const OptionList& options, const std::string& name, const Word<E> (&table)[N]) {
    const std::string* value = find(options, name);
    if (!value) return {};
    return value_for(table, name, *value).value();
}

// The format that checked options give to one part of the message.
std::optional<FormatSpec> format_of(const OptionList& options, const std::string& prefix) {
    const std::string* format = find(options, prefix + "format");
    if (!format) return {};
    FormatSpec spec;
    spec.format = value_for(kFormats, "format", *format).value();
    spec.delimited.delimiter = text_of(options, prefix + "delimiter");
    spec.delimited.quote = text_of(options, prefix + "quote");
    spec.delimited.escape = text_of(options, prefix + "escape");
    spec.delimited.null_string = text_of(options, prefix + "null");
    spec.delimited.force_not_null = names_in(options, prefix + "force_not_null");
    spec.delimited.force_null = names_in(options, prefix + "force_null");
    spec.json.missing_field = word_in(options, prefix + "missing_field", kMissingFields);
    spec.json.timestamp_unit = word_in(options, prefix + "timestamp_unit", kTimestampUnits);
    spec.json.ignore_case = word_in(options, prefix + "ignore_case", kBooleans);
    spec.json.rows_path = text_of(options, prefix + "rows_path");
    spec.json.newline_delimited = word_in(options, prefix + "newline_delimited", kBooleans);
    spec.schema.schema = names_in(options, prefix + "schema");
    if (const std::string* name = find(options, prefix + "reader_schema"))
        spec.schema.reader_schema = parse_identifier(*name).value();
    spec.schema.framing = word_in(options, prefix + "framing", kFramings);
    spec.schema.message = text_of(options, prefix + "message");
    return spec;
}

// Checks a format's options as if the table had the columns that they name.
Result<void> check_format_options(const FormatSpec& format, Origin part) {
    RecordSpec record;
    (part == Origin::Key ? record.key : record.value) = format;
    for (const auto* names : {&format.delimited.force_not_null, &format.delimited.force_null})
        for (const std::string& name : *names) record.columns.push_back({.name = name, .origin = part});
    if (record.columns.empty()) record.columns.push_back({.name = "column", .origin = part});
    auto decoder = PayloadDecoder::make(record, part);
    if (!decoder) return decoder.error();
    return {};
}

Result<void> check_table(const OptionList& options) {
    if (!find(options, "topic"))
        return Error::config("HV002", "a foreign table needs option \"topic\"", {},
                             "Add it: OPTIONS (topic 'orders', format 'csv').");
    if (!find(options, "format") && !find(options, "key_format"))
        return Error::config("HV002", "a foreign table needs option \"format\" or \"key_format\"", {},
                             format_hint());
    for (const auto& [name, value] : options) {
        constexpr std::string_view kOfFormats[] = {
            "delimiter",         "quote",         "escape",        "null",           "force_null",
            "force_not_null",    "missing_field", "ignore_case",   "timestamp_unit", "rows_path",
            "newline_delimited", "schema",        "reader_schema", "framing",        "message"};
        for (const std::string prefix : {"", "key_"})
            for (std::string_view option : kOfFormats)
                if (name == prefix + std::string(option) && !find(options, prefix + "format"))
                    return Error::config("22023", subject(name) + " needs " + subject(prefix + "format"));
    }
    for (const auto& [prefix, part] : {std::pair{"", Origin::Value}, std::pair{"key_", Origin::Key}})
        if (const auto format = format_of(options, prefix))
            if (auto checked = check_format_options(*format, part); !checked) return checked;
    return {};
}

Result<void> check_user_mapping(const OptionList& options) {
    for (const auto& [option, needed] : {std::pair{"registry_password", "registry_username"},
                                         {"registry_certificate_pem", "registry_key_pem"},
                                         {"registry_key_pem", "registry_certificate_pem"},
                                         {"registry_key_password", "registry_key_pem"}})
        if (find(options, option) && !find(options, needed))
            return Error::config("22023", subject(option) + " needs " + subject(needed));
    return {};
}

Result<void> check_column(const OptionList& options) {
    if (find(options, "field") && find(options, "metadata"))
        return Error::config("22023", "options \"field\" and \"metadata\" exclude each other", {},
                             "A field is part of the value or of the key.");
    for (const char* other : {"source", "field", "metadata"})
        if (find(options, "header") && find(options, other))
            return Error::config("22023",
                                 "options \"header\" and \"" + std::string(other) + "\" exclude each other",
                                 {}, "A header is neither part of the value nor of the key.");
    if (find(options, "source") && find(options, "metadata"))
        return Error::config("22023", "options \"source\" and \"metadata\" exclude each other", {},
                             "A column is part of the value, part of the key, or metadata.");
    return {};
}

// Adds the Kafka properties among checked options, under their dotted names.
void add_properties(SourceSpec& source, Scope scope, const OptionList& options, PropertyCheck properties) {
    for (const auto& [name, value] : options)
        if (!find_rule(scope, name))
            source.properties[property_name(scope, name, properties).value()] = value;
}

constexpr std::string_view kRegistryPrefix = "registry_";

void add_registry(SourceSpec& source, const OptionList& options) {
    for (const auto& [name, value] : options)
        if (name.starts_with(kRegistryPrefix)) source.registry[name.substr(kRegistryPrefix.size())] = value;
}

Result<SourceColumn> build_column(const ColumnOptions& written, const RecordSpec& record,
                                  PropertyCheck properties) {
    const auto refuse = [&](Error error) {
        error.column_name = written.name;
        error.message = "column \"" + written.name + "\": " + error.message;
        return error;
    };
    if (auto checked = check_options(Scope::Column, written.options, properties); !checked)
        return refuse(std::move(checked.error()));
    SourceColumn column;
    column.name = written.name;
    column.origin = record.value ? Origin::Value : Origin::Key;
    if (const std::string* part = find(written.options, "source"))
        column.origin = value_for(kPayloads, "source", *part).value();
    if (const std::string* metadata = find(written.options, "metadata")) {
        column.origin = Origin::Metadata;
        MetadataWord word = metadata_for("metadata", *metadata).value();
        column.metadata = word.metadata;
        column.field = std::move(word.field);
    }
    if (const std::string* header = find(written.options, "header")) {
        column.origin = Origin::Metadata;
        column.metadata = Metadata::Header;
        column.field = *header;
    }
    if (const std::string* path = find(written.options, "field")) column.field = *path;
    return column;
}

void write_format(OptionList& options, const std::optional<FormatSpec>& format, const std::string& prefix) {
    if (!format) return;
    const DelimitedOptions& written = format->delimited;
    options.emplace_back(prefix + "format", word_for(kFormats, format->format));
    if (written.delimiter) options.emplace_back(prefix + "delimiter", *written.delimiter);
    if (written.quote) options.emplace_back(prefix + "quote", *written.quote);
    if (written.escape) options.emplace_back(prefix + "escape", *written.escape);
    if (written.null_string) options.emplace_back(prefix + "null", *written.null_string);
    if (!written.force_not_null.empty())
        options.emplace_back(prefix + "force_not_null", quote_identifiers(written.force_not_null));
    if (!written.force_null.empty())
        options.emplace_back(prefix + "force_null", quote_identifiers(written.force_null));
    const JsonOptions& json = format->json;
    const auto write_word = [&](const char* name, const auto& table, const auto& value) {
        if (value) options.emplace_back(prefix + name, word_for(table, *value));
    };
    write_word("missing_field", kMissingFields, json.missing_field);
    write_word("timestamp_unit", kTimestampUnits, json.timestamp_unit);
    write_word("ignore_case", kBooleans, json.ignore_case);
    if (json.rows_path) options.emplace_back(prefix + "rows_path", *json.rows_path);
    write_word("newline_delimited", kBooleans, json.newline_delimited);
    const SchemaOptions& schema = format->schema;
    if (!schema.schema.empty()) options.emplace_back(prefix + "schema", quote_identifiers(schema.schema));
    if (schema.reader_schema)
        options.emplace_back(prefix + "reader_schema", quote_identifier(*schema.reader_schema));
    write_word("framing", kFramings, schema.framing);
    if (schema.message) options.emplace_back(prefix + "message", *schema.message);
}

}  // namespace

std::span<const SourceOptionInfo> source_options() {
    static const std::vector<SourceOptionInfo> table = [] {
        std::vector<SourceOptionInfo> rows;
        for (const SourceRule& rule : source_rules()) rows.push_back(rule.info);
        return rows;
    }();
    return table;
}

Result<void> check_option(Scope scope, std::string_view name, std::string_view value,
                          PropertyCheck properties) {
    if (const SourceRule* rule = find_rule(scope, name))
        return rule->check ? rule->check(subject(name), value) : Result<void>();
    auto property = property_name(scope, name, properties);
    if (!property) return property.error();
    return {};
}

Result<void> check_options(Scope scope, const OptionList& options, PropertyCheck properties) {
    std::set<std::string> properties_seen;
    for (const auto& [name, value] : options) {
        if (auto checked = check_option(scope, name, value, properties); !checked) return checked;
        if (find_rule(scope, name)) continue;
        const std::string property = property_name(scope, name, properties).value();
        if (!properties_seen.insert(property).second)
            return Error::config("22023", "Kafka property \"" + property + "\" is set twice", {},
                                 "Names with dots and with underscores mean the same property.");
    }
    if (scope == Scope::Server && !find(options, "brokers"))
        return Error::config("HV002", "a server needs option \"brokers\"", {},
                             "Add it: OPTIONS (brokers 'broker1:9092,broker2:9092').");
    if (scope == Scope::UserMapping) return check_user_mapping(options);
    if (scope == Scope::Table) return check_table(options);
    if (scope == Scope::Column) return check_column(options);
    return {};
}

Result<SourceSpec> build_source(const SourceOptions& options, PropertyCheck properties) {
    for (const auto& [scope, list] : {std::pair{Scope::Server, &options.server},
                                      {Scope::UserMapping, &options.user_mapping},
                                      {Scope::Table, &options.table}})
        if (auto checked = check_options(scope, *list, properties); !checked) return checked.error();
    SourceSpec source;
    source.brokers = *find(options.server, "brokers");
    source.topic = *find(options.table, "topic");
    if (const std::string* list = find(options.table, "partitions"))
        source.partitions = parse_partitions("partitions", *list).value();
    add_properties(source, Scope::Server, options.server, properties);
    add_properties(source, Scope::UserMapping, options.user_mapping, properties);
    add_properties(source, Scope::Table, options.table, properties);
    add_registry(source, options.server);
    // A log-in is for a registry of the server.
    if (!source.registry.empty()) add_registry(source, options.user_mapping);
    source.record.value = format_of(options.table, "");
    source.record.key = format_of(options.table, "key_");
    for (const ColumnOptions& written : options.columns) {
        auto column = build_column(written, source.record, properties);
        if (!column) return column.error();
        source.record.columns.push_back(std::move(column).value());
    }
    return source;
}

OptionList property_options(const std::map<std::string, std::string>& properties) {
    OptionList options;
    for (const auto& [name, value] : properties) {
        std::string written = name;
        std::replace(written.begin(), written.end(), '.', '_');
        options.emplace_back(std::move(written), value);
    }
    return options;
}

SourceOptions options_of(const SourceSpec& source) {
    SourceOptions options;
    options.server.emplace_back("brokers", source.brokers);
    for (auto& option : property_options(source.properties)) options.server.push_back(std::move(option));
    for (const auto& [name, value] : source.registry)
        if (find_rule(Scope::Server, std::string(kRegistryPrefix) + name))
            options.server.emplace_back(std::string(kRegistryPrefix) + name, value);
    options.table.emplace_back("topic", source.topic);
    if (source.partitions) {
        std::string list;
        for (int32_t partition : *source.partitions)
            list += (list.empty() ? "" : ",") + std::to_string(partition);
        options.table.emplace_back("partitions", list);
    }
    write_format(options.table, source.record.value, "");
    write_format(options.table, source.record.key, "key_");
    const Origin plain = source.record.value ? Origin::Value : Origin::Key;
    for (const SourceColumn& column : source.record.columns) {
        ColumnOptions& written = options.columns.emplace_back(ColumnOptions{column.name, {}});
        if (column.origin == Origin::Metadata && column.metadata == Metadata::Header)
            written.options.emplace_back("header", column.field);
        else if (column.origin == Origin::Metadata)
            written.options.emplace_back("metadata", metadata_word(column.metadata, column.field));
        else if (column.origin != plain)
            written.options.emplace_back("source", word_for(kPayloads, column.origin));
        if (!column.field.empty() && column.origin != Origin::Metadata)
            written.options.emplace_back("field", column.field);
    }
    return options;
}

}  // namespace sluice
