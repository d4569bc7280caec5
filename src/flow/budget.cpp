#include "flow/budget.hpp"

#include <algorithm>

namespace sluice {

namespace {

constexpr int64_t kFewestMessages = 100;

}  // namespace

ErrorBudget::ErrorBudget(const ErrorLimit& limit, int64_t window, int64_t rejected_so_far)
    : limit_(limit), window_(std::max<int64_t>(window, 1)), rejected_(rejected_so_far) {}

bool ErrorBudget::allows_reject() const {
    const size_t next = 0;
    return !first_over(next, {&next, 1}).has_value();
}

std::optional<size_t> ErrorBudget::first_over(size_t first, std::span<const size_t> rejected) const {
    switch (limit_.kind) {
        case ErrorLimit::Kind::Unlimited:
            return std::nullopt;
        case ErrorLimit::Kind::Count: {
            const int64_t left = std::max<int64_t>(limit_.count - rejected_, 0);
            if (left >= static_cast<int64_t>(rejected.size())) return std::nullopt;
            return rejected[static_cast<size_t>(left)];
        }
        case ErrorLimit::Kind::Percent:
            break;
    }

    auto number = [&](size_t message) { return messages_ + static_cast<int64_t>(message - first); };
    auto oldest = recent_.begin();  // of the committed rejects in the window
    size_t begin = 0;               // likewise of the slice's
    for (size_t i = 0; i < rejected.size(); ++i) {
        const int64_t now = number(rejected[i]);
        const int64_t from = now - window_ + 1;
        while (oldest != recent_.end() && *oldest < from) ++oldest;
        while (number(rejected[begin]) < from) ++begin;
        const int64_t rejects = (recent_.end() - oldest) + static_cast<int64_t>(i - begin) + 1;
        const int64_t of = std::min(std::max(now + 1, kFewestMessages), window_);
        if (static_cast<double>(rejects) * 100 > limit_.percent * static_cast<double>(of)) return rejected[i];
    }
    return std::nullopt;
}

void ErrorBudget::committed(size_t first, size_t count, std::span<const size_t> rejected) {
    rejected_ += static_cast<int64_t>(rejected.size());
    if (limit_.kind == ErrorLimit::Kind::Percent) {
        for (size_t message : rejected) recent_.push_back(messages_ + static_cast<int64_t>(message - first));
    }
    messages_ += static_cast<int64_t>(count);
    // The next message has the number `messages_`.
    while (!recent_.empty() && recent_.front() <= messages_ - window_) recent_.pop_front();
}

void ErrorBudget::reset() {
    messages_ = 0;
    rejected_ = 0;
    recent_.clear();
}

}  // namespace sluice
