#include "kafka/properties.hpp"

#include <algorithm>
#include <map>

#include "pg/schemas.hpp"
#include "pg/source.hpp"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_class.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

extern "C" Datum sluice_fdw_handler(PG_FUNCTION_ARGS);

namespace sluice {

namespace {

OptionList to_options(List* list) {
    OptionList options;
    ListCell* cell;
    foreach (cell, list) {
        const auto* option = static_cast<DefElem*>(lfirst(cell));
        options.emplace_back(option->defname, option->arg ? strVal(option->arg) : "");
    }
    return options;
}

PropertyScope property_scope(Scope scope) {
    switch (scope) {
        case Scope::UserMapping:
            return PropertyScope::UserMapping;
        case Scope::Table:
            return PropertyScope::Table;
        default:
            return PropertyScope::Server;
    }
}

OptionList user_mapping_options(Oid server, Oid user) {
    return to_options(call([&]() -> List* {
        // PostgreSQL's own look-up raises when there is no mapping; brokers without log-in need none.
        HeapTuple tuple =
            SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(user), ObjectIdGetDatum(server));
        if (!HeapTupleIsValid(tuple))
            tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
                                    ObjectIdGetDatum(server));
        if (!HeapTupleIsValid(tuple)) return NIL;
        bool is_null;
        const Datum options =
            SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple, Anum_pg_user_mapping_umoptions, &is_null);
        List* list = is_null ? NIL : untransformRelOptions(options);
        ReleaseSysCache(tuple);
        return list;
    }));
}

OptionList server_options(Oid server) {
    return to_options(call([&] { return GetForeignServer(server)->options; }));
}

ColumnShape shape_of(Oid declared) {
    const Oid type = getBaseType(declared);
    switch (type) {
        case JSONOID:
        case JSONBOID:
            return ColumnShape::Json;
        case BYTEAOID:
            return ColumnShape::Bytes;
        case INT2OID:
        case INT4OID:
        case INT8OID:
            return ColumnShape::Integer;
        case NUMERICOID:
            return ColumnShape::Numeric;
        case TIMEOID:
            return ColumnShape::Clock;
        case DATEOID:
            return ColumnShape::Date;
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return ColumnShape::Time;
        default:
            break;
    }
    const bool nested = OidIsValid(get_element_type(type)) || get_typtype(type) == TYPTYPE_COMPOSITE;
    return nested ? ColumnShape::Nested : ColumnShape::Scalar;
}

struct TableColumns {
    std::vector<ColumnOptions> options;
    std::vector<ColumnShape> shapes;
};

TableColumns table_columns(Oid relation) {
    TableColumns columns;
    Relation opened = call([&] { return table_open(relation, AccessShareLock); });
    const TupleDesc tupdesc = RelationGetDescr(opened);
    for (AttrNumber attribute : source_attributes(tupdesc)) {
        const Form_pg_attribute column = TupleDescAttr(tupdesc, attribute - 1);
        if (column->attgenerated) {
            Error error = Error::config(
                "0A000", "column \"" + std::string(NameStr(column->attname)) + "\" is a generated column",
                "Columns of a source are read from messages.", "Compute it where the source is read.");
            error.column_name = NameStr(column->attname);
            fail(std::move(error));
        }
        columns.options.push_back({NameStr(column->attname), to_options(call([&] {
                                       return GetForeignColumnOptions(relation, attribute);
                                   }))});
        columns.shapes.push_back(call([&] { return shape_of(column->atttypid); }));
    }
    call([&] { table_close(opened, AccessShareLock); });
    return columns;
}

SourceSpec build(const SourceOptions& options) {
    SourceSpec source = value_or_fail(build_source(options, kafka_property));
    // Else every text cell is converted, which checks it too.
    source.record.validate_utf8 = GetDatabaseEncoding() == PG_UTF8;
    return source;
}

bool is_property(Scope scope, std::string_view name) {
    const auto known = source_options();
    return std::none_of(known.begin(), known.end(), [&](const SourceOptionInfo& option) {
        return option.scope == scope && option.name == name;
    });
}

}  // namespace

bool is_sluice_server(Oid server) {
    return call([&] {
        const Oid handler = GetForeignDataWrapper(GetForeignServer(server)->fdwid)->fdwhandler;
        if (!OidIsValid(handler)) return false;
        // A wrapper may be renamed, and there may be several with the same handler.
        FmgrInfo function;
        fmgr_info(handler, &function);
        return function.fn_addr == sluice_fdw_handler;
    });
}

bool is_sluice_table(Oid relation) {
    const bool foreign = call([&] { return get_rel_relkind(relation) == RELKIND_FOREIGN_TABLE; });
    return foreign && is_sluice_server(call([&] { return GetForeignServerIdByRelId(relation); }));
}

SourceSpec load_source(Oid relation, Oid user) {
    const ForeignTable* table = call([&] { return GetForeignTable(relation); });
    SourceOptions options;
    options.server = server_options(table->serverid);
    options.user_mapping = user_mapping_options(table->serverid, user);
    options.table = to_options(table->options);
    TableColumns columns = table_columns(relation);
    options.columns = std::move(columns.options);
    SourceSpec source = build(options);
    for (size_t i = 0; i < columns.shapes.size(); ++i) source.record.columns[i].shape = columns.shapes[i];
    for (auto* format : {&source.record.value, &source.record.key})
        if (*format) find_schemas(**format);
    return source;
}

SourceSpec load_topic(Oid server, const std::string& topic, Oid user) {
    return load_topic(server, {{"topic", topic}, {"format", "binary"}}, user);
}

SourceSpec load_topic(Oid server, const OptionList& table, Oid user) {
    SourceOptions options;
    options.server = server_options(server);
    options.user_mapping = user_mapping_options(server, user);
    options.table = table;
    return build(options);
}

std::vector<AttrNumber> source_attributes(TupleDesc tupdesc) {
    std::vector<AttrNumber> attributes;
    for (int i = 0; i < tupdesc->natts; ++i)
        if (!TupleDescAttr(tupdesc, i)->attisdropped) attributes.push_back(static_cast<AttrNumber>(i + 1));
    return attributes;
}

OptionList option_list(Datum options) {
    return to_options(call([&] { return untransformRelOptions(options); }));
}

Result<std::string> kafka_property(std::string_view name, Scope scope) {
    auto property = check_property(name, property_scope(scope));
    if (!property) return property.error();
    return property.value().name;
}

Result<void> check_written_options(Scope scope, const OptionList& options) {
    if (auto checked = check_options(scope, options, kafka_property); !checked) return checked;
    const Trust trust = call([] { return superuser(); }) ? Trust::Superuser : Trust::User;
    std::map<std::string, std::string> properties;
    for (const auto& [name, value] : options) {
        if (!is_property(scope, name)) continue;
        const auto property = check_property(name, property_scope(scope));
        if (!property) return property.error();
        if (auto checked = check_property_value(property.value(), value, trust); !checked) return checked;
        properties[property.value().name] = value;
    }
    // No mechanism can come from elsewhere: user mappings and tables may not have one.
    if (scope == Scope::Server) return check_server_properties(properties);
    return {};
}

}  // namespace sluice
