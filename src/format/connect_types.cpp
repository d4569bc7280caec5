#include "format/connect_types.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sluice {

namespace {

namespace dom = simdjson::dom;

constexpr size_t kMostSchemas = 16;

std::string_view text_of(const dom::element& element, const char* key) {
    std::string_view text;
    return element[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

int32_t parameter(const dom::element& schema, const char* name, int32_t most) {
    std::string_view text;
    if (schema["parameters"][name].get(text)) return 0;
    int32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::clamp(value, 0, most);
}

struct Name {
    std::string_view text;
    ConnectType type;
    TimestampUnit unit = TimestampUnit::Milliseconds;
};

constexpr Name kNames[] = {
    {"org.apache.kafka.connect.data.Date", ConnectType::Days},
    {"org.apache.kafka.connect.data.Time", ConnectType::Clock},
    {"org.apache.kafka.connect.data.Timestamp", ConnectType::Epoch},
    {"org.apache.kafka.connect.data.Decimal", ConnectType::Decimal},
    {"io.debezium.time.Date", ConnectType::Days},
    {"io.debezium.time.Time", ConnectType::Clock},
    {"io.debezium.time.MicroTime", ConnectType::Clock, TimestampUnit::Microseconds},
    {"io.debezium.time.NanoTime", ConnectType::Clock, TimestampUnit::Nanoseconds},
    {"io.debezium.time.Timestamp", ConnectType::Epoch},
    {"io.debezium.time.MicroTimestamp", ConnectType::Epoch, TimestampUnit::Microseconds},
    {"io.debezium.time.NanoTimestamp", ConnectType::Epoch, TimestampUnit::Nanoseconds},
    {"io.debezium.data.Json", ConnectType::JsonText},
    {"io.debezium.data.Bits", ConnectType::Bits},
};

ConnectField field_of(const dom::element& schema) {
    ConnectField field = connect_field(text_of(schema, "name"));
    if (field.type == ConnectType::Decimal) field.parameter = parameter(schema, "scale", kMostScale);
    if (field.type == ConnectType::Bits) field.parameter = parameter(schema, "length", kMostBits);
    return field;
}

// Calls `use` with the schema of each field; false when the text is not the schema of a struct, or has no
// struct of that name.
template <class Use>
bool each_field(std::string_view schema, std::string_view image, const Use& use) {
    dom::parser parser;
    dom::element root;
    dom::array members;
    if (parser.parse(simdjson::padded_string(schema)).get(root) || root["fields"].get(members)) return false;
    if (!image.empty()) {
        bool found = false;
        for (const dom::element& member : members) {
            if (text_of(member, "field") != image) continue;
            dom::array inner;
            if (member["fields"].get(inner)) return false;
            members = inner;
            found = true;
            break;
        }
        if (!found) return false;
    }
    for (const dom::element& member : members) use(member, text_of(member, "field"));
    return true;
}

bool read_fields(std::string_view schema, std::string_view image, const JsonPlan& plan,
                 std::vector<ConnectField>& fields) {
    fields.assign(plan.columns().size(), {});
    return each_field(schema, image, [&](const dom::element& member, std::string_view name) {
        for (size_t i = 0; i < fields.size(); ++i)
            if (!name.empty() && plan.same_name(plan.columns()[i].member, name)) fields[i] = field_of(member);
    });
}

struct SqlType {
    std::string_view connect;
    std::string_view sql;
};

constexpr SqlType kSqlTypes[] = {{"int8", "smallint"},
                                 {"int16", "smallint"},
                                 {"int32", "integer"},
                                 {"int64", "bigint"},
                                 {"float", "real"},
                                 {"float32", "real"},
                                 {"double", "double precision"},
                                 {"float64", "double precision"},
                                 {"boolean", "boolean"},
                                 {"string", "text"},
                                 {"bytes", "bytea"}};

// Some types have names of their own that say more than their form.
constexpr SqlType kSqlNames[] = {{"io.debezium.data.Uuid", "uuid"},
                                 {"io.debezium.data.VariableScaleDecimal", "numeric"},
                                 {"io.debezium.time.ZonedTimestamp", "timestamptz"},
                                 {"io.debezium.time.ZonedTime", "timetz"},
                                 {"io.debezium.data.Xml", "xml"}};

std::string sql_type_of(const dom::element& schema) {
    const ConnectField field = field_of(schema);
    switch (field.type) {
        case ConnectType::Days:
            return "date";
        case ConnectType::Clock:
            return "time";
        // Debezium's timestamps without a zone have that of UTC; a timestamp column shows them as they were.
        case ConnectType::Epoch:
            return "timestamp";
        case ConnectType::Decimal: {
            const int32_t precision = parameter(schema, "connect.decimal.precision", 1000);
            if (precision == 0) return "numeric";
            return "numeric(" + std::to_string(precision) + "," + std::to_string(field.parameter) + ")";
        }
        case ConnectType::JsonText:
            return "jsonb";
        case ConnectType::Bits:
            return "bit varying";
        case ConnectType::Plain:
            break;
    }
    const auto look_up = [](const auto& table, std::string_view word) -> std::string_view {
        for (const SqlType& known : table)
            if (known.connect == word) return known.sql;
        return {};
    };
    if (const auto named = look_up(kSqlNames, text_of(schema, "name")); !named.empty())
        return std::string(named);
    const auto plain = look_up(kSqlTypes, text_of(schema, "type"));
    return std::string(plain.empty() ? "jsonb" : plain);
}

// The digits of a number's absolute value; quadratic in its size.
std::string large_digits(std::string_view bytes, bool negative) {
    constexpr uint64_t kBase = 1'000'000'000;
    constexpr size_t kDigits = 9, kStep = 4;
    std::vector<uint32_t> limbs;  // the lowest first
    const auto add = [&](uint64_t factor, uint64_t carry) {
        for (uint32_t& limb : limbs) {
            carry += limb * factor;
            limb = static_cast<uint32_t>(carry % kBase);
            carry /= kBase;
        }
        for (; carry > 0; carry /= kBase) limbs.push_back(static_cast<uint32_t>(carry % kBase));
    };
    for (size_t at = 0; at < bytes.size();) {
        const size_t length = at == 0 && bytes.size() % kStep != 0 ? bytes.size() % kStep : kStep;
        uint64_t factor = 1, group = 0;
        for (char c : bytes.substr(at, length)) {
            factor <<= 8;
            group = group << 8 | static_cast<uint8_t>(negative ? ~c : c);
        }
        add(factor, group);
        at += length;
    }
    if (negative) add(1, 1);
    std::string digits;
    for (size_t i = limbs.size(); i-- > 0;) {
        const std::string limb = std::to_string(limbs[i]);
        if (!digits.empty()) digits.append(kDigits - limb.size(), '0');
        digits += limb;
    }
    return digits;
}

}  // namespace

ConnectField connect_field(std::string_view name) {
    const auto* found = std::find_if(std::begin(kNames), std::end(kNames),
                                     [&](const Name& known) { return known.text == name; });
    return found == std::end(kNames) ? ConnectField{} : ConnectField{found->type, found->unit, 0};
}

const std::vector<ConnectField>* ConnectSchemas::find(std::string_view schema, std::string_view image,
                                                      const JsonPlan& plan) {
    const auto is_it = [&](const Known& known) { return known.schema == schema && known.image == image; };
    auto found = std::find_if(known_.begin(), known_.end(), is_it);
    if (found == known_.end()) {
        if (known_.size() == kMostSchemas) known_.pop_back();
        Known known{std::string(schema), std::string(image), {}, false};
        known.valid = read_fields(schema, image, plan, known.fields);
        known_.push_back(std::move(known));
        found = known_.end() - 1;
    }
    std::rotate(known_.begin(), found, found + 1);
    return known_.front().valid ? &known_.front().fields : nullptr;
}

std::vector<ConnectColumn> connect_columns(std::string_view schema, std::string_view image) {
    std::vector<ConnectColumn> columns;
    each_field(schema, image, [&](const dom::element& member, std::string_view name) {
        if (!name.empty()) columns.push_back({std::string(name), sql_type_of(member)});
    });
    return columns;
}

size_t decimal_text(std::string_view bytes, int32_t scale, char* out) {
    const bool negative = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0;
    char* to = out;
    if (negative) *to++ = '-';
    std::array<char, 24> small;
    std::string large;
    std::string_view digits;
    if (bytes.size() <= sizeof(int64_t)) {
        uint64_t value = negative ? ~uint64_t{0} : 0;
        for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
        if (negative) value = ~value + 1;
        digits = {small.data(),
                  static_cast<size_t>(std::to_chars(small.data(), small.data() + small.size(), value).ptr -
                                      small.data())};
    } else {
        large = large_digits(bytes, negative);
        digits = large;
    }
    const auto point = static_cast<size_t>(scale);
    const size_t whole = digits.size() > point ? digits.size() - point : 0;
    if (whole == 0) *to++ = '0';
    to = std::copy_n(digits.begin(), whole, to);
    if (point == 0) return static_cast<size_t>(to - out);
    *to++ = '.';
    to = std::fill_n(to, point - (digits.size() - whole), '0');
    to = std::copy(digits.begin() + static_cast<std::ptrdiff_t>(whole), digits.end(), to);
    return static_cast<size_t>(to - out);
}

size_t decimal_room(size_t bytes, int32_t scale) {
    // A byte is less than 2.41 digits; beside them stand a sign, a zero and a point.
    return bytes * 241 / 100 + static_cast<size_t>(scale) + 8;
}

std::optional<size_t> bits_size(std::string_view bytes, int32_t length) {
    const auto size = length > 0 ? static_cast<size_t>(length) : bytes.size() * 8;
    constexpr size_t kMost = 65536;  // that a message may ask for without sending them
    if (size > kMost && size > bytes.size() * 8) return std::nullopt;
    return size;
}

void bits_text(std::string_view bytes, size_t size, char* out) {
    for (size_t bit = 0; bit < size; ++bit) {
        const bool set = bit / 8 < bytes.size() && (static_cast<uint8_t>(bytes[bit / 8]) >> bit % 8 & 1);
        out[size - 1 - bit] = set ? '1' : '0';
    }
}

}  // namespace sluice
