// Walks the tokens of one JSON text and checks the grammar of RFC 8259 on the way, as PostgreSQL's json does.
// Must not know columns.
// Borrows text and tokens; what it returns points into the text.
#pragma once

#include "format/json_tokens.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace sluice {

class JsonCursor {
  public:
    // Arrays and objects inside each other.
    static constexpr size_t kMostLevels = 1000;

    JsonCursor(std::string_view text, const JsonTokens& tokens)
        : text_(text), tokens_(tokens.positions()), count_(tokens.count()) {
        find_escape(0);
    }

    // The byte that begins the next token; NUL at the end, which never begins one.
    char peek() const { return at_ == count_ ? '\0' : text_[tokens_[at_]]; }
    // Where the next token begins, in bytes.
    size_t offset() const { return at_ == count_ ? text_.size() : tokens_[at_]; }
    // One past the last byte of what was taken last.
    size_t end() const { return end_; }
    bool at_end() const { return at_ == count_; }
    std::string_view text() const { return text_; }

    // Goes back to a value that has been read, by its first byte.
    void go_to(size_t offset) {
        at_ = static_cast<size_t>(std::lower_bound(tokens_, tokens_ + count_, offset) - tokens_);
        level_ = 0;
        find_escape(offset);
    }

    // Each takes what its name says or returns false and leaves the reason in `fault`. What runs for every
    // token is inline: there are few bytes between two of them.
    bool skip_value() {
        const char first = peek();
        if (first == '{' || first == '[') return skip_nested();
        std::string_view ignored;
        bool escaped;
        return first == '"' ? take_string(ignored, escaped) : take_word(ignored);
    }

    bool take_string(std::string_view& inner, bool& escaped) {
        const size_t begin = tokens_[at_] + 1;
        const size_t end = trimmed_end();
        if (end <= begin || text_[end - 1] != '"') return fail(begin - 1, "a string is never closed");
        inner = {text_.data() + begin, end - 1 - begin};
        escaped = false;
        if (escape_ < end && !find_escapes(inner, begin, escaped)) [[unlikely]]
            return false;
        end_ = end;
        ++at_;
        return true;
    }

    // A number, true, false or null.
    bool take_word(std::string_view& word) {
        if (at_end()) return fail(text_.size(), "the text ends where a value is expected");
        const size_t begin = tokens_[at_];
        const size_t end = trimmed_end();
        if (end <= begin) return fail(begin, "a value is expected");
        word = {text_.data() + begin, end - begin};
        if (!is_whole_number(word) && !is_word(word)) return fail(begin, "a value is expected");
        end_ = end;
        ++at_;
        return true;
    }

    bool take_key(std::string_view& inner, bool& escaped) {
        if (peek() != '"') return fail(offset(), "the name of a field is expected");
        if (!take_string(inner, escaped)) return false;
        if (peek() != ':') return fail(offset(), "\":\" is expected after the name of a field");
        ++at_;
        return true;
    }

    // Takes the name of a field when its bytes and the quote behind them are `quoted`, which has no escapes.
    // False, and nothing is taken, when they are others, or wrong.
    bool take_expected_key(std::string_view quoted) {
        if (quoted.empty() || at_ + 1 >= count_) return false;
        const size_t begin = tokens_[at_];
        if (text_[begin] != '"' || text_.size() - begin <= quoted.size() || text_[tokens_[at_ + 1]] != ':' ||
            !same_bytes(text_.data() + begin + 1, quoted))
            return false;
        at_ += 2;
        return true;
    }

    bool open(char bracket, char closing, bool& empty) {
        if (peek() != bracket) return fail(offset(), "a value is expected");
        if (level_ == kMostLevels) return too_deep();
        ++at_;
        empty = peek() == closing;
        if (empty) {
            end_ = offset() + 1;
            ++at_;
        } else {
            ++level_;
        }
        return true;
    }

    // After a value: true in `more` when a comma was taken, false when the closing bracket was.
    bool next(char closing, bool& more) {
        const char c = peek();
        more = c == ',';
        if (!more) {
            if (c != closing)
                return fail(offset(),
                            closing == '}' ? "\",\" or \"}\" is expected" : "\",\" or \"]\" is expected");
            end_ = offset() + 1;
            --level_;
        }
        ++at_;
        return true;
    }

    bool take_end();

    const JsonFault& fault() const { return fault_; }
    bool fail(size_t at, std::string_view what, JsonFault::Kind kind = JsonFault::Kind::Syntax) {
        fault_ = {at, what, kind};
        return false;
    }

    // The path of the value that holds the byte, as it would be written in option `field`.
    std::string path_at(size_t byte) const;

  private:
    size_t next_offset() const { return at_ + 1 < count_ ? tokens_[at_ + 1] : text_.size(); }
    size_t trimmed_end() const {
        size_t end = next_offset();
        while (is_blank(text_[end - 1])) --end;
        return end;
    }
    // Without a call: names are short.
    static bool same_bytes(const char* at, std::string_view expected) {
        const auto differ = [&]<class Word>(Word, size_t from) {
            Word a, b;
            std::memcpy(&a, at + from, sizeof a);
            std::memcpy(&b, expected.data() + from, sizeof b);
            return a != b;
        };
        const size_t size = expected.size();
        if (size > 16) return std::memcmp(at, expected.data(), size) == 0;
        if (size >= 8) return !differ(uint64_t{}, 0) && !differ(uint64_t{}, size - 8);
        if (size >= 4) return !differ(uint32_t{}, 0) && !differ(uint32_t{}, size - 4);
        for (size_t i = 0; i < size; ++i)
            if (at[i] != expected[i]) return false;
        return true;
    }
    static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
    // What most numbers are.
    static bool is_whole_number(std::string_view word) {
        if (word.front() < '1' || word.front() > '9') return false;
        for (const char c : word)
            if (c < '0' || c > '9') return false;
        return true;
    }
    static bool is_word(std::string_view word);
    bool skip_nested();
    bool find_escapes(std::string_view inner, size_t begin, bool& escaped);
    bool check_escapes(std::string_view inner, size_t at);
    bool too_deep();
    // Backslashes are looked for ahead and once, not in each string by itself.
    void find_escape(size_t from) {
        const void* found = std::memchr(text_.data() + from, '\\', text_.size() - from);
        escape_ = found ? static_cast<size_t>(static_cast<const char*>(found) - text_.data()) : text_.size();
    }

    std::string_view text_;
    const uint32_t* tokens_;
    size_t count_;
    size_t at_ = 0;
    size_t end_ = 0;
    size_t level_ = 0;
    size_t escape_ = 0;
    JsonFault fault_;
};

}  // namespace sluice
