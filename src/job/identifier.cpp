#include "job/identifier.hpp"

#include "job/words.hpp"

namespace sluice {

namespace {

constexpr size_t kLongestName = 63;  // NAMEDATALEN - 1; PostgreSQL would cut a longer one silently

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool is_part(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '$'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void skip_blanks(std::string_view& text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

Result<std::string> take_quoted(std::string_view& text) {
    const std::string_view all = text;
    std::string name;
    text.remove_prefix(1);
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c == '"') {
            if (text.empty() || text.front() != '"') return name;
            text.remove_prefix(1);
        }
        name += c;
    }
    return Error::config("42602", "the name " + clipped(all) + " lacks its closing double quote");
}

// Takes one name from the front of `text`.
Result<std::string> take_identifier(std::string_view& text) {
    skip_blanks(text);
    if (text.empty() || text.front() == ',') return Error::config("42602", "a name is missing");
    std::string name;
    if (text.front() == '"') {
        auto quoted = take_quoted(text);
        if (!quoted) return quoted.error();
        name = std::move(quoted).value();
    } else {
        const std::string_view rest = text;
        while (!text.empty() && is_part(text.front())) text.remove_prefix(1);
        const std::string_view word = rest.substr(0, rest.size() - text.size());
        const bool ends = text.empty() || text.front() == ',' || is_blank(text.front());
        if (word.empty() || !is_letter(word.front()) || !ends) {
            const std::string_view whole = rest.substr(0, rest.find_first_of(", \t\r\n"));
            return Error::config(
                "42602", "\"" + clipped(whole) + "\" is not a name", {},
                "Names are written as in SQL: put one with other characters than letters, digits and "
                "underscores into double quotes.");
        }
        name = to_lower(word);
    }
    if (name.empty()) return Error::config("42602", "a name is empty");
    if (name.size() > kLongestName)
        return Error::config("42622", "the name \"" + clipped(name) + "\" is longer than " +
                                          std::to_string(kLongestName) + " bytes");
    skip_blanks(text);
    return name;
}

}  // namespace

Result<std::string> parse_identifier(std::string_view text) {
    const std::string_view all = text;
    auto name = take_identifier(text);
    if (name && !text.empty())
        return Error::config(
            "42602", "\"" + clipped(all) + "\" is not one name", {},
            "Names are written as in SQL: put one with blanks or commas into double quotes.");
    return name;
}

Result<std::vector<std::string>> parse_identifiers(std::string_view text) {
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    skip_blanks(text);
    if (text.size() >= 2 && text.front() == '(' && text.back() == ')') text = text.substr(1, text.size() - 2);
    std::vector<std::string> names;
    while (true) {
        auto name = take_identifier(text);
        if (!name) return name.error();
        names.push_back(std::move(name).value());
        if (text.empty()) return names;
        if (text.front() != ',')
            return Error::config("42602", "a comma is missing before \"" + clipped(text) + "\"", {},
                                 "Write names as in (id, version).");
        text.remove_prefix(1);
    }
}

std::string quote_identifier(std::string_view name) {
    bool plain = !name.empty() && (name.front() == '_' || (name.front() >= 'a' && name.front() <= 'z'));
    for (char c : name)
        plain = plain && is_part(c) && !(c >= 'A' && c <= 'Z') && static_cast<unsigned char>(c) < 0x80;
    if (plain) return std::string(name);
    std::string quoted = "\"";
    for (char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string quote_identifiers(std::span<const std::string> names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + quote_identifier(name);
    return list;
}

}  // namespace sluice
