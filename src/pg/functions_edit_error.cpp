// UPDATE of the view sluice.errors: a person mends a message before it is replayed, or gives it up.
#include <set>
#include <string>

#include "pg/arguments.hpp"
#include "pg/job_access.hpp"

extern "C" {
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
}

namespace sluice {

namespace {

using spi::Param;

// One version of the row that is updated.
class ErrorRow {
  public:
    ErrorRow(HeapTuple tuple, TupleDesc columns) : tuple_(tuple), columns_(columns) {}

    Param param(const char* column) const {
        const Form_pg_attribute attribute = find(column);
        bool null;
        const Datum value = heap_getattr(tuple_, attribute->attnum, columns_, &null);
        return {attribute->atttypid, null, value};
    }
    std::string string_of(const char* column) const {
        const Param p = param(column);
        return p.null ? std::string() : call([&] { return TextDatumGetCString(p.value); });
    }

    // The first column, of those that stay as they are, in which the rows differ; empty when there is none.
    std::string differs_from(const ErrorRow& other, const std::set<std::string>& may_differ) const {
        for (int i = 0; i < columns_->natts; ++i) {
            const Form_pg_attribute attribute = TupleDescAttr(columns_, i);
            const char* name = NameStr(attribute->attname);
            if (may_differ.contains(name)) continue;
            const Param mine = param(name);
            const Param theirs = other.param(name);
            const bool same =
                mine.null == theirs.null &&
                (mine.null || call([&] {
                     return datum_image_eq(mine.value, theirs.value, attribute->attbyval, attribute->attlen);
                 }));
            if (!same) return name;
        }
        return {};
    }

  private:
    Form_pg_attribute find(const char* column) const {
        const int number = SPI_fnumber(columns_, column);
        if (number <= 0)
            fail(Error::config("42703", std::string("view sluice.errors has no column ") + column));
        return TupleDescAttr(columns_, number - 1);
    }

    HeapTuple tuple_;
    TupleDesc columns_;
};

void check_owner(const Param& error_id) {
    const Oid caller = GetUserId();
    Oid owner = InvalidOid;
    {
        Bookkeeping bookkeeping;
        const spi::Rows rows =
            spi::run("SELECT owner::pg_catalog.oid FROM sluice.reject WHERE error_id = $1", {error_id});
        if (!rows.empty()) owner = static_cast<Oid>(rows.integer(0, 0));
    }
    if (!OidIsValid(owner) || !call([&] { return has_privs_of_role(caller, owner); }))
        fail(Error::config("42501", "only the owner of a job may change its rejected messages"));
}

void check_status(const std::string& before, const std::string& after) {
    if (before != "open" && before != "blocking")
        fail(Error::config("55000", "the rejected message is settled: its status is \"" + before + "\"", {},
                           "Only open and blocking ones can be changed."));
    if (after != before && after != "discarded")
        fail(Error::config("22023", "status \"" + before + "\" cannot become \"" + after + "\"", {},
                           "Set it to discarded, or call sluice.replay_errors or sluice.skip_offset."));
}

}  // namespace

SLUICE_FUNCTION(sluice_edit_error) {
    require_primary();
    if (!CALLED_AS_TRIGGER(fcinfo)) fail(Error::config("39P01", "sluice.edit_error is a trigger function"));
    auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
    if (!TRIGGER_FIRED_INSTEAD(trigger->tg_event) || !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
        fail(Error::config("39P01", "sluice.edit_error must be fired instead of an update"));
    const TupleDesc columns = trigger->tg_relation->rd_att;
    const ErrorRow before(trigger->tg_trigtuple, columns);
    const ErrorRow after(trigger->tg_newtuple, columns);
    const std::string other = after.differs_from(before, {"raw_message", "kafka_key", "status"});
    if (!other.empty())
        fail(Error::config("42501", "column \"" + other + "\" of a rejected message cannot be changed", {},
                           "Only raw_message, kafka_key and status can."));
    const Param error_id = before.param("error_id");
    check_owner(error_id);
    check_status(before.string_of("status"), after.string_of("status"));
    const std::string actor = current_role_name();
    Bookkeeping bookkeeping;
    spi::run(
        "UPDATE sluice.reject SET raw_message = $2, kafka_key = $3, status = $4,"
        "  resolved_at = CASE WHEN $4 = 'discarded' THEN pg_catalog.now() END,"
        "  resolved_by = CASE WHEN $4 = 'discarded' THEN $5 END WHERE error_id = $1",
        {error_id, after.param("raw_message"), after.param("kafka_key"), after.param("status"),
         Param::text(actor)});
    return PointerGetDatum(trigger->tg_newtuple);
}

}  // namespace sluice
