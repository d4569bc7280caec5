#include "job/check.hpp"
#include "job/identifier.hpp"
#include "job/options.hpp"
#include "job/source_rules.hpp"
#include "job/words.hpp"
#include "job/yaml.hpp"
#include "job/yaml_payload.hpp"
#include "job/yaml_reader.hpp"

#include "base/json_text.hpp"

#include <algorithm>

namespace sluice {

namespace {

// What a document that says nothing of COMMIT means; in SQL the defaults are others.
constexpr int64_t kYamlMaxCount = 500;
constexpr int64_t kYamlIntervalMs = 1'000;

// The sections may stand below KAFKA or beside it.
constexpr std::string_view kKafkaKeys[] = {"INPUT",      "OUTPUT",   "METADATA", "COMMIT",      "POLL",
                                           "PROPERTIES", "SCHEDULE", "OPTIONS",  "ERROR_LIMIT", "SERVER"};
constexpr std::string_view kRootKeys[] = {
    "DATABASE", "USER",   "PASSWORD", "HOST",       "PORT",     "VERSION", "KAFKA",       "INPUT", "OUTPUT",
    "METADATA", "COMMIT", "POLL",     "PROPERTIES", "SCHEDULE", "OPTIONS", "ERROR_LIMIT", "SERVER"};
constexpr std::string_view kInputKeys[] = {"SOURCE", "VALUE", "KEY", "META", "ERROR_LIMIT", "FILTER"};
constexpr std::string_view kSourceKeys[] = {"BROKERS",         "TOPIC",  "PARTITIONS",
                                            "FALLBACK_OFFSET", "SERVER", "REGISTRY_URL"};
constexpr std::string_view kOutputKeys[] = {"SCHEMA",
                                            "TABLE",
                                            "MODE",
                                            "MATCH_COLUMNS",
                                            "ORDER_COLUMNS",
                                            "UPDATE_COLUMNS",
                                            "UPDATE_CONDITION",
                                            "DELETE_CONDITION",
                                            "FILTER",
                                            "MAPPING"};
constexpr std::string_view kMetadataKeys[] = {"SCHEMA"};
constexpr std::string_view kCommitKeys[] = {"MAX_ROW", "MINIMAL_INTERVAL", "CONSISTENCY"};
constexpr std::string_view kPollKeys[] = {"BATCHSIZE", "TIMEOUT"};
constexpr std::string_view kScheduleKeys[] = {"RETRY_INTERVAL", "MAX_RETRIES"};
constexpr std::string_view kMappedKeys[] = {"NAME", "EXPRESSION"};

constexpr Word<Fallback> kFallbackWords[] = {{"earliest", Fallback::Earliest}, {"latest", Fallback::Latest}};
constexpr Word<Position::Kind> kResetWords[] = {
    {"earliest", Position::Kind::Earliest},  {"smallest", Position::Kind::Earliest},
    {"beginning", Position::Kind::Earliest}, {"latest", Position::Kind::Latest},
    {"largest", Position::Kind::Latest},     {"end", Position::Kind::Latest}};

class JobReader {
  public:
    JobReader(const YamlNode& root, PropertyCheck properties) : reader_(root), properties_(properties) {
        out_.job.options.max_count = kYamlMaxCount;
        out_.job.options.interval_ms = kYamlIntervalMs;
    }

    Result<YamlJob> read() {
        const YamlItem root = reader_.root();
        reader_.open(root, kRootKeys);
        kafka_ = reader_.child(root, "KAFKA");
        if (kafka_) reader_.open(kafka_, kKafkaKeys);
        connection(root);
        input(section("INPUT"));
        output(section("OUTPUT"));
        if (const YamlItem item = section("METADATA"); reader_.open(item, kMetadataKeys))
            out_.metadata_schema = reader_.identifier(reader_.child(item, "SCHEMA"));
        commit(section("COMMIT"));
        poll(section("POLL"));
        schedule(section("SCHEDULE"));
        properties(section("PROPERTIES"));
        options(section("OPTIONS"));
        option("error_limit", section("ERROR_LIMIT"));
        server(section("SERVER"));
        resolve_start();
        check();
        if (auto problem = reader_.problem()) return *std::move(problem);
        return std::move(out_);
    }

  private:
    YamlItem section(std::string_view key) {
        const YamlItem outside = reader_.child(reader_.root(), key);
        const YamlItem inside = reader_.child(kafka_, key);
        if (outside && inside) twice(outside, inside);
        return inside ? inside : outside;
    }

