#include "format/infer.hpp"

#include "format/connect_types.hpp"
#include "format/field_cut.hpp"
#include "format/json_path.hpp"
#include "format/payload.hpp"
#include "format/value_sketch.hpp"

#include <simdjson.h>

#include <algorithm>

namespace sluice {

namespace {

namespace dom = simdjson::dom;

constexpr size_t kLongestName = 63;    // of PostgreSQL
constexpr size_t kMostColumns = 1600;  // likewise
constexpr size_t kMostText = size_t{16} << 20;

const FormatSpec& format_of(const RecordSpec& formats, Origin part) {
    return part == Origin::Key ? *formats.key : *formats.value;
}

RecordSpec with_columns(const RecordSpec& formats, std::vector<SourceColumn> columns) {
    RecordSpec spec = formats;
    spec.columns = std::move(columns);
    return spec;
}

// The rows of the payloads under the columns of `spec`; what cannot be decoded is noted.
template <class Use>
Result<void> each_row(const RecordSpec& spec, Origin part, std::span<const Bytes> payloads, Inference& result,
                      const Use& use) {
    const Result<PayloadDecoder> decoder = PayloadDecoder::make(spec, part);
    if (!decoder) return decoder.error();
    Arena arena;
    RowBuffer rows(spec.columns.size());
    for (const Bytes& payload : payloads) {
        if (payload.is_null()) continue;
        arena.reset();
        rows.clear();
        rows.add();
        auto error = decoder.value().makes_rows()
                         ? decoder.value().decode_rows(payload, arena, rows)
                         : decoder.value().decode(payload, Bytes{}, arena, rows.last());
        if (error) {
            if (result.undecodable++ == 0) result.error = std::move(*error);
            continue;
        }
        for (size_t row = 0; row < rows.size(); ++row) {
            ++result.rows;
            use(rows[row], payload);
        }
    }
    return {};
}

// Fields in the order in which they were seen first.
struct Field {
    std::string name;
    std::string type;  // when a schema tells it
    ValueSketch values;
};

class Fields {
  public:
    Field* find(std::string_view name) {
        const auto found = std::find_if(fields_.begin(), fields_.end(),
                                        [&](const Field& field) { return field.name == name; });
        if (found != fields_.end()) return &*found;
        if (fields_.size() == kMostColumns || name.empty()) return nullptr;
        return &fields_.emplace_back(Field{std::string(name), {}, {}});
    }
    const std::vector<Field>& all() const { return fields_; }

