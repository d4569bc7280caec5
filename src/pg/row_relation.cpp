#include "pg/row_relation.hpp"

namespace sluice {

namespace {

char relation_name[] = "sluice_batch";

}  // namespace

void RowRelation::open(TupleDesc shape) {
    rows_ = tuplestore_begin_heap(true, false, work_mem);
    slot_ = MakeSingleTupleTableSlot(shape, &TTSOpsMinimalTuple);
    relation_.md.name = relation_name;
    relation_.md.reliddesc = InvalidOid;
    relation_.md.tupdesc = shape;
    relation_.md.enrtype = ENR_NAMED_TUPLESTORE;
    relation_.reldata = rows_;
    environment_ = create_queryEnv();
    register_ENR(environment_, &relation_);
}

void RowRelation::put(TupleTableSlot* slot) {
    tuplestore_puttupleslot(rows_, slot);
    ++size_;
}

void RowRelation::put(MinimalTuple tuple) {
    ExecStoreMinimalTuple(tuple, slot_, false);
    put(slot_);
    ExecClearTuple(slot_);
}

void RowRelation::clear() {
    tuplestore_clear(rows_);
    size_ = 0;
}

void RowRelation::close() {
    ExecDropSingleTupleTableSlot(slot_);
    tuplestore_end(rows_);
    rows_ = nullptr;
}

QueryEnvironment* RowRelation::environment() {
    relation_.md.enrtuples = static_cast<double>(size_);
    return environment_;
}

}  // namespace sluice
