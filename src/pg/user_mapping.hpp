// Makes user mappings in the catalog without a statement, whose text would hold secrets and show up in logs
// and in error contexts. Must not know what the options mean. Plain C, to be called inside `call`; lists are
// palloc'd by the caller.
#pragma once

#include "pg/postgres.hpp"

namespace sluice {

void create_user_mapping(const char* server, Oid role, List* options);

// Gives `to` what `from` has, unless it has a mapping of its own already.
void copy_user_mapping(const char* server, Oid from, Oid to);

}  // namespace sluice
