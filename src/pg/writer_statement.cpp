#include <algorithm>

#include "pg/writer_statement.hpp"

#include "pg/batch_memory.hpp"
#include "pg/bookkeeping.hpp"
#include "pg/deferred_constraints.hpp"
#include "pg/relation_watch.hpp"
#include "pg/source_scan.hpp"
#include "pg/statement_shape.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
}

namespace sluice {

namespace {

// The columns that are compared with the target's have its collations, so that comparing is never ambiguous.
TupleDesc shape_of(TupleDesc mapped, const ResolvedJob& job) {
    TupleDesc shape = CreateTupleDescCopy(mapped);
    const int first = shape->natts - static_cast<int>(job.columns.size());
    for (size_t i = 0; i < job.columns.size(); ++i) {
        const Form_pg_attribute attribute = TupleDescAttr(shape, first + static_cast<int>(i));
        if (attribute->atttypid != job.columns[i].type)
            elog(ERROR, "column \"%s\" is mapped as %s instead of %s", job.columns[i].name.c_str(),
                 format_type_be(attribute->atttypid), format_type_be(job.columns[i].type));
        attribute->attcollation = job.columns[i].collation;
    }
    return shape;
}

void do_nothing(DestReceiver*) {}

// Hands the mapped rows to something with `open(TupleDesc)` and `put(TupleTableSlot *)`.
template <class Rows>
struct MapReceiver {
    DestReceiver base = {receive, start, do_nothing, do_nothing, DestNone};
    Rows* rows;

    explicit MapReceiver(Rows& rows) : rows(&rows) {}
    static void start(DestReceiver* base, int, TupleDesc mapped) {
        reinterpret_cast<MapReceiver*>(base)->rows->open(mapped);
    }
    static bool receive(TupleTableSlot* slot, DestReceiver* base) {
        reinterpret_cast<MapReceiver*>(base)->rows->put(slot);
        return true;
    }
};

// The rows of insert mode, in message order.
struct InsertedRows {
    const ResolvedJob& job;
    RowOutcomes& outcomes;
    RowRelation relation{};
    MemoryContext memory = CurrentMemoryContext;

    void open(TupleDesc mapped) {
        MemoryContext outside = MemoryContextSwitchTo(memory);
        relation.open(shape_of(mapped, job));
        MemoryContextSwitchTo(outside);
    }
    void put(TupleTableSlot* slot) {
        outcomes.set(row_number(slot), Outcome::Unchanged);  // unless it is inserted
        relation.put(slot);
    }
};

[[noreturn]] void refuse_null(const char* column) {
    ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("match column \"%s\" is null", column),
                    errdetail("Without a value in every match column there is no row to merge with."),
                    errhint("Map the column to an expression that is never null, or filter such messages."),
                    err_generic_string(PG_DIAG_COLUMN_NAME, column)));
}

}  // namespace

// What is known of the events of a batch, and the operations that they fold to.
struct StatementWriter::Events {
    const ResolvedJob& job;
    BatchReader& reader;
    RowOutcomes& outcomes{reader.outcomes()};
    KeyFold fold{job, outcomes, reader.absent()};
    RowRelation operations{};  // of the first round
    Round first{};
    MemoryContext memory = CurrentMemoryContext;

    // Plain C, for the receiver.
    void open(TupleDesc mapped) {
        MemoryContext outside = MemoryContextSwitchTo(memory);
        TupleDesc shape = shape_of(mapped, job);
        operations.open(shape);
        fold.open(shape);
        MemoryContextSwitchTo(outside);
    }
    void put(TupleTableSlot* slot) {
        for (const ColumnOrder& key : job.match) {
            if (!slot_attisnull(slot, kEventColumns + 1 + key.column)) continue;
            if (job.spec.mode == Mode::Merge) refuse_null(job.columns[key.column].name.c_str());
            outcomes.set(row_number(slot), Outcome::Unmatched);
            return;
        }
        fold.put(slot);
    }
};

StatementWriter::StatementWriter(const ResolvedJob& job)
    : job_(job),
      map_(job_.spec.mode == Mode::Insert ? map_rows(map_shape(job_)) : map_events(map_shape(job_))),
      apply_(job_) {}

