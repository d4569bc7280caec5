#include "pg/apply_statements.hpp"

#include "pg/statement_shape.hpp"

namespace sluice {

namespace {

void ignore_start(DestReceiver*, int, TupleDesc) {}
void ignore(DestReceiver*) {}

DestReceiver receiver_calling(bool (*receive)(TupleTableSlot*, DestReceiver*)) {
    return {receive, ignore_start, ignore, ignore, DestNone};
}

// For positions.
struct MarkingReceiver {
    DestReceiver base = receiver_calling(receive);
    RowOutcomes* outcomes;
    Outcome outcome;
    int64_t count = 0;

    static bool receive(TupleTableSlot* slot, DestReceiver* base) {
        auto* self = reinterpret_cast<MarkingReceiver*>(base);
        const size_t row = row_number(slot);
        if (self->outcomes->at(row) != Outcome::Unmatched) return true;
        self->outcomes->set(row, self->outcome);
        ++self->count;
        return true;
    }
};

// For what an INSERT returns.
struct InsertedReceiver : CachedStatement::InsertReceiver {
    RowOutcomes* outcomes;
    int64_t count = 0;

    explicit InsertedReceiver(RowOutcomes& outcomes)
        : InsertReceiver{receiver_calling(receive)}, outcomes(&outcomes) {}

