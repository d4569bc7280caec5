#include "job/identifier.hpp"
#include "job/options.hpp"
#include "job/words.hpp"
#include "job/yaml.hpp"
#include "job/yaml_emitter.hpp"

#include <algorithm>

namespace sluice {

namespace {

std::string to_upper(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return result;
}

class JobWriter {
  public:
    explicit JobWriter(const YamlJob& job) : job_(job), spec_(job.job), options_(job.job.options) {}

    Result<std::string> write() {
        yaml_.begin_map();
        connection();
        yaml_.map("KAFKA");
        input();
        output();
        if (!job_.metadata_schema.empty()) {
            yaml_.map("METADATA");
            yaml_.entry("SCHEMA", quote_identifier(job_.metadata_schema));
            yaml_.end_map();
        }
        commit();
        poll();
        properties();
        schedule();
        other_options();
        yaml_.end_map();
        yaml_.end_map();
        if (!yaml_.finish())
            return Error::config("22021", "the job cannot be written as YAML: its text is not valid UTF-8");
        return secrets_note() + yaml_.take();
    }

  private:
    void entry_if(std::string_view key, const std::string& value) {
        if (!value.empty()) yaml_.entry(key, value);
    }

    void names(std::string_view key, const std::vector<std::string>& names) {
        if (names.empty()) return;
        yaml_.list(key, YamlStyle::Flow);
        for (const std::string& name : names) yaml_.text(quote_identifier(name));
        yaml_.end_list();
    }

    std::string hint(const std::string& name) const {
        const auto found = spec_.hints.find(name);
        return found == spec_.hints.end() ? std::string() : found->second;
    }

    std::string secrets_note() const {
        if (job_.secrets.empty()) return {};
        std::string names;
        for (const auto& [name, value] : job_.secrets) names += (names.empty() ? "" : ", ") + name;
        return "# Secrets are not written; add them to PROPERTIES: " + names + "\n";
    }

    void connection() {
        entry_if("DATABASE", job_.database);
        entry_if("USER", job_.user);
        entry_if("HOST", hint("host"));
        entry_if("PORT", hint("port"));
        if (job_.version) yaml_.entry("VERSION", std::to_string(*job_.version));
    }

    void input() {
        yaml_.map("INPUT");
        yaml_.map("SOURCE");
        if (!job_.server.empty()) yaml_.entry("SERVER", quote_identifier(job_.server));
        entry_if("BROKERS", job_.brokers);
        entry_if("REGISTRY_URL", job_.registry_url);
        yaml_.entry("TOPIC", job_.topic);
        if (job_.partitions) {
            yaml_.list("PARTITIONS", YamlStyle::Flow);
            for (int32_t partition : *job_.partitions) yaml_.text(std::to_string(partition));
            yaml_.end_list();
        }
        if (has_fallback()) yaml_.entry("FALLBACK_OFFSET", word_for(kFallbacks, options_.fallback_offset));
        yaml_.end_map();
        payload("VALUE", job_.value);
        payload("KEY", job_.key);
        meta();
        if (options_.error_limit != JobOptions{}.error_limit)
            yaml_.entry("ERROR_LIMIT", option_text(options_, "error_limit"));
        yaml_.end_map();
    }

    // FALLBACK_OFFSET says start and fallback at once; when they differ they are said as job options.
    bool has_fallback() const {
        const auto kind = options_.start.kind;
        return (options_.fallback_offset == Fallback::Earliest && kind == Position::Kind::Earliest) ||
               (options_.fallback_offset == Fallback::Latest && kind == Position::Kind::Latest);
    }

    void column(const YamlColumn& column) {
        yaml_.begin_map(YamlStyle::Flow);
        yaml_.entry("NAME", quote_identifier(column.name));
        yaml_.entry("TYPE", column.type);
    }

    void payload(std::string_view key, const std::optional<YamlPayload>& payload) {
        if (!payload) return;
        yaml_.map(key);
        yaml_.list("COLUMNS");
        for (const YamlColumn& each : payload->columns) {
            column(each);
            if (!each.field.empty()) yaml_.entry("FIELD", each.field);
            yaml_.end_map();
        }
        yaml_.end_list();
        const FormatSpec& format = payload->format;
        yaml_.entry("FORMAT", word_for(kFormats, format.format));
        const DelimitedOptions& options = format.delimited;
        const bool given = options.delimiter || options.quote || options.escape || options.null_string ||
                           !options.force_not_null.empty() || !options.force_null.empty();
        if (given) {
            yaml_.map(format.format == Format::Csv ? "CSV_OPTION" : "DELIMITED_OPTION", YamlStyle::Flow);
            if (options.delimiter) yaml_.entry("DELIMITER", *options.delimiter);
            if (options.quote) yaml_.entry("QUOTE", *options.quote);
            if (options.escape) yaml_.entry("ESCAPE", *options.escape);
            if (options.null_string) yaml_.entry("NULL_STRING", *options.null_string);
            names("FORCE_NOT_NULL", options.force_not_null);
            names("FORCE_NULL", options.force_null);
            yaml_.end_map();
        }
        named_options(format);
        yaml_.end_map();
    }

