// Entry points of the foreign data wrapper: the handler and the validator of options.
#include "pg/airlock.hpp"
#include "pg/fdw_import.hpp"
#include "pg/fdw_plan.hpp"
#include "pg/fdw_scan.hpp"
#include "pg/source.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
}

namespace sluice {

namespace {

Scope scope_of(Oid catalog) {
    switch (catalog) {
        case ForeignServerRelationId:
            return Scope::Server;
        case UserMappingRelationId:
            return Scope::UserMapping;
        case ForeignTableRelationId:
            return Scope::Table;
        default:
            return Scope::Column;
    }
}

// Sees all options of one object, after a CREATE or an ALTER has put them together.
void validate(const OptionList& options, Oid catalog) {
    if (catalog == ForeignDataWrapperRelationId) {
        if (options.empty()) return;
        fail(Error::config("HV00D",
                           "the foreign data wrapper has no option \"" + options.front().first + "\"", {},
                           "Options belong to servers, user mappings, foreign tables and columns."));
    }
    value_or_fail(check_written_options(scope_of(catalog), options));
}

}  // namespace

}  // namespace sluice

SLUICE_FUNCTION(sluice_fdw_handler) {
    FdwRoutine* routine = sluice::call([] { return makeNode(FdwRoutine); });
    sluice::set_plan_callbacks(routine);
    sluice::set_scan_callbacks(routine);
    sluice::set_import_callback(routine);
    PG_RETURN_POINTER(routine);
}

SLUICE_FUNCTION(sluice_fdw_validator) {
    sluice::validate(sluice::option_list(PG_GETARG_DATUM(0)), PG_GETARG_OID(1));
    PG_RETURN_VOID();
}
