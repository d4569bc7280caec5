// The documented YAML, and a test for each of its variants.
#include "job/yaml.hpp"

#include "format/record_decoder.hpp"
#include "job_helpers.hpp"

namespace sluice {
namespace {

constexpr std::string_view kDocumented = R"yaml(
DATABASE: shop
USER: etl
PASSWORD: secret
HOST: db1
PORT: 5432
VERSION: 2
KAFKA:
  INPUT:
    SOURCE:
      BROKERS: b1:9092,b2:9092
      TOPIC: orders
      PARTITIONS: (0,1,2)              # optional subset; list or parenthesised text
      FALLBACK_OFFSET: earliest        # any case
    VALUE:
      COLUMNS: [{NAME: id, TYPE: bigint}, {NAME: version, TYPE: bigint}, {NAME: price, TYPE: "numeric(10,2)"}, {NAME: note, TYPE: text}]
      FORMAT: delimited
      DELIMITED_OPTION: {DELIMITER: "|", QUOTE: '"', ESCAPE: '\'}
    KEY:
      COLUMNS: [{NAME: order_key, TYPE: text}]
      FORMAT: csv
      CSV_OPTION: {DELIMITER: ",", QUOTE: '"', NULL_STRING: "", ESCAPE: '"'}
    META: {COLUMNS: [{NAME: meta, TYPE: jsonb}], FORMAT: json}
    ERROR_LIMIT: 20
  OUTPUT:
    SCHEMA: shop
    TABLE: orders
    MODE: MERGE
    MATCH_COLUMNS: [id]
    ORDER_COLUMNS: [version]
    UPDATE_COLUMNS: [price, note]
    UPDATE_CONDITION: price > 0
    DELETE_CONDITION: note = 'gone'
    FILTER: id IS NOT NULL
    MAPPING:
      - {NAME: id, EXPRESSION: id}
      - {NAME: version, EXPRESSION: version}
      - {NAME: price, EXPRESSION: price}
      - {NAME: note, EXPRESSION: upper(note)}
  METADATA: {SCHEMA: loading}
  COMMIT: {MAX_ROW: 700, MINIMAL_INTERVAL: 2000, CONSISTENCY: strong}
  POLL: {BATCHSIZE: 64, TIMEOUT: 5000}
  PROPERTIES: {group.id: g1, auto.offset.reset: earliest, isolation.level: read_committed}
  SCHEDULE: {RETRY_INTERVAL: 3000, MAX_RETRIES: 7}
  OPTIONS: {workers: 2, synchronous_commit: off}
)yaml";

YamlJob read(const std::string& document) {
    auto read = parse_yaml_job(document, few_properties);
    EXPECT_TRUE(read) << told(read.error()) << "\n" << document;
    return read ? std::move(read).value() : YamlJob{};
}

std::string replaced(std::string_view document, const std::string& from, const std::string& to) {
    std::string text(document);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

// The smallest document; `source` and `output` go into their maps, `more` into KAFKA.
std::string small(const std::string& source = "", const std::string& output = "",
                  const std::string& more = "") {
    return "KAFKA:\n"
           "  INPUT:\n"
           "    SOURCE: {BROKERS: 'b:9092', TOPIC: t" +
           source +
           "}\n"
           "    VALUE: {COLUMNS: [{NAME: id, TYPE: int}], FORMAT: csv}\n"
           "  OUTPUT: {TABLE: t" +
           output + "}\n" + more;
}

void expect_documented(const YamlJob& yaml) {
    const JobSpec& job = yaml.job;
    EXPECT_EQ(job.target, "shop.orders");
    EXPECT_EQ(yaml.schema, "shop");
    EXPECT_EQ(yaml.table, "orders");
    EXPECT_EQ(yaml.metadata_schema, "loading");
    EXPECT_EQ(job.mode, Mode::Merge);
    EXPECT_EQ(job.match_columns, std::vector<std::string>{"id"});
    EXPECT_EQ(job.order_columns, std::vector<std::string>{"version"});
    EXPECT_EQ(job.update_columns, (std::vector<std::string>{"price", "note"}));
    EXPECT_EQ(job.update_condition->written, "price > 0");
    EXPECT_EQ(job.delete_condition->written, "note = 'gone'");
    EXPECT_EQ(job.filter->written, "id IS NOT NULL");
    const std::vector<MappedColumn> mapping = {{"id", {"id", ""}},
                                               {"version", {"version", ""}},
                                               {"price", {"price", ""}},
                                               {"note", {"upper(note)", ""}}};
    EXPECT_EQ(job.mapping, mapping);

    JobOptions options;
    options.max_count = 700;
    options.interval_ms = 2000;
    options.workers = 2;
    options.fallback_offset = Fallback::Earliest;
    options.error_limit.count = 20;
    options.consistency = "strong";
    options.synchronous_commit = "off";
    options.group_id = "g1";
    options.retry_interval_ms = 3000;
    options.max_retries = 7;
    EXPECT_EQ(job.options, options);
    const std::map<std::string, std::string> poll = {{"poll_batchsize", "64"}, {"poll_timeout", "5000"}};
    for (const auto& [name, value] : poll) EXPECT_EQ(job.hints.at(name), value);

    EXPECT_EQ(yaml.server, "");
    EXPECT_EQ(yaml.brokers, "b1:9092,b2:9092");
    EXPECT_EQ(yaml.properties, (std::map<std::string, std::string>{{"isolation.level", "read_committed"}}));
    EXPECT_TRUE(yaml.secrets.empty());
    EXPECT_EQ(yaml.topic, "orders");
    EXPECT_EQ(yaml.partitions, (std::vector<int32_t>{0, 1, 2}));
    ASSERT_TRUE(yaml.value && yaml.key);
    EXPECT_EQ(yaml.value->columns,
              (std::vector<YamlColumn>{
                  {"id", "bigint"}, {"version", "bigint"}, {"price", "numeric(10,2)"}, {"note", "text"}}));
    EXPECT_EQ(yaml.value->format.format, Format::Delimited);
    EXPECT_EQ(yaml.value->format.delimited.delimiter, "|");
    EXPECT_EQ(yaml.value->format.delimited.quote, "\"");
    EXPECT_EQ(yaml.value->format.delimited.escape, "\\");
    EXPECT_EQ(yaml.value->format.delimited.null_string, std::nullopt);
    EXPECT_EQ(yaml.key->columns, (std::vector<YamlColumn>{{"order_key", "text"}}));
    EXPECT_EQ(yaml.key->format.format, Format::Csv);
    EXPECT_EQ(yaml.key->format.delimited.null_string, "");
    EXPECT_EQ(yaml.meta, (std::vector<YamlMetaColumn>{{{"meta", "jsonb"}, Metadata::Json}}));
}

TEST(Yaml, TheDocumentedDocument) {
    const YamlJob yaml = read(std::string(kDocumented));
    expect_documented(yaml);
    EXPECT_EQ(yaml.database, "shop");
    EXPECT_EQ(yaml.user, "etl");
    EXPECT_EQ(yaml.version, 2);
    EXPECT_TRUE(yaml.password_given);
    EXPECT_EQ(yaml.job.hints.at("host"), "db1");
    EXPECT_EQ(yaml.job.hints.at("port"), "5432");
    EXPECT_EQ(yaml.notices, (std::vector<std::string>{
                                "PASSWORD is not needed inside the database: it is ignored and not stored",
                                "CONSISTENCY strong: the job is exactly once, which meets it"}));
    EXPECT_EQ(yaml.warnings,
              (std::vector<std::string>{"HOST and PORT have no effect: a job writes to the database in "
                                        "which it is defined"}));
}

TEST(Yaml, KeysInAnyCase) {
    std::string document(kDocumented);
    for (const char* key :
         {"DATABASE:", "KAFKA:", "INPUT:", "SOURCE:", "BROKERS:", "COLUMNS:", "NAME:", "TYPE:", "FORMAT:",
          "DELIMITED_OPTION:", "MAPPING:", "MATCH_COLUMNS:", "COMMIT:", "MAX_ROW:"})
        for (size_t at = 0; (at = document.find(key, at)) != std::string::npos; at += 2)
            for (size_t i = 0; key[i]; ++i)
                if (i % 2) document[at + i] = static_cast<char>(std::tolower(key[i]));
    ASSERT_NE(document.find("KaFkA:"), std::string::npos);
    expect_documented(read(document));
}

// The document without KAFKA, its sections at the top.
std::string raised() {
    std::string document;
    std::istringstream lines{std::string(kDocumented)};
    for (std::string line; std::getline(lines, line);) {
        if (line == "KAFKA:") continue;
        document += (line.starts_with("  ") ? line.substr(2) : line) + "\n";
    }
    return document;
}

TEST(Yaml, SectionsOneLevelHigherWithoutKafka) { expect_documented(read(raised())); }

TEST(Yaml, SectionsOneLevelHigherBesideKafka) {
    const std::string document(kDocumented);
    const size_t metadata = document.find("  METADATA:");
    std::string rest;
    std::istringstream lines{document.substr(metadata)};
    for (std::string line; std::getline(lines, line);) rest += line.substr(2) + "\n";
    expect_documented(read(document.substr(0, metadata) + rest));
}

TEST(Yaml, WithoutConnectionData) {
    const YamlJob yaml = read(small());
    EXPECT_EQ(yaml.database, "");
    EXPECT_EQ(yaml.user, "");
    EXPECT_EQ(yaml.version, std::nullopt);
    EXPECT_FALSE(yaml.password_given);
    EXPECT_TRUE(yaml.notices.empty());
    EXPECT_TRUE(yaml.warnings.empty());
    EXPECT_TRUE(yaml.job.hints.empty());
}

TEST(Yaml, WhatASilentDocumentMeans) {
    const YamlJob yaml = read(small());
    JobOptions options;
    options.max_count = 500;
    options.interval_ms = 1000;
    EXPECT_EQ(yaml.job.options, options);
    EXPECT_EQ(yaml.job.mode, Mode::Insert);
    EXPECT_EQ(yaml.job.mapping, std::nullopt);
    EXPECT_EQ(yaml.job.target, "t");
    EXPECT_EQ(yaml.schema, "");
    EXPECT_EQ(yaml.metadata_schema, "");
    EXPECT_EQ(yaml.partitions, std::nullopt);
    // MAX_ROW's default holds also when COMMIT says something else.
    EXPECT_EQ(read(small("", "", "  COMMIT: {MINIMAL_INTERVAL: 5}\n")).job.options.max_count, 500);
}

TEST(Yaml, EmptyAndNullValuesSayNothing) {
    const YamlJob yaml =
        read(small(", PARTITIONS: , FALLBACK_OFFSET: ~", ", FILTER: null, MATCH_COLUMNS: , MAPPING: ~",
                   "  COMMIT:\n  METADATA: {SCHEMA: }\nUSER:\nPASSWORD:\n"));
    EXPECT_EQ(yaml.partitions, std::nullopt);
    EXPECT_EQ(yaml.job.filter, std::nullopt);
    EXPECT_EQ(yaml.job.mapping, std::nullopt);
    EXPECT_EQ(yaml.job.options.max_count, 500);
    EXPECT_FALSE(yaml.password_given);
}

TEST(Yaml, PartitionsAsListOrText) {
    for (const char* form : {"'(0,1,2)'", "\"(2, 1, 0)\"", "[0, 1, 2]", "\"0,1,2\""})
        EXPECT_EQ(read(small(std::string(", PARTITIONS: ") + form)).partitions,
                  (std::vector<int32_t>{0, 1, 2}))
            << form;
    EXPECT_EQ(read(small(", PARTITIONS: 7")).partitions, std::vector<int32_t>{7});
    EXPECT_EQ(read(replaced(kDocumented, "PARTITIONS: (0,1,2) ",
                            "PARTITIONS:\n        - 0\n        - 1\n        - 2\n"))
                  .partitions,
              (std::vector<int32_t>{0, 1, 2}));
}

TEST(Yaml, BrokersAsList) {
    EXPECT_EQ(read(replaced(small(), "'b:9092'", "['b1:9092', 'b2:9093']")).brokers, "b1:9092,b2:9093");
}

TEST(Yaml, FallbackOffsetIsStartAndFallback) {
    for (const char* word : {"earliest", "EARLIEST", "Earliest"}) {
        const JobOptions options = read(small(std::string(", FALLBACK_OFFSET: ") + word)).job.options;
        EXPECT_EQ(options.start.kind, Position::Kind::Earliest);
        EXPECT_EQ(options.fallback_offset, Fallback::Earliest);
    }
    const JobOptions latest = read(small(", FALLBACK_OFFSET: LATEST")).job.options;
    EXPECT_EQ(latest.start.kind, Position::Kind::Latest);
    EXPECT_EQ(latest.fallback_offset, Fallback::Latest);
    const JobOptions absent = read(small()).job.options;
    EXPECT_EQ(absent.start.kind, Position::Kind::Earliest);
    EXPECT_EQ(absent.fallback_offset, Fallback::Error);
}

TEST(Yaml, AutoOffsetResetIsTheStart) {
    const auto properties = [](const std::string& more, const std::string& reset) {
        return read(small(more, "", "  PROPERTIES: {auto.offset.reset: " + reset + "}\n"));
    };
    YamlJob yaml = properties("", "latest");
    EXPECT_EQ(yaml.job.options.start.kind, Position::Kind::Latest);
    EXPECT_EQ(yaml.job.options.fallback_offset, Fallback::Error);
    EXPECT_TRUE(yaml.properties.empty()) << "it must never reach the library";
    EXPECT_EQ(properties("", "largest").job.options.start.kind, Position::Kind::Latest);
    EXPECT_EQ(properties("", "smallest").job.options.start.kind, Position::Kind::Earliest);
    EXPECT_EQ(properties(", FALLBACK_OFFSET: latest", "latest").job.options.fallback_offset,
              Fallback::Latest);
}

TEST(Yaml, ColumnsAsListOrMap) {
    const std::vector<YamlColumn> expected = {{"id", "bigint"}, {"Name", "varchar(10)"}};
    for (const char* form : {"[{NAME: id, TYPE: bigint}, {TYPE: varchar(10), NAME: '\"Name\"'}]",
                             "{ID: bigint, '\"Name\"': varchar(10)}"})
        EXPECT_EQ(read(replaced(small(), "[{NAME: id, TYPE: int}]", form)).value->columns, expected) << form;
}

TEST(Yaml, MappingAsListOrMap) {
    const std::vector<MappedColumn> expected = {
        {"id", {"id", ""}}, {"Total", {"price * 2", ""}}, {"gone", {"NULL", ""}}};
    for (const char* form : {"[{NAME: id, EXPRESSION: id}, {NAME: '\"Total\"', EXPRESSION: price * 2}, "
                             "{NAME: gone, EXPRESSION: NULL}]",
                             "{ID: id, '\"Total\"': price * 2, gone: NULL}"})
        EXPECT_EQ(read(small("", std::string(", MAPPING: ") + form)).job.mapping, expected) << form;
    const std::string block =
        "KAFKA:\n  INPUT:\n    SOURCE: {BROKERS: b, TOPIC: t}\n    VALUE: {COLUMNS: {id: int}, FORMAT: csv}\n"
        "  OUTPUT:\n    TABLE: t\n    MAPPING:\n      id: id\n      note: |-\n        CASE WHEN id > 0\n"
        "        THEN 'x' END\n";
    EXPECT_EQ(read(block).job.mapping->at(1).expression.written, "CASE WHEN id > 0\nTHEN 'x' END");
}

TEST(Yaml, NamesAreSqlNames) {
    const YamlJob yaml = read(small("",
                                    ", SCHEMA: '\"My Shop\"', MODE: merge, MATCH_COLUMNS: 'Id, \"Region\"',"
                                    " ORDER_COLUMNS: (Version), UPDATE_COLUMNS: [Note, '\"a,b\"']",
                                    "  METADATA: {SCHEMA: Loading}\n"));
    EXPECT_EQ(yaml.schema, "My Shop");
    EXPECT_EQ(yaml.job.target, "\"My Shop\".t");
    EXPECT_EQ(yaml.job.match_columns, (std::vector<std::string>{"id", "Region"}));
    EXPECT_EQ(yaml.job.order_columns, std::vector<std::string>{"version"});
    EXPECT_EQ(yaml.job.update_columns, (std::vector<std::string>{"note", "a,b"}));
    EXPECT_EQ(yaml.metadata_schema, "loading");
}

TEST(Yaml, ModesInAnyCase) {
    for (const auto& [word, mode] : std::map<std::string, Mode>{{"INSERT", Mode::Insert},
                                                                {"insert", Mode::Insert},
                                                                {"Update", Mode::Update},
                                                                {"MERGE", Mode::Merge}})
        EXPECT_EQ(read(small("", ", MODE: " + word)).job.mode, mode);
}

TEST(Yaml, ErrorLimitInEachPlace) {
    const std::string input = replaced(small(), "    VALUE:", "    ERROR_LIMIT: 5%\n    VALUE:");
    for (const std::string& document :
         {input, small("", "", "  ERROR_LIMIT: '5%'\n"), small("", "", "ERROR_LIMIT: 5%\n"),
          small("", "", "  OPTIONS: {error_limit: 5%}\n")}) {
        const ErrorLimit limit = read(document).job.options.error_limit;
        EXPECT_EQ(limit.kind, ErrorLimit::Kind::Percent) << document;
        EXPECT_EQ(limit.percent, 5) << document;
    }
    EXPECT_EQ(read(small("", "", "  ERROR_LIMIT: unlimited\n")).job.options.error_limit.kind,
              ErrorLimit::Kind::Unlimited);
}

TEST(Yaml, FilterInInputOrOutput) {
    EXPECT_EQ(read(replaced(small(), "    VALUE:", "    FILTER: id > 1\n    VALUE:")).job.filter->written,
              "id > 1");
    EXPECT_EQ(read(small("", ", FILTER: id > 1")).job.filter->written, "id > 1");
}

TEST(Yaml, EveryConsistencyIsAccepted) {
    for (const char* word :
         {"strong", "exactly", "at-least", "at-most", "none", "ATLEAST", "EXACTLY", "Strong"}) {
        const YamlJob yaml = read(small("", "", std::string("  COMMIT: {CONSISTENCY: ") + word + "}\n"));
        EXPECT_EQ(yaml.job.options.consistency, word);
        EXPECT_EQ(yaml.notices, std::vector<std::string>{std::string("CONSISTENCY ") + word +
                                                         ": the job is exactly once, which meets it"});
    }
}

TEST(Yaml, EveryFormat) {
    const auto value = [](const std::string& part) {
        return read(replaced(small(), "VALUE: {COLUMNS: [{NAME: id, TYPE: int}], FORMAT: csv}", part))
            .value->format;
    };
    EXPECT_EQ(value("VALUE: {COLUMNS: {a: text}, FORMAT: CSV}").format, Format::Csv);
    EXPECT_EQ(value("VALUE: {COLUMNS: {a: text}, FORMAT: text}").format, Format::Text);
    EXPECT_EQ(value("VALUE: {COLUMNS: {a: bytea}, FORMAT: Binary}").format, Format::Binary);
    const FormatSpec csv = value(
        "VALUE: {COLUMNS: {a: text, b: text}, FORMAT: csv, CSV_OPTION: {DELIMITER: ';', "
        "NULL_STRING: NULL, FORCE_NULL: [a], FORCE_NOT_NULL: 'a, B'}}");
    EXPECT_EQ(csv.delimited.delimiter, ";");
    EXPECT_EQ(csv.delimited.null_string, "NULL") << "the word null is a text here";
    EXPECT_EQ(csv.delimited.force_null, std::vector<std::string>{"a"});
    EXPECT_EQ(csv.delimited.force_not_null, (std::vector<std::string>{"a", "b"}));
    const FormatSpec tabs =
        value("VALUE: {COLUMNS: {a: text}, FORMAT: delimited, DELIMITED_OPTION: {DELIMITER: \"\\t\\t\"}}");
    EXPECT_EQ(tabs.delimited.delimiter, "\t\t");
}

TEST(Yaml, KeyAloneOrWithValue) {
    const YamlJob key = read(replaced(small(), "VALUE:", "KEY:"));
    EXPECT_FALSE(key.value);
    EXPECT_EQ(key.key->columns, (std::vector<YamlColumn>{{"id", "int"}}));
    const YamlJob both =
        read(replaced(small(), "    VALUE:", "    KEY: {COLUMNS: {k: text}, FORMAT: text}\n    VALUE:"));
    EXPECT_EQ(both.key->format.format, Format::Text);
    EXPECT_TRUE(both.value);
}

TEST(Yaml, MetaColumns) {
    const auto meta = [](const std::string& part) {
        return read(replaced(small(), "    VALUE:", "    META: " + part + "\n    VALUE:")).meta;
    };
    for (const char* type : {"json", "jsonb", "text", "JSONB"})
        EXPECT_EQ(meta(std::string("{COLUMNS: [{NAME: meta, TYPE: ") + type + "}], FORMAT: json}"),
                  (std::vector<YamlMetaColumn>{{{"meta", type}, Metadata::Json}}));
    EXPECT_EQ(meta("{COLUMNS: {meta: jsonb}}"),
              (std::vector<YamlMetaColumn>{{{"meta", "jsonb"}, Metadata::Json}}));
    EXPECT_EQ(meta("{COLUMNS: [{NAME: p, TYPE: int, METADATA: partition}, {NAME: h, TYPE: jsonb, METADATA: "
                   "Headers}]}"),
              (std::vector<YamlMetaColumn>{{{"p", "int"}, Metadata::Partition},
                                           {{"h", "jsonb"}, Metadata::Headers}}));
}

TEST(Yaml, PropertiesAndSecrets) {
    const YamlJob yaml =
        read(small("", "",
                   "  PROPERTIES:\n    security_protocol: sasl_ssl\n    SASL.Mechanisms: PLAIN\n"
                   "    sasl.username: etl\n    sasl_password: hidden\n    GROUP_ID: g\n"
                   "    isolation.level: read_uncommitted\n"));
    EXPECT_EQ(yaml.properties, (std::map<std::string, std::string>{{"security.protocol", "sasl_ssl"},
                                                                   {"sasl.mechanisms", "PLAIN"},
                                                                   {"isolation.level", "read_uncommitted"}}));
    EXPECT_EQ(yaml.secrets,
              (std::map<std::string, std::string>{{"sasl.username", "etl"}, {"sasl.password", "hidden"}}));
    EXPECT_EQ(yaml.job.options.group_id, "g");
}

TEST(Yaml, AnExistingServerInEachPlace) {
    const std::string without = replaced(small(), "BROKERS: 'b:9092', ", "");
    for (const std::string& document : {replaced(without, "TOPIC: t", "TOPIC: t, SERVER: Shop"),
                                        without + "  SERVER: shop\n", without + "SERVER: shop\n"}) {
        const YamlJob yaml = read(document);
        EXPECT_EQ(yaml.server, "shop") << document;
        EXPECT_EQ(yaml.brokers, "");
        EXPECT_TRUE(source_options_of(yaml).server.empty());
    }
    EXPECT_EQ(read(small(", SERVER: shop")).brokers, "b:9092");
}

TEST(Yaml, EveryJobOptionByItsSqlName) {
    const JobOptions options = read(small("", "",
                                          "  OPTIONS:\n    MAX_COUNT: auto\n    interval_ms: 10\n    "
                                          "workers: 3\n    start: {0: 5, \"1\": 7}\n"
                                          "    stop: 2026-01-31 13:45:00Z\n    error_window: 50\n    memory: "
                                          "1GB\n    lag_threshold: 1h\n"
                                          "    retry_interval: 2s\n    synchronous_commit: off\n    "
                                          "group_id: g\n    fallback_offset: latest\n"))
                                   .job.options;
    EXPECT_EQ(options.max_count, std::nullopt);
    EXPECT_EQ(options.interval_ms, 10);
    EXPECT_EQ(options.start.offsets, (std::map<int32_t, int64_t>{{0, 5}, {1, 7}}));
    EXPECT_EQ(options.stop.timestamp_ms, 1'769'867'100'000);
    EXPECT_EQ(options.error_window, 50);
    EXPECT_EQ(options.memory, 1 << 30);
    EXPECT_EQ(options.lag_threshold_ms, 3'600'000);
    EXPECT_EQ(options.retry_interval_ms, 2000);
    EXPECT_EQ(options.synchronous_commit, "off");
    EXPECT_EQ(options.fallback_offset, Fallback::Latest);
    EXPECT_EQ(options.workers, 3);
}

TEST(Yaml, ItsSourceCanBeBuilt) {
    const YamlJob yaml = read(std::string(kDocumented));
    auto built = build_source(source_options_of(yaml), few_properties);
    ASSERT_TRUE(built) << told(built.error());
    EXPECT_EQ(column_types_of(yaml),
              (std::vector<std::string>{"bigint", "bigint", "numeric(10,2)", "text", "text", "jsonb"}));
    ASSERT_EQ(built.value().record.columns.size(), 6u);
    EXPECT_EQ(built.value().record.columns[4].origin, Origin::Key);
    EXPECT_EQ(built.value().record.columns[5].metadata, Metadata::Json);
    EXPECT_EQ(built.value().partitions, yaml.partitions);
    const auto secrets = small("", "", "  PROPERTIES: {sasl.password: hidden}\n");
    EXPECT_EQ(source_options_of(read(secrets)).user_mapping, (OptionList{{"sasl_password", "hidden"}}));
}

TEST(Yaml, TheExamplesAreGood) {
    for (const char* name : {"orders_merge", "events_insert", "profiles_by_key"}) {
        const YamlJob yaml = read(repository_file("examples/" + std::string(name) + ".yaml"));
        EXPECT_FALSE(yaml.topic.empty()) << name;
        EXPECT_TRUE(build_source(source_options_of(yaml), few_properties)) << name;
    }
}

}  // namespace
}  // namespace sluice
