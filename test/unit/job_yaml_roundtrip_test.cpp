// A job that is written as YAML or JSON reads back as the same job, whatever text is in it.
#include "job/yaml.hpp"

#include "job/check.hpp"
#include "job/identifier.hpp"
#include "job/json.hpp"
#include "job/options.hpp"
#include "job_helpers.hpp"

#include <random>

namespace sluice {
namespace {

std::string format_text(const std::optional<YamlPayload>& payload) {
    if (!payload) return "none";
    SourceSpec source;
    source.record.value = payload->format;
    std::string text;
    for (const auto& [name, value] : options_of(source).table) text += name + "=[" + value + "] ";
    for (const YamlColumn& column : payload->columns) {
        text += "(" + column.name + "|" + column.type;
        if (!column.field.empty()) text += "|" + column.field;
        text += ")";
    }
    return text;
}

void expect_same(const YamlJob& a, const YamlJob& b) {
    EXPECT_EQ(to_json(a.job), to_json(b.job));
    EXPECT_EQ(a.job, b.job);
    EXPECT_EQ(a.database, b.database);
    EXPECT_EQ(a.user, b.user);
    EXPECT_EQ(a.version, b.version);
    EXPECT_EQ(a.server, b.server);
    EXPECT_EQ(a.brokers, b.brokers);
    EXPECT_EQ(a.registry_url, b.registry_url);
    EXPECT_EQ(a.properties, b.properties);
    EXPECT_EQ(a.topic, b.topic);
    EXPECT_EQ(a.partitions, b.partitions);
    EXPECT_EQ(format_text(a.value), format_text(b.value));
    EXPECT_EQ(format_text(a.key), format_text(b.key));
    EXPECT_EQ(a.meta, b.meta);
    EXPECT_EQ(a.schema, b.schema);
    EXPECT_EQ(a.table, b.table);
    EXPECT_EQ(a.metadata_schema, b.metadata_schema);
}

// Makes jobs that are valid, out of texts that are hard to write.
class Maker {
  public:
    explicit Maker(unsigned seed) : random_(seed) {}

    YamlJob job() {
        YamlJob yaml;
        if (maybe()) yaml.database = text();
        if (maybe()) yaml.user = text();
        if (maybe()) yaml.version = 2;
        if (maybe()) yaml.server = name();
        if (maybe()) yaml.registry_url = "https://r1:8081, http://[::1]/a";
        if (yaml.server.empty() || maybe()) yaml.brokers = maybe() ? "b1:9092,b2" : "[::1]:1";
        if (maybe()) yaml.properties["client.id"] = text();
        if (maybe()) yaml.properties["isolation.level"] = "read_uncommitted";
        yaml.topic = maybe() ? "orders.v1" : "0";
        if (maybe()) yaml.partitions = {0, 7, 2147483647};
        const size_t which = pick(3);
        if (which != 0) yaml.value = payload(true);
        if (which != 1) yaml.key = payload(false);
        if (maybe()) yaml.meta.push_back({{fresh_name(), "jsonb"}, Metadata::Json});
        if (maybe()) yaml.meta.push_back({{fresh_name(), text()}, Metadata::TimestampType});
        if (maybe()) yaml.meta.push_back({{fresh_name(), "text", text()}, Metadata::Header});
        if (maybe()) yaml.schema = name();
        yaml.table = name();
        if (maybe()) yaml.metadata_schema = name();
        yaml.job = spec();
        yaml.job.target =
            (yaml.schema.empty() ? "" : quote_identifier(yaml.schema) + ".") + quote_identifier(yaml.table);
        return yaml;
    }

  private:
    size_t pick(size_t below) { return random_() % below; }
    bool maybe() { return pick(2) == 0; }

