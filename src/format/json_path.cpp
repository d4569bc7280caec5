#include "format/json_path.hpp"

#include <charconv>

namespace sluice {

namespace {

constexpr size_t kMostSteps = 100;
constexpr std::string_view kMessage = "$", kRow = "@";
constexpr std::string_view kSpecial = ".[]\"";

// Neither a name alone nor the first of several steps.
bool begins_with(std::string_view text, std::string_view word) {
    return text.starts_with(word) &&
           (text.size() == word.size() || text[word.size()] == '.' || text[word.size()] == '[');
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<JsonPath> run() {
        const bool anchored = begins_with(text_, kMessage) || begins_with(text_, kRow);
        if (anchored && text_.size() == 1) return JsonPath();
        if (anchored) at_ = 1;
        JsonPath path;
        // A path begins with a name or a bracket; after that a name has a dot before it.
        do {
            if (path.size() == kMostSteps) return refuse("has more than 100 steps");
            const bool bracket = at_ < text_.size() && text_[at_] == '[';
            if (!bracket && at_ > 0 && text_[at_++] != '.')
                return refuse("has something between two steps that is neither a dot nor \"[\"");
            if (!(bracket ? read_item(path) : read_name(path))) return refuse(why_);
        } while (at_ < text_.size());
        return path;
    }

  private:
    bool no(const char* why) {
        why_ = why;
        return false;
    }

    bool read_item(JsonPath& path) {
        uint32_t index = 0;
        const char* const first = text_.data() + at_ + 1;
        const char* const last = text_.data() + text_.size();
        const auto read = std::from_chars(first, last, index);
        if (read.ec != std::errc() || read.ptr == last || *read.ptr != ']')
            return no("has a bracket that does not hold the number of an item, as in [0]");
        at_ = static_cast<size_t>(read.ptr - text_.data()) + 1;
        path.push_back(JsonStep::item(index));
        return true;
    }

    bool read_name(JsonPath& path) {
        if (at_ < text_.size() && text_[at_] == '"') return read_quoted(path);
        const size_t end = std::min(text_.find_first_of(kSpecial, at_), text_.size());
        if (end == at_) return no("has an empty name; write \"\" in quotes if you mean one");
        path.push_back(JsonStep::member(std::string(text_.substr(at_, end - at_))));
        at_ = end;
        return true;
    }

    bool read_quoted(JsonPath& path) {
        std::string name;
        for (++at_;; ++at_) {
            if (at_ == text_.size()) return no("has a quote that is never closed");
            if (text_[at_] == '"') {
                ++at_;
                if (at_ == text_.size() || text_[at_] != '"') break;
            }
            name += text_[at_];
        }
        path.push_back(JsonStep::member(std::move(name)));
        return true;
    }

    Error refuse(const std::string& why) const {
        return Error::config("22023", "path " + why, {},
                             "Write it as in details.items[0].sku; a name that contains dots, brackets or "
                             "quotes stands in double quotes, and $ is the whole value.");
    }

    std::string_view text_;
    size_t at_ = 0;
    const char* why_ = "";
};

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) { return Parser(text).run(); }

bool is_of_message(std::string_view text) { return begins_with(text, kMessage); }

std::string to_text(const JsonPath& path) {
    if (path.empty()) return std::string(kMessage);
    std::string text;
    for (const JsonStep& step : path) {
        if (step.is_item) {
            text += "[" + std::to_string(step.index) + "]";
            continue;
        }
        const bool taken = text.empty() && (step.name == kMessage || step.name == kRow);
        if (!text.empty()) text += '.';
        if (!step.name.empty() && !taken && step.name.find_first_of(kSpecial) == std::string::npos) {
            text += step.name;
            continue;
        }
        text += '"';
        for (char c : step.name) text.append(c == '"' ? 2 : 1, c);
        text += '"';
    }
    return text;
}

}  // namespace sluice
