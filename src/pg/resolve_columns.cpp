#include "pg/resolve_columns.hpp"

#include <algorithm>
#include <set>

#include "pg/system_catalog.hpp"

namespace sluice {

namespace {

struct Mapped {
    MappedTarget result;
    const TargetColumn* target = nullptr;  // unset: an order column of the source only
    bool broken = false;                   // its expression has a problem, so nothing more is said of it
    bool from_value = true;                // needs the message's value
    bool uses_columns = false;
    bool length_is_open = false;
};

class Columns {
  public:
    Columns(Resolving& resolving, const std::vector<TargetIndex>& indexes)
        : r_(resolving),
          spec_(resolving.spec),
          source_(*resolving.source),
          target_(*resolving.target),
          indexes_(indexes) {}

    void resolve() {
        if (spec_.mapping)
            map_as_written();
        else
            map_by_name();
        if (spec_.mode != Mode::Insert) {
            add_order_columns();
            mark_match_columns();
            mark_update_columns();
            check_comparable();
        }
        resolve_tombstone();
        for (Mapped& mapped : mapped_) {
            const MappedTarget& column = mapped.result;
            if (spec_.mode != Mode::Insert && column.attnum != 0 && !column.is_match && !column.is_update)
                r_.job().has_insert_only_columns = true;
            r_.job().columns.push_back(std::move(mapped.result));
        }
    }

  private:
    Mapped* find(const std::string& name) {
        for (Mapped& mapped : mapped_)
            if (mapped.result.name == name) return &mapped;
        return nullptr;
    }

    // The target's column of that name that may be written, or a problem.
    const TargetColumn* writable(const std::string& name) {
        const TargetColumn* column = target_.find(name);
        if (column == nullptr) {
            r_.problem("42703", "column \"" + name + "\" of target " + target_.name + " does not exist", {},
                       column_hint(name, column_names(target_)));
            return nullptr;
        }
        if (column->generated) {
            r_.problem("428C9",
                       "column \"" + name + "\" of target " + target_.name + " is a generated column", {},
                       "The server computes it: leave it out of the mapping.");
            return nullptr;
        }
        return column;
    }

    void add(const TargetColumn& column, Expression& expression) {
        Mapped mapped;
        mapped.target = &column;
        mapped.result.name = column.name;
        mapped.result.attnum = column.attnum;
        mapped.result.type = column.base_type;
        mapped.result.typmod = column.base_typmod;
        mapped.result.collation = column.collation;
        analyse_into(mapped, "mapping of column \"" + column.name + "\"", expression, column.type,
                     column.typmod);
        if (column.identity_always) r_.job().overriding_system_value = true;
        mapped_.push_back(std::move(mapped));
    }

    void analyse_into(Mapped& mapped, const std::string& subject, Expression& expression, Oid type,
                      int32 typmod) {
        const auto analysed = r_.analyse_expression(subject, expression, type, typmod);
        mapped.broken = !analysed;
        if (!analysed) return;
        mapped.result.expression = analysed->qualified;
        mapped.result.value = analysed->value;
        mapped.length_is_open = analysed->length_is_open;
        mapped.result.source_columns = analysed->columns;
        mapped.uses_columns = !analysed->columns.empty();
        mapped.from_value =
            std::any_of(source_.columns.begin(), source_.columns.end(), [&](const auto& column) {
                return column.from_value &&
                       std::binary_search(analysed->columns.begin(), analysed->columns.end(), column.attnum);
            });
    }

    void map_as_written() {
        std::vector<MappedColumn>& mapping = *r_.job().spec.mapping;
        for (MappedColumn& entry : mapping) {
            if (find(entry.column) != nullptr) continue;  // mapped twice: told by check_job
            if (const TargetColumn* column = writable(entry.column))
                add(*column, entry.expression);
            else
                unwritable_.insert(entry.column);
        }
    }

    void map_by_name() {
        for (const TargetColumn& column : target_.columns)
            if (!column.generated && source_.find(column.name) != nullptr) add_by_name(column);
        if (mapped_.empty())
            r_.problem("42703",
                       "source " + source_.name + " and target " + target_.name + " have no column in common",
                       "Without a mapping, columns map by name.",
                       "Give a mapping, such as mapping => '{\"" + first_target_column() + "\": \"...\"}'.");
    }

    std::string first_target_column() const {
        return target_.columns.empty() ? "column" : target_.columns[0].name;
    }

    void add_by_name(const TargetColumn& column) {
        Expression expression{quoted_name(column.name), "s." + quoted_name(column.name)};
        add(column, expression);
    }