    void twice(const YamlItem& again, const YamlItem& before) {
        reader_.fail(again, "42601", "this is said already: " + before.place(), "Keep one of the two.");
    }

    // Remembers who says a field; false when somebody has said it before.
    bool say(const std::string& field, const YamlItem& item) {
        const auto [before, fresh] = said_.emplace(field, item);
        if (!fresh) twice(item, before->second);
        return fresh;
    }

    void option(const std::string& name, const YamlItem& item) {
        if (!item || !say(name, item)) return;
        if (auto set = set_option(out_.job.options, name, option_value(item)); !set)
            reader_.fail(item, std::move(set.error()));
    }

    // Offsets may be written as a map, which is JSON but for the quotes.
    std::string option_value(const YamlItem& item) {
        if (item.node->kind != YamlNode::Kind::Map) return reader_.text(item);
        std::string json;
        const auto values = reader_.children(item);
        for (size_t i = 0; i < values.size(); ++i) {
            json += json.empty() ? "{" : ", ";
            append_json_string(json, item.node->keys[i]);
            json += ": " + reader_.text(values[i]);
        }
        return json + "}";
    }

    void connection(const YamlItem& root) {
        out_.database = reader_.text(reader_.child(root, "DATABASE"));
        out_.user = reader_.text(reader_.child(root, "USER"));
        if (const YamlItem password = reader_.child(root, "PASSWORD")) {
            reader_.text(password);
            out_.password_given = true;
            out_.notices.push_back(
                "PASSWORD is not needed inside the database: it is ignored and not stored");
        }
        const YamlItem host = reader_.child(root, "HOST"), port = reader_.child(root, "PORT");
        if (host) out_.job.hints["host"] = reader_.text(host);
        if (port) out_.job.hints["port"] = reader_.number(port, 1, 65535);
        if (host || port)
            out_.warnings.push_back(
                "HOST and PORT have no effect: a job writes to the database in which it is defined");
        if (const YamlItem version = reader_.child(root, "VERSION")) {
            if (reader_.text(version) != "2")
                reader_.fail(version, "0A000",
                             "VERSION must be 2, not \"" + clipped(reader_.text(version)) + "\"");
            out_.version = 2;
        }
    }

    void input(const YamlItem& item) {
        if (!item) return reader_.missing(kafka_ ? kafka_ : reader_.root(), "INPUT");
        if (!reader_.open(item, kInputKeys)) return;
        source(item);
        YamlPayloadReader payload(reader_);
        const YamlItem value = reader_.child(item, "VALUE"), key = reader_.child(item, "KEY");
        out_.value = payload.read_payload(value, Origin::Value);
        out_.key = payload.read_payload(key, Origin::Key);
        if (!value && !key) reader_.missing(item, "VALUE", "A job needs VALUE, KEY or both.");
        out_.meta = payload.read_meta(reader_.child(item, "META"));
        if (column_types_of(out_).empty()) reader_.fail(item, "22023", "VALUE, KEY and META name no column");
        option("error_limit", reader_.child(item, "ERROR_LIMIT"));
        condition("filter", reader_.child(item, "FILTER"), out_.job.filter);
    }

    void source(const YamlItem& input) {
        const YamlItem item = reader_.child(input, "SOURCE");
        if (!item) return reader_.missing(input, "SOURCE");
        if (!reader_.open(item, kSourceKeys)) return;
        server(reader_.child(item, "SERVER"));
        if (const YamlItem brokers = reader_.child(item, "BROKERS")) {
            out_.brokers = reader_.joined(brokers);
            if (auto checked = check_brokers("BROKERS", out_.brokers); !checked)
                reader_.fail(brokers, std::move(checked.error()));
        }
        if (const YamlItem url = reader_.child(item, "REGISTRY_URL")) {
            out_.registry_url = reader_.joined(url);
            if (auto checked = check_registry_url("REGISTRY_URL", out_.registry_url); !checked)
                reader_.fail(url, std::move(checked.error()));
        }
        source_ = item;
        if (const YamlItem topic = reader_.child(item, "TOPIC")) {
            out_.topic = reader_.joined(topic);
            if (auto checked = check_topic("TOPIC", out_.topic); !checked)
                reader_.fail(topic, std::move(checked.error()));
        } else {
            reader_.missing(item, "TOPIC");
        }
        if (const YamlItem partitions = reader_.child(item, "PARTITIONS"))
            out_.partitions =
                reader_.value(partitions, parse_partitions("PARTITIONS", reader_.joined(partitions)));
        if (const YamlItem fallback = reader_.child(item, "FALLBACK_OFFSET")) {
            say("start", fallback);
            say("fallback_offset", fallback);
            JobOptions& options = out_.job.options;
            options.fallback_offset =
                reader_.value(fallback, value_for(kFallbackWords, "FALLBACK_OFFSET", reader_.text(fallback)));
            const bool latest = options.fallback_offset == Fallback::Latest;
            options.start.kind = latest ? Position::Kind::Latest : Position::Kind::Earliest;
        }
    }

