// The rules of one delimited text after every option is checked and every default filled in.
// Must not know columns' types nor messages.
// Plain values.
#pragma once

#include "base/result.hpp"
#include "format/format_spec.hpp"
#include "format/text_check.hpp"

#include <string>
#include <string_view>

namespace sluice {

struct DelimitedRules {
    enum class Style {
        Quoted,     // csv: a quote protects delimiters, an escape works only inside quotes
        Backslash,  // COPY's text format: backslash sequences, no quotes
    };

    Style style = Style::Quoted;
    std::string delimiter;
    std::string null_string;
    char quote = '"';   // Quoted only
    char escape = '"';  // Quoted only

    // `spec` is a csv or delimited one. The error names the option as SQL spells it for `part`.
    static Result<DelimitedRules> make(const FormatSpec& spec, Origin part, TextCheck check);
};

// The option's name in SQL: `delimiter` for the value, `key_delimiter` for the key.
std::string option_name(std::string_view option, Origin part);

}  // namespace sluice
