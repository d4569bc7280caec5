#include "pg/user_mapping.hpp"

extern "C" {
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "utils/syscache.h"
}

namespace sluice {

namespace {

bool has_user_mapping(Oid server, Oid role) {
    return SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(role), ObjectIdGetDatum(server));
}

}  // namespace

void create_user_mapping(const char* server, Oid role, List* options) {
    auto* statement = makeNode(CreateUserMappingStmt);
    statement->user = makeNode(RoleSpec);
    statement->user->roletype = ROLESPEC_CSTRING;
    statement->user->rolename = GetUserNameFromId(role, false);
    statement->user->location = -1;
    statement->servername = pstrdup(server);
    statement->options = options;
    CreateUserMapping(statement);
    CommandCounterIncrement();
}

void copy_user_mapping(const char* server, Oid from, Oid to) {
    const Oid id = get_foreign_server_oid(server, false);
    if (!has_user_mapping(id, from) || has_user_mapping(id, to)) return;
    create_user_mapping(server, to, GetUserMapping(from, id)->options);
}

}  // namespace sluice
