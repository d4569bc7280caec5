#include "format/json_row.hpp"

#include "format/json_value.hpp"
#include "format/text_check.hpp"

#include <algorithm>
#include <cstdio>

namespace sluice {

namespace {

// A path may be as long as the message.
std::string shown(const std::string& path) {
    constexpr size_t kMost = 200;
    if (path.size() <= kMost) return path;
    size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(path[end]) & 0xC0) == 0x80) --end;
    return path.substr(0, end) + "...";
}

}  // namespace

std::string json_place(size_t at, Origin part, size_t line) {
    return " at byte " + std::to_string(at) + (line > 0 ? " of line " + std::to_string(line) : "") +
           " of the " + std::string(part_name(part));
}

Error json_error(const JsonFault& fault, Origin part, const std::string& path, size_t line) {
    const std::string place = json_place(fault.at, part, line);
    const std::string subject = "json " + std::string(part_name(part));
    const std::string detail =
        path.empty() || path == "$" ? std::string() : "In field \"" + shown(path) + "\".";
    switch (fault.kind) {
        case JsonFault::Kind::Encoding:
            return Error::data("22021", subject + " is not valid UTF-8" + place, detail,
                               "JSON is always in UTF-8; the producer must write it so.");
        case JsonFault::Kind::Limit:
            return Error::data("54001", subject + " is too large" + place + ": " + std::string(fault.what),
                               detail, "Read it with format \"text\" or \"binary\" instead.");
        case JsonFault::Kind::Syntax:
            break;
    }
    return Error::data("22P02", subject + " is not valid JSON" + place + ": " + std::string(fault.what),
                       detail,
                       line > 0 ? "The producer must write one JSON value in each line."
                                : "The producer must write one JSON value in each message.");
}

Error JsonRow::malformed() const {
    return json_error(cursor_.fault(), part_, cursor_.path_at(cursor_.fault().at), line_);
}

std::optional<Error> JsonRow::read_any() {
    begin_ = cursor_.offset();
    if (!read_value(plan_.node(JsonPlan::kRoot))) return error_ ? std::move(error_) : malformed();
    return std::nullopt;
}

std::optional<Error> JsonRow::read() {
    const JsonNode& root = plan_.node(JsonPlan::kRoot);
    const char first = cursor_.peek();
    begin_ = cursor_.offset();
    if (!read_value(root)) return error_ ? std::move(error_) : malformed();
    const bool inside = first == '{' ? !root.members.empty() : first == '[' && !root.items.empty();
    if (!root.is_leaf() && !inside) return wrong_shape();
    return std::nullopt;
}

bool JsonRow::read_value(const JsonNode& node) {
    const size_t begin = cursor_.offset();
    const char first = cursor_.peek();
    // Nothing has been read yet; when a name is repeated, nothing of its earlier values is left.
    for (const size_t cell : node.below) row_[cell] = Cell::absent();
    bool escaped = false;
    if (first == '"') {
        std::string_view inner;
        if (!cursor_.take_string(inner, escaped)) return false;
    } else if (first == '{' && !node.members.empty()) {
        if (!read_object(node)) return false;
    } else if (first == '[' && !node.items.empty()) {
        if (!read_array(node)) return false;
    } else if (!cursor_.skip_value()) {
        return false;
    }
    return fill(node, cursor_.text().substr(begin, cursor_.end() - begin), escaped);
}

bool JsonRow::read_object(const JsonNode& node) {
    bool more = false;
    if (!cursor_.open('{', '}', more)) return false;
    more = !more;
    for (size_t place = 0; more; ++place) {
        uint32_t member;
        const JsonMemberOrder::Member* expected = node.order.at(place);
        if (expected && cursor_.take_expected_key(expected->quoted)) [[likely]] {
            member = expected->node;
        } else if (!find_member(node, place, member)) {
            return false;
        }
        if (member == JsonMembers::kNone ? !cursor_.skip_value() : !read_value(plan_.node(member)))
            return false;
        if (!cursor_.next('}', more)) return false;
    }
    return true;
}

