// SQL expressions of a job: parsed, checked, and deparsed with every name qualified.
// Must not know jobs or modes: it sees one expression, the source's columns and the type that is asked for.
// Plain values; needs a transaction, and runs as the current user, who should be the job's owner.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

struct ExpressionRequest {
    std::string subject;  // for errors: `filter`, `mapping of column "note"`
    std::string text;
    // The only relation whose columns it sees, by the source's name or as s.
    Oid source = InvalidOid;
    // What it must give: a column's declared type, by assignment as in INSERT; boolean for a condition.
    Oid type = InvalidOid;
    int32 typmod = -1;
};

struct AnalysedExpression {
    // Means the same under search_path "pg_catalog, pg_temp"; columns of the source are s.x.
    std::string qualified;
    // Of `type`'s base type, its length applied as an assignment would (see resolved_job.hpp).
    std::string value;
    bool length_is_open = false;      // the length could not be applied: an array of varchar(n), say
    std::vector<AttrNumber> columns;  // of the source, sorted
    bool has_subselect = false;
    bool is_volatile = false;
    bool only_nextval = false;  // nothing else in it is volatile
};

// Analyses the text under the search_path of the moment. The Error tells the subject, PostgreSQL's own
// message, the text and the place in it; it costs a subtransaction, so that the next expression can be looked
// at too.
Result<AnalysedExpression> analyse(const ExpressionRequest& request);

}  // namespace sluice
