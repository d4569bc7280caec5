#include "format/json_cursor.hpp"

#include "format/json_path.hpp"

#include <array>
#include <vector>

namespace sluice {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_number(std::string_view word) {
    const char* at = word.data();
    const char* const end = at + word.size();
    const auto digits = [&] {
        const char* const first = at;
        while (at != end && is_digit(*at)) ++at;
        return at != first;
    };
    if (at != end && *at == '-') ++at;
    if (at != end && *at == '0')
        ++at;
    else if (!digits())
        return false;
    if (at != end && *at == '.') {
        ++at;
        if (!digits()) return false;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) ++at;
        if (!digits()) return false;
    }
    return at == end;
}

}  // namespace

bool JsonCursor::is_word(std::string_view word) {
    switch (word.front()) {
        case 't':
            return word == "true";
        case 'f':
            return word == "false";
        case 'n':
            return word == "null";
        default:
            return is_number(word);
    }
}

bool JsonCursor::check_escapes(std::string_view inner, size_t at) {
    for (size_t i = inner.find('\\'); i != inner.npos; i = inner.find('\\', i)) {
        // The tokens tell that the string's last quote is not escaped, so a byte follows.
        const char c = inner[i + 1];
        if (c == 'u') {
            for (size_t digit = i + 2; digit < i + 6; ++digit)
                if (digit >= inner.size() || !is_hex(inner[digit]))
                    return fail(at + i, "\"\\u\" must be followed by four hexadecimal digits");
            i += 6;
        } else if (std::memchr("\"\\/bfnrt", c, 8) != nullptr) {
            i += 2;
        } else {
            return fail(at + i, "an escape sequence is not one of JSON's");
        }
    }
    return true;
}

bool JsonCursor::find_escapes(std::string_view inner, size_t begin, bool& escaped) {
    if (escape_ < begin) find_escape(begin);
    escaped = escape_ < begin + inner.size();
    return !escaped || check_escapes(inner, begin);
}

bool JsonCursor::too_deep() {
    return fail(offset(), "arrays and objects are nested more than 1000 levels deep", JsonFault::Kind::Limit);
}

bool JsonCursor::take_end() {
    return at_end() || fail(offset(), "there is something after the end of the value");
}

// Without recursion: messages decide how deep it goes.
bool JsonCursor::skip_nested() {
    std::array<bool, kMostLevels + 1> in_object;
    const size_t outside = level_;
    std::string_view ignored;
    bool escaped = false, flag = false;
    for (;;) {
        bool closed = true;
        switch (peek()) {
            case '{':
                if (!open('{', '}', flag)) return false;
                if (flag) break;
                in_object[level_] = true;
                if (!take_key(ignored, escaped)) return false;
                closed = false;
                break;
            case '[':
                if (!open('[', ']', flag)) return false;
                if (flag) break;
                in_object[level_] = false;
                closed = false;
                break;
            case '"':
                if (!take_string(ignored, escaped)) return false;
                break;
            default:
                if (!take_word(ignored)) return false;
        }
        while (closed && level_ > outside) {
            const bool object = in_object[level_];
            if (!next(object ? '}' : ']', flag)) return false;
            if (!flag) continue;
            if (object && !take_key(ignored, escaped)) return false;
            closed = false;
        }
        if (closed) return true;
    }
}

// Only after an error, so it may be slow. The tokens before the byte are known to be well formed.
std::string JsonCursor::path_at(size_t byte) const {
    struct Level {
        bool object;
        bool named;
        size_t index;
        std::string_view name;
    };
    std::vector<Level> levels;
    for (size_t i = 0; i < count_ && tokens_[i] <= byte; ++i) {
        const char c = text_[tokens_[i]];
        if (c == '{' || c == '[') {
            if (tokens_[i] == byte) break;
            levels.push_back({c == '{', false, 0, {}});
        } else if ((c == '}' || c == ']') && !levels.empty()) {
            levels.pop_back();
        } else if (levels.empty()) {
            continue;
        } else if (c == ',') {
            if (tokens_[i] == byte) break;
            ++levels.back().index;
            levels.back().named = false;
        } else if (c == '"' && levels.back().object && !levels.back().named) {
            size_t end = i + 1 < count_ ? tokens_[i + 1] : text_.size();
            end = text_.substr(0, end).rfind('"');
            if (end == text_.npos || end <= tokens_[i]) break;
            levels.back().named = true;
            levels.back().name = text_.substr(tokens_[i] + 1, end - tokens_[i] - 1);
        }
    }
    std::vector<JsonStep> steps;
    for (const Level& level : levels) {
        if (level.object && !level.named) break;
        steps.push_back(level.object ? JsonStep::member(std::string(level.name))
                                     : JsonStep::item(static_cast<uint32_t>(level.index)));
    }
    return to_text(steps);
}

}  // namespace sluice
