// A worker's life: reads its partitions of the topic, closes batches, has them applied, and says how it goes.
// Must not know how rows are written (Sink), how batches are cut (Recut) or where positions come from
// (claim). Owns the consumer, the batch and everything that lives as long as a definition.
#pragma once

#include "base/ports.hpp"
#include "flow/backoff.hpp"
#include "flow/batch_policy.hpp"
#include "flow/budget.hpp"
#include "flow/recut.hpp"
#include "kafka/consumer.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pg/batch_applier.hpp"
#include "pg/catalog.hpp"
#include "pg/claim.hpp"
#include "pg/processes.hpp"
#include "pg/wait.hpp"

namespace sluice {

class SteadyClock : public Clock {
  public:
    time_point now() const override { return std::chrono::steady_clock::now(); }
};

class Worker {
  public:
    explicit Worker(const WorkerArguments& arguments);
    ~Worker();

    // Returns when the process should end: the job is stopped, changed, finished, or needs a person.
    void run();

  private:
    enum class Next { Leave, StartOver };

    // Everything that is built from one definition and one claim of partitions.
    struct Engagement;

    bool take_lock();
    Next work();
    Next loop(Engagement& e);
    void poll(Engagement& e);
    void handle(Engagement& e, const ConsumerEvent& event);
    Next apply_batch(Engagement& e, EndReason reason);
    std::optional<Next> learn_schemas(Engagement& e);
    std::optional<Next> retry_later(Engagement& e, const Error& error);
    void prove();
    void apply_done(Engagement& e);
    void store_positions(Engagement& e);
    void tell_live_numbers(Engagement& e);
    bool look_for_partitions(Engagement& e);
    bool all_partitions_stopped(Engagement& e);
    bool finish(Engagement& e);
    bool refresh_sink(Engagement& e);
    Next start_over(Engagement& e);
    bool still_wanted();
    void fail_job(const Error& error, const std::string& reason);
    bool wait_before_retry(std::chrono::milliseconds time);

    WorkerArguments arguments_;
    Oid job_table_ = InvalidOid;
    SteadyClock clock_;
    WorkerWaiter waiter_;
    std::optional<Backoff> backoff_;
    std::string job_name_;
    bool proven_ = false;  // has applied a batch, or found nothing to do
};

}  // namespace sluice
