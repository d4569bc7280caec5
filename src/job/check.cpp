#include "job/check.hpp"

#include "job/words.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace sluice {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool maps(const std::vector<MappedColumn>& mapping, const std::string& name) {
    return std::any_of(mapping.begin(), mapping.end(),
                       [&](const auto& column) { return column.column == name; });
}

class Checker {
  public:
    explicit Checker(const JobSpec& job) : job_(job) {}

    std::vector<Problem> all() && {
        parts_of_the_mode();
        columns("match_columns", job_.match_columns);
        columns("update_columns", job_.update_columns);
        columns("order_columns", job_.order_columns);
        for (const auto& name : job_.update_columns)
            if (contains(job_.match_columns, name))
                add("update_columns", "42701", "column \"" + name + "\" is both a match and an update column",
                    "A matched row has that value already; leave it out of the update columns.");
        if (job_.mapping) mapping(*job_.mapping);
        options();
        return std::move(problems_);
    }

  private:
    void add(std::string_view field, std::string sqlstate, std::string message, std::string hint = {}) {
        problems_.push_back(
            {field, Error::config(std::move(sqlstate), std::move(message), {}, std::move(hint))});
    }

    void no_meaning(std::string_view field, std::string_view name, bool given, std::string_view modes) {
        if (!given) return;
        add(field, "22023",
            std::string(name) + " in " + std::string(word_for(kModes, job_.mode)) +
                " mode would have no effect",
            "Leave it out, or choose " + std::string(modes) + " mode.");
    }

    void parts_of_the_mode() {
        const JobOptions& options = job_.options;
        if (job_.mode == Mode::Insert) {
            no_meaning("match_columns", "a list of match columns", !job_.match_columns.empty(),
                       "update or merge");
            no_meaning("update_columns", "a list of update columns", !job_.update_columns.empty(),
                       "update or merge");
            no_meaning("order_columns", "a list of order columns", !job_.order_columns.empty(),
                       "update or merge");
            no_meaning("update_condition", "an update condition", job_.update_condition.has_value(),
                       "update or merge");
        } else {
            no_meaning("on_conflict", "job option \"on_conflict\"", options.on_conflict != OnConflict::Error,
                       "insert");
        }
        if (job_.mode == Mode::Merge) return;
        no_meaning("delete_condition", "a delete condition", job_.delete_condition.has_value(), "merge");
        no_meaning("tombstone", "job option \"tombstone\" set to delete",
                   options.tombstone == std::optional(Tombstone::Delete), "merge");
        no_meaning("upsert", "job option \"upsert\"", options.upsert.has_value(), "merge");
    }

    void columns(std::string_view field, const std::vector<std::string>& names) {
        std::set<std::string_view> seen;
        for (const std::string& name : names)
            if (!seen.insert(name).second) add(field, "42701", "column \"" + name + "\" is named twice");
    }

    void mapping(const std::vector<MappedColumn>& mapping) {
        if (mapping.empty())
            add("mapping", "22023", "the mapping names no column", "Without a mapping, columns map by name.");
        std::set<std::string_view> seen;
        for (const MappedColumn& column : mapping)
            if (!seen.insert(column.column).second)
                add("mapping", "42701", "column \"" + column.column + "\" is mapped twice");
        must_be_mapped("match_columns", "match", job_.match_columns);
        must_be_mapped("update_columns", "update", job_.update_columns);
    }

    void must_be_mapped(std::string_view field, std::string_view kind,
                        const std::vector<std::string>& names) {
        for (const std::string& name : names)
            if (!maps(*job_.mapping, name))
                add(field, "42703", std::string(kind) + " column \"" + name + "\" is not in the mapping",
                    "A mapping, when given, is the whole mapping: add the column to it.");
    }

    void options() {
        const JobOptions& options = job_.options;
        if (options.start.kind == Position::Kind::Group && options.group_id.empty())
            add("start", "22023", "job option \"start\" is group, but no consumer group is named",
                "Set job option \"group_id\" (in YAML also group.id in PROPERTIES).");
        if (options.max_bytes && *options.max_bytes > options.memory)
            add("max_bytes", "22023", "job option \"max_bytes\" is greater than job option \"memory\"",
                "A batch must fit into the job's memory.");
    }

    const JobSpec& job_;
    std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check_job(const JobSpec& job) { return Checker(job).all(); }

}  // namespace sluice
