#include "pg/multi_insert.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/tableam.h"
#include "commands/trigger.h"
#include "executor/nodeModifyTable.h"
}

namespace sluice {

namespace {

// The way to write was chosen for another definition; with the next attempt it is chosen anew.
void check_definition(const ResultRelInfo* table) {
    const TriggerDesc* triggers = table->ri_TrigDesc;
    const bool unfit =
        table->ri_FdwRoutine != nullptr ||
        (triggers != nullptr && (triggers->trig_insert_before_row || triggers->trig_insert_instead_row ||
                                 triggers->trig_insert_new_table));
    if (unfit)
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("the definition of table \"%s\" has changed while a batch was written",
                               RelationGetRelationName(table->ri_RelationDesc))));
}

}  // namespace

void MultiInsert::open(PlannedStmt* planned, BatchReader& reader) {
    reader_ = &reader;
    estate_ = CreateExecutorState();
    MemoryContext outside = MemoryContextSwitchTo(estate_->es_query_cxt);
    compat::init_range_table(estate_, planned);
    command_ = estate_->es_output_cid = GetCurrentCommandId(true);

    const auto* modify = castNode(ModifyTable, planned->planTree);
    target_ = makeNode(ResultRelInfo);
    ExecInitResultRelation(estate_, target_, linitial_int(modify->resultRelations));
    check_definition(target_);
    ExecOpenIndices(target_, false);

    state_ = makeNode(ModifyTableState);
    state_->ps.state = estate_;
    state_->operation = CMD_INSERT;
    state_->mt_nrels = 1;
    state_->resultRelInfo = target_;
    state_->rootResultRelInfo = target_;
    Relation relation = target_->ri_RelationDesc;
    if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        routing_ = ExecSetupPartitionTupleRouting(estate_, relation);
    row_ = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);

    reader.set_stage(Stage::Write);
    AfterTriggerBeginQuery();
    ExecBSInsertTriggers(estate_, target_);
    reader.set_stage(Stage::Map);
    MemoryContextSwitchTo(outside);
}

ResultRelInfo* MultiInsert::route(TupleTableSlot* row) {
    if (routing_ == nullptr) return target_;
    return ExecFindPartition(state_, target_, routing_, row, estate_);
}

void MultiInsert::check(ResultRelInfo* table, TupleTableSlot* row) {
    Relation relation = table->ri_RelationDesc;
    row->tts_tableOid = RelationGetRelid(relation);
    const TupleConstr* constraints = relation->rd_att->constr;
    if (constraints != nullptr && constraints->has_generated_stored)
        ExecComputeStoredGenerated(table, estate_, row, CMD_INSERT);
    if (constraints != nullptr) ExecConstraints(table, row, estate_);
    if (routing_ == nullptr && relation->rd_rel->relispartition)
        ExecPartitionCheck(table, row, estate_, true);
}

MultiInsert::Leaf* MultiInsert::leaf_of(ResultRelInfo* table) {
    // The executor keeps this field for COPY, which is not at work on these ResultRelInfos.
    if (table->ri_CopyMultiInsertBuffer != nullptr)
        return reinterpret_cast<Leaf*>(table->ri_CopyMultiInsertBuffer);
    if (table != target_) check_definition(table);
    auto* leaf = static_cast<Leaf*>(palloc0(sizeof(Leaf)));
    table->ri_CopyMultiInsertBuffer = reinterpret_cast<CopyMultiInsertBuffer*>(leaf);
    leaf->table = table;
    leaf->bulk = GetBulkInsertState();
    leaf->next = leaves_;
    leaves_ = leaf;
    ++leaf_count_;
    return leaf;
}