    // An order column that the target has is written, so that later batches can compare with it.
    void add_order_columns() {
        for (const std::string& name : spec_.order_columns) {
            const TargetColumn* column = target_.find(name);
            const SourceAttribute* attribute = source_.find(name);
            if (Mapped* mapped = find(name)) {
                mapped->result.is_order = true;
            } else if (column != nullptr && !column->generated && attribute != nullptr) {
                add_by_name(*column);
                mapped_.back().result.is_order = true;
                r_.notice("order column \"" + name + "\" is added to the mapping, by name");
            } else if (unwritable_.count(name) > 0) {
                continue;
            } else if (column != nullptr && column->generated) {
                r_.problem("428C9", "order column \"" + name + "\" is a generated column", {},
                           "Order by a column that the message gives.");
            } else if (column != nullptr) {
                r_.problem("42703", "order column \"" + name + "\" is not mapped", {},
                           "Map it, so that the next message of the same key can be compared with it.");
            } else if (attribute != nullptr) {
                add_source_order(*attribute);
            } else {
                std::vector<std::string> known = column_names(target_);
                for (std::string& other : column_names(source_)) known.push_back(std::move(other));
                r_.problem("42703",
                           "order column \"" + name + "\" exists neither in the target nor in the source", {},
                           column_hint(name, known));
            }
        }
    }

    void add_source_order(const SourceAttribute& attribute) {
        Mapped mapped;
        mapped.result.name = attribute.name;
        mapped.result.typmod = attribute.typmod;
        mapped.result.type =
            call([&] { return getBaseTypeAndTypmod(attribute.type, &mapped.result.typmod); });
        mapped.result.collation = attribute.collation;
        mapped.result.is_order = true;
        Expression expression{quoted_name(attribute.name), "s." + quoted_name(attribute.name)};
        analyse_into(mapped, "order column \"" + attribute.name + "\"", expression, attribute.type,
                     attribute.typmod);
        mapped_.push_back(std::move(mapped));
        r_.warning("order column \"" + attribute.name + "\" is only in the source",
                   "It orders messages that arrive in one batch; a message that comes later always wins over "
                   "the stored row, even an older one.",
                   "Add the column to " + target_.name + " and map it.");
    }

    std::vector<std::string> primary_key() const {
        std::vector<std::string> names;
        for (const TargetIndex& index : indexes_)
            if (index.primary)
                for (const IndexKey& key : index.keys)
                    for (const TargetColumn& column : target_.columns)
                        if (column.attnum == key.attnum) names.push_back(column.name);
        return names;
    }

    void mark_match_columns() {
        const bool by_default = spec_.match_columns.empty();
        const std::vector<std::string> names = by_default ? primary_key() : spec_.match_columns;
        if (names.empty())
            r_.problem("42830",
                       "target " + target_.name + " has no primary key, and the job names no match columns",
                       {}, "Give match_columns: they tell which row of the target a message is about.");
        for (const std::string& name : names) {
            Mapped* mapped = find(name);
            if (mapped != nullptr && mapped->target != nullptr) {
                mapped->result.is_match = true;
                match_.push_back(mapped->target->attnum);
                if (mapped->length_is_open)
                    r_.problem("0A000",
                               "column \"" + name + "\" of type " + mapped->target->type_name +
                                   " cannot be a match column",
                               {}, "Use the type without a length.");
            } else if (unwritable_.count(name) == 0) {
                unmapped("match", name, by_default);
            }
        }
        for (const std::string& name : spec_.order_columns) {
            const Mapped* mapped = find(name);
            if (mapped != nullptr && mapped->result.is_match)
                r_.problem("42701", "column \"" + name + "\" is both a match and an order column", {},
                           "Messages of one key do not differ in it: leave it out of the order columns.");
        }
    }

    // check_job has told of those that a written mapping lacks.
    void unmapped(const std::string& kind, const std::string& name, bool by_default) {
        const std::string what =
            by_default ? "column \"" + name + "\" of the primary key" : kind + " column \"" + name + "\"";
        const TargetColumn* column = target_.find(name);
        if (column == nullptr) {
            if (spec_.mapping && !by_default) return;
            r_.problem("42703", what + " does not exist in target " + target_.name, {},
                       column_hint(name, column_names(target_)));
        } else if (!spec_.mapping) {
            r_.problem("42703", what + " is not mapped: the source has no column of that name", {},
                       "Give a mapping with an expression for it.");
        } else if (by_default) {
            r_.problem("42703", what + " is not in the mapping", {},
                       "A mapping, when given, is the whole mapping: add the column, or give match_columns.");
        }
    }

