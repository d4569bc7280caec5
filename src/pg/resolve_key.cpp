#include "pg/resolve_key.hpp"

#include <algorithm>

#include "pg/system_catalog.hpp"

extern "C" {
#include "access/stratnum.h"
}

namespace sluice {

namespace {

class Key {
  public:
    Key(Resolving& resolving, const std::vector<TargetIndex>& indexes)
        : r_(resolving), job_(resolving.job()), target_(*resolving.target), indexes_(indexes) {
        for (const MappedTarget& column : job_.columns)
            if (column.is_match) match_.push_back(column.attnum);
    }

    void resolve() {
        if (const TargetIndex* index = deciding_index())
            use(*index);
        else
            use_defaults();
        job_.has_probing_index = OidIsValid(job_.unique_index) ||
                                 std::any_of(indexes_.begin(), indexes_.end(),
                                             [&](const TargetIndex& index) { return can_probe(index); });
        for (const std::string& name : r_.spec.order_columns)
            for (size_t i = 0; i < job_.columns.size(); ++i)
                if (job_.columns[i].is_order && job_.columns[i].name == name)
                    job_.order.push_back(by_default(static_cast<int>(i)));
        if (r_.spec.mode == Mode::Merge) check_merge();
    }

  private:
    int column_of(AttrNumber attnum) const {
        for (size_t i = 0; i < job_.columns.size(); ++i)
            if (job_.columns[i].attnum == attnum) return static_cast<int>(i);
        return -1;
    }

    // Indexes of an inheritance parent do not cover the children's rows.
    bool decides(const TargetIndex& index) const {
        return index.unique && index.btree && index.is_on(match_) && index.defect().empty() &&
               !target_.has_children;
    }

    bool like_the_columns(const TargetIndex& index) const {
        return std::all_of(index.keys.begin(), index.keys.end(), [&](const IndexKey& key) {
            return key.collation == job_.columns[column_of(key.attnum)].collation;
        });
    }

    const TargetIndex* deciding_index() const {
        if (match_.empty()) return nullptr;
        const TargetIndex* best = nullptr;
        for (const TargetIndex& index : indexes_) {
            if (!decides(index)) continue;
            if (index.primary) return &index;
            if (best == nullptr || (!like_the_columns(*best) && like_the_columns(index))) best = &index;
        }
        return best;
    }

    static bool same_comparison(const TargetIndex& a, const TargetIndex& b) {
        return std::all_of(a.keys.begin(), a.keys.end(), [&](const IndexKey& key) {
            return std::any_of(b.keys.begin(), b.keys.end(), [&](const IndexKey& other) {
                return other.attnum == key.attnum && other.family == key.family &&
                       other.collation == key.collation;
            });
        });
    }

    void use(const TargetIndex& index) {
        job_.unique_index = index.relation;
        // ON CONFLICT would take every index on the columns, also one that finds more values equal.
        const bool must_choose = std::any_of(indexes_.begin(), indexes_.end(), [&](const TargetIndex& other) {
            return other.relation != index.relation && decides(other) && !same_comparison(index, other);
        });
        for (const IndexKey& key : index.keys) {
            const int column = column_of(key.attnum);
            const Comparison comparison = comparison_of(key.family, key.operand);
            ColumnOrder order = ordered(column, comparison, key.collation);
            if (OidIsValid(key.collation) && key.collation != job_.columns[column].collation)
                order.collate = " COLLATE " + collation_name(key.collation);
            job_.match.push_back(std::move(order));

            job_.conflict_target +=
                (job_.conflict_target.empty() ? "(" : ", ") + quoted_name(job_.columns[column].name);
            if (!must_choose) continue;
            if (OidIsValid(key.collation))
                job_.conflict_target += " COLLATE " + collation_name(key.collation);
            job_.conflict_target += " " + operator_class_name(key.operator_class);
        }
        job_.conflict_target += ")";
    }

    void use_defaults() {
        for (size_t i = 0; i < job_.columns.size(); ++i)
            if (job_.columns[i].is_match) job_.match.push_back(by_default(static_cast<int>(i)));
    }

    ColumnOrder by_default(int column) const {
        const MappedTarget& mapped = job_.columns[column];
        return ordered(column, default_comparison(mapped.type), mapped.collation);
    }

    static ColumnOrder ordered(int column, const Comparison& comparison, Oid collation) {
        ColumnOrder order;
        order.column = column;
        order.equal = comparison.equal;
        order.less = comparison.less;
        order.greater = comparison.greater;
        order.equal_operator = comparison.equal_operator;
        order.less_operator = comparison.less_operator;
        order.collation = collation;
        return order;
    }

    bool can_probe(const TargetIndex& index) const {
        if (!index.valid || index.partial || index.keys.empty() || (!index.btree && !index.hash))
            return false;
        const IndexKey& first = index.keys[0];
        const int16 equality = index.btree ? BTEqualStrategyNumber : HTEqualStrategyNumber;
        return std::any_of(job_.match.begin(), job_.match.end(), [&](const ColumnOrder& match) {
            return job_.columns[match.column].attnum == first.attnum && match.collation == first.collation &&
                   match.equal_operator == call([&] {
                       return get_opfamily_member(first.family, first.operand, first.operand, equality);
                   });
        });
    }

    void check_merge() {
        if (match_.empty() || OidIsValid(job_.unique_index)) return;
        job_.lock_target = true;
        warn_of_unusable();
        if (r_.spec.options.workers > 1)
            r_.problem("22023",
                       "several workers cannot merge into " + target_.name + " without a usable unique index",
                       "Two of them could insert the same key at the same time.",
                       index_hint() + " Or set job option \"workers\" to 1.");
        else
            r_.warning(
                "target " + target_.name + " has no usable unique index on the match columns",
                "Every batch locks the table against other writers, and may read all of it to find rows.",
                index_hint());
    }

    std::string index_hint() const {
        if (target_.has_children)
            return "A partitioned table can have an index that is unique over all its parts.";
        const std::string index = "CREATE UNIQUE INDEX ON " + target_.name + " (" + match_names() + ");";
        if (!target_.partitioned) return index;
        return index + " The match columns must include the partition key for that.";
    }

    std::string match_names() const {
        std::string names;
        for (const ColumnOrder& match : job_.match)
            names += (names.empty() ? "" : ", ") + quoted_name(job_.columns[match.column].name);
        return names;
    }

    void warn_of_unusable() {
        for (const TargetIndex& index : indexes_) {
            if (!index.unique) continue;
            const bool on_expression = std::any_of(index.keys.begin(), index.keys.end(),
                                                   [](const IndexKey& key) { return key.attnum == 0; });
            if (!on_expression && !index.is_on(match_)) continue;
            std::string why = "it does not cover the tables that inherit from " + target_.name;
            if (on_expression)
                why = "it is on an expression";
            else if (!index.defect().empty())
                why = "it is " + index.defect();
            r_.warning("unique index \"" + index.name + "\" cannot tell which row matches: " + why);
        }
    }

    Resolving& r_;
    ResolvedJob& job_;
    const TargetFacts& target_;
    const std::vector<TargetIndex>& indexes_;
    std::vector<AttrNumber> match_;
};

}  // namespace

void resolve_key(Resolving& resolving, const std::vector<TargetIndex>& indexes) {
    Key(resolving, indexes).resolve();
}

}  // namespace sluice
