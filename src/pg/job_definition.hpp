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

// Checks a definition for its owner, in itself, against the catalog and, with Ask, against the brokers (5 s,
// cancellable). Tells notices. Throws one Failure with all problems. Returns the job as it is to be stored.
ResolvedJob check_definition(const JobSpec& spec, Oid owner, BrokerCheck brokers);

// TimeZone, DateStyle and IntervalStyle of this session, under which the expressions were written.
void capture_settings(JobSpec& spec);

// Throws when a job cannot be called so, or another one is.
void check_new_name(const std::string& name);

// What was made for a job, and goes with it.
struct OwnedObjects {
    std::string server;
    bool source = false;
};

// Of a job that is about to be stored: its objects are named after it.
JobId reserve_job_id();
// Stores a new job, STOPPED.
void store_new(JobId id, const ResolvedJob& job, const OwnedObjects& owned = {});
// Replaces a definition: raises the generation. The caller holds the job's lock.
void store_changed(const catalog::StoredJob& before, const ResolvedJob& job);
// Gives a job another name. Throws when somebody else has taken it meanwhile.
void store_name(JobId id, const std::string& name);

}  // namespace sluice
