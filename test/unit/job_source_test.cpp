#include "job/source_options.hpp"

#include "job_helpers.hpp"

namespace sluice {
namespace {

std::string refusal(Scope scope, std::string_view name, std::string_view value) {
    const auto checked = check_option(scope, name, value, few_properties);
    return checked ? "accepted" : told(checked.error());
}

std::string refusal(Scope scope, const OptionList& options) {
    const auto checked = check_options(scope, options, few_properties);
    return checked ? "accepted" : told(checked.error());
}

TEST(SourceOptions, TheTableListsEachOptionOnce) {
    std::set<std::pair<Scope, std::string_view>> seen;
    for (const SourceOptionInfo& info : source_options()) {
        EXPECT_TRUE(seen.emplace(info.scope, info.name).second) << info.name;
        EXPECT_FALSE(info.what.empty()) << info.name;
    }
    // Those of later releases are absent, so they are unknown options.
    for (const char* name : {"topic_pattern", "registry_url"})
        EXPECT_EQ(seen.count({Scope::Table, name}), 0u) << name;
    EXPECT_EQ(seen.size(), 44u);
}

TEST(SourceOptions, UnknownOptionsGetTheNearestAndTheList) {
    EXPECT_EQ(refusal(Scope::Server, "broker", "b:9092"),
              "HV00D unknown option \"broker\" of a server\n"
              "DETAIL: Options of a server: brokers, registry_url, registry_ca_pem, and Kafka "
              "properties.\nHINT: Perhaps you meant \"brokers\".");
    EXPECT_EQ(
        refusal(Scope::Table, "fromat", "csv"),
        "HV00D unknown option \"fromat\" of a foreign table\n"
        "DETAIL: Options of a foreign table: topic, partitions, format, delimiter, quote, escape, null, "
        "force_not_null, force_null, missing_field, timestamp_unit, ignore_case, rows_path, "
        "newline_delimited, schema, reader_schema, framing, message, "
        "key_format, key_delimiter, key_quote, key_escape, key_null, key_force_not_null, key_force_null, "
        "key_missing_field, "
        "key_timestamp_unit, key_ignore_case, key_schema, key_reader_schema, key_framing, "
        "key_message.\nHINT: Perhaps you meant \"format\".");
    EXPECT_EQ(refusal(Scope::Column, "metadat", "topic"),
              "HV00D unknown option \"metadat\" of a column\n"
              "DETAIL: Options of a column: field, source, metadata, header.\nHINT: Perhaps you meant "
              "\"metadata\".");
    // Names are case-sensitive, as everywhere in FDW options.
    EXPECT_NE(refusal(Scope::Table, "Topic", "t"), "accepted");
}

TEST(SourceOptions, AnOptionInTheWrongPlaceSaysWhereItBelongs) {
    EXPECT_EQ(refusal(Scope::Server, "topic", "orders"),
              "HV00D unknown option \"topic\" of a server\n"
              "DETAIL: Options of a server: brokers, registry_url, registry_ca_pem, and Kafka "
              "properties.\nHINT: It is an option of a "
              "foreign table.");
    EXPECT_NE(refusal(Scope::Table, "brokers", "b").find("HINT: It is an option of a server."),
              std::string::npos);
    EXPECT_NE(refusal(Scope::Table, "metadata", "topic").find("HINT: It is an option of a column."),
              std::string::npos);
    EXPECT_EQ(refusal(Scope::Table, "sasl_password", "x"),
              "HV00D Kafka property \"sasl_password\" does not belong here");
    EXPECT_EQ(refusal(Scope::Server, "sasl_password", "x"),
              "HV00D Kafka property \"sasl_password\" does not belong here");
    EXPECT_EQ(refusal(Scope::Server, "plugin.library.paths", "x"),
              "HV00D unknown Kafka property \"plugin.library.paths\"");
    EXPECT_EQ(refusal(Scope::UserMapping, "pasword", "x"), "HV00D unknown Kafka property \"pasword\"");
    EXPECT_NE(refusal(Scope::Column, "security_protocol", "ssl").find("unknown option"), std::string::npos);
    EXPECT_EQ(
        refusal(Scope::UserMapping, "registry_pasword", "x"),
        "HV00D unknown option \"registry_pasword\" of a user mapping\n"
        "DETAIL: Options of a user mapping: registry_username, registry_password, registry_certificate_pem, "
        "registry_key_pem, registry_key_password, and Kafka properties that log a role in, such as "
        "sasl_username and sasl_password.\nHINT: Perhaps you meant \"registry_password\".");
    EXPECT_NE(refusal(Scope::Server, "registry_password", "x").find("It is an option of a user mapping."),
              std::string::npos);
    EXPECT_NE(refusal(Scope::UserMapping, "registry_url", "x").find("It is an option of a server."),
              std::string::npos);
}

TEST(SourceOptions, Registry) {
    for (const char* good : {"http://r", "https://r:8081", "http://r1:1, https://r2/a/b-c.d_~e/",
                             "http://[::1]:8081", "http://10.0.0.1"})
        EXPECT_EQ(refusal(Scope::Server, "registry_url", good), "accepted") << good;
    for (const auto& [list, wrong] :
         std::map<std::string, std::string>{{"", ""},
                                            {"r:8081", "r:8081"},
                                            {"ftp://r", "ftp://r"},
                                            {"file:///etc/passwd", "file:///etc/passwd"},
                                            {"HTTP://r", "HTTP://r"},
                                            {"http://", "http://"},
                                            {"http:///a", "http:///a"},
                                            {"http://r,", ""},
                                            {"http://r:0", "http://r:0"},
                                            {"http://r?a=b", "http://r?a=b"},
                                            {"http://r/a?b", "http://r/a?b"},
                                            {"http://r/#a", "http://r/#a"},
                                            {"http://r/%2e", "http://r/%2e"},
                                            {"http://r/a b", "http://r/a b"},
                                            {"http://r\\a", "http://r\\a"},
                                            {"http://[fe80::1%25eth0]", "http://[fe80::1%25eth0]"},
                                            {"http://r, http//b", "http//b"}})
        EXPECT_EQ(
            refusal(Scope::Server, "registry_url", list),
            "22023 option \"registry_url\" must be URLs with commas between them, and \"" + wrong +
                "\" is not one\nDETAIL: A URL has http or https, a host, and a port and a path or not.\n"
                "HINT: Write it as in https://registry:8081.");
    for (const char* secret : {"http://etl:secret@r", "https://r,http://etl@r", "etl:secret@r"})
        EXPECT_EQ(refusal(Scope::Server, "registry_url", secret),
                  "22023 option \"registry_url\" must not hold a user name or a password\n"
                  "HINT: Set registry_username and registry_password in the user mapping.");
    EXPECT_EQ(refusal(Scope::UserMapping, "registry_key_pem", "secret"),
              "22023 option \"registry_key_pem\" must be text in PEM\n"
              "HINT: It is what the file holds, from -----BEGIN to the end.");
    EXPECT_EQ(refusal(Scope::UserMapping, "registry_username", "a:b"),
              "22023 option \"registry_username\" must be a name without a colon");
    EXPECT_EQ(
        refusal(Scope::UserMapping, OptionList{{"registry_username", "etl"}, {"registry_password", "x"}}),
        "accepted");
    EXPECT_EQ(refusal(Scope::UserMapping, OptionList{{"registry_password", "x"}}),
              "22023 option \"registry_password\" needs option \"registry_username\"");
    EXPECT_EQ(
        refusal(Scope::UserMapping, OptionList{{"registry_certificate_pem", "-----BEGIN CERTIFICATE-----"}}),
        "22023 option \"registry_certificate_pem\" needs option \"registry_key_pem\"");
}

TEST(SourceOptions, PropertiesWithDotsOrUnderscores) {
    EXPECT_EQ(refusal(Scope::Server, "security_protocol", "ssl"), "accepted");
    EXPECT_EQ(refusal(Scope::Server, "security.protocol", "ssl"), "accepted");
    EXPECT_EQ(refusal(Scope::UserMapping, "sasl_password", "x"), "accepted");
    EXPECT_EQ(refusal(Scope::Server, {{"brokers", "b"}, {"client_id", "a"}, {"client.id", "b"}}),
              "22023 Kafka property \"client.id\" is set twice\n"
              "HINT: Names with dots and with underscores mean the same property.");
}

TEST(SourceOptions, Brokers) {
    for (const char* good :
         {"b", "b:9092", "b1:9092, b2", "10.0.0.1:1", "[::1]:9092", "[fe80::1%eth0]", "my_host-1.a:65535"})
        EXPECT_EQ(refusal(Scope::Server, "brokers", good), "accepted") << good;
    for (const auto& [list, wrong] : std::map<std::string, std::string>{{"", ""},
                                                                        {"b,", ""},
                                                                        {"b:0", "b:0"},
                                                                        {"b:65536", "b:65536"},
                                                                        {"b:", "b:"},
                                                                        {"b:-1", "b:-1"},
                                                                        {"b1;b2", "b1;b2"},
                                                                        {"b1 b2", "b1 b2"},
                                                                        {"ssl://b:1", "ssl://b:1"},
                                                                        {"u@b", "u@b"},
                                                                        {"[::1", "[::1"},
                                                                        {"[]:1", "[]:1"},
                                                                        {"[::1]9", "[::1]9"}})
        EXPECT_EQ(refusal(Scope::Server, "brokers", list),
                  "22023 option \"brokers\" must name hosts with commas between them, and \"" + wrong +
                      "\" is not one\nHINT: Write it as in broker1:9092,broker2:9092. The protocol goes into "
                      "security_protocol.");
}

TEST(SourceOptions, ValuesOfTheTable) {
    EXPECT_EQ(refusal(Scope::Table, "topic", "Orders.v1_a-b"), "accepted");
    for (const std::string& topic :
         std::vector<std::string>{"", ".", "..", "a b", "a/b", std::string(250, 'x')})
        EXPECT_EQ(refusal(Scope::Table, "topic", topic),
                  "22023 option \"topic\" must be the name of a topic, not \"" + clipped(topic) +
                      "\"\nHINT: Kafka's topic names have 1 to 249 letters, digits, dots, underscores and "
                      "hyphens.");
    EXPECT_EQ(refusal(Scope::Table, "topic", "a,b"),
              "0A000 option \"topic\" must name one topic, not \"a,b\"\n"
              "DETAIL: Several topics in one source are not supported yet.\n"
              "HINT: Make a foreign table for each topic.");
    for (const char* good : {"0", "0,1,2", "(2, 0)", " ( 1 ) "})
        EXPECT_EQ(refusal(Scope::Table, "partitions", good), "accepted") << good;
    for (const auto& [list, wrong] : std::map<std::string, std::string>{{"", ""},
                                                                        {"()", ""},
                                                                        {"0,", ""},
                                                                        {"-1", "-1"},
                                                                        {"0-2", "0-2"},
                                                                        {"2147483648", "2147483648"},
                                                                        {"(0", "(0"}})
        EXPECT_EQ(refusal(Scope::Table, "partitions", list),
                  "22023 option \"partitions\" must list numbers of partitions, and \"" + wrong +
                      "\" is not one\nHINT: Write it as in 0,1,2 or (0,1,2).");
    EXPECT_EQ(refusal(Scope::Table, "partitions", "1,0,1"),
              "22023 option \"partitions\" names partition 1 twice");
    EXPECT_EQ(refusal(Scope::Table, "format", "cvs"),
              "22023 option \"format\" must be csv, delimited, text, binary, json, connect-json, "
              "debezium-json, canal-json, maxwell-json, avro, debezium-avro or protobuf, not \"cvs\"\n"
              "HINT: Perhaps you meant \"csv\".");
    EXPECT_EQ(refusal(Scope::Table, "force_null", "a b"),
              "42602 option \"force_null\": a comma is missing before \"b\"\nHINT: Write names as in (id, "
              "version).");
    EXPECT_EQ(refusal(Scope::Table, "missing_field", "drop"),
              "22023 option \"missing_field\" must be null or error, not \"drop\"");
    EXPECT_EQ(refusal(Scope::Table, "timestamp_unit", "ns"),
              "22023 option \"timestamp_unit\" must be s, ms or us, not \"ns\"");
    EXPECT_EQ(refusal(Scope::Table, "schema", "orders, \"Common types\""), "accepted");
    EXPECT_EQ(refusal(Scope::Table, "key_schema", "a b"),
              "42602 option \"key_schema\": a comma is missing before \"b\"\nHINT: Write names as in (id, "
              "version).");
    EXPECT_NE(refusal(Scope::Table, "reader_schema", "orders, parts"), "accepted");
    EXPECT_EQ(refusal(Scope::Table, "framing", "Confluent"), "accepted");
    EXPECT_EQ(refusal(Scope::Table, "key_framing", "confluence"),
              "22023 option \"key_framing\" must be none, confluent or single-object, not \"confluence\"\n"
              "HINT: Perhaps you meant \"confluent\".");
    EXPECT_EQ(refusal(Scope::Table, "key_ignore_case", "maybe"),
              "22023 option \"key_ignore_case\" must be true or false, not \"maybe\"");
    EXPECT_EQ(
        refusal(Scope::Column, "field", "a..b"),
        "22023 option \"field\": path has an empty name; write \"\" in quotes if you mean one\n"
        "HINT: Write it as in details.items[0].sku; a name that contains dots, brackets or quotes stands "
        "in double quotes, and $ is the whole value.");
    EXPECT_EQ(refusal(Scope::Column, "source", "header"),
              "22023 option \"source\" must be value or key, not \"header\"");
    EXPECT_EQ(refusal(Scope::Column, "metadata", "partitions"),
              "22023 option \"metadata\" must be topic, partition, offset, timestamp, timestamp_type, "
              "leader_epoch, "
              "key, value, headers or json, not \"partitions\"\nDETAIL: Formats of changes also have op, "
              "ts_ms, source and more, with a path such as "
              "source.lsn.\nHINT: Perhaps you meant \"partition\".");
}

TEST(SourceOptions, WhatAnObjectNeeds) {
    EXPECT_EQ(refusal(Scope::Server, OptionList{}),
              "HV002 a server needs option \"brokers\"\n"
              "HINT: Add it: OPTIONS (brokers 'broker1:9092,broker2:9092').");
    EXPECT_EQ(refusal(Scope::UserMapping, OptionList{}), "accepted");
    EXPECT_EQ(refusal(Scope::Column, OptionList{}), "accepted");
    EXPECT_EQ(refusal(Scope::Table, OptionList{{"format", "csv"}}),
              "HV002 a foreign table needs option \"topic\"\n"
              "HINT: Add it: OPTIONS (topic 'orders', format 'csv').");
    EXPECT_EQ(refusal(Scope::Table, OptionList{{"topic", "t"}}),
              "HV002 a foreign table needs option \"format\" or \"key_format\"\n"
              "HINT: Formats that work: csv, delimited, text, binary, json, connect-json, debezium-json, "
              "canal-json, maxwell-json, avro, debezium-avro, protobuf.");
    EXPECT_EQ(refusal(Scope::Table, OptionList{{"topic", "t"}, {"format", "csv"}, {"key_quote", "'"}}),
              "22023 option \"key_quote\" needs option \"key_format\"");
    EXPECT_EQ(
        refusal(Scope::Table, OptionList{{"topic", "t"}, {"format", "csv"}, {"missing_field", "error"}}),
        "22023 option \"missing_field\" means nothing to format \"csv\"\n"
        "HINT: It belongs to formats in JSON, Avro and Protobuf.");
    EXPECT_EQ(refusal(Scope::Table, OptionList{{"topic", "t"}, {"format", "json"}, {"quote", "'"}}),
              "22023 option \"quote\" means nothing to format \"json\"\n"
              "HINT: It belongs to formats \"csv\" and \"delimited\".");
    for (const auto& [option, owner] : {std::pair{"schema", "formats in Avro and Protobuf"},
                                        {"reader_schema", "formats in Avro"},
                                        {"message", "format \"protobuf\""}}) {
        EXPECT_EQ(refusal(Scope::Table, OptionList{{"topic", "t"}, {"format", "json"}, {option, "orders"}}),
                  "22023 option \"" + std::string(option) +
                      "\" means nothing to format \"json\"\nHINT: It belongs to " + owner + ".");
        EXPECT_EQ(refusal(Scope::Table,
                          OptionList{{"topic", "t"}, {"format", "csv"}, {"key_" + std::string(option), "o"}}),
                  "22023 option \"key_" + std::string(option) + "\" needs option \"key_format\"");
    }
    EXPECT_EQ(refusal(Scope::Table, OptionList{{"topic", "t"},
                                               {"format", "JSON"},
                                               {"missing_field", "Error"},
                                               {"timestamp_unit", "ms"},
                                               {"ignore_case", "true"}}),
              "accepted");
    EXPECT_EQ(refusal(Scope::Column, OptionList{{"field", "a.b"}, {"metadata", "key"}}),
              "22023 options \"field\" and \"metadata\" exclude each other\n"
              "HINT: A field is part of the value or of the key.");
    EXPECT_EQ(refusal(Scope::Column, OptionList{{"header", "trace-id"}}), "accepted");
    EXPECT_EQ(refusal(Scope::Column, OptionList{{"header", "trace-id"}, {"metadata", "key"}}),
              "22023 options \"header\" and \"metadata\" exclude each other\n"
              "HINT: A header is neither part of the value nor of the key.");
    EXPECT_EQ(refusal(Scope::Column, "header", ""),
              "22023 option \"header\" must name a header\nHINT: Write it as in header 'trace-id'.");
    EXPECT_EQ(refusal(Scope::Column, OptionList{{"source", "key"}, {"metadata", "key"}}),
              "22023 options \"source\" and \"metadata\" exclude each other\n"
              "HINT: A column is part of the value, part of the key, or metadata.");
}

TEST(SourceOptions, FormatOptionsAreCheckedWithoutColumns) {
    const auto table = [](std::string format, OptionList more) {
        more.insert(more.begin(), {{"topic", "t"}, {"format", std::move(format)}});
        return refusal(Scope::Table, more);
    };
    EXPECT_EQ(table("csv", {{"delimiter", ";"}, {"quote", "'"}, {"null", "-"}, {"force_null", "a, \"B\""}}),
              "accepted");
    EXPECT_EQ(table("delimited", {{"delimiter", "||"}, {"quote", "\""}, {"escape", "\\"}}), "accepted");
    EXPECT_EQ(table("text", {}), "accepted");
    EXPECT_NE(
        table("csv", {{"delimiter", "||"}}).find("option \"delimiter\" must be a single one-byte character"),
        std::string::npos);
    EXPECT_NE(table("csv", {{"delimiter", "\""}}).find("must be different"), std::string::npos);
    EXPECT_NE(table("binary", {{"null", ""}}).find("means nothing to format \"binary\""), std::string::npos);
    EXPECT_NE(table("text", {{"key_format", "csv"}, {"key_quote", ""}}).find("option \"key_quote\""),
              std::string::npos);
}

SourceOptions orders() {
    return {{{"brokers", "b:9092"}, {"security_protocol", "ssl"}},
            {{"sasl_username", "etl"}, {"sasl.password", "secret"}},
            {{"topic", "orders"},
             {"partitions", "(2,0)"},
             {"format", "delimited"},
             {"delimiter", "||"},
             {"quote", "\""},
             {"null", "-"},
             {"force_null", "note"},
             {"key_format", "text"}},
            {{"id", {}},
             {"note", {{"source", "value"}}},
             {"order_key", {{"source", "key"}}},
             {"part", {{"metadata", "partition"}}}}};
}

TEST(BuildSource, AllOptionsArrive) {
    const auto built = build_source(orders(), few_properties);
    ASSERT_TRUE(built) << told(built.error());
    const SourceSpec& source = built.value();
    EXPECT_EQ(source.brokers, "b:9092");
    EXPECT_EQ(source.properties,
              (std::map<std::string, std::string>{
                  {"security.protocol", "ssl"}, {"sasl.username", "etl"}, {"sasl.password", "secret"}}));
    EXPECT_EQ(source.topic, "orders");
    EXPECT_EQ(source.partitions, (std::vector<int32_t>{0, 2}));
    ASSERT_TRUE(source.record.value && source.record.key);
    EXPECT_EQ(source.record.value->format, Format::Delimited);
    EXPECT_EQ(source.record.value->delimited.delimiter, "||");
    EXPECT_EQ(source.record.value->delimited.quote, "\"");
    EXPECT_EQ(source.record.value->delimited.escape, std::nullopt);
    EXPECT_EQ(source.record.value->delimited.null_string, "-");
    EXPECT_EQ(source.record.value->delimited.force_null, std::vector<std::string>{"note"});
    EXPECT_EQ(source.record.key->format, Format::Text);
    ASSERT_EQ(source.record.columns.size(), 4u);
    EXPECT_EQ(source.record.columns[0].origin, Origin::Value);
    EXPECT_EQ(source.record.columns[1].origin, Origin::Value);
    EXPECT_EQ(source.record.columns[2].origin, Origin::Key);
    EXPECT_EQ(source.record.columns[3].origin, Origin::Metadata);
    EXPECT_EQ(source.record.columns[3].metadata, Metadata::Partition);
}

TEST(BuildSource, TheRegistryOfTheServer) {
    SourceOptions options = orders();
    options.user_mapping.emplace_back("registry_username", "etl");
    EXPECT_TRUE(build_source(options, few_properties).value().registry.empty()) << "nobody to log in to";
    options.server.emplace_back("registry_url", "http://r");
    const SourceSpec source = build_source(options, few_properties).value();
    EXPECT_EQ(source.registry,
              (std::map<std::string, std::string>{{"url", "http://r"}, {"username", "etl"}}));
    EXPECT_EQ(source.properties.count("registry.url"), 0u);
    EXPECT_EQ(options_of(source).server.back(),
              (std::pair<std::string, std::string>{"registry_url", "http://r"}))
        << "without the log-in";
}

TEST(BuildSource, ColumnsOfAKeyOnlySourceComeFromTheKey) {
    const auto built = build_source(
        {{{"brokers", "b"}}, {}, {{"topic", "t"}, {"key_format", "csv"}}, {{"a", {}}, {"b", {}}}},
        few_properties);
    ASSERT_TRUE(built);
    for (const SourceColumn& column : built.value().record.columns) EXPECT_EQ(column.origin, Origin::Key);
}

TEST(BuildSource, ProblemsNameTheColumn) {
    SourceOptions options = orders();
    options.columns[1].options = {{"metadat", "key"}};
    const auto built = build_source(options, few_properties);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().message, "column \"note\": unknown option \"metadat\" of a column");
    EXPECT_EQ(built.error().column_name, "note");
    options = orders();
    options.server.clear();
    EXPECT_FALSE(build_source(options, few_properties));
}

TEST(BuildSource, OptionsOfReadBack) {
    SourceOptions options = orders();
    options.user_mapping.clear();
    const SourceOptions written = options_of(build_source(options, few_properties).value());
    EXPECT_EQ(written.server, options.server);
    options.table[1].second = "0,2";
    EXPECT_EQ(written.table, options.table);
    ASSERT_EQ(written.columns.size(), 4u);
    EXPECT_EQ(written.columns[1].options, OptionList{});
    EXPECT_EQ(written.columns[2].options, (OptionList{{"source", "key"}}));
    EXPECT_EQ(written.columns[3].options, (OptionList{{"metadata", "partition"}}));
}

}  // namespace
}  // namespace sluice
