#include "format/delimited_rules.hpp"

#include <optional>

namespace sluice {

namespace {

constexpr std::string_view kLineEnds = "\r\n";
// A backslash before one of these means something else, so as a delimiter it could not be escaped.
constexpr std::string_view kUnsafeAfterBackslash = ".abcdefghijklmnopqrstuvwxyz0123456789";

class Checker {
  public:
    Checker(const FormatSpec& spec, Origin part, TextCheck check)
        : options_(spec.delimited), csv_(spec.format == Format::Csv), part_(part), check_(check) {}

    Result<DelimitedRules> run() {
        rules_.style =
            csv_ || options_.quote ? DelimitedRules::Style::Quoted : DelimitedRules::Style::Backslash;
        rules_.delimiter = options_.delimiter.value_or(csv_ ? "," : "\t");
        rules_.null_string = options_.null_string.value_or(quoted() ? "" : "\\N");
        for (auto step : {&Checker::check_characters, &Checker::check_delimiter, &Checker::check_quote,
                          &Checker::check_escape, &Checker::check_null, &Checker::check_forced}) {
            if (std::optional<Error> error = (this->*step)()) return *std::move(error);
        }
        return rules_;
    }

  private:
    bool quoted() const { return rules_.style == DelimitedRules::Style::Quoted; }
    std::string name(std::string_view option) const {
        return "option \"" + option_name(option, part_) + "\"";
    }

    static std::optional<Error> refuse(std::string message, std::string hint) {
        return Error::config("22023", std::move(message), {}, std::move(hint));
    }

    std::optional<Error> check_characters() {
        const std::pair<std::string_view, const std::optional<std::string>&> written[] = {
            {"delimiter", options_.delimiter},
            {"quote", options_.quote},
            {"escape", options_.escape},
            {"null", options_.null_string}};
        for (const auto& [option, text] : written) {
            if (text && !clean_text(*text, check_)) {
                return refuse(name(option) + " must be valid text without NUL bytes",
                              "Write characters that the database's encoding has.");
            }
        }
        return std::nullopt;
    }

    std::optional<Error> check_delimiter() {
        const std::string& delimiter = rules_.delimiter;
        if (csv_ && delimiter.size() != 1) {
            return refuse(name("delimiter") + " must be a single one-byte character for format \"csv\"",
                          "Format \"delimited\" takes a delimiter of several characters.");
        }
        if (delimiter.empty())
            return refuse(name("delimiter") + " must not be empty", "The default is a tab.");
        if (delimiter.find_first_of(kLineEnds) != std::string::npos) {
            return refuse(name("delimiter") + " must not contain newline or carriage return",
                          "Every message is one row, so rows need no separator.");
        }
        if (!quoted() && (delimiter.find('\\') != std::string::npos ||
                          kUnsafeAfterBackslash.find(delimiter[0]) != std::string_view::npos)) {
            return refuse(
                name("delimiter") + " cannot be \"" + delimiter + "\" without a quote",
                "Without a quote it must not contain a backslash nor begin with a lower-case letter, a "
                "digit or a dot, which mean something after a backslash.");
        }
        return std::nullopt;
    }

    std::optional<Error> check_quote() {
        if (!quoted()) return std::nullopt;
        const std::string quote = options_.quote.value_or("\"");
        if (quote.size() != 1) {
            return refuse(name("quote") + " must be a single one-byte character", "The usual one is '\"'.");
        }
        if (rules_.delimiter.find(quote) != std::string::npos) {
            return refuse(name("delimiter") + " and " + name("quote") + " must be different",
                          "Choose a quote that is not part of the delimiter.");
        }
        rules_.quote = quote[0];
        return std::nullopt;
    }

    std::optional<Error> check_escape() {
        if (!quoted()) {
            // A backslash is what escapes here anyway.
            if (!options_.escape || *options_.escape == "\\") return std::nullopt;
            return refuse(name("escape") + " needs " + name("quote"),
                          "Without a quote the escape is always a backslash.");
        }
        if (options_.escape && options_.escape->size() != 1) {
            return refuse(name("escape") + " must be a single one-byte character",
                          "The default is the quote.");
        }
        rules_.escape = options_.escape ? options_.escape->front() : rules_.quote;
        return std::nullopt;
    }

    std::optional<Error> check_null() {
        const std::string& null = rules_.null_string;
        if (null.find_first_of(kLineEnds) != std::string::npos) {
            return refuse(name("null") + " must not contain newline or carriage return",
                          "Choose a text of one line.");
        }
        if (null.find(rules_.delimiter) != std::string::npos) {
            return refuse(name("delimiter") + " must not appear in " + name("null"),
                          "The columns are cut before they are compared with it.");
        }
        if (quoted() && null.find(rules_.quote) != std::string::npos) {
            return refuse(name("quote") + " must not appear in " + name("null"),
                          "A quoted column is data; option \"" + option_name("force_null", part_) +
                              "\" lets quoted columns be null too.");
        }
        return std::nullopt;
    }

    std::optional<Error> check_forced() {
        if (quoted()) return std::nullopt;
        for (const auto& [option, columns] : {std::pair{"force_not_null", &options_.force_not_null},
                                              std::pair{"force_null", &options_.force_null}}) {
            if (columns->empty()) continue;
            return refuse(name(option) + " needs quotes", "Use format \"csv\", or give " + name("quote") +
                                                              " too: without quotes NULL and text are "
                                                              "never mixed up.");
        }
        return std::nullopt;
    }

    const DelimitedOptions& options_;
    const bool csv_;
    const Origin part_;
    const TextCheck check_;
    DelimitedRules rules_;
};

}  // namespace

Result<DelimitedRules> DelimitedRules::make(const FormatSpec& spec, Origin part, TextCheck check) {
    return Checker(spec, part, check).run();
}

std::string option_name(std::string_view option, Origin part) {
    return (part == Origin::Key ? "key_" : "") + std::string(option);
}

}  // namespace sluice
