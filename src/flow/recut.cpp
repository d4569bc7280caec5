#include "flow/recut.hpp"

#include "flow/error_kind.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice {

namespace {

constexpr int kTransientTimes = 5;
constexpr int kSystematicTimes = 20;

// The same trouble with another message: its text may quote the message's values.
bool alike(const Error& a, const Error& b) {
    return a.sqlstate == b.sqlstate && a.stage == b.stage && a.schema_name == b.schema_name &&
           a.table_name == b.table_name && a.column_name == b.column_name &&
           a.constraint_name == b.constraint_name && a.data_type == b.data_type;
}

Error systematic_error(Error error) {
    error.kind = ErrorKind::Config;
    if (!error.hint.empty()) error.hint += ' ';
    error.hint +=
        "The first " + std::to_string(kSystematicTimes) +
        " messages that were tried one by one all failed like this, and none succeeded, so the cause is"
        " rather the job or its target than the messages. Correct it, then resume the job;"
        " the last of these messages will be tried again.";
    return error;
}

}  // namespace

void Recut::begin(size_t count) {
    count_ = count;
    next_ = 0;
    suspects_.reset();
    transient_.reset();
    transient_times_ = 0;
}

Recut::Attempt Recut::next_attempt() const {
    // Among poison messages the next single one is likely poison too: alone it costs one attempt instead of
    // two.
    const bool alone = size_ == 1;
    if (!suspects_) return {std::min(size_, count_ - next_), alone};
    if (next_ < suspects_->begin) return {std::min(size_, suspects_->begin - next_), alone};
    const size_t suspects = suspects_->end - suspects_->begin;
    if (suspects == 1) return {1, true};
    return {suspects / 2, false};
}

Recut::Step Recut::step() {
    if (next_ == count_) return {Step::Kind::Done, {}};
    const Attempt attempt = next_attempt();
    ApplyResult result =
        attempt.alone ? applier_.apply_alone(next_, *this) : applier_.apply(next_, attempt.count);
    return std::visit([&](auto& r) { return on(r, attempt); }, result);
}

Recut::Step Recut::settled(size_t count) {
    next_ += count;
    transient_.reset();
    transient_times_ = 0;
    if (suspects_ && next_ > suspects_->begin) suspects_->begin = next_;
    if (suspects_ && suspects_->begin == suspects_->end) suspects_.reset();
    return {next_ == count_ ? Step::Kind::Done : Step::Kind::Progress, {}};
}

Recut::Step Recut::on(const Applied& applied, Attempt attempt) {
    budget_.committed(next_, attempt.count, applied.rejected);
    if (applied.rejected.size() < attempt.count) job_works_ = true;
    // While the search closes in on a message, what succeeds says nothing about the messages behind it.
    const bool searching = suspects_ && next_ == suspects_->begin && !attempt.alone;
    if (!searching) size_ = std::max(size_, 2 * attempt.count);
    return settled(attempt.count);
}

Recut::Step Recut::on(Rejected& rejected, Attempt attempt) {
    if (rejected.verdict == Verdict::Block) return {Step::Kind::Blocked, std::move(rejected.error)};
    budget_.committed(next_, attempt.count, {&next_, 1});
    if (!first_alone_) first_alone_ = rejected.error;
    if (!alike(*first_alone_, rejected.error)) job_works_ = true;
    ++alone_times_;
    return settled(attempt.count);
}

Recut::Step Recut::on(Failed& failed, Attempt attempt) {
    Error& error = failed.error;
    if (attempt.alone && is_data(error) && is_systematic(error)) {
        return {Step::Kind::Config, systematic_error(std::move(error))};
    }
    if (error.kind == ErrorKind::Transient) return on_transient(error, attempt);
    // A data error that the judge did not see, for instance at COMMIT, is for a person: trying again would
    // not end.
    if (error.kind != ErrorKind::Data || attempt.alone) return {Step::Kind::Config, std::move(error)};

    if (failed.at && *failed.at >= next_ && *failed.at < next_ + attempt.count) {
        suspects_ = Suspects{*failed.at, *failed.at + 1};
        // Not larger than what succeeds between two poison messages, or each of them would cost a whole
        // batch.
        size_ = std::min(size_, std::max<size_t>(*failed.at - next_, 1));
    } else {
        suspects_ = Suspects{next_, next_ + attempt.count};
        size_ = 1;
    }
    return {Step::Kind::Progress, {}};
}

Recut::Step Recut::on(const Fenced&, Attempt) { return {Step::Kind::Fenced, {}}; }

Recut::Step Recut::on_transient(Error& error, Attempt attempt) {
    if (attempt.count == 1 && !is_never_the_message(error.sqlstate)) {
        if (!transient_ || transient_->sqlstate != error.sqlstate) transient_times_ = 0;
        transient_ = error;
        ++transient_times_;
        suspects_ = Suspects{next_, next_ + 1};  // from now on alone, where it can be judged
    }
    return {Step::Kind::Transient, std::move(error)};
}

Verdict Recut::judge(const Error& error) const {
    if (!is_data(error) || is_systematic(error)) return Verdict::Leave;
    return budget_.allows_reject() ? Verdict::Skip : Verdict::Block;
}

bool Recut::is_data(const Error& error) const {
    if (error.kind != ErrorKind::Transient) return error.kind == ErrorKind::Data;
    return transient_ && transient_->sqlstate == error.sqlstate && transient_times_ + 1 >= kTransientTimes;
}

bool Recut::is_systematic(const Error& error) const {
    return !job_works_ && first_alone_ && alike(*first_alone_, error) && alone_times_ + 1 >= kSystematicTimes;
}

}  // namespace sluice
