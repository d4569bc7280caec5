#include "job/options.hpp"

#include "job/position.hpp"
#include "job/values.hpp"
#include "job/words.hpp"

#include <limits>
#include <type_traits>

namespace sluice {

namespace {

constexpr std::string_view kAuto = "auto";

// One option: its row in the public table, and how its text and its member become each other.
struct Rule {
    std::string_view name;
    std::string_view what;
    std::string_view unit;
    std::string_view default_value;
    Result<void> (*set)(const Rule&, JobOptions&, std::string_view);
    std::string (*get)(const JobOptions&);
    // Numbers only.
    int64_t low = 0;
    int64_t high = 0;
    Unit amount = Unit::None;
    bool automatic = false;       // may be `auto`, which leaves the choice to the job
    std::string_view forms = {};  // everything else: the values in words
};

std::string subject(const Rule& rule) { return "job option \"" + std::string(rule.name) + "\""; }

std::string bound_text(const Rule& rule, int64_t bound) {
    return bound < 0 ? std::to_string(bound) : amount_text(bound, rule.amount);
}

std::string range_text(const Rule& rule, std::string_view separator) {
    return bound_text(rule, rule.low) + std::string(separator) + bound_text(rule, rule.high);
}

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <auto Member>
using MemberType = std::remove_cvref_t<decltype(std::declval<JobOptions>().*Member)>;

template <auto Member>
Result<void> set_number(const Rule& rule, JobOptions& options, std::string_view text) {
    if constexpr (is_optional<MemberType<Member>>::value) {
        if (same_word(text, kAuto)) {
            (options.*Member).reset();
            return {};
        }
    }
    const auto number = parse_amount(text, rule.amount);
    if (!number) {
        std::string what = rule.amount == Unit::Bytes          ? "a size such as 64MB"
                           : rule.amount == Unit::Milliseconds ? "a time such as 500ms or 5min"
                                                               : "a whole number";
        if (rule.automatic) what += " or auto";
        return Error::config("22023", subject(rule) + " must be " + what + ", not \"" + clipped(text) + "\"",
                             "The range is " + range_text(rule, " to ") + ".");
    }
    if (*number < rule.low || *number > rule.high)
        return Error::config("22023", subject(rule) + " must be between " + range_text(rule, " and ") +
                                          ", not \"" + clipped(text) + "\"");
    if constexpr (std::is_same_v<MemberType<Member>, int32_t>)
        options.*Member = static_cast<int32_t>(*number);
    else
        options.*Member = *number;
    return {};
}

template <auto Member, Unit unit = Unit::None>
std::string get_number(const JobOptions& options) {
    if constexpr (is_optional<MemberType<Member>>::value)
        return options.*Member ? amount_text(*(options.*Member), unit) : std::string(kAuto);
    else
        return amount_text(options.*Member, unit);
}

template <auto Member, auto& words>
Result<void> set_word(const Rule& rule, JobOptions& options, std::string_view text) {
    if constexpr (is_optional<MemberType<Member>>::value) {
        if (same_word(text, kAuto)) {
            (options.*Member).reset();
            return {};
        }
    }
    auto value = value_for(words, subject(rule), text);
    if (value) {
        options.*Member = value.value();
        return {};
    }
    if constexpr (is_optional<MemberType<Member>>::value) {
        std::vector<std::string_view> allowed{kAuto};
        for (const auto& word : words) allowed.push_back(word.text);
        return unknown_word(subject(rule), text, allowed);
    }
    return value.error();
}

template <auto Member, auto& words>
std::string get_word(const JobOptions& options) {
    if constexpr (is_optional<MemberType<Member>>::value)
        return std::string(options.*Member ? word_for(words, *(options.*Member)) : kAuto);
    else
        return std::string(word_for(words, options.*Member));
}

template <auto Member, auto parse>
Result<void> set_parsed(const Rule& rule, JobOptions& options, std::string_view text) {
    auto value = parse(subject(rule), text);
    if (!value) return value.error();
    options.*Member = std::move(value).value();
    return {};
}

Result<void> set_group_id(const Rule& rule, JobOptions& options, std::string_view text) {
    constexpr size_t kLongest = 255;
    bool control = false;
    for (char c : text) control = control || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (control || text.size() > kLongest)
        return Error::config("22023", subject(rule) + " must be " + std::string(rule.forms) + ", not \"" +
                                          clipped(text) + "\"");
    options.group_id = text;
    return {};
}

// Kept as written: all of them mean exactly once, and a document reads back as it was.
constexpr std::string_view kConsistencies[] = {"exactly", "strong",  "at-least", "at-most",
                                               "none",    "atleast", "atmost"};

Result<void> set_consistency(const Rule& rule, JobOptions& options, std::string_view text) {
    for (std::string_view word : kConsistencies) {
        if (!same_word(word, text)) continue;
        options.consistency = text;
        return {};
    }
    return unknown_word(subject(rule), text, kConsistencies);
}

constexpr std::string_view kCommits[] = {"on", "off", "local", "remote_write", "remote_apply"};

Result<void> set_synchronous_commit(const Rule& rule, JobOptions& options, std::string_view text) {
    // PostgreSQL's setting takes every way to write a boolean.
    for (std::string_view yes : {"true", "yes", "1"})
        if (same_word(yes, text)) text = "on";
    for (std::string_view no : {"false", "no", "0"})
        if (same_word(no, text)) text = "off";
    for (std::string_view word : kCommits) {
        if (!same_word(word, text)) continue;
        options.synchronous_commit = word;
        return {};
    }
    return unknown_word(subject(rule), text, kCommits);
}

constexpr std::string_view kUpserts[] = {"auto", "on_conflict"};

Result<void> set_upsert(const Rule& rule, JobOptions& options, std::string_view text) {
    if (same_word(text, kAuto))
        options.upsert.reset();
    else if (same_word(text, kUpserts[1]))
        options.upsert = kUpserts[1];
    else
        return unknown_word(subject(rule), text, kUpserts);
    return {};
}

constexpr int64_t kBillion = 1'000'000'000;
constexpr int64_t kKilobyte = 1024, kMegabyte = 1024 * kKilobyte, kGigabyte = 1024 * kMegabyte;
constexpr int64_t kHour = 3'600'000, kDay = 24 * kHour;

using O = JobOptions;

const Rule kRules[] = {
    {.name = "max_count",
     .what = "the most messages in a batch; auto adapts it, up to 100000",
     .unit = "messages",
     .default_value = kAuto,
     .set = set_number<&O::max_count>,
     .get = get_number<&O::max_count>,
     .low = 1,
     .high = 10'000'000,
     .automatic = true},
    {.name = "max_bytes",
     .what = "the most bytes of messages in a batch; auto is a quarter of memory",
     .unit = "bytes",
     .default_value = kAuto,
     .set = set_number<&O::max_bytes>,
     .get = get_number<&O::max_bytes, Unit::Bytes>,
     .low = kKilobyte,
     .high = 64 * kGigabyte,
     .amount = Unit::Bytes,
     .automatic = true},
    {.name = "interval_ms",
     .what = "the least time between two commits of a worker whose queue is empty",
     .unit = "ms",
     .default_value = "10",
     .set = set_number<&O::interval_ms>,
     .get = get_number<&O::interval_ms>,
     .low = 0,
     .high = kHour},
    {.name = "workers",
     .what = "worker processes, between which the partitions are divided",
     .unit = "",
     .default_value = "1",
     .set = set_number<&O::workers>,
     .get = get_number<&O::workers>,
     .low = 1,
     .high = 64},
    {.name = "start",
     .what = "where a partition without a stored offset starts; partitions that offsets do not name start "
             "earliest",
     .unit = "",
     .default_value = "earliest",
     .set = set_parsed<&O::start, parse_start>,
     .get = [](const O& o) { return position_text(o.start); },
     .forms = kStartForms},
    {.name = "stop",
     .what = "where the job is finished; latest is the end of the topic when the job starts",
     .unit = "",
     .default_value = "never",
     .set = set_parsed<&O::stop, parse_stop>,
     .get = [](const O& o) { return position_text(o.stop); },
     .forms = kStopForms},
    {.name = "fallback_offset",
     .what = "where to go on when the stored offset is gone from the topic; the gap is recorded",
     .unit = "",
     .default_value = "error",
     .set = set_word<&O::fallback_offset, kFallbacks>,
     .get = get_word<&O::fallback_offset, kFallbacks>,
     .forms = "error, earliest or latest"},
    {.name = "error_limit",
     .what =
         "how many rejects the job bears before it stops, or their share of the last error_window messages",
     .unit = "",
     .default_value = "0",
     .set = set_parsed<&O::error_limit, parse_error_limit>,
     .get = [](const O& o) { return error_limit_text(o.error_limit); },
     .forms = kErrorLimitForms},
    {.name = "error_window",
     .what = "the messages over which a percentage of error_limit is taken",
     .unit = "messages",
     .default_value = "10000",
     .set = set_number<&O::error_window>,
     .get = get_number<&O::error_window>,
     .low = 1,
     .high = kBillion},
    {.name = "on_conflict",
     .what = "in insert mode, what a row does that violates a unique key",
     .unit = "",
     .default_value = "error",
     .set = set_word<&O::on_conflict, kOnConflicts>,
     .get = get_word<&O::on_conflict, kOnConflicts>,
     .forms = "error or ignore"},
    {.name = "consistency",
     .what = "accepted from documents of other loaders; whatever it says, the job is exactly once",
     .unit = "",
     .default_value = "exactly",
     .set = set_consistency,
     .get = [](const O& o) { return o.consistency; },
     .forms = "exactly, strong, at-least, at-most, none, atleast or atmost"},
    {.name = "tombstone",
     .what = "what a message with a null value does; auto deletes in merge mode when the match columns come "
             "from the "
             "key, is an error in merge mode otherwise, and ignores it in the other modes",
     .unit = "",
     .default_value = kAuto,
     .set = set_word<&O::tombstone, kTombstones>,
     .get = get_word<&O::tombstone, kTombstones>,
     .forms = "auto, delete, ignore or error"},
    {.name = "synchronous_commit",
     .what = "the setting synchronous_commit of the job's transactions",
     .unit = "",
     .default_value = "on",
     .set = set_synchronous_commit,
     .get = [](const O& o) { return o.synchronous_commit; },
     .forms = "on, off, local, remote_write or remote_apply"},
    {.name = "max_rate",
     .what = "the most messages per second of the whole job; 0 is no limit",
     .unit = "messages per second",
     .default_value = "0",
     .set = set_number<&O::max_rate>,
     .get = get_number<&O::max_rate>,
     .low = 0,
     .high = kBillion},
    {.name = "group_id",
     .what = "the consumer group whose committed offsets start => 'group' takes over",
     .unit = "",
     .default_value = "",
     .set = set_group_id,
     .get = [](const O& o) { return o.group_id; },
     .forms = "at most 255 bytes without control characters"},
    {.name = "memory",
     .what = "the memory of the whole job for fetched and decoded messages",
     .unit = "bytes",
     .default_value = "64MB",
     .set = set_number<&O::memory>,
     .get = get_number<&O::memory, Unit::Bytes>,
     .low = kMegabyte,
     .high = 64 * kGigabyte,
     .amount = Unit::Bytes},
    {.name = "retry_interval",
     .what = "the wait before the first retry after transient trouble; it grows to 60s",
     .unit = "ms",
     .default_value = "1s",
     .set = set_number<&O::retry_interval_ms>,
     .get = get_number<&O::retry_interval_ms, Unit::Milliseconds>,
     .low = 1,
     .high = kHour,
     .amount = Unit::Milliseconds},
    {.name = "max_retries",
     .what = "how often transient trouble is retried; -1 is no limit",
     .unit = "",
     .default_value = "-1",
     .set = set_number<&O::max_retries>,
     .get = get_number<&O::max_retries>,
     .low = -1,
     .high = kBillion},
    {.name = "lag_threshold",
     .what = "a job is lagging when its last message is older than this and more are waiting",
     .unit = "ms",
     .default_value = "5min",
     .set = set_number<&O::lag_threshold_ms>,
     .get = get_number<&O::lag_threshold_ms, Unit::Milliseconds>,
     .low = 1,
     .high = 365 * kDay,
     .amount = Unit::Milliseconds},
    {.name = "upsert",
     .what = "in merge mode, on_conflict asks for INSERT ... ON CONFLICT although the target has a BEFORE "
             "INSERT row "
             "trigger",
     .unit = "",
     .default_value = kAuto,
     .set = set_upsert,
     .get = [](const O& o) { return o.upsert.value_or(std::string(kAuto)); },
     .forms = "auto or on_conflict"},
};

const Rule* find_rule(std::string_view name) {
    for (const Rule& rule : kRules)
        if (same_word(rule.name, name)) return &rule;
    return nullptr;
}

Error unknown_option(std::string_view name) {
    std::vector<std::string_view> known;
    std::string list;
    for (const Rule& rule : kRules) {
        known.push_back(rule.name);
        list += (list.empty() ? "" : ", ") + std::string(rule.name);
    }
    return Error::config("22023", "unknown job option \"" + clipped(name) + "\"",
                         "Job options: " + list + ".", nearest_hint(name, known));
}

}  // namespace

std::span<const OptionInfo> job_options() {
    static const std::vector<OptionInfo> table = [] {
        std::vector<OptionInfo> rows;
        for (const Rule& rule : kRules) {
            std::string range(rule.forms);
            if (range.empty()) range = range_text(rule, " to ") + (rule.automatic ? ", or auto" : "");
            rows.push_back({rule.name, rule.what, rule.unit, std::move(range), rule.default_value});
        }
        return rows;
    }();
    return table;
}

Result<void> set_option(JobOptions& options, std::string_view name, std::string_view value) {
    const Rule* rule = find_rule(name);
    if (!rule) return unknown_option(name);
    return rule->set(*rule, options, value);
}

Result<void> reset_option(JobOptions& options, std::string_view name) {
    const Rule* rule = find_rule(name);
    if (!rule) return unknown_option(name);
    return rule->set(*rule, options, rule->default_value);
}

std::string option_text(const JobOptions& options, std::string_view name) {
    const Rule* rule = find_rule(name);
    return rule ? rule->get(options) : std::string();
}

std::vector<std::pair<std::string, std::string>> changed_options(const JobOptions& options,
                                                                 const JobOptions& base) {
    std::vector<std::pair<std::string, std::string>> changed;
    for (const Rule& rule : kRules) {
        std::string text = rule.get(options);
        if (text != rule.get(base)) changed.emplace_back(rule.name, std::move(text));
    }
    return changed;
}

}  // namespace sluice