    void mark_update_columns() {
        const bool by_default = spec_.update_columns.empty();
        if (by_default) {
            for (Mapped& mapped : mapped_)
                if (mapped.target != nullptr && !mapped.result.is_match) mark_default_update(mapped);
        }
        for (const std::string& name : spec_.update_columns) {
            Mapped* mapped = find(name);
            if (mapped == nullptr || mapped->target == nullptr) {
                if (unwritable_.count(name) == 0) unmapped("update", name, false);
            } else if (mapped->target->identity_always) {
                r_.problem("428C9",
                           "column \"" + name + "\" is GENERATED ALWAYS AS IDENTITY and cannot be updated",
                           {}, "Leave it out of the update columns.");
            } else {
                mapped->result.is_update = true;
            }
        }
        for (Mapped& mapped : mapped_) {
            MappedTarget& column = mapped.result;
            if (!column.is_order || column.attnum == 0 || column.is_update || column.is_match) continue;
            column.is_update = true;
            r_.notice(
                "order column \"" + column.name + "\" is added to the update columns",
                "It is always written with them: the next message of the same key is compared with it.");
        }
        const bool updates =
            std::any_of(mapped_.begin(), mapped_.end(), [](const Mapped& m) { return m.result.is_update; });
        if (spec_.mode == Mode::Update && !updates && r_.out.problems.empty())
            r_.problem("22023", "there is no column to update: every mapped column is a match column", {},
                       "Map a further column.");
    }

    void mark_default_update(Mapped& mapped) {
        if (!mapped.target->identity_always) {
            mapped.result.is_update = true;
            return;
        }
        r_.notice("column \"" + mapped.result.name + "\" is written by inserts only",
                  "It is GENERATED ALWAYS AS IDENTITY, which cannot be updated.");
    }

    void check_comparable() {
        for (const Mapped& mapped : mapped_) {
            const MappedTarget& column = mapped.result;
            if ((!column.is_match && !column.is_order) ||
                OidIsValid(default_comparison(column.type).equal_operator))
                continue;
            r_.problem("42883",
                       std::string(column.is_match ? "match" : "order") + " column \"" + column.name +
                           "\": values of type " + type_name(column.type) + " cannot be compared",
                       "The type has no default operator class for btree.",
                       "Map it to a column of another type.");
        }
    }

    static std::string type_name(Oid type) {
        return call([&] { return format_type_be(type); });
    }

    void resolve_tombstone() {
        ResolvedJob& job = r_.job();
        job.source_has_value_columns = source_.has_value_columns();
        job.tombstone_has_order = !spec_.order_columns.empty() &&
                                  std::none_of(mapped_.begin(), mapped_.end(), [](const Mapped& mapped) {
                                      return mapped.result.is_order && mapped.from_value;
                                  });
        bool key_gives_match = false;
        for (const Mapped& mapped : mapped_) {
            if (!mapped.result.is_match) continue;
            key_gives_match = true;
            if (!mapped.from_value && mapped.uses_columns) continue;
            key_gives_match = false;
            break;
        }
        if (spec_.mode != Mode::Merge)
            job.tombstone = Tombstone::Ignore;
        else
            job.tombstone = key_gives_match      ? Tombstone::Delete
                            : source_.of_changes ? Tombstone::Ignore  // the event before it has deleted
                                                 : Tombstone::Error;
        if (spec_.options.tombstone) job.tombstone = *spec_.options.tombstone;
        const bool known =
            !match_.empty() && std::none_of(mapped_.begin(), mapped_.end(), [](const Mapped& mapped) {
                return mapped.result.is_match && mapped.broken;
            });
        if (spec_.mode == Mode::Merge && spec_.options.tombstone == Tombstone::Delete && !key_gives_match &&
            known)
            r_.problem(
                "22023", "a tombstone cannot delete: the match columns do not come from the key",
                "A tombstone is a message without a value, so only its key can tell which row it is about.",
                "Map the match columns to columns with the option source 'key', or set job option "
                "\"tombstone\" to ignore or error.");
        job.deletes =
            spec_.delete_condition.has_value() ||
            (spec_.mode == Mode::Merge && job.tombstone == Tombstone::Delete && job.source_has_value_columns);
    }

    Resolving& r_;
    const JobSpec& spec_;
    const SourceFacts& source_;
    const TargetFacts& target_;
    const std::vector<TargetIndex>& indexes_;
    std::vector<Mapped> mapped_;
    std::set<std::string> unwritable_;  // named in the mapping and refused there
    std::vector<AttrNumber> match_;
};

}  // namespace

void resolve_columns(Resolving& resolving, const std::vector<TargetIndex>& indexes) {
    Columns(resolving, indexes).resolve();
}

}  // namespace sluice
