#include "pg/fdw_import.hpp"

#include "job/values.hpp"
#include "kafka/metadata.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "pg/propose_columns.hpp"
#include "pg/source.hpp"
#include "pg/system_catalog.hpp"
#include "pg/wait.hpp"

extern "C" {
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
}

namespace sluice {

namespace {

constexpr std::chrono::seconds kBrokerTimeout{8};
// The remote schema that has all topics; any other one has those whose names begin with it and a dot.
constexpr std::string_view kAllTopics = "kafka";

struct Wish {
    OptionList table;
    int sample = kDefaultSample;
};

std::string literal(const std::string& text) {
    return call([&] { return quote_literal_cstr(text.c_str()); });
}

Wish read_options(List* list) {
    Wish wish;
    ListCell* cell;
    foreach (cell, list) {
        auto* option = static_cast<DefElem*>(lfirst(cell));
        const std::string name = option->defname;
        const std::string value = call([&] { return defGetString(option); });
        if (name == "topic")
            fail(Error::config("HV00D", "option \"topic\" means nothing here", {},
                               "LIMIT TO names the topics."));
        if (name != "sample") {
            wish.table.emplace_back(name, value);
            continue;
        }
        const auto number = parse_integer(value);
        if (!number || *number < 1 || *number > kLargestSample)
            fail(Error::config("22023", "option \"sample\" must be a number between 1 and " +
                                            std::to_string(kLargestSample) + ", not \"" + value + "\""));
        wish.sample = static_cast<int>(*number);
    }
    const auto has_format = [&](const auto& option) {
        return option.first == "format" || option.first == "key_format";
    };
    if (std::none_of(wish.table.begin(), wish.table.end(), has_format))
        fail(Error::config("HV002", "IMPORT FOREIGN SCHEMA needs option \"format\" or \"key_format\"", {},
                           "Write it as in OPTIONS (format 'json')."));
    return wish;
}

// The name of the topic's table; nothing when the topic is not part of the remote schema.
std::optional<std::string> table_of(const std::string& topic, const std::string& schema) {
    if (schema == kAllTopics) return topic;
    if (!topic.starts_with(schema + ".") || topic.size() == schema.size() + 1) return std::nullopt;
    return topic.substr(schema.size() + 1);
}

std::string create_table(const std::string& table, const std::string& server, const OptionList& options,
                         const RecordSpec& record, const std::vector<InferredColumn>& columns) {
    std::string text = "CREATE FOREIGN TABLE " + quoted_name(table) + " (";
    for (size_t i = 0; i < columns.size(); ++i) {
        const std::string said = column_options(record, columns[i]);
        text += (i == 0 ? "" : ", ") + quoted_name(columns[i].column.name) + " " + columns[i].type +
                (said.empty() ? "" : " OPTIONS (" + said + ")");
    }
    text += ") SERVER " + quoted_name(server) + " OPTIONS (";
    for (size_t i = 0; i < options.size(); ++i)
        text += (i == 0 ? "" : ", ") + quoted_name(options[i].first) + " " + literal(options[i].second);
    return text + ")";
}

std::vector<std::string> topics_of(Oid server) {
    const SourceSpec source = load_topic(server, {{"topic", "any"}, {"format", "binary"}}, GetUserId());
    const SharedClient client = value_or_fail(Client::open({source.brokers, source.properties, {}}));
    SessionWaiter waiter;
    std::vector<std::string> names;
    for (TopicInfo& topic : value_or_fail(fetch_topics(client, kBrokerTimeout, waiter)))
        names.push_back(std::move(topic.name));
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> statements(ImportForeignSchemaStmt* wanted, Oid server) {
    const Wish wish = read_options(wanted->options);
    std::vector<std::string> texts;
    for (const std::string& topic : topics_of(server)) {
        const auto table = table_of(topic, wanted->remote_schema);
        if (!table || !call([&] { return IsImportableForeignTable(table->c_str(), wanted); })) continue;
        OptionList options{{"topic", topic}};
        options.insert(options.end(), wish.table.begin(), wish.table.end());
        const std::vector<InferredColumn> columns = propose_columns(server, options, wish.sample);
        if (columns.empty()) {
            call([&] {
                ereport(WARNING,
                        (errmsg("topic \"%s\" is left out, because it has no message that tells its columns",
                                topic.c_str())));
            });
            continue;
        }
        const SourceSpec source = load_topic(server, options, GetUserId());
        texts.push_back(create_table(*table, wanted->server_name, options, source.record, columns));
    }
    return texts;
}

List* import_schema(ImportForeignSchemaStmt* wanted, Oid server) {
    return airlock::enter([&] {
        List* list = NIL;
        for (const std::string& text : statements(wanted, server))
            list = call([&] { return lappend(list, pstrdup(text.c_str())); });
        return list;
    });
}

}  // namespace

void set_import_callback(FdwRoutine* routine) { routine->ImportForeignSchema = import_schema; }

}  // namespace sluice
