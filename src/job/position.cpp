#include "job/position.hpp"

#include "job/values.hpp"
#include "job/words.hpp"

#include <simdjson.h>

#include <charconv>
#include <limits>

namespace sluice {

namespace {

using Kind = Position::Kind;

constexpr Word<Kind> kStarts[] = {
    {"earliest", Kind::Earliest}, {"latest", Kind::Latest}, {"group", Kind::Group}};
constexpr Word<Kind> kStops[] = {{"never", Kind::Never}, {"latest", Kind::Latest}};
constexpr int64_t kLastTime = 253'402'300'799'999;  // the end of the year 9999, the last one that reads back
constexpr int64_t kMostErrors = 1'000'000'000;

bool looks_like_time(std::string_view text) {
    return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

Result<std::map<int32_t, int64_t>> parse_offsets(std::string_view subject, std::string_view text) {
    const auto refuse = [&](std::string detail) {
        return Error::config("22023", std::string(subject) + " has wrong offsets", std::move(detail),
                             "Write the next offset of each partition, as in {\"0\": 123, \"1\": 456}.");
    };
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(text.data(), text.size()).get(object)) return refuse("The text is not a JSON object.");
    std::map<int32_t, int64_t> offsets;
    for (const auto& [key, value] : object) {
        const auto partition = parse_integer(key);
        if (!partition || *partition < 0 || *partition > std::numeric_limits<int32_t>::max() ||
            std::to_string(*partition) != key)
            return refuse("\"" + clipped(key) + "\" is not the number of a partition.");
        int64_t offset = 0;
        if (value.get(offset) || offset < 0)
            return refuse("The offset of partition " + std::string(key) + " is not a whole number from 0.");
        if (!offsets.emplace(static_cast<int32_t>(*partition), offset).second)
            return refuse("Partition " + std::string(key) + " is named twice.");
    }
    if (offsets.empty()) return refuse("No partition is named.");
    return offsets;
}

template <size_t N>
Result<Position> parse_position(std::string_view subject, std::string_view text, const Word<Kind> (&words)[N],
                                std::string_view forms) {
    for (const auto& word : words)
        if (same_word(word.text, text)) return Position{word.value, 0, {}};
    if (!text.empty() && text.front() == '{') {
        auto offsets = parse_offsets(subject, text);
        if (!offsets) return offsets.error();
        return Position{Kind::Offsets, 0, std::move(offsets).value()};
    }
    auto time = parse_time(text);
    if (!time) time = parse_integer(text);
    if (time && *time >= 0 && *time <= kLastTime) return Position{Kind::Timestamp, *time, {}};
    std::string hint =
        looks_like_time(text)
            ? "Write a time as 2026-01-31T13:45:00Z or 2026-01-31 14:45:00+01, or as milliseconds since "
              "1970-01-01 UTC."
            : nearest_hint(text, texts(words));
    return Error::config(
        "22023", std::string(subject) + " must be " + std::string(forms) + ", not \"" + clipped(text) + "\"",
        {}, std::move(hint));
}

}  // namespace

Result<Position> parse_start(std::string_view subject, std::string_view text) {
    return parse_position(subject, text, kStarts, kStartForms);
}

Result<Position> parse_stop(std::string_view subject, std::string_view text) {
    return parse_position(subject, text, kStops, kStopForms);
}

std::string position_text(const Position& position) {
    switch (position.kind) {
        case Kind::Earliest:
            return "earliest";
        case Kind::Latest:
            return "latest";
        case Kind::Group:
            return "group";
        case Kind::Never:
            return "never";
        case Kind::Timestamp:
            return time_text(position.timestamp_ms);
        case Kind::Offsets:
            break;
    }
    std::string text;
    for (const auto& [partition, offset] : position.offsets) {
        text += text.empty() ? "{" : ", ";
        text += "\"" + std::to_string(partition) + "\": " + std::to_string(offset);
    }
    return text + "}";
}

Result<ErrorLimit> parse_error_limit(std::string_view subject, std::string_view text) {
    if (same_word(text, "unlimited")) return ErrorLimit{ErrorLimit::Kind::Unlimited, 0, 0};
    if (const auto count = parse_integer(text); count && *count >= 0 && *count <= kMostErrors)
        return ErrorLimit{ErrorLimit::Kind::Count, *count, 0};
    if (text.size() > 1 && text.back() == '%') {
        double percent = 0;
        const char* last = text.data() + text.size() - 1;
        const auto [end, problem] = std::from_chars(text.data(), last, percent, std::chars_format::fixed);
        if (end == last && problem == std::errc() && percent >= 0 && percent <= 100)
            return ErrorLimit{ErrorLimit::Kind::Percent, 0, percent};
        return Error::config(
            "22023", std::string(subject) + " must be between 0% and 100%, not \"" + clipped(text) + "\"");
    }
    return Error::config("22023", std::string(subject) + " must be " + std::string(kErrorLimitForms) +
                                      ", not \"" + clipped(text) + "\"");
}

std::string error_limit_text(const ErrorLimit& limit) {
    switch (limit.kind) {
        case ErrorLimit::Kind::Count:
            return std::to_string(limit.count);
        case ErrorLimit::Kind::Unlimited:
            return "unlimited";
        case ErrorLimit::Kind::Percent:
            break;
    }
    char text[400];  // the longest fixed form of a double
    const auto [end, problem] =
        std::to_chars(text, text + sizeof text, limit.percent, std::chars_format::fixed);
    return std::string(text, problem == std::errc() ? end : text) + "%";
}

}  // namespace sluice
