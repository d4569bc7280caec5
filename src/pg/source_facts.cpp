#include "job/words.hpp"

#include "pg/source_facts.hpp"

#include <algorithm>

#include "pg/relation_lookup.hpp"
#include "pg/source.hpp"
#include "pg/system_catalog.hpp"

namespace sluice {

namespace {

// What a tombstone has too: all metadata but the value and what only the value tells.
std::vector<std::string> message_metadata() {
    std::vector<std::string> words;
    for (const auto& word : kMetadata)
        if (word.value != Metadata::Value) words.emplace_back(word.text);
    return words;
}

std::vector<std::string> change_formats() {
    std::vector<std::string> words;
    for (const auto& word : kFormats)
        if (is_change_format(word.value)) words.emplace_back(word.text);
    return words;
}

}  // namespace

const SourceAttribute* SourceFacts::find(const std::string& column) const {
    for (const SourceAttribute& attribute : columns)
        if (attribute.name == column) return &attribute;
    return nullptr;
}

bool SourceFacts::has_value_columns() const {
    return std::any_of(columns.begin(), columns.end(), [](const auto& column) { return column.from_value; });
}

Result<SourceFacts> find_source(const std::string& name) {
    auto relation = find_relation("source", name, "f");
    if (!relation) return relation.error();

    SourceFacts facts;
    facts.relation = relation.value();
    facts.name = qualified_name(facts.relation);
    if (!is_sluice_table(facts.relation))
        return Error::config(
            "42809", "source " + facts.name + " is not a foreign table of sluice", {},
            "Create one: CREATE FOREIGN TABLE ... SERVER ... OPTIONS (topic '...', format '...'), "
            "on a server of FOREIGN DATA WRAPPER sluice_fdw.");
    if (call([&] { return get_rel_persistence(facts.relation); }) == 't')
        return Error::config("42809", "source " + facts.name + " is temporary", {},
                             "A job runs in a session of its own, which does not have it.");

    const spi::Param oid = spi::Param::oid(facts.relation);
    const spi::Rows server = query_catalog(
        "SELECT s.oid, s.srvname, EXISTS (SELECT FROM pg_options_to_table(t.ftoptions) o"
        "         WHERE o.option_name = 'format'"
        "           AND lower(o.option_value) = ANY ($2)),"
        "       EXISTS (SELECT FROM pg_options_to_table(t.ftoptions) o"
        "         WHERE o.option_name = 'format' AND lower(o.option_value) = 'connect-json')"
        "  FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = t.ftserver"
        " WHERE t.ftrelid = $1",
        {oid, spi::Param::text_array(change_formats())});
    facts.server = static_cast<Oid>(server.integer(0, 0));
    facts.server_name = server.text(0, 1);
    facts.of_changes = server.boolean(0, 2);
    facts.may_leave_absent = facts.of_changes || server.boolean(0, 3);

    const spi::Rows columns = query_catalog(
        "SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,"
        "       NOT EXISTS (SELECT FROM pg_options_to_table(a.attfdwoptions) o"
        "                    WHERE (o.option_name = 'source' AND lower(o.option_value) = 'key')"
        "                       OR o.option_name = 'header'"
        "                       OR (o.option_name = 'metadata' AND lower(o.option_value) = ANY ($2))),"
        "       EXISTS (SELECT FROM pg_options_to_table(a.attfdwoptions) o"
        "                WHERE o.option_name = 'metadata' AND o.option_value = 'op'),"
        "       NOT EXISTS (SELECT FROM pg_options_to_table(a.attfdwoptions) o"
        "                    WHERE o.option_name IN ('metadata', 'header'))"
        "  FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        {oid, spi::Param::text_array(message_metadata())});
    for (size_t i = 0; i < columns.size(); ++i) {
        SourceAttribute column;
        column.attnum = static_cast<AttrNumber>(columns.integer(i, 0));
        column.name = columns.text(i, 1);
        column.type = static_cast<Oid>(columns.integer(i, 2));
        column.typmod = static_cast<int32>(columns.integer(i, 3));
        column.collation = static_cast<Oid>(columns.integer(i, 4));
        column.from_value = columns.boolean(i, 5);
        column.is_field = columns.boolean(i, 7);
        if (facts.of_changes && facts.op_column.empty() && columns.boolean(i, 6))
            facts.op_column = column.name;
        facts.columns.push_back(std::move(column));
    }
    return facts;
}

}  // namespace sluice
