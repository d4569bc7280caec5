#include "pg/statement_shape.hpp"

namespace sluice {

namespace {

std::string quoted(const std::string& name) {
    return call([&] { return quote_identifier(name.c_str()); });
}

std::string qualified(const std::optional<Expression>& expression) {
    return expression ? expression->qualified : std::string();
}

MapShape without_columns(const ResolvedJob& job) {
    MapShape shape;
    shape.source = job.source_name;
    shape.filter = qualified(job.spec.filter);
    shape.update_condition = qualified(job.spec.update_condition);
    shape.delete_condition = qualified(job.spec.delete_condition);
    shape.tombstone_deletes = job.source_has_value_columns && job.tombstone == Tombstone::Delete;
    shape.tombstone_has_order = job.tombstone_has_order;
    return shape;
}

ComparedColumn compared(const ResolvedJob& job, const ColumnOrder& order) {
    return {quoted(job.columns[order.column].name), order.equal, order.less, order.greater, order.collate};
}

}  // namespace

MapShape map_shape(const ResolvedJob& job) {
    MapShape shape = without_columns(job);
    int number = 0;
    for (const MappedTarget& c : job.columns) {
        ++number;
        const bool evaluated = !c.may_be_absent || c.is_plain;
        shape.columns.push_back({quoted(c.name), c.value, c.is_match || c.is_order, evaluated ? 0 : number});
    }
    return shape;
}

MapShape assignment_shape(const ResolvedJob& job) {
    MapShape shape = without_columns(job);
    for (const MappedTarget& c : job.columns) shape.columns.push_back({quoted(c.name), c.expression});
    return shape;
}

ApplyShape apply_shape(const ResolvedJob& job) {
    ApplyShape shape;
    shape.target = job.target_name;
    for (const MappedTarget& c : job.columns)
        if (c.attnum != 0)
            shape.columns.push_back({quoted(c.name), c.is_update || (c.is_order && !c.is_match)});
    for (const ColumnOrder& key : job.match) shape.match.push_back(compared(job, key));
    for (const ColumnOrder& order : job.order) {
        // What follows an order column that is not stored cannot be compared with a stored row.
        if (job.columns[order.column].attnum == 0) break;
        shape.order.push_back(compared(job, order));
    }
    shape.conflict_target = job.conflict_target;
    shape.overriding_system_value = job.overriding_system_value;
    shape.tell_inserted = job.inserted_is_known;
    shape.ties_are_stale = job.ties_are_stale;
    return shape;
}

}  // namespace sluice