void StatementWriter::run_map(BatchReader& reader, DestReceiver* receiver) {
    maps_row_by_row_ = false;
    try {
        call([&] {
            const CachedStatement::Lease lease = map_.acquire(nullptr);
            maps_row_by_row_ = reads_row_by_row(lease.planned->planTree);
            map_.execute(lease.planned, receiver, nullptr);
            CachedStatement::give_back(lease);
            CommandCounterIncrement();
        });
    } catch (...) {
        if (!maps_row_by_row_) reader.blame(std::nullopt);
        throw;
    }
}

void StatementWriter::write(BatchReader& reader) {
    PinnedPath path;
    BatchMemory memory;
    reader.blame(std::nullopt);
    reader.set_stage(Stage::Write);
    lock_unchanged_target(job_.target);
    if (job_.lock_target) {
        // All partitions, too: nothing else keeps two writers from inserting the same key.
        call([&] { find_all_inheritors(job_.target, ShareRowExclusiveLock, nullptr); });
    }
    if (job_.spec.mode == Mode::Insert) {
        insert(reader);
    } else {
        merge(reader);
    }
    reader.set_stage(Stage::Commit);
    check_deferred_constraints();
}

void StatementWriter::insert(BatchReader& reader) {
    InsertedRows rows{job_, reader.outcomes()};
    {
        SourceScan scan(job_, reader);
        MapReceiver receiver(rows);
        reader.set_stage(Stage::Map);
        run_map(reader, &receiver.base);
    }
    reader.blame(std::nullopt);
    reader.set_stage(Stage::Write);
    apply_.insert(rows.relation, reader.outcomes());
    call([&] { rows.relation.close(); });
}

void StatementWriter::merge(BatchReader& reader) {
    Events events{job_, reader};
    {
        SourceScan scan(job_, reader);
        MapReceiver receiver(events);
        reader.set_stage(Stage::Map);
        run_map(reader, &receiver.base);
    }
    reader.blame(std::nullopt);
    events.first = events.fold.fold(events.operations);
    reader.set_stage(Stage::Write);
    apply(events);
    call([&] { events.operations.close(); });
}

void StatementWriter::apply(Events& events) {
    const bool may_collide =
        job_.spec.mode == Mode::Merge && job_.upsert == UpsertWay::UpdateThenInsert && !job_.lock_target;
    if (may_collide) {
        const RowOutcomes before = events.outcomes;
        spi::Subtransaction attempt;
        try {
            apply_once(events);
            attempt.release();
            return;
        } catch (const PgError& e) {
            Error error = to_error(e.record, Stage::Write);
            attempt.rollback();  // which takes the record along
            if (error.sqlstate != "23505") fail(std::move(error));
            events.outcomes = before;
        }
    }
    apply_once(events);
}

void StatementWriter::apply_once(Events& events) {
    if (apply_.needs_locks(events.first, events.fold.has_more_rounds())) apply_.lock(events.operations);
    apply_round(events, events.operations, events.first);
    if (!events.fold.has_more_rounds()) return;

    RowRelation operations;
    Round round;
    call([&] { operations.open(events.operations.shape()); });
    events.fold.rewind();
    while (events.fold.next_round(operations, round)) apply_round(events, operations, round);
    call([&] { operations.close(); });
}

void StatementWriter::apply_round(Events& events, RowRelation& operations, const Round& round) {
    const AbsentValues& absent = events.reader.absent();
    apply_.apply(operations, round, events.outcomes, absent);
    if (round.partials == 0 || job_.spec.mode == Mode::Update) return;

    constexpr size_t kNone = SIZE_MAX;
    size_t missing = kNone;
    call([&] {
        operations.visit([&](TupleTableSlot* slot) {
            const size_t row = row_number(slot);
            if (events.outcomes.at(row) == Outcome::Unmatched && is_partial(slot, absent))
                missing = std::min(missing, events.fold.first_row(row));
        });
    });
    if (missing == kNone) return;
    events.reader.blame(events.reader.message_of(missing));
    fail(missing_row(job_, absent, absent.set_of(missing)));
}

std::vector<std::string> StatementWriter::explain() {
    PinnedPath path;
    BatchMemory memory;
    std::vector<std::string> texts{map_.explain(nullptr)};
    RowRelation empty;
    call([&] {
        const CachedStatement::Lease lease = map_.acquire(nullptr);
        empty.open(shape_of(map_.row_shape(), job_));
        CachedStatement::give_back(lease);
    });
    for (std::string& text : apply_.explain(empty)) texts.push_back(std::move(text));
    call([&] { empty.close(); });
    return texts;
}

}  // namespace sluice
