// The one block that includes PostgreSQL's headers; every file of this floor includes it, nothing below does.
// Must come after the C++ standard library, third-party headers and the lower floors: PostgreSQL's macros
// break them. Owns nothing.
#pragma once

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

// On PostgreSQL 15 PGDLLEXPORT is empty, so under -fvisibility=hidden entry points need this.
#define SLUICE_EXPORT __attribute__((visibility("default")))