    // Not blank, for expressions and types.
    std::string text() {
        static const std::vector<std::string> hard = {"null",
                                                      "~",
                                                      "NULL",
                                                      "true",
                                                      "no",
                                                      "1",
                                                      "1e3",
                                                      "0x1",
                                                      "-",
                                                      "- a",
                                                      "a: b",
                                                      "a:",
                                                      ": a",
                                                      "# a",
                                                      "a #b",
                                                      "a#b",
                                                      "&a",
                                                      "*a",
                                                      "!a",
                                                      "!!str a",
                                                      "|",
                                                      ">",
                                                      "%a",
                                                      "@a",
                                                      "`a",
                                                      "{a}",
                                                      "[a]",
                                                      "a, b",
                                                      "'",
                                                      "''",
                                                      "\"",
                                                      "\\",
                                                      "\\n",
                                                      "---",
                                                      "...",
                                                      "?",
                                                      "? a",
                                                      " a",
                                                      "a ",
                                                      "  a\n  b",
                                                      "a\nb",
                                                      "a\n\nb\n",
                                                      "\na",
                                                      "a\r\nb",
                                                      "\ta",
                                                      "a\tb",
                                                      "é",
                                                      "\xe2\x82\xac",
                                                      "\xf0\x9f\x98\x80",
                                                      "\xef\xbb\xbf"
                                                      "a",
                                                      "\xc2\x85",
                                                      "\xe2\x80\xa8",
                                                      "\x01",
                                                      "\x7f",
                                                      "\x1b[0m",
                                                      "<<",
                                                      "=",
                                                      "CASE WHEN a > 0\n     THEN 'x'\nEND",
                                                      "a -- comment\n+ b",
                                                      "'it''s'"};
        std::string text = hard[pick(hard.size())];
        while (pick(3) == 0) text += hard[pick(hard.size())];
        if (pick(20) == 0) text += std::string(300, 'x') + " " + std::string(300, 'y');
        return text.find_first_not_of(" \t\r\n") == text.npos ? "x" : text;
    }
    std::string name() {
        static const std::vector<std::string> names = {"id",     "Id",    "a b",  "a\"b", "null", "~",
                                                       "größe",  "Größe", "1st",  "a,b",  "(",    "a.b",
                                                       "select", "a:b",   "x\ny", "'",    "-",    "yes"};
        return names[pick(names.size())];
    }
    std::string fresh_name() { return name() + std::to_string(++names_made_); }
    std::vector<std::string> fresh_names() {
        std::vector<std::string> names;
        for (size_t i = 1 + pick(3); i > 0; --i) names.push_back(fresh_name());
        return names;
    }

    YamlPayload payload(bool may_make_rows) {
        YamlPayload payload;
        payload.format.format = kFormats[pick(std::size(kFormats))].value;
        payload.columns.push_back({fresh_name(), text()});
        DelimitedOptions& options = payload.format.delimited;
        switch (payload.format.format) {
            case Format::Csv:
                payload.columns.push_back({fresh_name(), "text"});
                if (maybe()) options.delimiter = maybe() ? "\t" : ";";
                if (maybe()) options.quote = maybe() ? "'" : "~";
                if (maybe()) options.escape = "\\";
                if (maybe()) options.force_null = {payload.columns[0].name, payload.columns[1].name};
                if (maybe()) options.force_not_null = {payload.columns[1].name};
                break;
            case Format::Delimited:
                if (maybe()) options.delimiter = maybe() ? "||" : "\x01\x02";
                if (maybe()) options.null_string = maybe() ? "" : " null ";
                break;
            case Format::Json:
            case Format::ConnectJson:
            case Format::DebeziumJson:
            case Format::CanalJson:
            case Format::MaxwellJson:
                if (maybe()) payload.columns[0].field = maybe() ? "$" : "a.\"b.c: #\"[0]";
                if (maybe()) payload.format.json.missing_field = MissingField::Error;
                if (maybe()) payload.format.json.timestamp_unit = TimestampUnit::Microseconds;
                if (maybe()) payload.format.json.ignore_case = maybe();
                if (maybe()) payload.format.schema.framing = Framing::Confluent;
                if (payload.format.format != Format::Json || !may_make_rows) break;
                if (maybe()) payload.format.json.rows_path = maybe() ? "$" : "order.\"lines: #\"";
                if (maybe()) payload.format.json.newline_delimited = maybe();
                break;
            case Format::DebeziumAvro:
            case Format::Avro:
            case Format::Protobuf:
                if (maybe())
                    payload.format.schema.framing = Framing::Confluent;
                else
                    payload.format.schema.schema = {"orders", "The writer's: #"};
                if (maybe()) payload.format.json.missing_field = MissingField::Error;
                if (maybe()) payload.format.json.timestamp_unit = TimestampUnit::Seconds;
                if (maybe()) payload.format.json.ignore_case = maybe();
                if (maybe()) payload.columns[0].field = "a.\"b.c: #\"[0]";
                if (is_avro_format(payload.format.format) && maybe())
                    payload.format.schema.reader_schema = "The reader's";
                if (payload.format.format == Format::Protobuf) payload.format.schema.message = "shop.Order";
                break;
            case Format::Text:
            case Format::Binary:
                break;
        }
        return payload;
    }

