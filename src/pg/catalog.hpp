// Jobs as sluice's tables keep them: reading definitions, changing the state, writing events.
// Must not judge a definition nor run one.
// Everything is returned by value. All functions run in the caller's transaction.
#pragma once

#include "job/job_spec.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "pg/bookkeeping.hpp"

namespace sluice::catalog {

struct StoredJob {
    JobId id{};
    Oid owner = InvalidOid;
    Oid source = InvalidOid;
    Oid target = InvalidOid;
    JobSpec spec;  // source and target are the present qualified names
    int64_t generation = 0;
    bool started = false;
    std::string wanted = "stopped";
    bool failed = false;
    bool finished = false;
    int retry_count = 0;
    // Of the run that run_job started; they stand in for the definition's stop.
    std::optional<std::string> run_until;
    std::optional<int64_t> run_until_messages;  // as the job has then read in all its life
};

// Throws Failure when the stored definition cannot be read.
std::optional<StoredJob> read_job(JobId id);
std::optional<StoredJob> find_job(std::string_view name);

enum class Level { Info, Warning, Error };

// A row in sluice.events; `actor` is the role that asked for it.
void record_event(JobId job, Level level, std::string_view event, std::string_view message,
                  std::string_view actor);

// The job needs a person: ERROR with this reason, unless its definition has changed meanwhile.
void set_failed(JobId job, int64_t generation, const Error& error, std::string_view reason);
// Transient trouble: RETRYING until `clear_retry`.
void set_retry(JobId job, int64_t generation, const Error& error, std::string_view reason, int retry_count,
               std::chrono::milliseconds wait);
void clear_retry(JobId job, std::string_view reason);
// Counts a worker that begins, durably before it does anything, and returns how many have begun since one
// succeeded: a job that brings the server down must not do so for ever.
int count_start(JobId job);
void prove_start(JobId job);

// Whatever was built from the books before is told to leave: for changes of offsets by a person.
void raise_generation(JobId job);
// The stop position is reached.
void set_finished(JobId job, int64_t generation, std::string_view reason);
void set_reason(JobId job, std::string_view reason);

// "42P01: relation … does not exist (hint)", for reasons.
std::string describe(const Error& error);

}  // namespace sluice::catalog