void MultiInsert::put(TupleTableSlot* row) {
    MemoryContext outside = MemoryContextSwitchTo(estate_->es_query_cxt);
    ResetPerTupleExprContext(estate_);
    reader_->set_stage(Stage::Write);
    reader_->blame(reader_->current());
    // The plan's slot is not ours to change, and may have another row type.
    slot_getallattrs(row);
    ExecClearTuple(row_);
    const size_t columns = row_->tts_tupleDescriptor->natts;
    memcpy(row_->tts_values, row->tts_values, columns * sizeof(Datum));
    memcpy(row_->tts_isnull, row->tts_isnull, columns * sizeof(bool));
    ExecStoreVirtualTuple(row_);

    ResultRelInfo* table = route(row_);
    TupleTableSlot* routed = routing_ == nullptr ? row_ : compat::to_partition(table, row_, estate_);
    check(table, routed);

    Leaf* leaf = leaf_of(table);
    TupleTableSlot*& slot = leaf->slots[leaf->rows];
    if (slot == nullptr) slot = table_slot_create(table->ri_RelationDesc, nullptr);
    ExecCopySlot(slot, routed);
    slot->tts_tableOid = routed->tts_tableOid;
    leaf->messages[leaf->rows++] = reader_->current();
    ++rows_;
    bytes_ += reinterpret_cast<HeapTupleTableSlot*>(slot)->tuple->t_len;
    if (rows_ >= kMaxRows || bytes_ >= kMaxBytes) flush();
    reader_->set_stage(Stage::Map);
    MemoryContextSwitchTo(outside);
}

void MultiInsert::flush() {
    for (Leaf* leaf = leaves_; leaf != nullptr; leaf = leaf->next)
        if (leaf->rows > 0) flush(*leaf);
    rows_ = 0;
    bytes_ = 0;
    while (leaf_count_ > kMaxLeaves) {
        Leaf* last = leaves_;
        leaves_ = last->next;
        --leaf_count_;
        close(*last);
    }
}

void MultiInsert::flush(Leaf& leaf) {
    MemoryContext outside = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
    ResultRelInfo* table = leaf.table;
    reader_->blame(std::nullopt);
    table_multi_insert(table->ri_RelationDesc, leaf.slots, leaf.rows, command_, 0, leaf.bulk);
    const bool fires = table->ri_TrigDesc != nullptr && table->ri_TrigDesc->trig_insert_after_row;
    if (table->ri_NumIndices > 0 || fires) {
        for (int i = 0; i < leaf.rows; ++i) {
            reader_->blame(leaf.messages[i]);
            List* recheck = NIL;
            if (table->ri_NumIndices > 0)
                recheck = compat::insert_index_tuples(table, leaf.slots[i], estate_);
            if (fires) ExecARInsertTriggers(estate_, table, leaf.slots[i], recheck, nullptr);
        }
        reader_->blame(std::nullopt);
    }
    for (int i = 0; i < leaf.rows; ++i) ExecClearTuple(leaf.slots[i]);
    leaf.rows = 0;
    MemoryContextSwitchTo(outside);
    ResetPerTupleExprContext(estate_);
}

void MultiInsert::close(Leaf& leaf) {
    table_finish_bulk_insert(leaf.table->ri_RelationDesc, 0);
    FreeBulkInsertState(leaf.bulk);
    for (TupleTableSlot* slot : leaf.slots)
        if (slot != nullptr) ExecDropSingleTupleTableSlot(slot);
    leaf.table->ri_CopyMultiInsertBuffer = nullptr;
    pfree(&leaf);
}

void MultiInsert::finish() {
    MemoryContext outside = MemoryContextSwitchTo(estate_->es_query_cxt);
    reader_->set_stage(Stage::Write);
    flush();
    while (leaves_ != nullptr) {
        Leaf* leaf = leaves_;
        leaves_ = leaf->next;
        close(*leaf);
    }
    reader_->blame(std::nullopt);
    ExecASInsertTriggers(estate_, target_, nullptr);
    AfterTriggerEndQuery(estate_);
    ExecDropSingleTupleTableSlot(row_);
    if (routing_ != nullptr) ExecCleanupTupleRouting(state_, routing_);
    ExecResetTupleTable(estate_->es_tupleTable, false);
    ExecCloseResultRelations(estate_);
    ExecCloseRangeTableRelations(estate_);
    MemoryContextSwitchTo(outside);
    FreeExecutorState(estate_);
}

}  // namespace sluice