bool JsonRow::find_member(const JsonNode& node, size_t place, uint32_t& member) {
    std::string_view name;
    bool escaped;
    if (!cursor_.take_key(name, escaped)) return false;
    if (escaped) {
        char* out = arena_.allocate(name.size());
        const JsonUnescaped unescaped = unescape_json(name, out);
        // A name that no text can have is no column's.
        name = unescaped.fault == JsonUnescaped::Fault::None ? std::string_view(out, unescaped.size)
                                                             : std::string_view("\0", 1);
    }
    member = node.members.find(name);
    if (!escaped) node.order.note(place, name, member);
    return true;
}

bool JsonRow::read_array(const JsonNode& node) {
    bool more = false;
    if (!cursor_.open('[', ']', more)) return false;
    more = !more;
    auto item = node.items.begin();
    for (uint32_t index = 0; more; ++index) {
        const bool wanted = item != node.items.end() && item->first == index;
        if (wanted ? !read_value(plan_.node(item++->second)) : !cursor_.skip_value()) return false;
        if (!cursor_.next(']', more)) return false;
    }
    return true;
}

// `raw` is the value as it stands in the text, quotes included.
bool JsonRow::fill(const JsonNode& node, std::string_view raw, bool escaped) {
    for (uint32_t index : node.columns) {
        const JsonColumn& column = plan_.columns()[index];
        Cell& cell = row_[column.cell];
        const char first = raw.front();
        if (first == 'n') {
            cell = Cell::null();
            continue;
        }
        if (connect_) {
            bool taken = false;
            if (!fill_connect(index, raw, escaped, taken)) return false;
            if (taken) continue;
        }
        if (column.shape == ColumnShape::Json) {
            cell = Cell::text(raw);
        } else if (first == '"') {
            if (!fill_string(column, raw, escaped)) return false;
        } else if (first == '{' || first == '[') {
            cell = column.shape == ColumnShape::Nested ? Cell::json(raw) : Cell::text(raw);
        } else if (first == 't' || first == 'f') {
            cell = Cell::text(raw);
        } else if (!fill_number(column, raw)) {
            return false;
        }
    }
    return true;
}

bool JsonRow::fill_string(const JsonColumn& column, std::string_view raw, bool escaped) {
    std::string_view text;
    if (!unescape(column, raw, escaped, text)) return false;
    row_[column.cell] = Cell::text(text);
    // PostgreSQL itself writes bytea in this form, and no base64 begins with a backslash.
    if (column.shape != ColumnShape::Bytes || text.starts_with("\\x")) return true;
    return fill_bytes(column, text, begin_of(raw));
}

bool JsonRow::unescape(const JsonColumn& column, std::string_view raw, bool escaped, std::string_view& text) {
    text = raw.substr(1, raw.size() - 2);
    if (!escaped) return true;
    char* out = arena_.allocate(text.size());
    const JsonUnescaped unescaped = unescape_json(text, out);
    const size_t at = begin_of(raw) + 1 + unescaped.bad_at;
    constexpr const char* kHint = "A column of type json can keep it.";
    switch (unescaped.fault) {
        case JsonUnescaped::Fault::None:
            break;
        case JsonUnescaped::Fault::Nul:
            return refuse(column, "22P05", "has an unsupported Unicode escape sequence", at,
                          "\\u0000 cannot be converted to text.", kHint);
        case JsonUnescaped::Fault::HighSurrogate:
            return refuse(column, "22P02", "has an invalid Unicode escape sequence", at,
                          "A Unicode high surrogate must be followed by a low surrogate.", kHint);
        case JsonUnescaped::Fault::LowSurrogate:
            return refuse(column, "22P02", "has an invalid Unicode escape sequence", at,
                          "A Unicode low surrogate must follow a high surrogate.", kHint);
    }
    text = {out, unescaped.size};
    return true;
}

bool JsonRow::fill_bytes(const JsonColumn& column, std::string_view text, size_t at) {
    char* out = arena_.allocate(base64_room(text.size()));
    const std::optional<size_t> size = decode_base64(text, out);
    if (!size)
        return refuse(column, "22P02", "is not base64", at, {},
                      "Bytes in JSON are base64, or hexadecimal digits after \\x.");
    row_[column.cell] = Cell::binary({out, *size});
    return true;
}

