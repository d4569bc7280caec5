#include <algorithm>

#include "pg/key_fold.hpp"

extern "C" {
#include "catalog/pg_operator.h"
#include "port.h"
}

namespace sluice {

namespace {

AttrNumber attribute(const ColumnOrder& column) {
    return static_cast<AttrNumber>(kEventColumns + 1 + column.column);
}

template <class Items>
void make_room(Items& items, size_t count) {
    if (items.capacity() < items.size() + count) items.reserve(2 * items.capacity() + count);
}

}  // namespace

void Round::add(FoldOperation::Kind kind) {
    switch (kind) {
        case FoldOperation::Kind::Delete:
            ++deletes;
            break;
        case FoldOperation::Kind::Upsert:
            ++upserts;
            break;
        case FoldOperation::Kind::InsertOnly:
            ++inserts;
            break;
        case FoldOperation::Kind::Partial:
            ++partials;
            break;
    }
}

KeyFold::KeyFold(const ResolvedJob& job, RowOutcomes& outcomes, const AbsentValues& absent)
    : job_(job),
      outcomes_(outcomes),
      absent_(absent),
      mode_(job.spec.mode == Mode::Update ? FoldMode::Update : FoldMode::Merge),
      match_(job.match.size()),
      order_(job.order.size()) {
    // So that folding a single event does not allocate.
    folded_.operations.reserve(1);
    folded_.unchanged.reserve(1);
}

void KeyFold::prepare_comparison(SortSupportData& support, const ColumnOrder& column) {
    support = SortSupportData{};
    support.ssup_cxt = CurrentMemoryContext;
    support.ssup_collation = column.collation;
    support.ssup_nulls_first = true;  // NULL is the lowest
    support.ssup_attno = attribute(column);
    PrepareSortSupportFromOrderingOp(column.less_operator, &support);
}

void KeyFold::open(TupleDesc shape) {
    shape_ = shape;
    const size_t keys = match_.size() + 1;
    auto* columns = static_cast<AttrNumber*>(palloc(keys * sizeof(AttrNumber)));
    auto* operators = static_cast<Oid*>(palloc(keys * sizeof(Oid)));
    auto* collations = static_cast<Oid*>(palloc(keys * sizeof(Oid)));
    auto* nulls_first = static_cast<bool*>(palloc0(keys * sizeof(bool)));
    for (size_t i = 0; i < match_.size(); ++i) {
        columns[i] = attribute(job_.match[i]);
        operators[i] = job_.match[i].less_operator;
        collations[i] = job_.match[i].collation;
        prepare_comparison(match_[i], job_.match[i]);
    }
    columns[match_.size()] = kEventPosition;
    operators[match_.size()] = TIDLessOperator;
    collations[match_.size()] = InvalidOid;
    for (size_t i = 0; i < order_.size(); ++i) prepare_comparison(order_[i], job_.order[i]);

    sort_ = tuplesort_begin_heap(shape, static_cast<int>(keys), columns, operators, collations, nulls_first,
                                 work_mem, nullptr, TUPLESORT_NONE);
    ahead_ = MakeSingleTupleTableSlot(shape, &TTSOpsMinimalTuple);
    whole_ = MakeSingleTupleTableSlot(shape, &TTSOpsVirtual);
    rank_memory_ = AllocSetContextCreate(CurrentMemoryContext, "sluice key", ALLOCSET_DEFAULT_SIZES);
}

bool KeyFold::read() { return has_ahead_ = tuplesort_gettupleslot(sort_, true, true, ahead_, nullptr); }

TupleTableSlot*& KeyFold::group_slot(uint32_t index) {
    if (index == capacity_) {
        const uint32_t capacity = capacity_ == 0 ? 8 : 2 * capacity_;
        const Size bytes = capacity * sizeof(TupleTableSlot*);
        group_ =
            static_cast<TupleTableSlot**>(group_ == nullptr ? palloc(bytes) : repalloc_huge(group_, bytes));
        for (; capacity_ < capacity; ++capacity_)
            group_[capacity_] = MakeSingleTupleTableSlot(shape_, &TTSOpsMinimalTuple);
    }
    return group_[index];
}

bool KeyFold::same_key(TupleTableSlot* a, TupleTableSlot* b) {
    for (SortSupportData& support : match_) {
        bool a_null;
        bool b_null;
        const Datum a_value = slot_getattr(a, support.ssup_attno, &a_null);
        const Datum b_value = slot_getattr(b, support.ssup_attno, &b_null);
        if (ApplySortComparator(a_value, a_null, b_value, b_null, &support) != 0) return false;
    }
    return true;
}

FoldEvent KeyFold::event_of(TupleTableSlot* slot) const {
    bool null;
    FoldEvent event;
    event.is_delete = DatumGetBool(slot_getattr(slot, kEventDelete, &null));
    event.guarded = !order_.empty() && !DatumGetBool(slot_getattr(slot, kEventUnguarded, &null));
    event.update = DatumGetBool(slot_getattr(slot, kEventUpdate, &null));
    event.absent = absent_.empty() ? 0 : absent_.set_of(row_number(slot));
    return event;
}

// Places the keys that have one event, and stops with a key that has several; false at the end.
bool KeyFold::collect() {
    while (has_ahead_) {
        CHECK_FOR_INTERRUPTS();
        std::swap(group_slot(0), ahead_);
        count_ = 1;
        while (read() && same_key(group_[0], ahead_)) std::swap(group_slot(count_++), ahead_);
        if (count_ > 1) return true;
        place_single();
    }
    return false;
}

void KeyFold::place_single() {
    const FoldEvent event = event_of(group_[0]);
    const auto no_other = [](uint32_t, uint32_t) { return 0; };
    fold_key(std::span(&event, 1), mode_, no_other, folded_);
    const bool is_operation = !folded_.operations.empty();
    outcomes_.set(row_number(group_[0]), is_operation ? Outcome::Unmatched : Outcome::Unchanged);
    if (!is_operation) return;
    first_.add(folded_.operations[0].kind);
    relation_->put(group_[0]);
}

int KeyFold::compare_ranked(const void* a, const void* b, void* fold) {
    auto* self = static_cast<KeyFold*>(fold);
    const size_t columns = self->order_.size();
    const NullableDatum* left = self->order_values_ + *static_cast<const uint32_t*>(a) * columns;
    const NullableDatum* right = self->order_values_ + *static_cast<const uint32_t*>(b) * columns;
    for (size_t i = 0; i < columns; ++i) {
        const int order = ApplySortComparator(left[i].value, left[i].isnull, right[i].value, right[i].isnull,
                                              &self->order_[i]);
        if (order != 0) return order;
    }
    return 0;
}

// The fold compares ranks, so that no operator class, which may raise, runs below C++ frames.
void KeyFold::rank_group() {
    const size_t columns = order_.size();
    MemoryContextReset(rank_memory_);
    order_values_ = static_cast<NullableDatum*>(
        MemoryContextAllocHuge(rank_memory_, count_ * columns * sizeof(NullableDatum)));
    auto* sorted = static_cast<uint32_t*>(MemoryContextAllocHuge(rank_memory_, count_ * sizeof(uint32_t)));
    for (uint32_t i = 0; i < count_; ++i) {
        sorted[i] = i;
        for (size_t c = 0; c < columns; ++c) {
            NullableDatum& value = order_values_[i * columns + c];
            value.value = slot_getattr(group_[i], order_[c].ssup_attno, &value.isnull);
        }
    }
    qsort_arg(sorted, count_, sizeof(uint32_t), compare_ranked, this);
    uint32_t rank = 0;
    for (uint32_t i = 0; i < count_; ++i) {
        if (i > 0 && compare_ranked(&sorted[i - 1], &sorted[i], this) != 0) ++rank;
        ranks_[sorted[i]] = rank;
    }
}

void KeyFold::describe_group() {
    for (uint32_t i = 0; i < count_; ++i) events_[i] = event_of(group_[i]);
    if (!order_.empty()) rank_group();
}

// A row that is inserted keeps the key and the insert-only columns of the event that inserted it first.
TupleTableSlot* KeyFold::row_of(const FoldOperation& operation) {
    TupleTableSlot* event = group_[operation.event];
    if (operation.kind != FoldOperation::Kind::Upsert || operation.first == operation.event) return event;
    TupleTableSlot* first = group_[operation.first];
    slot_getallattrs(event);
    slot_getallattrs(first);
    ExecClearTuple(whole_);
    for (int i = 0; i < shape_->natts; ++i) {
        const bool from_event = i < kEventColumns || job_.columns[i - kEventColumns].is_update ||
                                job_.columns[i - kEventColumns].is_order;
        const TupleTableSlot* from = from_event ? event : first;
        whole_->tts_values[i] = from->tts_values[i];
        whole_->tts_isnull[i] = from->tts_isnull[i];
    }
    return ExecStoreVirtualTuple(whole_);
}

void KeyFold::place_group() {
    for (uint32_t i = 0; i < count_; ++i) outcomes_.set(row_number(group_[i]), Outcome::Superseded);
    for (const uint32_t i : folded_.unchanged) outcomes_.set(row_number(group_[i]), Outcome::Unchanged);
    for (uint32_t i = 0; i < folded_.operations.size(); ++i) {
        const FoldOperation& operation = folded_.operations[i];
        outcomes_.set(row_number(group_[operation.event]), Outcome::Unmatched);
        if (operation.kind == FoldOperation::Kind::Partial && operation.first != operation.event)
            first_rows_.emplace_back(row_number(group_[operation.event]),
                                     row_number(group_[operation.first]));  // within capacity
        TupleTableSlot* row = row_of(operation);
        if (i == 0) {
            first_.add(operation.kind);
            relation_->put(row);
        } else {
            late_.push_back({i, operation.kind, ExecCopySlotMinimalTuple(row)});  // within capacity
        }
    }
}

Round KeyFold::fold(RowRelation& operations) {
    relation_ = &operations;
    call([&] {
        tuplesort_performsort(sort_);
        read();
    });
    while (call([&] { return collect(); })) {
        events_.resize(count_);
        ranks_.resize(count_);
        call([&] { describe_group(); });
        const auto compare = [&](uint32_t a, uint32_t b) {
            return ranks_[a] < ranks_[b] ? -1 : static_cast<int>(ranks_[a] > ranks_[b]);
        };
        fold_key(events_, mode_, compare, folded_);
        make_room(late_, folded_.operations.size());
        make_room(first_rows_, folded_.operations.size());
        call([&] { place_group(); });
    }
    std::stable_sort(late_.begin(), late_.end(),
                     [](const LateOperation& a, const LateOperation& b) { return a.round < b.round; });
    call([&] { tuplesort_end(sort_); });
    return first_;
}

size_t KeyFold::first_row(size_t operation) const {
    const auto found = std::find_if(first_rows_.begin(), first_rows_.end(),
                                    [&](const auto& rows) { return rows.first == operation; });
    return found == first_rows_.end() ? operation : found->second;
}

bool KeyFold::next_round(RowRelation& operations, Round& round) {
    if (next_late_ == late_.size()) return false;
    round = {};
    const uint32_t number = late_[next_late_].round;
    call([&] {
        operations.clear();
        for (; next_late_ < late_.size() && late_[next_late_].round == number; ++next_late_) {
            operations.put(late_[next_late_].tuple);
            round.add(late_[next_late_].kind);
        }
    });
    return true;
}

}  // namespace sluice
