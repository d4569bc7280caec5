#include "pg/choose_write.hpp"

#include <algorithm>
#include <set>

#include "pg/system_catalog.hpp"

namespace sluice {

namespace {

class Choice {
  public:
    Choice(Resolving& resolving, const OwnerRights& rights)
        : r_(resolving), job_(resolving.job()), target_(*resolving.target), rights_(rights) {}

    void choose() {
        job_.inserted_is_known = !target_.partitioned && rights_.reads_target;
        if (r_.spec.mode == Mode::Merge) choose_upsert();
        choose_gear();
        tell_surprises();
    }

  private:
    const MappedTarget* mapped(const std::string& name) const {
        for (const MappedTarget& column : job_.columns)
            if (column.attnum != 0 && column.name == name) return &column;
        return nullptr;
    }

    // Written from the event that decides, whether the row is there or not.
    bool is_decided(const std::string& name) const {
        const TargetColumn* column = target_.find(name);
        if (column != nullptr && column->generated)
            return std::all_of(column->generated_from.begin(), column->generated_from.end(),
                               [&](const std::string& base) { return is_decided(base); });
        const MappedTarget* found = mapped(name);
        return found != nullptr && (found->is_match || found->is_update);
    }

    void choose_upsert() {
        const std::string objection = on_conflict_objection();
        if (objection.empty()) {
            const std::string index = call([&] { return get_rel_name(job_.unique_index); });
            job_.upsert = UpsertWay::OnConflict;
            job_.upsert_reason = "unique index " + quoted_name(index) + " decides";
        } else {
            job_.upsert = UpsertWay::UpdateThenInsert;
            job_.upsert_reason = objection;
        }
    }

    // ON CONFLICT checks the row that it would insert before it sees that a row is there. So everything that
    // this row must fulfil has to hold for updates too. Empty when it can be used.
    std::string on_conflict_objection() const {
        if (!OidIsValid(job_.unique_index)) return "there is no usable unique index on the match columns";
        if (target_.has_rules) return "the target has rules";
        // PostgreSQL asks for it where "excluded" is read.
        if (!rights_.reads_updates) return "the job's owner may not read the update columns";
        if (!target_.foreign_partition.empty())
            return "partition " + target_.foreign_partition + " is a foreign table";
        if (!target_.before_insert_trigger.empty() && r_.spec.options.upsert != "on_conflict")
            return "trigger " + quoted_name(target_.before_insert_trigger) +
                   " would run for rows that are updated";
        for (const TargetColumn& column : target_.columns) {
            const std::string why = column_objection(column);
            if (!why.empty()) return "column " + quoted_name(column.name) + " " + why;
        }
        for (const TargetCheck& check : target_.checks)
            for (const std::string& column : check.columns)
                if (!is_decided(column))
                    return "constraint " + quoted_name(check.name) +
                           " looks at more than the match and update columns";
        return {};
    }

    std::string column_objection(const TargetColumn& column) const {
        const bool constrained = column.not_null || column.constrained_domain;
        if (!constrained || is_decided(column.name)) return {};
        if (column.generated) return "is NOT NULL and computed from more than the match and update columns";
        if (mapped(column.name) != nullptr) return "is constrained and written by inserts only";
        if (column.default_kind == DefaultKind::None && !column.identity)
            return "is NOT NULL, has no default and is not mapped";
        return {};
    }

    void choose_gear() {
        const std::string objection = direct_objection();
        job_.gear = objection.empty() ? Gear::Direct : Gear::Statement;
        job_.gear_reason = objection.empty() ? "nothing needs to see the rows one by one" : objection;
    }

    std::string direct_objection() const {
        if (r_.spec.mode == Mode::Update) return "the mode is update";
        if (r_.spec.mode == Mode::Merge) return "the mode is merge";
        if (r_.spec.options.on_conflict == OnConflict::Ignore)
            return "rows that are there already are to be ignored";
        if (!target_.distributing_extension.empty())
            return "extension " + target_.distributing_extension + " distributes the target";
        if (!target_.not_heap.empty()) return target_.not_heap + " has another access method than heap";
        if (!target_.foreign_partition.empty())
            return "partition " + target_.foreign_partition + " is a foreign table";
        if (target_.row_security) return "row security applies to the job's owner";
        if (target_.has_rules) return "the target has rules";
        if (!target_.before_insert_trigger.empty())
            return "trigger " + quoted_name(target_.before_insert_trigger) + " runs before each row";
        if (!target_.transition_trigger.empty())
            return "trigger " + quoted_name(target_.transition_trigger) + " wants the table of inserted rows";
        for (const TargetColumn& column : target_.columns)
            if (column.default_kind == DefaultKind::Volatile && !column.generated &&
                mapped(column.name) == nullptr)
                return "the default of column " + quoted_name(column.name) + " is volatile";
        if (r_.is_volatile_beyond_nextval) return "an expression is volatile";
        if (r_.has_subselect) return "an expression has a sub-select";
        if (!rights_.inserts_anywhere) return "the job's owner may insert into some columns only";
        return {};
    }

    void tell_surprises() {
        if (target_.unlogged)
            r_.warning("target " + target_.name + " is unlogged",
                       "After a crash of the server it is empty, while the job goes on from its offsets.",
                       "ALTER TABLE ... SET LOGGED, or set the offsets back after a crash.");
        if (r_.spec.mode == Mode::Update) return;
        for (const TargetColumn& column : target_.columns) {
            if (column.generated || mapped(column.name) != nullptr) continue;
            if (column.not_null && column.default_kind == DefaultKind::None && !column.identity &&
                target_.before_insert_trigger.empty())
                r_.warning("column \"" + column.name + "\" is NOT NULL, has no default and is not mapped",
                           "Every insert will fail.", "Map the column.");
            if (r_.spec.mode == Mode::Merge && column.default_kind == DefaultKind::Sequence &&
                job_.upsert == UpsertWay::OnConflict)
                r_.notice("every message takes a value of the sequence of column \"" + column.name + "\"",
                          "Those of messages that update a row are lost.");
        }
    }

    Resolving& r_;
    ResolvedJob& job_;
    const TargetFacts& target_;
    const OwnerRights& rights_;
};

}  // namespace

void choose_write(Resolving& resolving, const OwnerRights& rights) { Choice(resolving, rights).choose(); }

}  // namespace sluice
