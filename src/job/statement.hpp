// The SQL with which a batch is written: the map query over the source, the statements that apply its rows.
// Must not know PostgreSQL's catalog: it gets names, operators and expressions that are quoted and qualified
// already. Returns text; it means what it says under search_path "pg_catalog, pg_temp".
#pragma once

#include <string>
#include <vector>

namespace sluice {

// A column of the map query. The source has the alias s.
struct MapColumn {
    std::string name;
    std::string value;
    bool in_deletes = false;  // match and order columns are all that is evaluated of a delete
    int absent_number =
        0;  // for sluice.is_absent: nothing is evaluated of an absent one; 0: always evaluated
};

// The value, or NULL where it is absent.
std::string mapped_value(const MapColumn& column);

// Conditions are empty when there is none.
struct MapShape {
    std::string source;
    std::vector<MapColumn> columns;
    std::string filter;
    std::string update_condition;
    std::string delete_condition;
    bool tombstone_deletes = false;
    bool tombstone_has_order = false;  // order columns come from key or metadata
};

// Every row of the batch that passes the filter, as it is to be written, and before it sluice_position: its
// ordinal in the batch, as the block number of a ctid. What either query yields becomes relation
// sluice_batch.
std::string map_rows(const MapShape& shape);

// The same with three more columns after the position: whether the row is a delete, is newer than every row
// whatever the order columns say, and may update.
std::string map_events(const MapShape& shape);
inline constexpr int kEventColumns = 4;
// Their numbers; those of the rows of map_rows begin after the position.
inline constexpr int kEventPosition = 1;
inline constexpr int kEventDelete = 2;
inline constexpr int kEventUnguarded = 3;
inline constexpr int kEventUpdate = 4;

// A key or order column with the operators of the index that decides. `collate` is " COLLATE …" or empty.
struct ComparedColumn {
    std::string name;
    std::string equal;
    std::string less;     // of match columns
    std::string greater;  // of order columns
    std::string collate;
};

struct ApplyShape {
    struct Column {
        std::string name;
        bool update = false;
    };
    std::string target;
    std::vector<Column> columns;
    std::vector<ComparedColumn> match;
    std::vector<ComparedColumn> order;  // stored in the target
    std::string conflict_target;        // "(id)"
    bool overriding_system_value = false;
    bool ties_are_stale = false;  // an event must be newer than the stored row
    bool tell_inserted = false;   // RETURNING says for each row whether it was inserted

    bool updates() const;  // there is a column to update
};

// Gear 1: the whole of it in one statement, whose INSERT is done without the executor.
std::string insert_from_source(const ApplyShape& apply, const MapShape& map);

// Statements that insert return a row for each row of sluice_batch that they write, right after reading it:
// whether it was inserted, or NULL where the server cannot tell. They need no privilege to read for that.
enum class Conflict { Raise, Ignore };
std::string insert_rows(const ApplyShape& shape, Conflict conflict);

// The operations of sluice_batch: deletes, upserts, rows that are only inserted, and both of these.
enum class Operations { Deletes, Upserts, Inserts, AllButDeletes };

// Locks the stored rows of all operations in key order.
std::string lock_rows(const ApplyShape& shape);
// Return the position of every operation that changed a row.
std::string delete_rows(const ApplyShape& shape);
std::string update_rows(const ApplyShape& shape);
// Returns the position of every operation that has a stored row.
std::string find_rows(const ApplyShape& shape, Operations operations);
std::string upsert_on_conflict(const ApplyShape& shape);
std::string insert_on_conflict(const ApplyShape& shape, Operations operations);

}  // namespace sluice