    void server(const YamlItem& item) {
        if (item && say("server", item)) out_.server = reader_.identifier(item);
    }

    void output(const YamlItem& item) {
        output_ = item;
        if (!item) return reader_.missing(kafka_ ? kafka_ : reader_.root(), "OUTPUT");
        if (!reader_.open(item, kOutputKeys)) return;
        JobSpec& job = out_.job;
        out_.schema = reader_.identifier(reader_.child(item, "SCHEMA"));
        const YamlItem table = reader_.child(item, "TABLE");
        if (!table) reader_.missing(item, "TABLE");
        if (const std::string text = reader_.text(table); text.find_first_of(".\"") < text.find('"'))
            reader_.fail(table, "42602", "\"" + clipped(text) + "\" is not the name of a table",
                         "Write the schema into SCHEMA; a name with a dot in it needs double quotes.");
        out_.table = reader_.identifier(table);
        job.target =
            (out_.schema.empty() ? "" : quote_identifier(out_.schema) + ".") + quote_identifier(out_.table);
        if (const YamlItem mode = reader_.child(item, "MODE"))
            job.mode = reader_.value(mode, mode_for("MODE", reader_.text(mode)));
        names("match_columns", reader_.child(item, "MATCH_COLUMNS"), job.match_columns);
        names("order_columns", reader_.child(item, "ORDER_COLUMNS"), job.order_columns);
        names("update_columns", reader_.child(item, "UPDATE_COLUMNS"), job.update_columns);
        condition("update_condition", reader_.child(item, "UPDATE_CONDITION"), job.update_condition);
        condition("delete_condition", reader_.child(item, "DELETE_CONDITION"), job.delete_condition);
        condition("filter", reader_.child(item, "FILTER"), job.filter);
        mapping(reader_.child(item, "MAPPING"));
    }

    void names(const std::string& field, const YamlItem& item, std::vector<std::string>& out) {
        if (item && say(field, item)) out = reader_.identifiers(item);
    }

    Expression expression(const YamlItem& item) {
        const std::string written = reader_.text(item);
        if (item && written.find_first_not_of(" \t\r\n") == std::string::npos)
            reader_.fail(item, "42601", "the expression is empty");
        return {written, {}};
    }

    void condition(const std::string& field, const YamlItem& item, std::optional<Expression>& out) {
        if (item && say(field, item)) out = expression(item);
    }

    void mapping(const YamlItem& item) {
        if (!item || !say("mapping", item)) return;
        auto& mapping = out_.job.mapping.emplace();
        if (item.node->kind == YamlNode::Kind::Text)
            return reader_.fail(item, "42601",
                                "this must be a list or a map of target columns and expressions",
                                "Write it as in MAPPING: [{NAME: total, EXPRESSION: price * 2}].");
        const auto items = reader_.children(item);
        for (size_t i = 0; i < items.size(); ++i) {
            MappedColumn column;
            if (item.node->kind == YamlNode::Kind::Map) {
                column.column = reader_.value(items[i], parse_identifier(item.node->keys[i]));
                column.expression = expression(items[i]);
            } else if (reader_.open(items[i], kMappedKeys)) {
                const YamlItem name = reader_.child_or_null_word(items[i], "NAME");
                // NULL is an expression like any other.
                const YamlItem written = reader_.child_or_null_word(items[i], "EXPRESSION");
                if (!name) reader_.missing(items[i], "NAME");
                if (!written) reader_.missing(items[i], "EXPRESSION");
                column.column = reader_.identifier(name);
                column.expression = expression(written);
            }
            mapping.push_back(std::move(column));
        }
    }

    void commit(const YamlItem& item) {
        if (!reader_.open(item, kCommitKeys)) return;
        option("max_count", reader_.child(item, "MAX_ROW"));
        option("interval_ms", reader_.child(item, "MINIMAL_INTERVAL"));
        option("consistency", reader_.child(item, "CONSISTENCY"));
    }

