// Delimited text decoded a byte at a time, with no thought of speed: what the fast decoder is compared with.
// Must not share code with the decoder, apart from the UTF-8 check.
// Fields own their text.
#pragma once

#include "base/arena.hpp"
#include "format/delimited_rules.hpp"
#include "format/record_decoder.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::model {

struct Field {
    std::string raw;
    std::string text;
    bool quoted = false;
};

inline bool digit(char c, int base) {
    const std::string_view digits = "0123456789abcdefABCDEF";
    return digits.substr(0, base == 8 ? 8 : digits.size()).find(c) != std::string_view::npos && c != '\0';
}

inline std::string strip_line_end(std::string text, bool backslashes) {
    for (char end : {'\n', '\r'}) {
        if (text.empty() || text.back() != end) break;
        size_t before = 0;
        while (before + 1 < text.size() && text[text.size() - 2 - before] == '\\') ++before;
        if (backslashes && before % 2 == 1) break;
        text.pop_back();
    }
    return text;
}

// Nothing when a quote stays open.
inline std::optional<std::vector<Field>> quoted_fields(const std::string& text, const std::string& delimiter,
                                                       char quote, char escape) {
    std::vector<Field> fields(1);
    bool inside = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
        if (!inside && text.compare(i, delimiter.size(), delimiter) == 0) {
            i += delimiter.size() - 1;
            fields.emplace_back();
            continue;
        }
        fields.back().raw += c;
        if (inside && c == escape && i + 1 < text.size() && (next == quote || next == escape)) {
            fields.back().raw += next;
            fields.back().text += next;
            ++i;
        } else if (c == quote) {
            inside = !inside;
            fields.back().quoted = true;
        } else {
            fields.back().text += c;
        }
    }
    if (inside) return std::nullopt;
    return fields;
}

inline std::vector<Field> backslash_fields(const std::string& text, const std::string& delimiter) {
    const std::string_view names = "bfnrtv", meanings = "\b\f\n\r\t\v";
    std::vector<Field> fields(1);
    for (size_t i = 0; i < text.size();) {
        if (text.compare(i, delimiter.size(), delimiter) == 0) {
            i += delimiter.size();
            fields.emplace_back();
            continue;
        }
        const size_t begin = i;
        char c = text[i++];
        if (c == '\\') {
            if (i == text.size()) break;  // dropped
            c = text[i++];
            const int base = digit(c, 8) ? 8 : c == 'x' && i < text.size() && digit(text[i], 16) ? 16 : 0;
            if (base != 0) {
                std::string number(base == 8 ? 1 : 0, c);
                while (number.size() < (base == 8 ? 3u : 2u) && i < text.size() && digit(text[i], base)) {
                    number += text[i++];
                }
                c = static_cast<char>(std::strtoul(number.c_str(), nullptr, base));
            } else if (names.find(c) != std::string_view::npos) {
                c = meanings[names.find(c)];
            }
        }
        fields.back().raw += text.substr(begin, i - begin);
        fields.back().text += c;
    }
    return fields;
}

// What a fuzzer says about a source: the format's options and which columns are wanted.
struct Source {
    RecordSpec spec;
    DelimitedRules rules;
};

// Empty when the value must be refused; otherwise a text or nothing for each column.
inline std::optional<std::vector<std::optional<std::string>>> decode(const Source& source,
                                                                     std::string value) {
    const DelimitedRules& rules = source.rules;
    const TextCheck check = source.spec.validate_utf8 ? TextCheck::Utf8 : TextCheck::NulOnly;
    const bool backslashes = rules.style == DelimitedRules::Style::Backslash;
    value = strip_line_end(std::move(value), backslashes);
    std::optional<std::vector<Field>> fields;
    if (backslashes) {
        fields = backslash_fields(value, rules.delimiter);
    } else {
        fields = quoted_fields(value, rules.delimiter, rules.quote, rules.escape);
    }
    if (!fields || fields->size() != source.spec.columns.size()) return std::nullopt;
    std::vector<std::optional<std::string>> cells;
    const DelimitedOptions& options = source.spec.value->delimited;
    const auto forced = [](const std::vector<std::string>& names, const std::string& name) {
        for (const std::string& each : names) {
            if (each == name) return true;
        }
        return false;
    };
    for (size_t i = 0; i < fields->size(); ++i) {
        const Field& field = (*fields)[i];
        const SourceColumn& column = source.spec.columns[i];
        cells.emplace_back();
        if (!column.wanted) continue;
        if (!clean_text(field.raw, check)) return std::nullopt;
        if (!field.quoted && field.raw == rules.null_string) {
            if (forced(options.force_not_null, column.name)) cells.back() = field.raw;
            continue;
        }
        if (!clean_text(field.text, check)) return std::nullopt;
        if (field.text == rules.null_string && forced(options.force_null, column.name)) continue;
        cells.back() = field.text;
    }
    return cells;
}

// Decodes `value` with both and ends the program when they differ.
inline void compare(const Source& source, std::string_view value) {
    Result<RecordDecoder> decoder = RecordDecoder::make(source.spec, nullptr);
    if (!decoder) std::abort();
    MessageView message;
    message.value = Bytes::of(value);
    Arena arena(64);
    std::vector<Cell> row(source.spec.columns.size(), Cell::integer(-1));
    const std::optional<Error> error = decoder.value().decode(message, arena, row);
    const auto expected = decode(source, std::string(value));
    if (error.has_value() == expected.has_value()) std::abort();
    if (error) {
        if (error->kind != ErrorKind::Data || error->message.empty()) std::abort();
        if (error->sqlstate != "22P04" && error->sqlstate != "22021") std::abort();
        return;
    }
    for (size_t i = 0; i < row.size(); ++i) {
        if (row[i].kind != ((*expected)[i] ? CellKind::Text : CellKind::Null)) std::abort();
        if ((*expected)[i] && row[i].view() != *(*expected)[i]) std::abort();
    }
}

// Builds a source from an input's first bytes: columns, wanted ones, forced ones and the encoding.
inline Source source_of(FormatSpec format, uint8_t columns, uint8_t flags) {
    Source source;
    const bool quotes = format.format == Format::Csv || format.delimited.quote.has_value();
    for (size_t i = 1; i <= size_t{columns} % 5 + 1; ++i) {
        const std::string name = "c" + std::to_string(i);
        // The first column is always wanted: a value that nobody wants is not looked at.
        const bool wanted = i == 1 || (columns >> 3 >> (i - 2) & 1) == 0;
        source.spec.columns.push_back({.name = name, .wanted = wanted});
        if (quotes && (flags & 1) != 0 && i % 2 == 1) format.delimited.force_null.push_back(name);
        if (quotes && (flags & 2) != 0 && i > 2) format.delimited.force_not_null.push_back(name);
    }
    source.spec.validate_utf8 = (flags & 4) == 0;
    Result<DelimitedRules> rules = DelimitedRules::make(format, Origin::Value, TextCheck::Utf8);
    if (!rules) std::abort();
    source.rules = rules.value();
    source.spec.value = std::move(format);
    return source;
}

}  // namespace sluice::model
