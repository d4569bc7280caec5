// The relations that the sub-selects of an analysed expression read.
// Must not judge them.
// Lists of OIDs are palloc'd in the current context. Plain C: call it inside a door.
#pragma once

#include "pg/airlock.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace sluice {

struct QueryRelations {
    List* named;      // in the expression itself
    List* reachable;  // these and, through views, all behind them
};

QueryRelations relations_of(Node* expr);

}  // namespace sluice