    JobSpec spec() {
        JobSpec job;
        job.mode = kModes[pick(3)].value;
        if (job.mode != Mode::Insert) {
            if (maybe()) job.match_columns = fresh_names();
            if (maybe()) job.update_columns = fresh_names();
            if (maybe()) job.order_columns = fresh_names();
            if (maybe()) job.update_condition = {text(), ""};
        }
        if (job.mode == Mode::Merge && maybe()) job.delete_condition = {text(), ""};
        if (maybe()) job.filter = {text(), ""};
        if (maybe()) {
            auto& mapping = job.mapping.emplace();
            for (const auto* names : {&job.match_columns, &job.update_columns})
                for (const std::string& name : *names) mapping.push_back({name, {text(), ""}});
            mapping.push_back({fresh_name(), {text(), ""}});
        }
        if (maybe()) job.hints["host"] = text();
        if (maybe()) job.hints["port"] = "5432";
        if (maybe()) job.hints["poll_timeout"] = "5000";
        options(job);
        return job;
    }

    void options(JobSpec& job) {
        static const std::map<std::string, std::vector<std::string>> values = {
            {"max_count", {"500", "7", "auto"}},
            {"max_bytes", {"auto", "1kB", "5000"}},
            {"interval_ms", {"0", "10", "1000"}},
            {"workers", {"1", "2"}},
            {"start", {"earliest", "latest", "2026-01-31T13:45:00.250Z", R"({"0": 5, "9": 7})"}},
            {"stop", {"never", "latest", "2026-01-31T13:45:00Z", R"({"0": 5})"}},
            {"fallback_offset", {"error", "earliest", "latest"}},
            {"error_limit", {"0", "20", "5%", "0.125%", "unlimited"}},
            {"error_window", {"10000", "5"}},
            {"consistency", {"exactly", "ATLEAST", "strong"}},
            {"synchronous_commit", {"on", "off"}},
            {"max_rate", {"0", "1000"}},
            {"memory", {"64MB", "65MB"}},
            {"retry_interval", {"1s", "1500", "1h"}},
            {"max_retries", {"-1", "0", "9"}},
            {"lag_threshold", {"5min", "1234"}}};
        for (const auto& [option, texts] : values)
            EXPECT_TRUE(set_option(job.options, option, texts[pick(texts.size())])) << option;
        if (job.mode == Mode::Insert && maybe()) job.options.on_conflict = OnConflict::Ignore;
        if (maybe()) job.options.tombstone = Tombstone::Ignore;
        if (job.mode == Mode::Merge && maybe()) job.options.upsert = "on_conflict";
        if (maybe()) {
            job.options.group_id = maybe() ? "null" : "g: 1";
            if (maybe()) job.options.start = {Position::Kind::Group, 0, {}};
        }
    }

