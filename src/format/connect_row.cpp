// What JsonRow does beyond JSON with values that Kafka Connect or Debezium wrote.
#include "format/json_row.hpp"
#include "format/json_value.hpp"

namespace sluice {

namespace {

bool is_number(std::string_view raw) {
    return raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9');
}

}  // namespace

bool is_unavailable_json(std::string_view raw) {
    constexpr std::string_view kBase64 = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==";
    if (raw.front() == '[' && raw.back() == ']') raw = raw.substr(1, raw.size() - 2);
    if (raw.size() < 2 || raw.front() != '"') return false;
    const std::string_view text = raw.substr(1, raw.size() - 2);
    return text == kUnavailable || text == kBase64;
}

// `taken` stays false when the value is to be read as in any JSON.
bool JsonRow::fill_connect(uint32_t index, std::string_view raw, bool escaped, bool& taken) {
    const JsonColumn& column = plan_.columns()[index];
    const char first = raw.front();
    if ((first == '"' || first == '[') && is_unavailable_json(raw)) {
        Cell& cell = row_[column.cell];
        cell = Cell::absent();
        cell.size = 1;
        has_unavailable_ = taken = true;
        return true;
    }
    const ConnectField field = fields_ ? (*fields_)[index] : ConnectField();
    const bool dated = column.shape == ColumnShape::Date || column.shape == ColumnShape::Time;
    ConnectType type = field.type;
    // Without a schema the column's type tells what the value must be.
    if (fields_ == nullptr && column.shape == ColumnShape::Json) type = ConnectType::JsonText;
    if (fields_ == nullptr && column.shape == ColumnShape::Date && !options_.timestamp_unit && !column.unit)
        type = ConnectType::Days;

    std::string_view text;
    taken = true;
    switch (type) {
        case ConnectType::Days:
            if (!dated || !is_number(raw)) break;
            {
                constexpr int64_t kDay = int64_t{86400} * 1'000'000;
                const auto days = small_whole_number(raw);
                int64_t time = 0;
                if (!days || __builtin_mul_overflow(*days, kDay, &time))
                    return refuse(column, "22008", "is a number that is out of range for a date",
                                  begin_of(raw));
                row_[column.cell] = Cell::epoch_us(time);
                return true;
            }
        case ConnectType::Epoch:
            if (!dated || !is_number(raw)) break;
            return fill_epoch(column, raw, field.unit);
        case ConnectType::Clock:
            if (column.shape != ColumnShape::Clock || !is_number(raw)) break;
            return fill_clock(column, raw, field.unit);
        case ConnectType::Decimal:
            if (first != '"') break;
            return unescape(column, raw, escaped, text) &&
                   fill_decimal(column, text, field.parameter, begin_of(raw));
        case ConnectType::JsonText:
            if (first != '"' || column.shape != ColumnShape::Json) break;
            if (!unescape(column, raw, escaped, text)) return false;
            row_[column.cell] = Cell::text(text);
            return true;
        case ConnectType::Bits:
            if (first != '"' || column.shape == ColumnShape::Bytes) break;
            return unescape(column, raw, escaped, text) &&
                   fill_bits(column, text, field.parameter, begin_of(raw));
        case ConnectType::Plain:
            break;
    }
    taken = false;
    return first != '{' || column.shape != ColumnShape::Numeric || fill_variable_decimal(column, raw, taken);
}

bool JsonRow::fill_decimal(const JsonColumn& column, std::string_view text, int64_t scale, size_t at) {
    if (!fill_bytes(column, text, at)) return false;
    const std::string_view bytes = row_[column.cell].view();
    if (bytes.size() > kMostDecimalBytes || scale < 0 || scale > kMostScale)
        return refuse(column, "22003", "is a decimal that numeric cannot hold", at);
    char* out = arena_.allocate(decimal_room(bytes.size(), static_cast<int32_t>(scale)));
    row_[column.cell] = Cell::text({out, decimal_text(bytes, static_cast<int32_t>(scale), out)});
    return true;
}

// {"scale": 2, "value": "base64"}, which io.debezium.data.VariableScaleDecimal is also without a schema.
bool JsonRow::fill_variable_decimal(const JsonColumn& column, std::string_view raw, bool& taken) {
    JsonCursor cursor = cursor_;
    cursor.go_to(begin_of(raw));
    std::optional<int64_t> scale;
    std::string_view value;
    bool more = false;
    if (!cursor.open('{', '}', more)) return false;
    for (more = !more; more;) {
        std::string_view name;
        bool escaped = false;
        if (!cursor.take_key(name, escaped)) return false;
        if (name == "scale" && is_number(cursor.text().substr(cursor.offset()))) {
            std::string_view word;
            if (!cursor.take_word(word)) return false;
            scale = small_whole_number(word);
        } else if (name == "value" && cursor.peek() == '"') {
            if (!cursor.take_string(value, escaped)) return false;
        } else if (!cursor.skip_value()) {
            return false;
        }
        if (!cursor.next('}', more)) return false;
    }
    if (!scale || value.data() == nullptr) return true;
    taken = true;
    return fill_decimal(column, value, *scale, begin_of(raw));
}

bool JsonRow::fill_bits(const JsonColumn& column, std::string_view text, int32_t length, size_t at) {
    if (!fill_bytes(column, text, at)) return false;
    const std::string_view bytes = row_[column.cell].view();
    const auto size = bits_size(bytes, length);
    if (!size) return refuse(column, "22003", "has fewer bits than its schema says", at);
    char* out = arena_.allocate(*size);
    bits_text(bytes, *size, out);
    row_[column.cell] = Cell::text({out, *size});
    return true;
}

}  // namespace sluice
