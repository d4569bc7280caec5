// A job as values: what is written in SQL arguments, in YAML and in sluice.job.definition means one of these.
// Must not know PostgreSQL's catalog: names are names here, the roof resolves and checks them.
// Plain values, owned by whoever holds them.
#pragma once

#include "base/types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sluice {

enum class Mode { Insert, Update, Merge };
enum class OnConflict { Error, Ignore };
enum class Tombstone { Delete, Ignore, Error };
enum class Fallback { Error, Earliest, Latest };

// An SQL expression over the source's columns: as the person wrote it, and as PostgreSQL deparsed it with
// every name qualified. The second is what runs; it is empty until the roof has analysed the first.
struct Expression {
    std::string written;
    std::string qualified;
    friend bool operator==(const Expression&, const Expression&) = default;
};

struct MappedColumn {
    std::string column;  // of the target
    Expression expression;
    friend bool operator==(const MappedColumn&, const MappedColumn&) = default;
};

// Where to start or to stop. `Offsets` names partitions one by one; those not named follow Earliest (start)
// or Never (stop).
struct Position {
    enum class Kind { Earliest, Latest, Group, Never, Timestamp, Offsets };
    Kind kind = Kind::Earliest;
    int64_t timestamp_ms = 0;
    std::map<int32_t, int64_t> offsets;
    friend bool operator==(const Position&, const Position&) = default;
};

// How many rejects a job bears: a count, a share of the last `error_window` messages, or any number.
struct ErrorLimit {
    enum class Kind { Count, Percent, Unlimited };
    Kind kind = Kind::Count;
    int64_t count = 0;
    double percent = 0;
    friend bool operator==(const ErrorLimit&, const ErrorLimit&) = default;
};

// The job options of SQL and YAML, same words; times in milliseconds unless the name says otherwise.
struct JobOptions {
    std::optional<int64_t> max_count;  // messages in a batch; unset: adaptive up to 100,000
    std::optional<int64_t> max_bytes;  // unset: a quarter of `memory`
    int64_t interval_ms = 10;
    int32_t workers = 1;
    Position start{Position::Kind::Earliest, 0, {}};
    Position stop{Position::Kind::Never, 0, {}};
    Fallback fallback_offset = Fallback::Error;
    ErrorLimit error_limit;
    int64_t error_window = 10'000;
    OnConflict on_conflict = OnConflict::Error;
    std::string consistency =
        "exactly";  // accepted spellings are kept for the round trip; all mean exactly once
    std::optional<Tombstone> tombstone;
    std::string synchronous_commit = "on";
    int64_t max_rate = 0;  // messages a second for the whole job; 0: no limit
    std::string group_id;
    int64_t memory = 64LL * 1024 * 1024;
    int64_t retry_interval_ms = 1'000;
    int32_t max_retries = -1;
    int64_t lag_threshold_ms = 5 * 60 * 1'000;
    std::optional<std::string>
        upsert;  // 'on_conflict' forces INSERT … ON CONFLICT where a BEFORE trigger forbids it
    friend bool operator==(const JobOptions&, const JobOptions&) = default;
};

struct JobSpec {
    std::string name;
    std::string description;
    std::string source;  // as written or qualified; the roof resolves it
    std::string target;
    Mode mode = Mode::Insert;
    std::vector<std::string> match_columns;   // empty: the primary key (update and merge)
    std::vector<std::string> update_columns;  // empty: all mapped columns that are not match columns
    std::vector<std::string> order_columns;
    std::optional<std::vector<MappedColumn>> mapping;  // unset: columns map by name
    std::optional<Expression> filter;
    std::optional<Expression> update_condition;
    std::optional<Expression> delete_condition;
    JobOptions options;
    std::map<std::string, std::string> hints;  // accepted and kept for the round trip only (POLL, HOST, PORT)
    std::map<std::string, std::string> settings;  // TimeZone, DateStyle, IntervalStyle at definition
    friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

}  // namespace sluice