    // Of formats with names or schemas.
    void named_options(const FormatSpec& format) {
        const JsonOptions& json = format.json;
        const SchemaOptions& schema = format.schema;
        if (json == JsonOptions() && schema == SchemaOptions()) return;
        yaml_.map(is_json_format(format.format)   ? "JSON_OPTION"
                  : is_avro_format(format.format) ? "AVRO_OPTION"
                                                  : "PROTOBUF_OPTION",
                  YamlStyle::Flow);
        if (json.missing_field) yaml_.entry("MISSING_FIELD", word_for(kMissingFields, *json.missing_field));
        if (json.timestamp_unit)
            yaml_.entry("TIMESTAMP_UNIT", word_for(kTimestampUnits, *json.timestamp_unit));
        if (json.ignore_case) yaml_.entry("IGNORE_CASE", word_for(kBooleans, *json.ignore_case));
        if (json.rows_path) yaml_.entry("ROWS_PATH", *json.rows_path);
        if (json.newline_delimited)
            yaml_.entry("NEWLINE_DELIMITED", word_for(kBooleans, *json.newline_delimited));
        names("SCHEMA", schema.schema);
        if (schema.reader_schema) yaml_.entry("READER_SCHEMA", quote_identifier(*schema.reader_schema));
        if (schema.message) yaml_.entry("MESSAGE", *schema.message);
        if (schema.framing) yaml_.entry("FRAMING", word_for(kFramings, *schema.framing));
        yaml_.end_map();
    }

    void meta() {
        if (job_.meta.empty()) return;
        yaml_.map("META");
        yaml_.list("COLUMNS");
        for (const YamlMetaColumn& each : job_.meta) {
            column(each.column);
            if (each.metadata == Metadata::Header)
                yaml_.entry("HEADER", each.column.field);
            else if (each.metadata != Metadata::Json)
                yaml_.entry("METADATA", metadata_word(each.metadata, each.column.field));
            yaml_.end_map();
        }
        yaml_.end_list();
        yaml_.entry("FORMAT", "json");
        yaml_.end_map();
    }

    void condition(std::string_view key, const std::optional<Expression>& expression) {
        if (expression) yaml_.entry(key, expression->written);
    }

    void output() {
        yaml_.map("OUTPUT");
        if (!job_.schema.empty()) yaml_.entry("SCHEMA", quote_identifier(job_.schema));
        yaml_.entry("TABLE", quote_identifier(job_.table));
        yaml_.entry("MODE", to_upper(word_for(kModes, spec_.mode)));
        names("MATCH_COLUMNS", spec_.match_columns);
        names("ORDER_COLUMNS", spec_.order_columns);
        names("UPDATE_COLUMNS", spec_.update_columns);
        condition("UPDATE_CONDITION", spec_.update_condition);
        condition("DELETE_CONDITION", spec_.delete_condition);
        condition("FILTER", spec_.filter);
        if (spec_.mapping) {
            yaml_.list("MAPPING");
            for (const MappedColumn& column : *spec_.mapping) {
                yaml_.begin_map(YamlStyle::Flow);
                yaml_.entry("NAME", quote_identifier(column.column));
                yaml_.entry("EXPRESSION", column.expression.written);
                yaml_.end_map();
            }
            yaml_.end_list();
        }
        yaml_.end_map();
    }

    // Written always: a document that is silent has other defaults than SQL.
    void commit() {
        yaml_.map("COMMIT", YamlStyle::Flow);
        yaml_.entry("MAX_ROW", option_text(options_, "max_count"));
        yaml_.entry("MINIMAL_INTERVAL", option_text(options_, "interval_ms"));
        if (options_.consistency != JobOptions{}.consistency)
            yaml_.entry("CONSISTENCY", options_.consistency);
        yaml_.end_map();
    }

    void poll() {
        if (hint("poll_batchsize").empty() && hint("poll_timeout").empty()) return;
        yaml_.map("POLL", YamlStyle::Flow);
        entry_if("BATCHSIZE", hint("poll_batchsize"));
        entry_if("TIMEOUT", hint("poll_timeout"));
        yaml_.end_map();
    }

    void properties() {
        if (job_.properties.empty() && options_.group_id.empty()) return;
        yaml_.map("PROPERTIES");
        entry_if("group.id", options_.group_id);
        for (const auto& [name, value] : job_.properties) yaml_.entry(name, value);
        yaml_.end_map();
    }

    void schedule() {
        const bool interval = options_.retry_interval_ms != JobOptions{}.retry_interval_ms;
        const bool retries = options_.max_retries != JobOptions{}.max_retries;
        if (!interval && !retries) return;
        yaml_.map("SCHEDULE", YamlStyle::Flow);
        if (interval) yaml_.entry("RETRY_INTERVAL", std::to_string(options_.retry_interval_ms));
        if (retries) yaml_.entry("MAX_RETRIES", std::to_string(options_.max_retries));
        yaml_.end_map();
    }

    void other_options() {
        constexpr std::string_view kElsewhere[] = {"max_count",   "interval_ms", "consistency",
                                                   "error_limit", "group_id",    "retry_interval",
                                                   "max_retries"};
        std::vector<std::pair<std::string, std::string>> rest;
        for (auto& option : changed_options(options_)) {
            const bool elsewhere =
                std::find(std::begin(kElsewhere), std::end(kElsewhere), option.first) != std::end(kElsewhere);
            const bool fallback =
                has_fallback() && (option.first == "start" || option.first == "fallback_offset");
            if (!elsewhere && !fallback) rest.push_back(std::move(option));
        }
        if (rest.empty()) return;
        yaml_.map("OPTIONS");
        for (const auto& [name, text] : rest) yaml_.entry(name, text);
        yaml_.end_map();
    }

    const YamlJob& job_;
    const JobSpec& spec_;
    const JobOptions& options_;
    YamlEmitter yaml_;
};

}  // namespace

Result<std::string> to_yaml(const YamlJob& job) { return JobWriter(job).write(); }

}  // namespace sluice
