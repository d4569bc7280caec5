#include "pg/resolved_job.hpp"

#include <algorithm>
#include <optional>

#include "pg/choose_write.hpp"
#include "pg/identity.hpp"
#include "pg/owner_rights.hpp"
#include "pg/resolve_columns.hpp"
#include "pg/resolve_key.hpp"
#include "pg/resolving.hpp"
#include "pg/system_catalog.hpp"

namespace sluice {

namespace {

template <class Facts>
std::optional<Facts> keep(Result<Facts> found, std::vector<Error>& problems) {
    if (found) return std::move(found).value();
    problems.push_back(std::move(found.error()));
    return std::nullopt;
}

void resolve_conditions(Resolving& resolving) {
    JobSpec& spec = resolving.job().spec;
    auto condition = [&](const char* subject, std::optional<Expression>& expression) {
        if (!expression) return;
        const auto analysed = resolving.analyse_expression(subject, *expression, BOOLOID, -1);
        if (!analysed) return;
        for (const AttrNumber column : analysed->columns)
            resolving.job().absent.needed.push_back({column, subject});
    };
    condition("filter", spec.filter);
    condition("update_condition", spec.update_condition);
    condition("delete_condition", spec.delete_condition);
}

// What finds the row and what decides over the event must be known. Everything else may be absent, if a
// stored row can keep what it has.
void resolve_absent(Resolving& resolving) {
    ResolvedJob& job = resolving.job();
    const SourceFacts& source = *resolving.source;
    job.absent.accepted = source.may_leave_absent && resolving.spec.mode != Mode::Insert;
    if (!job.absent.accepted) return;
    std::vector<NeededColumn>& needed = job.absent.needed;
    for (const MappedTarget& column : job.columns) {
        if (!column.is_match && !column.is_order) continue;
        const std::string user =
            std::string(column.is_match ? "match" : "order") + " column \"" + column.name + "\"";
        for (const AttrNumber attnum : column.source_columns) needed.push_back({attnum, user});
    }
    for (const SourceAttribute& attribute : source.columns)
        if (!attribute.from_value || !attribute.is_field) needed.push_back({attribute.attnum, "the key"});

    const auto is_needed = [&](AttrNumber attnum) {
        return std::any_of(needed.begin(), needed.end(),
                           [&](const NeededColumn& column) { return column.attnum == attnum; });
    };
    for (MappedTarget& column : job.columns) {
        column.may_be_absent =
            !std::all_of(column.source_columns.begin(), column.source_columns.end(), is_needed);
        if (!column.may_be_absent || column.source_columns.size() != 1) continue;
        const auto read = std::find_if(
            source.columns.begin(), source.columns.end(),
            [&](const SourceAttribute& known) { return known.attnum == column.source_columns.front(); });
        column.is_plain = read != source.columns.end() && column.value == "s." + quoted_name(read->name);
    }
}

void check_target_for_mode(Resolving& resolving) {
    const JobSpec& spec = resolving.spec;
    const TargetFacts& target = *resolving.target;
    if (spec.mode == Mode::Merge && target.row_security)
        resolving.problem("0A000",
                          "a job cannot merge into " + target.name + ": row security applies to its owner",
                          "A policy may hide a stored row, which would then be inserted again.",
                          "Let a role own the job to which row security does not apply: the table's owner, "
                          "or one with BYPASSRLS.");
    if (spec.mode == Mode::Insert && spec.options.on_conflict == OnConflict::Ignore &&
        target.has_deferrable_unique)
        resolving.problem("0A000",
                          "job option \"on_conflict\" cannot be ignore: target " + target.name +
                              " has a deferrable constraint",
                          "PostgreSQL finds its violations too late to leave a row out.",
                          "Make the constraint NOT DEFERRABLE.");
}

// A change event tells a deletion by its operation, so a merge job needs no delete condition of its own.
void complete_delete_condition(Resolving& resolving, JobSpec& spec) {
    if (spec.mode != Mode::Merge || spec.delete_condition || !resolving.source->of_changes) return;
    if (resolving.source->op_column.empty()) {
        resolving.problem("42703", "source " + resolving.source->name + " has no column that tells deletions",
                          "Its format is one of changes, and this job has no delete_condition.",
                          "Add one: ALTER FOREIGN TABLE ... ADD COLUMN op text OPTIONS (metadata 'op'). To "
                          "leave deleted rows as they are, set delete_condition to 'false'.");
        return;
    }
    const std::string column = call([&] { return quote_identifier(resolving.source->op_column.c_str()); });
    const std::string condition = column + " = 'd'";
    spec.delete_condition = Expression{condition, {}};
    resolving.job().spec.delete_condition = spec.delete_condition;
    resolving.notice("delete_condition is " + condition);
}

// `spec` is the one that `resolving` sees.
void resolve(Resolving& resolving, JobSpec& spec) {
    Resolution& out = resolving.out;
    check_owner(resolving);

    resolving.source = keep(find_source(resolving.spec.source), out.problems);
    resolving.target = keep(find_target(resolving.spec.target), out.problems);
    const auto& source = resolving.source;
    const auto& target = resolving.target;
    if (source) {
        complete_delete_condition(resolving, spec);
        out.job.source = source->relation;
        out.job.spec.source = out.job.source_name = source->name;
    }
    if (target) {
        out.job.target = target->relation;
        out.job.spec.target = out.job.target_name = target->name;
        out.job.target_is_partitioned = target->partitioned;
        check_target_for_mode(resolving);
    }
    if (source && target) {
        const std::vector<TargetIndex> indexes = load_indexes(target->relation);
        resolve_columns(resolving, indexes);
        if (resolving.spec.mode != Mode::Insert) resolve_key(resolving, indexes);
    }
    if (source) resolve_conditions(resolving);
    if (source) resolve_absent(resolving);
    if (source && target) choose_write(resolving, check_rights(resolving));
}

}  // namespace

Resolution resolve_job(const JobSpec& spec, Oid owner, Expressions expressions) {
    Resolution resolution;
    resolution.job.spec = spec;
    resolution.job.owner = owner;
    JobSpec completed = spec;
    Resolving resolving{completed, expressions, resolution, {}, {}, {}};
    resolving.owner_name = quoted_name(call([&] { return GetUserNameFromId(owner, false); }));
    RunAs as_owner(owner);
    resolve(resolving, completed);
    return resolution;
}

Error combine(const std::vector<Error>& problems) {
    if (problems.size() == 1) return problems.front();
    Error all = Error::config(problems.front().sqlstate,
                              "the job has " + std::to_string(problems.size()) + " problems");
    for (const Error& problem : problems) {
        if (problem.sqlstate != all.sqlstate) all.sqlstate = "22023";
        if (!all.detail.empty()) all.detail += "\n";
        all.detail += "- " + problem.message;
        if (!problem.detail.empty()) all.detail += " (" + problem.detail + ")";
        if (!problem.hint.empty()) all.detail += " HINT: " + problem.hint;
    }
    return all;
}

}  // namespace sluice
