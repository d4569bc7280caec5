// Cuts one delimited text into raw columns, left to right: one cutter for quotes, one for backslashes.
// Must not know which columns exist nor what becomes of them.
// Raw columns point into the text.
#pragma once

#include "format/byte_scan.hpp"
#include "format/delimited_rules.hpp"
#include "format/unquote.hpp"

#include <string_view>

namespace sluice {

struct RawField {
    enum class Shape {
        Plain,    // the bytes are the text
        Wrapped,  // the text is what stands between one pair of quotes
        Rebuild,  // the text has to be put together
    };
    std::string_view bytes;
    Shape shape = Shape::Plain;
};

// What both cutters share: where the next column begins and how a delimiter is recognised.
class FieldCut {
  public:
    // True when the last column has been cut. An empty text still has one, empty, column.
    bool done() const { return done_; }

  protected:
    FieldCut(std::string_view text, const DelimitedRules& rules, char b, char c)
        : text_(text), delimiter_(rules.delimiter), first_(rules.delimiter[0]), scan_(text, first_, b, c) {}

    bool delimiter_at(size_t at) const {
        return text_[at] == first_ && (delimiter_.size() == 1 || text_.substr(at).starts_with(delimiter_));
    }

    std::string_view cut_at_delimiter(size_t at) {
        const std::string_view field = text_.substr(begin_, at - begin_);
        begin_ = at + delimiter_.size();
        // The other bytes of a long delimiter may look like the beginning of one.
        if (delimiter_.size() > 1) scan_.skip_to(begin_);
        return field;
    }

    std::string_view cut_last(size_t end) {
        done_ = true;
        return text_.substr(begin_, end - begin_);
    }

    std::string_view text_;
    std::string_view delimiter_;
    char first_;
    ByteScan scan_;
    size_t begin_ = 0;
    bool done_ = false;
};

class QuotedCut : public FieldCut {
  public:
    QuotedCut(std::string_view text, const DelimitedRules& rules)
        : FieldCut(text, rules, rules.quote, rules.escape), quote_(rules.quote), escape_(rules.escape) {}

    // False when a quote is never closed.
    [[gnu::always_inline]] bool next(RawField& field) {
        field.shape = RawField::Shape::Plain;
        size_t closed = 0;  // one past the last closing quote
        for (;;) {
            const size_t at = scan_.next();
            if (at == text_.size()) {
                field.bytes = cut_last(at);
            } else if (delimiter_at(at)) {
                field.bytes = cut_at_delimiter(at);
            } else if (text_[at] == quote_) {
                const bool wraps = at == begin_;
                bool escapes = false;
                if (!skip_quoted(closed, escapes)) return false;
                field.shape = wraps && !escapes ? RawField::Shape::Wrapped : RawField::Shape::Rebuild;
                continue;
            } else {
                continue;  // an escape outside quotes is data
            }
            const bool ends_with_quote = closed == static_cast<size_t>(field.bytes.end() - text_.begin());
            if (field.shape == RawField::Shape::Wrapped && !ends_with_quote)
                field.shape = RawField::Shape::Rebuild;
            return true;
        }
    }

  private:
    // Moves behind the closing quote; false when there is none.
    bool skip_quoted(size_t& closed, bool& escapes) {
        for (;;) {
            const size_t at = scan_.next();
            if (at == text_.size()) return false;
            const char c = text_[at];
            if (c == escape_ && at + 1 < text_.size() &&
                (text_[at + 1] == escape_ || text_[at + 1] == quote_)) {
                escapes = true;
                scan_.next();  // the escaped character is one the scan stops at
            } else if (c == quote_) {
                closed = at + 1;
                return true;
            }
        }
    }

    char quote_;
    char escape_;
};

class BackslashCut : public FieldCut {
  public:
    BackslashCut(std::string_view text, const DelimitedRules& rules) : FieldCut(text, rules, '\\', '\\') {}

    // Never fails: every sequence of bytes is a column.
    [[gnu::always_inline]] bool next(RawField& field) {
        field.shape = RawField::Shape::Plain;
        for (;;) {
            const size_t at = scan_.next();
            if (at == text_.size()) {
                field.bytes = cut_last(at);
                return true;
            }
            if (delimiter_at(at)) {
                field.bytes = cut_at_delimiter(at);
                return true;
            }
            if (text_[at] != '\\') continue;
            // As in COPY, a backslash that ends the row is dropped.
            if (at + 1 == text_.size()) {
                field.bytes = cut_last(at);
                return true;
            }
            field.shape = RawField::Shape::Rebuild;
            scan_.skip_to(at + backslash_sequence_length(text_.substr(at)));
        }
    }
};

}  // namespace sluice
