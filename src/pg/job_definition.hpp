// From what a person wrote to a stored definition: checks everything, reports all problems together, stores.
// Must not know how it was written (SQL arguments, YAML).
// Runs in the caller's transaction.
#pragma once

#include "job/job_spec.hpp"

#include <string>

#include "pg/catalog.hpp"
#include "pg/resolved_job.hpp"

namespace sluice {

enum class BrokerCheck { Ask, LeaveOut };

// Checks a definition for its owner, in itself, against the catalog and, with Ask, against the brokers (5 s, cancellable).
// Tells notices. Throws one Failure with all problems. Returns the job as it is to be stored.
ResolvedJob check_definition(const JobSpec &spec, Oid owner, BrokerCheck brokers);

// TimeZone, DateStyle and IntervalStyle of this session, under which the expressions were written.
void capture_settings(JobSpec &spec);

// Stores a new job, STOPPED. Throws 42710 when the name is taken.
JobId store_new(const ResolvedJob &job);
// Replaces a definition: raises the generation. The caller holds the job's lock.
void store_changed(const catalog::StoredJob &before, const ResolvedJob &job);

}  // namespace sluice