  private:
    std::vector<Field> fields_;
};

void look_at(ValueSketch& sketch, const dom::element& value) {
    switch (value.type()) {
        case dom::element_type::NULL_VALUE:
            return sketch.add_null();
        case dom::element_type::STRING:
            return sketch.add_text(value.get_string().value_unsafe());
        case dom::element_type::BOOL:
            return sketch.add_boolean(simdjson::minify(value));
        case dom::element_type::ARRAY:
        case dom::element_type::OBJECT:
            return sketch.add_json(simdjson::minify(value));
        default:
            return sketch.add_number(simdjson::minify(value));
    }
}

// Names of columns are unique and short.
std::string column_name(std::string_view field, const std::vector<InferredColumn>& columns,
                        const std::vector<InferredColumn>& others, Origin part) {
    const auto cut = [](std::string text, size_t size) {
        size = std::min(size, text.size());
        while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
            --size;
        return text.substr(0, size);
    };
    const auto is_taken = [&](const std::string& name) {
        const auto has = [&](const InferredColumn& column) { return column.column.name == name; };
        return std::any_of(columns.begin(), columns.end(), has) ||
               std::any_of(others.begin(), others.end(), has);
    };
    std::string wanted(field);
    if (part == Origin::Key && is_taken(cut(wanted, kLongestName))) wanted = "key_" + wanted;
    std::string name = cut(wanted, kLongestName);
    for (int number = 2; is_taken(name); ++number) {
        const std::string suffix = "_" + std::to_string(number);
        name = cut(wanted, kLongestName - suffix.size()) + suffix;
    }
    return name;
}

void add_column(Inference& result, const Field& field, Origin part,
                const std::vector<InferredColumn>& others) {
    InferredColumn added;
    added.column.name = column_name(field.name, result.columns, others, part);
    added.column.origin = part;
    if (added.column.name != field.name) added.column.field = to_text({JsonStep::member(field.name)});
    added.type = field.type.empty() ? std::string(field.values.type()) : field.type;
    added.seen = field.values.count();
    added.example = field.values.example();
    result.columns.push_back(std::move(added));
}

void add_operation(Inference& result) {
    InferredColumn added;
    added.column.name = column_name("op", result.columns, {}, Origin::Value);
    added.column.origin = Origin::Metadata;
    added.column.metadata = Metadata::Change;
    added.column.field = "op";
    added.type = "text";
    added.seen = result.rows;
    result.columns.push_back(std::move(added));
}

// Types that Kafka Connect's schema tells; Debezium's has the row inside.
void take_schema(Fields& fields, dom::parser& parser, const Bytes& payload, bool is_change) {
    dom::element root;
    dom::element schema;
    if (parser.parse(payload.data, payload.size).get(root) || root["schema"].get(schema)) return;
    for (const ConnectColumn& column : connect_columns(simdjson::minify(schema), is_change ? "after" : ""))
        if (Field* field = fields.find(column.name)) field->type = column.type;
}

Result<Inference> infer_json(const RecordSpec& formats, Origin part, std::span<const Bytes> payloads,
                             const std::vector<InferredColumn>& others) {
    const Format format = format_of(formats, part).format;
    Inference result;
    Fields fields;
    dom::parser parser(kMostText);
    bool is_object = true;
    ValueSketch whole;
    // The row itself, whatever is around it.
    const RecordSpec spec =
        with_columns(formats, {{.name = "row", .origin = part, .field = "@", .shape = ColumnShape::Json}});
    auto done = each_row(spec, part, payloads, result, [&](Row row, const Bytes& payload) {
        if (format != Format::Json) take_schema(fields, parser, payload, is_change_format(format));
        const std::string_view text = row[0].kind == CellKind::Null ? "null" : row[0].view();
        dom::element element;
        if (parser.parse(text.data(), text.size()).get(element)) return;
        dom::object object;
        if (element.get(object)) {
            is_object = is_object && element.is_null();
            look_at(whole, element);
            return;
        }
        for (const dom::key_value_pair member : object)
            if (Field* field = fields.find(member.key)) look_at(field->values, member.value);
    });
    if (!done) return done.error();
    for (const Field& field : fields.all()) add_column(result, field, part, others);
    if (fields.all().empty() && !is_object) {
        add_column(result, {std::string(part_name(part)), {}, whole}, part, others);
        result.columns.back().column.field = "@";
    }
    if (is_change_format(format)) add_operation(result);
    return result;
}

size_t count_fields(const DelimitedRules& rules, std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    size_t count = 0;
    RawField raw;
    const auto count_with = [&](auto cut) {
        while (!cut.done() && count < kMostColumns && cut.next(raw)) ++count;
    };
    if (rules.style == DelimitedRules::Style::Quoted)
        count_with(QuotedCut(text, rules));
    else
        count_with(BackslashCut(text, rules));
    return count;
}

Result<Inference> infer_delimited(const RecordSpec& formats, Origin part, std::span<const Bytes> payloads,
                                  const std::vector<InferredColumn>& others) {
    const auto rules = DelimitedRules::make(format_of(formats, part), part, TextCheck::Utf8);
    if (!rules) return rules.error();
    // As many columns as most messages have.
    std::vector<size_t> counts;
    for (const Bytes& payload : payloads)
        if (!payload.is_null()) counts.push_back(count_fields(rules.value(), payload.view()));
    Inference result;
    if (counts.empty()) return result;
    std::sort(counts.begin(), counts.end());
    const size_t columns = counts[counts.size() / 2];
    std::vector<Field> fields;
    std::vector<SourceColumn> cells;
    for (size_t i = 1; i <= columns; ++i) {
        fields.push_back({"column" + std::to_string(i), {}, {}});
        cells.push_back({.name = fields.back().name, .origin = part});
    }
    auto done = each_row(with_columns(formats, cells), part, payloads, result, [&](Row row, const Bytes&) {
        for (size_t i = 0; i < columns; ++i)
            if (row[i].kind != CellKind::Null) fields[i].values.add_untyped(row[i].view());
    });
    if (!done) return done.error();
    for (const Field& field : fields) {
        add_column(result, field, part, others);
        result.columns.back().column.field.clear();  // found by its place
    }
    return result;
}

Result<Inference> infer_whole(const RecordSpec& formats, Origin part, std::span<const Bytes> payloads,
                              const std::vector<InferredColumn>& others) {
    Inference result;
    const bool is_text = format_of(formats, part).format == Format::Text;
    Field field{std::string(part_name(part)), is_text ? "text" : "bytea", {}};
    auto done = each_row(with_columns(formats, {{.name = field.name, .origin = part}}), part, payloads,
                         result, [&](Row row, const Bytes&) {
                             if (is_text) field.values.add_text(row[0].view());
                         });
    if (!done) return done.error();
    add_column(result, field, part, others);
    result.columns.back().column.field.clear();
    if (!is_text) result.columns.back().seen = result.rows;
    return result;
}

}  // namespace

Result<Inference> infer_columns(const RecordSpec& formats, Origin part, std::span<const Bytes> payloads,
                                const std::vector<InferredColumn>& others) {
    switch (const Format format = format_of(formats, part).format) {
        case Format::Csv:
        case Format::Delimited:
            return infer_delimited(formats, part, payloads, others);
        case Format::Text:
        case Format::Binary:
            return infer_whole(formats, part, payloads, others);
        default:
            if (is_json_format(format)) return infer_json(formats, part, payloads, others);
    }
    return Error::config("0A000", "columns cannot be proposed for this format yet", {},
                         "Declare them with CREATE FOREIGN TABLE.");
}

}  // namespace sluice