    static bool receive(TupleTableSlot* slot, DestReceiver* base) {
        auto* self = static_cast<InsertedReceiver*>(reinterpret_cast<InsertReceiver*>(base));
        bool unknown;
        const bool inserted = DatumGetBool(slot_getattr(slot, 1, &unknown));
        self->outcomes->set(row_number(self->read), unknown    ? Outcome::Written
                                                    : inserted ? Outcome::Inserted
                                                               : Outcome::Updated);
        ++self->count;
        return true;
    }
};

bool is_of_kind(TupleTableSlot* slot, Operations kind) {
    bool null;
    const bool is_delete = DatumGetBool(slot_getattr(slot, kEventDelete, &null));
    if (is_delete || kind == Operations::Deletes) return is_delete == (kind == Operations::Deletes);
    if (kind == Operations::AllButDeletes) return true;
    return DatumGetBool(slot_getattr(slot, kEventUpdate, &null)) == (kind == Operations::Upserts);
}

}  // namespace

ApplyStatements::ApplyStatements(const ResolvedJob& job)
    : job_(job),
      joins_(job.has_probing_index ? CachedStatement::Joins::ProbeIndex : CachedStatement::Joins::ReadOnce) {
    const ApplyShape shape = apply_shape(job);
    is_guarded_ = !shape.order.empty();
    const bool merge = job.spec.mode == Mode::Merge;
    const bool on_conflict = merge && job.upsert == UpsertWay::OnConflict;
    if (job.spec.mode == Mode::Insert) {
        const bool ignore = job.spec.options.on_conflict == OnConflict::Ignore;
        insert_.emplace(insert_rows(shape, ignore ? Conflict::Ignore : Conflict::Raise));
        return;
    }

    // Locking needs the privilege to update, which a job that has nothing to update need not have.
    if (shape.updates() && !job.lock_target) lock_.emplace(lock_rows(shape), joins_);
    if (job.deletes) delete_.emplace(delete_rows(shape), joins_);
    if (job.deletes && is_guarded_) find_deletes_.emplace(find_rows(shape, Operations::Deletes), joins_);
    if (job.absent.accepted) find_partials_.emplace(find_rows(shape, Operations::AllButDeletes), joins_);
    if (on_conflict) {
        upsert_.emplace(shape.updates() ? upsert_on_conflict(shape)
                                        : insert_on_conflict(shape, Operations::Upserts));
        if (job.spec.update_condition) insert_only_.emplace(insert_on_conflict(shape, Operations::Inserts));
        return;
    }
    if (shape.updates()) update_.emplace(update_rows(shape), joins_);
    if (merge || is_guarded_) find_upserts_.emplace(find_rows(shape, Operations::Upserts), joins_);
    if (!merge) return;
    insert_.emplace(insert_rows(shape, Conflict::Raise));
    if (job.spec.update_condition) find_inserts_.emplace(find_rows(shape, Operations::Inserts), joins_);
}

int64_t ApplyStatements::mark(CachedStatement& statement, const Task& task, Outcome outcome) {
    MarkingReceiver receiver{.outcomes = &task.outcomes, .outcome = outcome};
    statement.run(&receiver.base, task.operations.environment());
    return receiver.count;
}

int64_t ApplyStatements::mark_inserted(CachedStatement& statement, RowRelation& rows, RowOutcomes& outcomes) {
    InsertedReceiver receiver(outcomes);
    statement.run_insert(receiver, rows.environment());
    return receiver.count;
}

void ApplyStatements::settle(const Task& task, Operations kind, Outcome outcome) {
    call([&] {
        task.operations.visit([&](TupleTableSlot* slot) {
            const size_t row = row_number(slot);
            if (task.outcomes.at(row) == Outcome::Unmatched && is_of_kind(slot, kind))
                task.outcomes.set(row, outcome);
        });
    });
}

void ApplyStatements::insert(RowRelation& rows, RowOutcomes& outcomes) {
    if (rows.size() > 0) mark_inserted(*insert_, rows, outcomes);
}

bool ApplyStatements::needs_locks(const Round& round, bool has_more_rounds) const {
    return lock_ && (round.kinds() > 1 || has_more_rounds);
}

void ApplyStatements::lock(RowRelation& operations) { lock_->run(None_Receiver, operations.environment()); }

void ApplyStatements::apply(RowRelation& operations, const Round& round, RowOutcomes& outcomes,
                            const AbsentValues& absent) {
    if (round.partials > 0) {
        apply_partials(operations, round, outcomes, absent);
    } else {
        apply_whole(operations, round, outcomes);
    }
}

void ApplyStatements::apply_whole(RowRelation& operations, const Round& round, RowOutcomes& outcomes) {
    if (round.deletes > 0) apply_deletes({operations, outcomes, round.deletes});
    if (round.upserts > 0) {
        const Task upserts{operations, outcomes, round.upserts};
        if (job_.spec.mode == Mode::Update) {
            apply_updates(upserts);
        } else {
            apply_upserts(upserts);
        }
    }
    if (round.inserts > 0) apply_inserts({operations, outcomes, round.inserts});
}

void ApplyStatements::apply_deletes(const Task& task) {
    const int64_t deleted = mark(*delete_, task, Outcome::Deleted);
    if (find_deletes_ && deleted < task.count) mark(*find_deletes_, task, Outcome::Stale);
}

void ApplyStatements::apply_updates(const Task& task) {
    const int64_t updated = mark(*update_, task, Outcome::Updated);
    if (find_upserts_ && updated < task.count) mark(*find_upserts_, task, Outcome::Stale);
}

void ApplyStatements::apply_upserts(const Task& task) {
    if (!upsert_) return update_then_insert(task);
    const int64_t written = mark_inserted(*upsert_, task.operations, task.outcomes);
    // Without order columns only a trigger, a policy or the lack of update columns keeps a row as it is.
    if (written < task.count)
        settle(task, Operations::Upserts, is_guarded_ ? Outcome::Stale : Outcome::Unchanged);
}

void ApplyStatements::apply_inserts(const Task& task) {
    if (!insert_only_) {
        mark(*find_inserts_, task, Outcome::Unchanged);
        insert_absent(task, Operations::Inserts);
        return;
    }
    const int64_t inserted = mark_inserted(*insert_only_, task.operations, task.outcomes);
    if (inserted < task.count) settle(task, Operations::Inserts, Outcome::Unchanged);
}

void ApplyStatements::update_then_insert(const Task& task) {
    const int64_t updated = update_ ? mark(*update_, task, Outcome::Updated) : 0;
    if (updated == task.count) return;
    const Outcome present = is_guarded_ ? Outcome::Stale : Outcome::Unchanged;
    const int64_t found = mark(*find_upserts_, task, present);
    if (found > 0 && update_ && !job_.lock_target) update_rows_inserted_since(*update_, task, present);
    if (updated + found < task.count) insert_absent(task, Operations::Upserts);
}

// Another session may have inserted them after the update took its snapshot. They are never seen by the
// insert.
void ApplyStatements::update_rows_inserted_since(CachedStatement& update, const Task& task, Outcome present) {
    RowRelation found;
    open_with(found, task, Operations::Upserts, present);
    call([&] {
        found.visit([&](TupleTableSlot* slot) { task.outcomes.set(row_number(slot), Outcome::Unmatched); });
    });
    const Task again{found, task.outcomes, found.size()};
    mark(update, again, Outcome::Updated);
    settle(again, Operations::Upserts, present);
    call([&] { found.close(); });
}

void ApplyStatements::open_with(RowRelation& rows, const Task& task, Operations kind, Outcome outcome) {
    call([&] {
        rows.open(task.operations.shape());
        task.operations.visit([&](TupleTableSlot* slot) {
            if (task.outcomes.at(row_number(slot)) == outcome && is_of_kind(slot, kind)) rows.put(slot);
        });
    });
}

void ApplyStatements::insert_absent(const Task& task, Operations kind) {
    RowRelation absent;
    open_with(absent, task, kind, Outcome::Unmatched);
    if (absent.size() > 0 && mark_inserted(*insert_, absent, task.outcomes) < absent.size())
        settle(task, kind, Outcome::Unchanged);
    call([&] { absent.close(); });
}

std::vector<std::string> ApplyStatements::explain(RowRelation& empty) {
    std::vector<std::string> texts;
    for (std::optional<CachedStatement>* statement :
         {&lock_, &delete_, &find_deletes_, &update_, &upsert_, &find_upserts_, &find_inserts_, &insert_only_,
          &insert_})
        if (*statement) texts.push_back((*statement)->explain(empty.environment()));
    explain_partials(empty, texts);
    return texts;
}

}  // namespace sluice
