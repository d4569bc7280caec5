#include <algorithm>

#include "pg/apply_statements.hpp"
#include "pg/statement_shape.hpp"

extern "C" {
#include "storage/itemptr.h"
}

namespace sluice {

namespace {

void ignore_start(DestReceiver*, int, TupleDesc) {}
void ignore(DestReceiver*) {}

DestReceiver receiver_calling(bool (*receive)(TupleTableSlot*, DestReceiver*)) {
    return {receive, ignore_start, ignore, ignore, DestNone};
}

// Marks the positions that come in and counts those that were not marked.
struct MarkingReceiver {
    DestReceiver base = receiver_calling(receive);
    uint8_t* marks;
    int64_t count = 0;

    static bool receive(TupleTableSlot* slot, DestReceiver* base) {
        auto* self = reinterpret_cast<MarkingReceiver*>(base);
        bool null;
        const auto* position = reinterpret_cast<ItemPointer>(DatumGetPointer(slot_getattr(slot, 1, &null)));
        uint8_t& mark = self->marks[ItemPointerGetBlockNumberNoCheck(position)];
        self->count += mark == 0;
        mark = 1;
        return true;
    }
};

// Counts rows that are true.
struct CountingReceiver {
    DestReceiver base = receiver_calling(receive);
    int64_t count = 0;

    static bool receive(TupleTableSlot* slot, DestReceiver* base) {
        bool null;
        reinterpret_cast<CountingReceiver*>(base)->count += DatumGetBool(slot_getattr(slot, 1, &null));
        return true;
    }
};

}  // namespace

ApplyStatements::ApplyStatements(const ResolvedJob& job) : job_(job) {
    const ApplyShape shape = apply_shape(job);
    is_guarded_ = !shape.order.empty();
    if (job.spec.mode == Mode::Insert) {
        const bool ignore = job.spec.options.on_conflict == OnConflict::Ignore;
        insert_.emplace(insert_rows(shape, ignore ? Conflict::Ignore : Conflict::Raise));
        return;
    }

    const auto joins =
        job.has_probing_index ? CachedStatement::Joins::ProbeIndex : CachedStatement::Joins::ReadOnce;
    const bool merge = job.spec.mode == Mode::Merge;
    const bool on_conflict = merge && job.upsert == UpsertWay::OnConflict;
    // Locking needs the privilege to update, which a job that has nothing to update need not have.
    if (shape.updates() && !job.lock_target) lock_.emplace(lock_rows(shape), joins);
    if (job.deletes) delete_.emplace(delete_rows(shape), joins);
    if (job.deletes && is_guarded_) find_deletes_.emplace(find_rows(shape, Operations::Deletes), joins);
    if (on_conflict && shape.updates()) {
        upsert_.emplace(upsert_on_conflict(shape));
    } else if (shape.updates()) {
        update_.emplace(update_rows(shape), joins);
    }
    if (!merge) {
        if (is_guarded_) find_upserts_.emplace(find_rows(shape, Operations::Upserts), joins);
        return;
    }
    const auto insert = on_conflict ? insert_on_conflict : insert_absent;
    if (!upsert_) insert_upserts_.emplace(insert(shape, Operations::Upserts), joins);
    if (job.spec.update_condition) insert_only_.emplace(insert(shape, Operations::Inserts), joins);
}

void ApplyStatements::insert(RowRelation& rows, RowCounts& counts) {
    if (rows.size() == 0) return;
    const auto inserted = static_cast<int64_t>(insert_->run(None_Receiver, rows.environment()));
    counts.inserted += inserted;
    counts.written += inserted;
    counts.unchanged += rows.size() - inserted;
}

void ApplyStatements::begin(size_t messages) { marks_.assign(messages, 0); }

bool ApplyStatements::needs_locks(const Round& round, bool has_more_rounds) const {
    return lock_ && (round.kinds() > 1 || has_more_rounds);
}

void ApplyStatements::lock(RowRelation& operations) { lock_->run(None_Receiver, operations.environment()); }

void ApplyStatements::apply(RowRelation& operations, const Round& round, RowCounts& counts) {
    if (round.deletes > 0) apply_deletes(operations, round.deletes, counts);
    if (round.upserts > 0) {
        if (job_.spec.mode == Mode::Update) {
            apply_updates(operations, round.upserts, counts);
        } else {
            apply_upserts(operations, round.upserts, counts);
        }
    }
    if (round.inserts > 0) apply_inserts(operations, round.inserts, counts);
}

int64_t ApplyStatements::run_marking(CachedStatement& statement, RowRelation& operations) {
    MarkingReceiver receiver;
    receiver.marks = marks_.data();
    statement.run(&receiver.base, operations.environment());
    return receiver.count;
}

void ApplyStatements::apply_deletes(RowRelation& operations, int64_t count, RowCounts& counts) {
    const int64_t deleted = run_marking(*delete_, operations);
    const int64_t stale = find_deletes_ && deleted < count ? run_marking(*find_deletes_, operations) : 0;
    counts.deleted += deleted;
    counts.stale += stale;
    counts.unmatched += count - deleted - stale;
}

void ApplyStatements::apply_updates(RowRelation& operations, int64_t count, RowCounts& counts) {
    const int64_t updated = run_marking(*update_, operations);
    const int64_t stale = find_upserts_ && updated < count ? run_marking(*find_upserts_, operations) : 0;
    counts.updated += updated;
    counts.written += updated;
    counts.stale += stale;
    counts.unmatched += count - updated - stale;
}

void ApplyStatements::apply_upserts(RowRelation& operations, int64_t count, RowCounts& counts) {
    int64_t written = 0;
    if (upsert_) {
        CountingReceiver inserted;
        written = static_cast<int64_t>(upsert_->run(&inserted.base, operations.environment()));
        counts.split_known &= job_.inserted_is_known;
        counts.inserted += inserted.count;
        counts.updated += written - inserted.count;
    } else {
        const int64_t updated = update_ ? run_marking(*update_, operations) : 0;
        const auto inserted =
            static_cast<int64_t>(insert_upserts_->run(None_Receiver, operations.environment()));
        counts.inserted += inserted;
        counts.updated += updated;
        written = inserted + updated;
    }
    counts.written += written;
    // Without order columns only a trigger, a policy or the lack of update columns keeps a row as it is.
    (is_guarded_ ? counts.stale : counts.unchanged) += count - written;
}

void ApplyStatements::apply_inserts(RowRelation& operations, int64_t count, RowCounts& counts) {
    const auto inserted = static_cast<int64_t>(insert_only_->run(None_Receiver, operations.environment()));
    counts.inserted += inserted;
    counts.written += inserted;
    counts.unchanged += count - inserted;
}

std::vector<std::string> ApplyStatements::explain(RowRelation& empty) {
    std::vector<std::string> texts;
    for (std::optional<CachedStatement>* statement :
         {&lock_, &delete_, &find_deletes_, &update_, &find_upserts_, &upsert_, &insert_upserts_,
          &insert_only_, &insert_})
        if (*statement) texts.push_back((*statement)->explain(empty.environment()));
    return texts;
}

}  // namespace sluice
