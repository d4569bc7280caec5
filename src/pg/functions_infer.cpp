// infer_columns and create_table_for: tables that a person need not type.
#include "job/identifier.hpp"

#include <string>
#include <vector>

#include "pg/arguments.hpp"
#include "pg/propose_columns.hpp"
#include "pg/source.hpp"
#include "pg/spi.hpp"
#include "pg/system_catalog.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/varlena.h"
}

namespace sluice {

namespace {

using spi::Param;

OptionList table_options(const std::string& topic, const std::string& json) {
    OptionList options{{"topic", topic}};
    const Error wrong = Error::config("22023", "argument options must be a JSON object of scalars", {},
                                      "Write it as in {\"format\": \"json\"}.");
    spi::Connection connection;
    if (spi::run("SELECT pg_catalog.jsonb_typeof($1::pg_catalog.jsonb)", {Param::text(json)}).text(0, 0) !=
        "object")
        fail(wrong);
    const spi::Rows rows = spi::run(
        "SELECT o.key, o.value OPERATOR(pg_catalog.#>>) '{}', pg_catalog.jsonb_typeof(o.value)"
        " FROM pg_catalog.jsonb_each($1::pg_catalog.jsonb) o",
        {Param::text(json)});
    for (size_t i = 0; i < rows.size(); ++i) {
        const std::string type = rows.text(i, 2);
        if (type == "object" || type == "array" || type == "null") fail(wrong);
        if (rows.text(i, 0) == "topic")
            fail(Error::config("22023", "the topic is an argument of its own, not one of the options"));
        options.emplace_back(rows.text(i, 0), rows.text(i, 1));
    }
    return options;
}

int sample_of(const Arguments& arguments, int at) {
    const int sample = arguments.integer(at).value_or(kDefaultSample);
    if (sample < 1 || sample > kLargestSample)
        fail(Error::config("22023", "argument sample must be between 1 and " +
                                        std::to_string(kLargestSample) + ", not " + std::to_string(sample)));
    return sample;
}

// The name as SQL writes it, in the schema that it names or that comes first in the search path.
std::string new_table_name(const std::string& name) {
    return call([&]() -> std::string {
        RangeVar* range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name.c_str())));
        const Oid schema = RangeVarGetCreationNamespace(range);
        return quote_qualified_identifier(get_namespace_name(schema), range->relname);
    });
}

std::string column_list(const std::vector<std::string>& columns) {
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + quoted_name(column);
    return list;
}

}  // namespace

SLUICE_FUNCTION(sluice_infer_columns) {
    const Arguments arguments(fcinfo);
    const std::string server = arguments.name(0) ? *arguments.name(0) : arguments.required_text(0, "server");
    const std::string topic = arguments.required_text(1, "topic");
    const auto json = arguments.jsonb(2);
    const OptionList table = table_options(topic, json.value_or("{}"));
    const Oid oid = usable_server(server.c_str());
    const std::vector<InferredColumn> columns = propose_columns(oid, table, sample_of(arguments, 3));
    const SourceSpec source = load_topic(oid, table, GetUserId());
    call([&] { InitMaterializedSRF(fcinfo, 0); });
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    for (const InferredColumn& column : columns) {
        const std::string options = column_options(source.record, column);
        call([&] {
            Datum values[] = {CStringGetTextDatum(column.column.name.c_str()),
                              CStringGetTextDatum(column.type.c_str()), CStringGetTextDatum(options.c_str()),
                              Int64GetDatum(static_cast<int64>(column.seen)),
                              CStringGetTextDatum(column.example.c_str())};
            bool nulls[] = {false, false, options.empty(), false, column.example.empty()};
            tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
        });
    }
    return Datum{0};
}

SLUICE_FUNCTION(sluice_create_table_for) {
    const Arguments arguments(fcinfo);
    if (arguments.is_null(0)) fail(Error::config("22004", "argument source must not be NULL"));
    const Oid source = PG_GETARG_OID(0);
    if (!is_sluice_table(source))
        fail(Error::config("42809", qualified_name(source) + " is not a foreign table over a topic", {},
                           "Create one on a server of sluice_fdw first."));
    const std::string table = new_table_name(arguments.required_text(1, "name"));
    const auto key = arguments.text_array(2, "primary_key");
    spi::Connection connection;
    spi::run("CREATE TABLE " + table + " (LIKE " + qualified_name(source) +
             (key && !key->empty() ? ", PRIMARY KEY (" + column_list(*key) + ")" : "") + ")");
    return spi::run("SELECT $1::pg_catalog.regclass::pg_catalog.oid", {Param::text(table)}).integer(0, 0);
}

}  // namespace sluice