    std::mt19937 random_;
    int names_made_ = 0;
};

TEST(YamlRoundTrip, WhateverIsWrittenReadsBack) {
    for (unsigned seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const YamlJob job = Maker(seed).job();
        ASSERT_TRUE(check_job(job.job).empty());
        const auto document = to_yaml(job);
        ASSERT_TRUE(document) << told(document.error());
        const auto read = parse_yaml_job(document.value(), few_properties);
        ASSERT_TRUE(read) << told(read.error()) << "\n" << document.value();
        expect_same(read.value(), job);
        EXPECT_EQ(to_yaml(read.value()).value(), document.value());
        const auto json = job_from_json(to_json(job.job));
        ASSERT_TRUE(json) << told(json.error());
        EXPECT_EQ(json.value(), job.job);
    }
}

TEST(YamlRoundTrip, TheExamplesReadBack) {
    for (const char* name : {"orders_merge", "events_insert", "profiles_by_key"}) {
        const auto job =
            parse_yaml_job(repository_file("examples/" + std::string(name) + ".yaml"), few_properties);
        ASSERT_TRUE(job) << told(job.error());
        const auto again = parse_yaml_job(to_yaml(job.value()).value(), few_properties);
        ASSERT_TRUE(again) << told(again.error());
        expect_same(again.value(), job.value());
    }
}

TEST(YamlRoundTrip, SecretsAreNeverWritten) {
    YamlJob job = Maker(1).job();
    job.password_given = true;
    job.secrets = {{"sasl.password", "hunter2"}, {"sasl.username", "etl"}};
    const std::string document = to_yaml(job).value();
    EXPECT_EQ(document.find("hunter2"), std::string::npos);
    EXPECT_EQ(document.find("PASSWORD"), std::string::npos);
    EXPECT_TRUE(document.starts_with(
        "# Secrets are not written; add them to PROPERTIES: sasl.password, sasl.username\n"));
    EXPECT_TRUE(parse_yaml_job(document, few_properties).value().secrets.empty());
}

TEST(YamlRoundTrip, TextThatIsNotUtf8IsRefused) {
    YamlJob job = Maker(1).job();
    job.job.filter = {"note = '\xff'", ""};
    const auto document = to_yaml(job);
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().sqlstate, "22021");
}

// A job of SQL becomes a document: its source's options go through a SourceSpec.
TEST(YamlRoundTrip, AJobOfSql) {
    JobSpec spec;
    spec.name = "orders";
    spec.mode = Mode::Merge;
    spec.options.workers = 2;
    const SourceOptions options = {
        {{"brokers", "b:9092"}, {"client_id", "me"}},
        {},
        {{"topic", "orders"}, {"format", "csv"}, {"delimiter", ";"}, {"key_format", "text"}},
        {{"part", {{"metadata", "partition"}}},
         {"id", {}},
         {"Key", {{"source", "key"}}},
         {"all_of_it", {{"metadata", "json"}}},
         {"price", {}}}};
    const std::vector<std::string> types = {"integer", "bigint", "text", "jsonb", "numeric(10,2)"};
    YamlJob job = yaml_job_of(spec, build_source(options, few_properties).value(), types);
    job.schema = "shop";
    job.table = "Orders";
    const auto read = parse_yaml_job(to_yaml(job).value(), few_properties);
    ASSERT_TRUE(read) << told(read.error());
    EXPECT_EQ(read.value().job.options, spec.options) << "also where the defaults of YAML are others";
    EXPECT_EQ(read.value().job.target, "shop.\"Orders\"");
    EXPECT_EQ(read.value().value->columns,
              (std::vector<YamlColumn>{{"id", "bigint"}, {"price", "numeric(10,2)"}}));
    EXPECT_EQ(read.value().key->columns, (std::vector<YamlColumn>{{"Key", "text"}}));
    EXPECT_EQ(read.value().meta, (std::vector<YamlMetaColumn>{{{"part", "integer"}, Metadata::Partition},
                                                              {{"all_of_it", "jsonb"}, Metadata::Json}}));
    const SourceOptions again = source_options_of(read.value());
    EXPECT_EQ(again.server, options.server);
    EXPECT_EQ(again.table, options.table);
    EXPECT_EQ(column_types_of(read.value()),
              (std::vector<std::string>{"bigint", "numeric(10,2)", "text", "integer", "jsonb"}));
}

}  // namespace
}  // namespace sluice
