#include "format/payload.hpp"

#include "base/nearest.hpp"
#include "format/framing.hpp"

#include <algorithm>
#include <string_view>

namespace sluice {

namespace {

constexpr std::string_view format_name(Format format) {
    switch (format) {
        case Format::Csv:
            return "csv";
        case Format::Delimited:
            return "delimited";
        case Format::Text:
            return "text";
        case Format::Binary:
            return "binary";
        case Format::Json:
            return "json";
        case Format::ConnectJson:
            return "connect-json";
        case Format::DebeziumJson:
            return "debezium-json";
        case Format::CanalJson:
            return "canal-json";
        case Format::MaxwellJson:
            return "maxwell-json";
        case Format::DebeziumAvro:
            return "debezium-avro";
        case Format::Avro:
            return "avro";
        case Format::Protobuf:
            return "protobuf";
    }
    return "unknown";
}

bool is_whole(Format format) { return format == Format::Text || format == Format::Binary; }

std::vector<DelimitedColumn> columns_of(const RecordSpec& spec, Origin part) {
    std::vector<DelimitedColumn> columns;
    for (size_t i = 0; i < spec.columns.size(); ++i) {
        const SourceColumn& column = spec.columns[i];
        const bool tells_change =
            part == Origin::Value && column.origin == Origin::Metadata && column.metadata == Metadata::Change;
        if (column.origin == part || tells_change)
            columns.push_back({.name = column.name, .cell = i, .wanted = column.wanted});
    }
    return columns;
}

// What stands before JSON: the schema's id says nothing that is needed.
Framing json_framing(const std::optional<FormatSpec>& format) {
    return format && is_json_format(format->format) ? format->schema.framing.value_or(Framing::None)
                                                    : Framing::None;
}

Error no_format(Origin part, const std::string& column) {
    Error error = Error::config(
        "22023",
        "column \"" + column + "\" reads the " + std::string(part_name(part)) + ", which has no format", {},
        "Set option \"" + option_name("format", part) + "\".");
    error.column_name = column;
    return error;
}

bool is_delimited(Format format) { return format == Format::Csv || format == Format::Delimited; }
bool is_plain_json(Format format) { return format == Format::Json; }
// Whose fields are found by their names, and may be missing.
bool has_names(Format format) { return is_json_format(format) || needs_schema(format); }
bool is_protobuf(Format format) { return format == Format::Protobuf; }

// Formats that share options, and how an error calls them.
struct Family {
    bool (*has)(Format);
    const char* hint;
};

constexpr Family kDelimitedFormats{is_delimited, "It belongs to formats \"csv\" and \"delimited\"."};
constexpr Family kNamedFormats{has_names, "It belongs to formats in JSON, Avro and Protobuf."};
constexpr Family kPlainJson{is_plain_json, "It belongs to format \"json\"."};
constexpr Family kSchemaFormats{needs_schema, "It belongs to formats in Avro and Protobuf."};
constexpr Family kAvroFormats{is_avro_format, "It belongs to formats in Avro."};
constexpr Family kProtobuf{is_protobuf, "It belongs to format \"protobuf\"."};

struct FormatOption {
    const char* name;
    const Family& family;
    bool (*is_given)(const FormatSpec&);
    const char* no_key = nullptr;  // why a key cannot have it, when it cannot
};

constexpr const char* kRowsOfValue = "Rows are made of the value; each of them has the whole key.";

constexpr FormatOption kOptions[] = {
    {"delimiter", kDelimitedFormats, [](const FormatSpec& f) { return f.delimited.delimiter.has_value(); }},
    {"quote", kDelimitedFormats, [](const FormatSpec& f) { return f.delimited.quote.has_value(); }},
    {"escape", kDelimitedFormats, [](const FormatSpec& f) { return f.delimited.escape.has_value(); }},
    {"null", kDelimitedFormats, [](const FormatSpec& f) { return f.delimited.null_string.has_value(); }},
    {"force_not_null", kDelimitedFormats,
     [](const FormatSpec& f) { return !f.delimited.force_not_null.empty(); }},
    {"force_null", kDelimitedFormats, [](const FormatSpec& f) { return !f.delimited.force_null.empty(); }},
    {"missing_field", kNamedFormats, [](const FormatSpec& f) { return f.json.missing_field.has_value(); }},
    {"timestamp_unit", kNamedFormats, [](const FormatSpec& f) { return f.json.timestamp_unit.has_value(); }},
    {"ignore_case", kNamedFormats, [](const FormatSpec& f) { return f.json.ignore_case.has_value(); }},
    {"rows_path", kPlainJson, [](const FormatSpec& f) { return f.json.rows_path.has_value(); }, kRowsOfValue},
    {"newline_delimited", kPlainJson,
     [](const FormatSpec& f) { return f.json.newline_delimited.has_value(); }, kRowsOfValue},
    {"schema", kSchemaFormats, [](const FormatSpec& f) { return !f.schema.schema.empty(); }},
    {"reader_schema", kAvroFormats, [](const FormatSpec& f) { return f.schema.reader_schema.has_value(); }},
    {"framing", kNamedFormats, [](const FormatSpec& f) { return f.schema.framing.has_value(); }},
    {"message", kProtobuf, [](const FormatSpec& f) { return f.schema.message.has_value(); }},
};

// Refuses options that belong to other formats.
std::optional<Error> check_options(const FormatSpec& spec, Origin part) {
    for (const FormatOption& option : kOptions) {
        if (!option.is_given(spec)) continue;
        if (option.no_key != nullptr && part == Origin::Key)
            return Error::config("22023",
                                 "option \"" + std::string(option.name) + "\" means nothing to a key", {},
                                 option.no_key);
        if (option.family.has(spec.format)) continue;
        return Error::config("22023",
                             "option \"" + option_name(option.name, part) + "\" means nothing to format \"" +
                                 std::string(format_name(spec.format)) + "\"",
                             {}, option.family.hint);
    }
    if (spec.schema.framing == Framing::SingleObject && !is_avro_format(spec.format))
        return Error::config("22023",
                             "option \"" + option_name("framing", part) +
                                 "\" cannot be single-object for format \"" +
                                 std::string(format_name(spec.format)) + "\"",
                             {}, "Single-object encoding is Avro's own.");
    const bool named_by_message = spec.schema.framing == Framing::Confluent;
    if (needs_schema(spec.format) && spec.schema.schema.empty() && spec.schema.writers.empty() &&
        !named_by_message)
        return Error::config("22023",
                             "format \"" + std::string(format_name(spec.format)) + "\" needs option \"" +
                                 option_name("schema", part) + "\"",
                             "Its messages cannot be read without the schema that wrote them.",
                             "Name a schema that sluice.create_schema has made, or set option \"" +
                                 option_name("framing", part) +
                                 "\" to confluent when messages name schemas of a registry.");
    return std::nullopt;
}

// Only formats with names have fields to look for.
std::optional<Error> check_fields(const RecordSpec& spec, Format format, Origin part) {
    if (is_json_format(format) || needs_schema(format)) return std::nullopt;
    for (const SourceColumn& column : spec.columns) {
        if (column.origin != part || column.field.empty()) continue;
        Error error = Error::config(
            "22023",
            "column \"" + column.name + "\": option \"field\" means nothing to format \"" +
                std::string(format_name(format)) + "\"",
            {},
            is_whole(format) ? "The column takes everything." : "Fields go to the columns in their order.");
        error.column_name = column.name;
        return error;
    }
    return std::nullopt;
}

// Only changes tell of themselves.
std::optional<Error> check_change_columns(const RecordSpec& spec, Origin part) {
    if (part == Origin::Key || (spec.value && is_change_format(spec.value->format))) return std::nullopt;
    for (const SourceColumn& column : spec.columns) {
        if (column.origin != Origin::Metadata || column.metadata != Metadata::Change) continue;
        Error error = Error::config(
            "22023",
            "column \"" + column.name + "\": only a format of changes has metadata \"" + column.field + "\"",
            {}, "Such formats are debezium-json, debezium-avro, canal-json and maxwell-json.");
        error.column_name = column.name;
        return error;
    }
    return std::nullopt;
}

std::optional<Error> check_whole(const FormatSpec& spec, Origin part, size_t columns) {
    if (columns == 1) return std::nullopt;
    const std::string name(part_name(part));
    return Error::config("42611",
                         "format \"" + std::string(format_name(spec.format)) +
                             "\" needs exactly one column that reads the " + name + ", found " +
                             std::to_string(columns),
                         {}, "The whole " + name + " becomes one column; metadata columns are not counted.");
}

// Marks the columns that a force option names.
std::optional<Error> mark(std::vector<DelimitedColumn>& columns, const std::vector<std::string>& names,
                          bool DelimitedColumn::*flag, const char* option, Origin part) {
    for (const std::string& name : names) {
        const auto found = std::find_if(columns.begin(), columns.end(),
                                        [&](const DelimitedColumn& column) { return column.name == name; });
        if (found != columns.end()) {
            (*found).*flag = true;
            continue;
        }
        std::vector<std::string_view> known;
        for (const DelimitedColumn& column : columns) known.push_back(column.name);
        const std::string guess = nearest(name, known);
        return Error::config("42703",
                             "option \"" + option_name(option, part) + "\" names column \"" + name +
                                 "\", which does not read the " + std::string(part_name(part)),
                             {}, guess.empty() ? std::string() : "Perhaps you meant \"" + guess + "\".");
    }
    return std::nullopt;
}

}  // namespace

bool PayloadDecoder::has_schemas(const FormatSpec& format, const SchemaFinder* schemas) {
    const SchemaOptions& options = format.schema;
    return options.writers.size() >= options.schema.size() && (!options.reader_schema || options.reader) &&
           (options.framing != Framing::Confluent || !options.schema.empty() || schemas != nullptr);
}

Result<PayloadDecoder> PayloadDecoder::make(const RecordSpec& spec, Origin part, SchemaFinder* schemas) {
    PayloadDecoder decoder(part, spec.validate_utf8 ? TextCheck::Utf8 : TextCheck::NulOnly);
    decoder.columns_ = columns_of(spec, part);
    std::vector<DelimitedColumn>& columns = decoder.columns_;

    const std::optional<FormatSpec>& format = part == Origin::Key ? spec.key : spec.value;
    if (auto refused = check_change_columns(spec, part)) return *std::move(refused);
    if (!format) {
        if (!columns.empty()) return no_format(part, columns.front().name);
        return decoder;
    }
    decoder.format_ = format->format;
    decoder.framing_ = json_framing(format);
    decoder.key_framing_ = json_framing(spec.key);
    decoder.wanted_ = std::any_of(columns.begin(), columns.end(), [](const auto& c) { return c.wanted; });
    for (const DelimitedColumn& column : columns)
        if (!column.wanted) decoder.unwanted_.push_back(column.cell);
    std::optional<Error> error = check_options(*format, part);
    if (!error) error = check_fields(spec, format->format, part);
    if (error) return *std::move(error);
    if (needs_schema(format->format) && !has_schemas(*format, schemas)) return decoder;
    if (format->format == Format::Json && JsonRowsDecoder::is_for(format->json)) {
        Result<JsonRowsDecoder> rows = JsonRowsDecoder::make(spec);
        if (!rows) return rows.error();
        decoder.json_rows_.emplace(std::move(rows).value());
        return decoder;
    }
    if (format->format == Format::Json) {
        Result<JsonDecoder> json = JsonDecoder::make(spec, part);
        if (!json) return json.error();
        if (decoder.wanted_) decoder.json_.emplace(std::move(json).value());
        return decoder;
    }
    if (is_json_format(format->format)) {
        Result<EnvelopeDecoder> envelope = EnvelopeDecoder::make(spec, part);
        if (!envelope) return envelope.error();
        if (decoder.wanted_) decoder.envelope_.emplace(std::move(envelope).value());
        return decoder;
    }
    if (is_avro_format(format->format)) {
        Result<AvroDecoder> avro = AvroDecoder::make(spec, part, schemas);
        if (!avro) return avro.error();
        if (decoder.wanted_) decoder.avro_.emplace(std::move(avro).value());
        return decoder;
    }
    if (format->format == Format::Protobuf) {
        Result<ProtobufDecoder> protobuf = ProtobufDecoder::make(spec, part, schemas);
        if (!protobuf) return protobuf.error();
        if (decoder.wanted_) decoder.protobuf_.emplace(std::move(protobuf).value());
        return decoder;
    }
    if (is_whole(format->format)) {
        if (std::optional<Error> error = check_whole(*format, part, columns.size())) return *std::move(error);
        return decoder;
    }
    Result<DelimitedRules> rules = DelimitedRules::make(*format, part, decoder.check_);
    if (!rules) return rules.error();
    const DelimitedOptions& options = format->delimited;
    error = mark(columns, options.force_not_null, &DelimitedColumn::force_not_null, "force_not_null", part);
    if (!error) error = mark(columns, options.force_null, &DelimitedColumn::force_null, "force_null", part);
    if (error) return *std::move(error);
    if (decoder.wanted_)
        decoder.delimited_.emplace(format->format, std::move(rules).value(), columns, part, decoder.check_);
    return decoder;
}

// Also where nobody looks into the payload: it tells how many rows there are.
std::optional<Error> PayloadDecoder::decode_rows(Bytes payload, Arena& arena, RowBuffer& rows) const {
    const Row row = rows.last();
    for (const DelimitedColumn& column : columns_) row[column.cell] = Cell::null();
    if (payload.is_null()) return std::nullopt;
    if (framing_ == Framing::None) return json_rows_->decode(payload.view(), arena, rows);
    const Result<Frame> frame = frame_of(framing_, payload.view(), part_);
    if (!frame) return frame.error();
    return json_rows_->decode(frame.value().body, arena, rows);
}

std::optional<Error> PayloadDecoder::decode(Bytes payload, Bytes key, Arena& arena, Row row) const {
    if (payload.is_null() || !wanted_) {
        for (const DelimitedColumn& column : columns_) row[column.cell] = Cell::null();
        return std::nullopt;
    }
    if (delimited_) return delimited_->decode(payload.view(), arena, row);
    if (json_ || envelope_ || avro_ || protobuf_) {
        for (const size_t cell : unwanted_) row[cell] = Cell::null();
        if (protobuf_) return protobuf_->decode(payload.view(), arena, row);
        if (avro_) return avro_->decode(payload.view(), key, arena, row);
        return decode_json(payload.view(), key, arena, row);
    }
    Cell& cell = row[columns_.front().cell];
    if (format_ == Format::Binary) {
        cell = Cell::binary(payload.view());
        return std::nullopt;
    }
    if (!clean_text(payload.view(), check_)) {
        return text_fault(payload.view(), check_, 0, part_, columns_.front().name);
    }
    cell = Cell::text(payload.view());
    return std::nullopt;
}

std::optional<Error> PayloadDecoder::decode_json(std::string_view text, Bytes key, Arena& arena,
                                                 Row row) const {
    if (framing_ != Framing::None) {
        const Result<Frame> frame = frame_of(framing_, text, part_);
        if (!frame) return frame.error();
        text = frame.value().body;
    }
    if (json_) return json_->decode(text, arena, row);
    if (key_framing_ != Framing::None && !key.is_null()) {
        const Result<Frame> frame = frame_of(key_framing_, key.view(), Origin::Key);
        if (!frame) return frame.error();
        key = Bytes::of(frame.value().body);
    }
    return envelope_->decode(text, key, arena, row);
}

}  // namespace sluice
