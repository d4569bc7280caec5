#include "format/delimited_decoder.hpp"

#include "format/field_cut.hpp"

#include <type_traits>

namespace sluice {

namespace {

// True when an odd number of backslashes stands at the end of `text`: the next byte is escaped.
bool ends_in_escape(std::string_view text) {
    size_t backslashes = 0;
    while (backslashes < text.size() && text[text.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
}

}  // namespace

DelimitedDecoder::DelimitedDecoder(Format format, DelimitedRules rules, std::vector<DelimitedColumn> columns,
                                   Origin part, TextCheck check)
    : rules_(std::move(rules)),
      columns_(std::move(columns)),
      part_(part),
      check_(check),
      format_name_(format == Format::Csv ? "csv" : "delimited") {
    for (size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].wanted) decoded_ = i + 1;
    }
}

std::optional<Error> DelimitedDecoder::decode(std::string_view text, Arena& arena, Row row) const {
    text = without_line_end(text);
    return rules_.style == DelimitedRules::Style::Quoted ? decode_with<QuotedCut>(text, arena, row)
                                                         : decode_with<BackslashCut>(text, arena, row);
}

// Producers that write lines often leave the line end on; one is taken off, unless a backslash makes it data.
std::string_view DelimitedDecoder::without_line_end(std::string_view text) const {
    for (const char end : {'\n', '\r'}) {
        if (!text.ends_with(end)) break;
        const std::string_view shorter = text.substr(0, text.size() - 1);
        if (rules_.style == DelimitedRules::Style::Backslash && ends_in_escape(shorter)) break;
        text = shorter;
    }
    return text;
}

template <class Cut>
std::optional<Error> DelimitedDecoder::decode_with(std::string_view text, Arena& arena, Row row) const {
    // One pass over the whole text is cheap and nearly always enough. Only when it finds something wrong
    // every wanted column is looked at alone, because columns that nobody wants may hold anything.
    const bool clean = clean_text(text, check_);
    Cut cut(text, rules_);
    RawField raw;
    size_t found = 0;
    for (; found < decoded_; ++found) {
        if (cut.done()) return wrong_count(found);
        if (!cut.next(raw)) return unterminated(found);
        const DelimitedColumn& column = columns_[found];
        if (!column.wanted) {
            row[column.cell] = Cell::null();
            continue;
        }
        if (!clean && !clean_text(raw.bytes, check_)) {
            const auto offset = static_cast<size_t>(raw.bytes.data() - text.data());
            return text_fault(raw.bytes, check_, offset, part_, column.name);
        }
        std::optional<Error> error = decode_field<Cut>(raw, column, arena, row[column.cell]);
        if (error) return error;
    }
    for (size_t i = decoded_; i < columns_.size(); ++i) row[columns_[i].cell] = Cell::null();
    for (; !cut.done(); ++found) {
        if (!cut.next(raw)) return unterminated(found);
    }
    if (found != columns_.size()) return wrong_count(found);
    return std::nullopt;
}

template <class Cut>
std::optional<Error> DelimitedDecoder::decode_field(const RawField& raw, const DelimitedColumn& column,
                                                    Arena& arena, Cell& cell) const {
    // The NULL string is compared with the bytes as they stand in the message. It has no quote, so quoted
    // ones differ.
    if (raw.bytes == rules_.null_string) {
        cell = column.force_not_null ? Cell::text(raw.bytes) : Cell::null();
        return std::nullopt;
    }
    switch (raw.shape) {
        case RawField::Shape::Plain:
            cell = Cell::text(raw.bytes);
            break;
        case RawField::Shape::Wrapped:
            cell = Cell::text(raw.bytes.substr(1, raw.bytes.size() - 2));
            break;
        case RawField::Shape::Rebuild: {
            char* out = arena.allocate(raw.bytes.size());
            if constexpr (std::is_same_v<Cut, QuotedCut>) {
                cell = Cell::text({out, unquote(raw.bytes, rules_.quote, rules_.escape, out)});
            } else {
                const Unescaped unescaped = unescape_backslashes(raw.bytes, out);
                cell = Cell::text({out, unescaped.size});
                if (unescaped.needs_check && !clean_text(cell.view(), check_)) {
                    return escaped_text_fault(cell.view(), check_, column.name);
                }
            }
            break;
        }
    }
    if (column.force_null && cell.view() == rules_.null_string) cell = Cell::null();
    return std::nullopt;
}

Error DelimitedDecoder::unterminated(size_t found) const {
    Error error = Error::data(
        "22P04",
        std::string(format_name_) + " " + std::string(part_name(part_)) + " has a quote that is never closed",
        "It opens in column " + std::to_string(found + 1) + ".",
        "A quote inside a quoted column must be doubled or escaped.");
    if (found < columns_.size()) error.column_name = columns_[found].name;
    return error;
}

Error DelimitedDecoder::wrong_count(size_t found) const {
    const size_t expected = columns_.size();
    Error error =
        Error::data("22P04", std::string(format_name_) + " " + std::string(part_name(part_)) + " has " +
                                 std::to_string(found) + (found == 1 ? " column, " : " columns, ") +
                                 std::to_string(expected) + " expected");
    if (found < expected) {
        error.column_name = columns_[found].name;
        error.detail = "Data is missing for column \"" + columns_[found].name + "\".";
    } else {
        error.detail = "There is data after the last column, \"" + columns_.back().name + "\".";
        error.hint = rules_.style == DelimitedRules::Style::Quoted
                         ? "A delimiter that is data must stand inside quotes."
                         : "A delimiter that is data must have a backslash before it.";
    }
    return error;
}

}  // namespace sluice
