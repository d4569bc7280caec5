#include "job/yaml_payload.hpp"

#include "format/json_path.hpp"
#include "format/payload.hpp"
#include "job/identifier.hpp"
#include "job/words.hpp"

namespace sluice {

namespace {

constexpr std::string_view kPayloadKeys[] = {
    "COLUMNS", "FORMAT", "CSV_OPTION", "DELIMITED_OPTION", "JSON_OPTION", "AVRO_OPTION", "PROTOBUF_OPTION"};
constexpr std::string_view kMetaKeys[] = {"COLUMNS", "FORMAT"};
constexpr std::string_view kColumnKeys[] = {"NAME", "TYPE", "FIELD"};
constexpr std::string_view kMetaColumnKeys[] = {"NAME", "TYPE", "METADATA", "HEADER"};
constexpr std::string_view kOptionKeys[] = {"DELIMITER",   "QUOTE",          "ESCAPE",
                                            "NULL_STRING", "FORCE_NOT_NULL", "FORCE_NULL"};
constexpr std::string_view kJsonKeys[] = {"MISSING_FIELD", "TIMESTAMP_UNIT",    "IGNORE_CASE",
                                          "ROWS_PATH",     "NEWLINE_DELIMITED", "FRAMING"};
constexpr std::string_view kAvroKeys[] = {"SCHEMA",        "READER_SCHEMA",  "FRAMING",
                                          "MISSING_FIELD", "TIMESTAMP_UNIT", "IGNORE_CASE"};
constexpr std::string_view kProtobufKeys[] = {"SCHEMA",        "MESSAGE",        "FRAMING",
                                              "MISSING_FIELD", "TIMESTAMP_UNIT", "IGNORE_CASE"};

// The map with the options of some formats.
struct OptionMap {
    std::string_view key;
    std::string_view format;
    bool (*belongs_to)(Format);
};

constexpr OptionMap kOptionMaps[] = {
    {"CSV_OPTION", "csv", [](Format format) { return format == Format::Csv; }},
    {"DELIMITED_OPTION", "delimited", [](Format format) { return format == Format::Delimited; }},
    {"JSON_OPTION", "json", is_json_format},
    {"AVRO_OPTION", "avro", is_avro_format},
    {"PROTOBUF_OPTION", "protobuf", [](Format format) { return format == Format::Protobuf; }},
};

}  // namespace

std::optional<YamlPayload> YamlPayloadReader::read_payload(const YamlItem& item, Origin part) {
    if (!reader_.open(item, kPayloadKeys)) return {};
    YamlPayload payload;
    const YamlItem format = reader_.child(item, "FORMAT");
    if (format)
        payload.format.format = reader_.value(format, value_for(kFormats, "FORMAT", reader_.text(format)));
    else
        reader_.missing(item, "FORMAT", format_hint());
    FormatSpec& read = payload.format;
    for (const OptionMap& map : kOptionMaps) {
        const YamlItem options = reader_.child(item, map.key);
        if (!options) continue;
        if (!map.belongs_to(read.format))
            reader_.fail(options, "22023",
                         "this belongs to FORMAT " + std::string(map.format) + ", not " +
                             std::string(word_for(kFormats, read.format)));
        else if (is_json_format(read.format))
            read_named_options(options, kJsonKeys, read);
        else if (is_avro_format(read.format))
            read_named_options(options, kAvroKeys, read);
        else if (read.format == Format::Protobuf)
            read_named_options(options, kProtobufKeys, read);
        else
            read.delimited = read_options(options);
    }
    for (Column& column : read_columns(item, kColumnKeys))
        payload.columns.push_back(std::move(column.column));
    check_payload(item, payload, part);
    return payload;
}

std::vector<YamlMetaColumn> YamlPayloadReader::read_meta(const YamlItem& item) {
    if (!reader_.open(item, kMetaKeys)) return {};
    if (const YamlItem format = reader_.child(item, "FORMAT");
        format && !same_word(reader_.text(format), "json"))
        reader_.fail(format, "22023", "FORMAT must be json, not \"" + clipped(reader_.text(format)) + "\"");
    std::vector<YamlMetaColumn> columns;
    YamlItem json;
    for (Column& read : read_columns(item, kMetaColumnKeys)) {
        YamlMetaColumn& column = columns.emplace_back(YamlMetaColumn{std::move(read.column), Metadata::Json});
        if (read.metadata) {
            const MetadataWord word =
                reader_.value(read.metadata, metadata_for("METADATA", reader_.text(read.metadata)));
            column.metadata = word.metadata;
            column.column.field = word.field;
        }
        if (read.header) {
            if (read.metadata) reader_.fail(read.header, "22023", "HEADER and METADATA exclude each other");
            column.metadata = Metadata::Header;
            column.column.field = reader_.text(read.header);
            if (column.column.field.empty())
                reader_.fail(read.header, "22023", "HEADER must name a header",
                             "Write it as in HEADER: trace-id.");
        }
        if (column.metadata != Metadata::Json) continue;
        const std::string type = to_lower(column.column.type);
        if (type != "json" && type != "jsonb" && type != "text")
            reader_.fail(read.at, "22023",
                         "the type of a column with all metadata must be json, jsonb or text, not \"" +
                             clipped(column.column.type) + "\"",
                         "METADATA makes it one of: topic, partition, offset, timestamp, timestamp_type, "
                         "leader_epoch, key, value, headers.");
        if (json)
            reader_.fail(read.at, "22023",
                         "there is a second column with all metadata, beside " + json.place(),
                         "METADATA makes it one of: topic, partition, offset, timestamp, timestamp_type, "
                         "leader_epoch, key, value, headers.");
        json = read.at;
    }
    return columns;
}

std::vector<YamlPayloadReader::Column> YamlPayloadReader::read_columns(const YamlItem& part, KnownKeys keys) {
    const YamlItem list = reader_.child(part, "COLUMNS");
    std::vector<Column> columns;
    if (!list) {
        reader_.missing(part, "COLUMNS", "Write them as in COLUMNS: [{NAME: id, TYPE: bigint}].");
        return columns;
    }
    if (list.node->kind == YamlNode::Kind::Text) {
        reader_.fail(list, "42601", "this must be a list of columns",
                     "Write them as in COLUMNS: [{NAME: id, TYPE: bigint}].");
        return columns;
    }
    const std::vector<YamlItem> items = reader_.children(list);
    for (size_t i = 0; i < items.size(); ++i) {
        Column column;
        if (list.node->kind == YamlNode::Kind::Map) {
            column.column.name = reader_.value(items[i], parse_identifier(list.node->keys[i]));
            column.column.type = reader_.text(items[i]);
            column.at = items[i];
        } else {
            column = read_column(items[i], keys);
        }
        if (column.column.type.find_first_not_of(" \t\r\n") == std::string::npos)
            reader_.missing(items[i], "TYPE", "Write the SQL type of the column, such as bigint.");
        const auto [twin, fresh] = names_.emplace(column.column.name, items[i].place());
        if (!fresh)
            reader_.fail(items[i], "42701",
                         "there is a column \"" + column.column.name + "\" already: " + twin->second,
                         "The columns of VALUE, KEY and META are columns of one table.");
        columns.push_back(std::move(column));
    }
    return columns;
}

YamlPayloadReader::Column YamlPayloadReader::read_column(const YamlItem& item, KnownKeys keys) {
    Column column;
    column.at = item;
    if (!reader_.open(item, keys)) return column;
    const YamlItem name = reader_.child_or_null_word(item, "NAME");
    if (!name) reader_.missing(item, "NAME", "Write a column as in {NAME: id, TYPE: bigint}.");
    column.column.name = reader_.identifier(name);
    column.column.type = reader_.text(reader_.child(item, "TYPE"));
    column.metadata = reader_.child(item, "METADATA");
    column.header = reader_.child_or_null_word(item, "HEADER");
    if (const YamlItem field = reader_.child_or_null_word(item, "FIELD")) {
        column.column.field = reader_.text(field);
        (void)reader_.value(field, parse_json_path(column.column.field));
    }
    return column;
}

std::optional<std::string> YamlPayloadReader::read_option(const YamlItem& map, std::string_view key) {
    const YamlItem item = reader_.child_or_null_word(map, key);
    return item ? std::optional(reader_.text(item)) : std::nullopt;
}

DelimitedOptions YamlPayloadReader::read_options(const YamlItem& item) {
    DelimitedOptions options;
    if (!reader_.open(item, kOptionKeys)) return options;
    options.delimiter = read_option(item, "DELIMITER");
    options.quote = read_option(item, "QUOTE");
    options.escape = read_option(item, "ESCAPE");
    options.null_string = read_option(item, "NULL_STRING");
    options.force_not_null = reader_.identifiers(reader_.child(item, "FORCE_NOT_NULL"));
    options.force_null = reader_.identifiers(reader_.child(item, "FORCE_NULL"));
    return options;
}

template <class E, size_t N>
std::optional<E> YamlPayloadReader::read_word(const YamlItem& map, std::string_view key,
                                              const Word<E> (&table)[N]) {
    const YamlItem item = reader_.child_or_null_word(map, key);
    if (!item) return {};
    return reader_.value(item, value_for(table, key, reader_.text(item)));
}

// Some keys belong to some of the formats only: `keys` are those that may be there.
void YamlPayloadReader::read_named_options(const YamlItem& item, KnownKeys keys, FormatSpec& format) {
    if (!reader_.open(item, keys)) return;
    SchemaOptions& schema = format.schema;
    schema.schema = reader_.identifiers(reader_.child(item, "SCHEMA"));
    if (const YamlItem name = reader_.child_or_null_word(item, "READER_SCHEMA"))
        schema.reader_schema = reader_.identifier(name);
    schema.message = read_option(item, "MESSAGE");
    schema.framing = read_word(item, "FRAMING", kFramings);
    JsonOptions& json = format.json;
    json.missing_field = read_word(item, "MISSING_FIELD", kMissingFields);
    json.timestamp_unit = read_word(item, "TIMESTAMP_UNIT", kTimestampUnits);
    json.ignore_case = read_word(item, "IGNORE_CASE", kBooleans);
    json.rows_path = read_option(item, "ROWS_PATH");
    json.newline_delimited = read_word(item, "NEWLINE_DELIMITED", kBooleans);
}

// What the format itself demands of its options and columns.
void YamlPayloadReader::check_payload(const YamlItem& item, const YamlPayload& payload, Origin part) {
    RecordSpec record;
    (part == Origin::Key ? record.key : record.value) = payload.format;
    for (const YamlColumn& column : payload.columns)
        record.columns.push_back({.name = column.name, .origin = part, .field = column.field});
    if (auto decoder = PayloadDecoder::make(record, part); !decoder) reader_.fail(item, decoder.error());
}

}  // namespace sluice
