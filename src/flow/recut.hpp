// Applies a batch in as few transactions as its poison messages allow: whole, then in ever smaller slices
// from left to right until the message at fault stands alone and is rejected, then in ever larger ones. Must
// not know rows, transactions or where rejects go (that is the Applier), nor how long to wait before a retry.
// Owns its state; the Applier and the budget are the caller's and outlive it.
#pragma once

#include "base/result.hpp"
#include "flow/budget.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace sluice {

// What to do with a message that failed alone.
enum class Verdict {
    Skip,   // write the reject as `open` and the offset past the message, in one transaction
    Block,  // write the reject as `blocking`, leave the offset at the message
    Leave,  // roll back and write nothing: the message is not to blame
};

class Judge {
  public:
    // Changes nothing: the transaction that follows may fail, and the message be judged again.
    virtual Verdict judge(const Error& error) const = 0;

  protected:
    ~Judge() = default;
};

// Committed. `rejected` are the messages that could not be decoded and were written as `open` rejects in the
// same transaction, ascending.
struct Applied {
    std::vector<size_t> rejected;
};
// Committed: not the message but its reject, as the verdict (Skip or Block) says.
struct Rejected {
    Error error;
    Verdict verdict;
};
// Rolled back. `at` is the message at fault where that is known (decoding and mapping go message by message).
struct Failed {
    Error error;
    std::optional<size_t> at;
};
// Rolled back: the job has another generation now. Leave quietly.
struct Fenced {};

using ApplyResult = std::variant<Applied, Rejected, Failed, Fenced>;

// Messages are named by their place in the batch.
class Applier {
  public:
    virtual ~Applier() = default;
    // The rows and offsets of `count` messages in one transaction. Messages that cannot be decoded are
    // rejected with it while ErrorBudget::first_over allows it; the first one over it is a Failed with `at`.
    // Never Rejected.
    virtual ApplyResult apply(size_t first, size_t count) = 0;
    // One message in one transaction, tried in a subtransaction. An error there, of decoding too, goes to the
    // judge once it has been rolled back; the verdict is carried out in the same transaction, Leave by a
    // Failed.
    virtual ApplyResult apply_alone(size_t index, const Judge& judge) = 0;
};

// One object lives as long as its worker: how finely to cut is remembered from batch to batch. A failing
// attempt costs at most what the successes next to it cost, so that the whole stays linear however many
// messages are poison.
class Recut : private Judge {
  public:
    struct Step {
        enum class Kind {
            Progress,   // more is committed, or it is clearer where the fault lies; call `step` again
            Done,       // the whole batch is committed
            Transient,  // nothing happened: wait, then call `step` again, with the same batch
            Blocked,    // everything before `committed()` is in; the message there is a `blocking` reject
            Config,     // everything before `committed()` is in; the job cannot go on without a person
            Fenced,
        };
        Kind kind;
        std::optional<Error> error;  // Transient, Blocked, Config
    };

    Recut(Applier& applier, ErrorBudget& budget) : applier_(applier), budget_(budget) {}

    void begin(size_t count);
    // At most one transaction, so that the caller can look at its latches between two.
    Step step();
    // Messages at the front of the batch that are settled: their offsets are stored.
    size_t committed() const { return next_; }

  private:
    // Messages among which one is at fault: a whole slice failed, or something pointed at it.
    struct Suspects {
        size_t begin;
        size_t end;
    };

    struct Attempt {
        size_t count;
        bool alone;
    };

    Verdict judge(const Error& error) const override;
    // The message is the cause: of a transient error too, when it comes for the fifth time now.
    bool is_data(const Error& error) const;
    // All messages that were tried alone, this one being the twentieth, failed in this way.
    bool is_systematic(const Error& error) const;

    Attempt next_attempt() const;
    Step settled(size_t count);
    Step on(const Applied& applied, Attempt attempt);
    Step on(Rejected& rejected, Attempt attempt);
    Step on(Failed& failed, Attempt attempt);
    Step on(const Fenced& fenced, Attempt attempt);
    Step on_transient(Error& error, Attempt attempt);

    Applier& applier_;
    ErrorBudget& budget_;

    size_t count_ = 0;
    size_t next_ = 0;
    std::optional<Suspects> suspects_;
    size_t size_ = SIZE_MAX;  // of the next slice, where nothing is suspected

    std::optional<Error> transient_;  // that the message at `next_`, by itself, met last
    int transient_times_ = 0;

    bool job_works_ = false;            // something was applied, or failed in another way than the rest
    std::optional<Error> first_alone_;  // error of the first message that failed alone
    int alone_times_ = 0;
};

}  // namespace sluice