bool JsonRow::fill_number(const JsonColumn& column, std::string_view raw) {
    Cell& cell = row_[column.cell];
    cell = Cell::text(raw);
    switch (column.shape) {
        case ColumnShape::Integer: {
            const auto is_point = [](char c) { return c == '.' || (c | 0x20) == 'e'; };
            if (std::none_of(raw.begin(), raw.end(), is_point)) return true;
            char* out = arena_.allocate(kMostWholeDigits);
            if (const auto size = whole_number(raw, out)) cell = Cell::text({out, *size});
            return true;
        }
        case ColumnShape::Date:
        case ColumnShape::Time:
        case ColumnShape::Clock: {
            const std::optional<TimestampUnit> unit = column.unit ? column.unit : options_.timestamp_unit;
            if (!unit)
                return refuse(
                    column, "22007", "is a number, not a date or time", begin_of(raw), {},
                    "Set option \"timestamp_unit\" to s, ms or us if it counts from 1970-01-01 UTC, "
                    "or from midnight.");
            return column.shape == ColumnShape::Clock ? fill_clock(column, raw, *unit)
                                                      : fill_epoch(column, raw, *unit);
        }
        default:
            return true;
    }
}

bool JsonRow::fill_epoch(const JsonColumn& column, std::string_view raw, TimestampUnit unit) {
    const auto time = epoch_us(raw, unit);
    if (!time) return refuse(column, "22008", "is a number that is out of range for a time", begin_of(raw));
    row_[column.cell] = Cell::epoch_us(*time);
    return true;
}

bool JsonRow::fill_clock(const JsonColumn& column, std::string_view raw, TimestampUnit unit) {
    constexpr int64_t kSecond = 1'000'000, kDay = 86400 * kSecond;
    const auto time = epoch_us(raw, unit);
    if (!time || *time < 0 || *time > kDay)
        return refuse(column, "22008", "is a number that is out of range for a time of day", begin_of(raw));
    constexpr size_t kSize = sizeof "HH:MM:SS.ffffff" - 1;
    char* out = arena_.allocate(kSize + 1);
    const int64_t seconds = *time / kSecond;
    std::snprintf(out, kSize + 1, "%02d:%02d:%02d.%06d", static_cast<int>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                  static_cast<int>(*time % kSecond));
    row_[column.cell] = Cell::text({out, kSize});
    return true;
}

std::optional<Error> JsonRow::finish() {
    for (const JsonColumn& column : plan_.columns()) {
        Cell& cell = row_[column.cell];
        if (cell.kind != CellKind::Absent || is_unavailable(cell)) continue;
        if (options_.missing_field == MissingField::Error) {
            const std::string where =
                rows_path_.empty() ? (line_ > 0 ? "It begins" : "") : "The element begins";
            Error error = Error::data(
                "2203A",
                "json " + std::string(part_name(part_)) + " has no field \"" + path_of(column) + "\"",
                where.empty() ? where : where + place(begin_) + ".",
                "Without option \"missing_field\" such a column is NULL.");
            error.column_name = column.name;
            return error;
        }
        cell = Cell::null();
    }
    return std::nullopt;
}

bool JsonRow::refuse(const JsonColumn& column, const char* sqlstate, std::string what, size_t at,
                     std::string detail, std::string hint) {
    error_ = Error::data(sqlstate, "field \"" + path_of(column) + "\" " + std::move(what) + place(at),
                         std::move(detail), std::move(hint));
    error_->column_name = column.name;
    return false;
}

std::string JsonRow::place(size_t at) const { return json_place(at, part_, line_); }

// From the top of the text.
std::string JsonRow::path_of(const JsonColumn& column) const {
    if (rows_path_.empty()) return column.path;
    std::string path(rows_path_ == "$" ? std::string_view() : rows_path_);
    path += "[" + std::to_string(item_) + "]";
    if (column.path == "$") return path;
    if (column.path.front() != '[') path += '.';
    return path + column.path;
}

Error JsonRow::wrong_shape() const {
    const bool object = !plan_.node(JsonPlan::kRoot).members.empty();
    return Error::data("2203C",
                       "json " + std::string(part_name(part_)) + " is not " +
                           (object ? "an object" : "an array") + (line_ > 0 ? place(begin_) : ""),
                       "Columns are fields of it.",
                       "A column with option field '$' takes the whole " + std::string(part_name(part_)) +
                           ", whatever it is.");
}

}  // namespace sluice
