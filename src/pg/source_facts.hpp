// What a job's definition needs to know of its source: columns, where they come from, the server.
// Must not know the target, nor read options that only a decoder needs.
// Plain values.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

struct SourceAttribute {
    AttrNumber attnum = 0;
    std::string name;
    Oid type = InvalidOid;  // as declared
    int32 typmod = -1;
    Oid collation = InvalidOid;
    bool from_value = true;  // false: from the key or from metadata, which a tombstone has too
    bool is_field = true;    // false: from metadata or a header
};

struct SourceFacts {
    Oid relation = InvalidOid;
    std::string name;  // qualified and quoted
    Oid server = InvalidOid;
    std::string server_name;
    std::vector<SourceAttribute> columns;
    bool of_changes = false;        // its messages tell changes of rows
    bool may_leave_absent = false;  // an update in them need not tell every column
    std::string op_column;          // the one that tells the operation of such a message; empty: none

    const SourceAttribute* find(const std::string& column) const;
    bool has_value_columns() const;
};

Result<SourceFacts> find_source(const std::string& name);

}  // namespace sluice