    void poll(const YamlItem& item) {
        constexpr int64_t kMost = 1'000'000'000;
        if (!reader_.open(item, kPollKeys)) return;
        for (const auto& [key, hint] :
             {std::pair{"BATCHSIZE", "poll_batchsize"}, std::pair{"TIMEOUT", "poll_timeout"}})
            if (const YamlItem value = reader_.child(item, key))
                out_.job.hints[hint] = reader_.number(value, 0, kMost);
    }

    void schedule(const YamlItem& item) {
        if (!reader_.open(item, kScheduleKeys)) return;
        option("retry_interval", reader_.child(item, "RETRY_INTERVAL"));
        option("max_retries", reader_.child(item, "MAX_RETRIES"));
    }

    void properties(const YamlItem& item) {
        if (!item) return;
        if (item.node->kind != YamlNode::Kind::Map)
            return reader_.fail(item, "42601", "this must be a map of Kafka properties and values");
        const auto values = reader_.children(item);
        for (size_t i = 0; i < values.size(); ++i) property(item.node->keys[i], values[i]);
    }

    void property(const std::string& written, const YamlItem& item) {
        std::string name = to_lower(written);
        std::replace(name.begin(), name.end(), '_', '.');
        if (item.node->is_null()) return reader_.fail(item, "22023", "the property has no value");
        const std::string value = reader_.text(item);
        if (name == "group.id") return option("group_id", item);
        if (name == "auto.offset.reset") {
            if (say(name, item)) {
                reset_ = item;
                reset_kind_ = reader_.value(item, value_for(kResetWords, "auto.offset.reset", value));
            }
            return;
        }
        bool secret = false;
        auto canonical = properties_(written, Scope::Server);
        if (!canonical) {
            auto hidden = properties_(written, Scope::UserMapping);
            secret = static_cast<bool>(hidden);
            if (!hidden) return reader_.fail(item, std::move(canonical.error()));
            canonical = std::move(hidden);
        }
        name = canonical.value();
        if (name == "isolation.level" && value != "read_committed" && value != "read_uncommitted")
            return reader_.fail(
                item, "22023",
                "isolation.level must be read_committed or read_uncommitted, not \"" + clipped(value) + "\"");
        if (say(name, item)) (secret ? out_.secrets : out_.properties)[name] = value;
    }

    void options(const YamlItem& item) {
        std::vector<std::string_view> known;
        for (const OptionInfo& info : job_options()) known.push_back(info.name);
        known_options_ = std::move(known);
        if (!reader_.open(item, known_options_)) return;
        for (std::string_view name : known_options_) option(std::string(name), reader_.child(item, name));
    }

    // auto.offset.reset is a start like FALLBACK_OFFSET, and may say the same.
    void resolve_start() {
        if (!reset_) return;
        Position& start = out_.job.options.start;
        if (const auto said = said_.find("start"); said == said_.end())
            start.kind = reset_kind_;
        else if (start.kind != reset_kind_)
            reader_.fail(reset_, "22023", "this contradicts " + said->second.place(),
                         "Keep one of the two: auto.offset.reset is only another word for the start.");
    }

    void check() {
        if (source_ && out_.brokers.empty() && out_.server.empty())
            reader_.missing(source_, "BROKERS", "Name the brokers, or with SERVER a server that has them.");
        for (Problem& problem : check_job(out_.job)) {
            const auto said = said_.find(std::string(problem.field));
            reader_.fail(said != said_.end() ? said->second : output_, std::move(problem.error));
        }
        if (const auto said = said_.find("consistency"); said != said_.end())
            out_.notices.push_back("CONSISTENCY " + out_.job.options.consistency +
                                   ": the job is exactly once, which meets it");
    }

    YamlReader reader_;
    const PropertyCheck properties_;
    YamlJob out_;
    YamlItem kafka_, source_, output_;
    YamlItem reset_;
    Position::Kind reset_kind_ = Position::Kind::Earliest;
    std::map<std::string, YamlItem> said_;  // options, fields of the job and properties, and who said them
    std::vector<std::string_view> known_options_;
};

}  // namespace

Result<YamlJob> parse_yaml_job(std::string_view document, PropertyCheck properties) {
    auto tree = parse_yaml_tree(document);
    if (!tree) return tree.error();
    return JobReader(tree.value(), properties).read();
}

}  // namespace sluice
