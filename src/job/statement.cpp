#include "job/statement.hpp"

#include <algorithm>
#include <string_view>

namespace sluice {

namespace {

constexpr std::string_view kIsTombstone = "sluice.is_tombstone(s.ctid)";

std::string text(std::initializer_list<std::string_view> parts) {
    std::string joined;
    for (const std::string_view part : parts) joined += part;
    return joined;
}

template <class Items, class Write>
std::string list(const Items& items, std::string_view separator, const Write& write) {
    std::string joined;
    for (const auto& item : items) {
        if (!joined.empty()) joined += separator;
        joined += write(item);
    }
    return joined;
}

bool deletes(const MapShape& shape) { return shape.tombstone_deletes || !shape.delete_condition.empty(); }

std::string is_delete(const MapShape& shape) {
    const std::string condition = text({"(", shape.delete_condition, ") IS TRUE"});
    if (!shape.tombstone_deletes) return condition;
    if (shape.delete_condition.empty()) return std::string(kIsTombstone);
    return text({kIsTombstone, " OR ", condition});
}

// CASE, because PostgreSQL evaluates the parts of an AND in the order that it finds cheap.
std::string where(const MapShape& shape) {
    const std::string& filter = shape.filter;
    if (filter.empty()) return "";
    if (!shape.tombstone_deletes) return text({"\n WHERE ", filter});
    return text({"\n WHERE CASE WHEN ", kIsTombstone, " THEN true ELSE ", filter, " END"});
}

// The delete condition is evaluated once a row: OFFSET 0 keeps it from being pulled up into every CASE.
std::string from(const MapShape& shape) {
    std::string relations = text({"\n  FROM ", shape.source, " s"});
    if (deletes(shape))
        relations +=
            text({",\n       LATERAL (SELECT ", is_delete(shape), " AS is_delete OFFSET 0) sluice_event"});
    return relations;
}

std::string unless_delete(const MapShape& shape, std::string_view otherwise, const std::string& value) {
    if (!deletes(shape)) return value;
    return text({"CASE WHEN sluice_event.is_delete THEN ", otherwise, " ELSE ", value, " END"});
}

std::string names(const ApplyShape& shape, std::string_view qualifier) {
    return list(shape.columns, ", ", [&](const auto& column) { return text({qualifier, column.name}); });
}

std::string insert_into(const ApplyShape& shape) {
    return text({"INSERT INTO ", shape.target, " AS t (", names(shape, ""), ")",
                 shape.overriding_system_value ? " OVERRIDING SYSTEM VALUE" : ""});
}

std::string_view condition(Operations operations) {
    switch (operations) {
        case Operations::Deletes:
            return "b.sluice_delete";
        case Operations::Upserts:
            return "b.sluice_update AND NOT b.sluice_delete";
        case Operations::Inserts:
            return "NOT b.sluice_update AND NOT b.sluice_delete";
        case Operations::AllButDeletes:
            return "NOT b.sluice_delete";
    }
    return "";
}

std::string compared(const ComparedColumn& column, std::string_view event, std::string_view op) {
    return text({event, ".", column.name, column.collate, " ", op, " t.", column.name});
}

std::string same_key(const ApplyShape& shape) {
    return list(shape.match, " AND ", [](const ComparedColumn& column) {
        return text({"t.", column.name, " ", column.equal, " b.", column.name, column.collate});
    });
}

// The event is not older than the stored row, or newer where ties are stale. Spelled out, because a row
// comparison is NULL when a NULL decides it.
std::string not_older(const ApplyShape& shape, std::string_view event) {
    std::string rest;
    for (size_t i = shape.order.size(); i-- > 0;) {
        const ComparedColumn& column = shape.order[i];
        const std::string newer = compared(column, event, column.greater);
        const std::string equal = compared(column, event, column.equal);
        const std::string stored = "t." + column.name;
        const std::string value = text({event, ".", column.name});
        if (rest.empty() && shape.ties_are_stale)
            rest = text({"(", newer, " OR (", stored, " IS NULL AND ", value, " IS NOT NULL))"});
        else
            rest =
                rest.empty()
                    ? text({"(", stored, " IS NULL OR ", newer, " OR ", equal, ")"})
                    : text({"(", newer, " OR (", stored, " IS NULL AND ", value, " IS NOT NULL) OR ((", equal,
                            " OR (", stored, " IS NULL AND ", value, " IS NULL)) AND ", rest, "))"});
    }
    return rest;
}

std::string assignments(const ApplyShape& shape, std::string_view event) {
    std::vector<ApplyShape::Column> updated;
    std::copy_if(shape.columns.begin(), shape.columns.end(), std::back_inserter(updated),
                 [](const auto& column) { return column.update; });
    return list(updated, ", ", [&](const auto& c) { return text({c.name, " = ", event, ".", c.name}); });
}

std::string select_operations(const ApplyShape& shape, Operations operations) {
    return text({"\nSELECT ", names(shape, "b."), "\n  FROM sluice_batch b\n WHERE ", condition(operations)});
}

}  // namespace

bool ApplyShape::updates() const {
    return std::any_of(columns.begin(), columns.end(), [](const Column& column) { return column.update; });
}

std::string mapped_value(const MapColumn& column) {
    if (column.absent_number == 0) return column.value;
    return text({"CASE WHEN sluice.is_absent(s.ctid, ", std::to_string(column.absent_number),
                 ") THEN NULL ELSE ", column.value, " END"});
}

std::string map_rows(const MapShape& shape) {
    const auto column = [](const MapColumn& c) { return text({c.value, " AS ", c.name}); };
    return text({"SELECT s.ctid AS sluice_position,\n       ", list(shape.columns, ",\n       ", column),
                 from(shape), where(shape)});
}

std::string map_events(const MapShape& shape) {
    const bool unguarded = shape.tombstone_deletes && !shape.tombstone_has_order;
    const std::string update = text({"(", shape.update_condition, ") IS TRUE"});
    const auto column = [&](const MapColumn& c) {
        const std::string value = mapped_value(c);
        return text({c.in_deletes ? value : unless_delete(shape, "NULL", value), " AS ", c.name});
    };
    return text({"SELECT s.ctid AS sluice_position,\n       ",
                 deletes(shape) ? "sluice_event.is_delete" : "false", " AS sluice_delete,\n       ",
                 unguarded ? kIsTombstone : "false", " AS sluice_unguarded,\n       ",
                 shape.update_condition.empty() ? "true" : unless_delete(shape, "false", update),
                 " AS sluice_update,\n       ", list(shape.columns, ",\n       ", column), from(shape),
                 where(shape)});
}

std::string insert_from_source(const ApplyShape& apply, const MapShape& map) {
    const auto value = [](const MapColumn& column) { return column.value; };
    return text(
        {insert_into(apply), "\nSELECT ", list(map.columns, ",\n       ", value), from(map), where(map)});
}

std::string insert_rows(const ApplyShape& shape, Conflict conflict) {
    return text({insert_into(shape), "\nSELECT ", names(shape, "b."), "\n  FROM sluice_batch b",
                 conflict == Conflict::Ignore ? "\nON CONFLICT DO NOTHING" : "", "\nRETURNING true"});
}

std::string lock_rows(const ApplyShape& shape) {
    const auto order = [](const ComparedColumn& c) {
        return text({"b.", c.name, c.collate, " USING ", c.less});
    };
    return text({"SELECT\n  FROM sluice_batch b, ", shape.target, " t\n WHERE ", same_key(shape),
                 "\n ORDER BY ", list(shape.match, ", ", order), "\n   FOR NO KEY UPDATE OF t"});
}

std::string delete_rows(const ApplyShape& shape) {
    std::string guard;
    if (!shape.order.empty()) guard = text({"\n   AND (b.sluice_unguarded OR ", not_older(shape, "b"), ")"});
    return text({"DELETE FROM ", shape.target, " t\n USING sluice_batch b\n WHERE ",
                 condition(Operations::Deletes), " AND ", same_key(shape), guard,
                 "\nRETURNING b.sluice_position"});
}

std::string update_rows(const ApplyShape& shape) {
    const std::string guard = shape.order.empty() ? "" : text({"\n   AND ", not_older(shape, "b")});
    return text({"UPDATE ", shape.target, " t\n   SET ", assignments(shape, "b"),
                 "\n  FROM sluice_batch b\n WHERE ", condition(Operations::Upserts), " AND ", same_key(shape),
                 guard, "\nRETURNING b.sluice_position"});
}

std::string find_rows(const ApplyShape& shape, Operations operations) {
    return text({"SELECT b.sluice_position\n  FROM sluice_batch b\n WHERE ", condition(operations),
                 "\n   AND EXISTS (SELECT FROM ", shape.target, " t WHERE ", same_key(shape), ")"});
}

std::string upsert_on_conflict(const ApplyShape& shape) {
    const std::string guard = shape.order.empty() ? "" : text({"\n WHERE ", not_older(shape, "excluded")});
    return text({insert_into(shape), select_operations(shape, Operations::Upserts), "\nON CONFLICT ",
                 shape.conflict_target, " DO UPDATE SET ", assignments(shape, "excluded"), guard,
                 shape.tell_inserted ? "\nRETURNING t.xmax = 0" : "\nRETURNING NULL::pg_catalog.bool"});
}

std::string insert_on_conflict(const ApplyShape& shape, Operations operations) {
    return text({insert_into(shape), select_operations(shape, operations), "\nON CONFLICT ",
                 shape.conflict_target, " DO NOTHING\nRETURNING true"});
}

}  // namespace sluice
