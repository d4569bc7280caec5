#include "format_helpers.hpp"

namespace sluice {
namespace {

struct Refused {
    RecordSpec spec;
    std::string message;
    std::string hint;
};

void expect_refused(const std::vector<Refused>& all, const std::string& sqlstate) {
    for (const Refused& refused : all) {
        const Result<RecordDecoder> decoder = RecordDecoder::make(refused.spec, nullptr);
        ASSERT_FALSE(decoder) << refused.message;
        EXPECT_EQ(decoder.error().kind, ErrorKind::Config);
        EXPECT_EQ(decoder.error().sqlstate, sqlstate);
        EXPECT_EQ(decoder.error().message, refused.message);
        EXPECT_EQ(decoder.error().hint, refused.hint);
    }
}

TEST(FormatOptions, Delimiter) {
    const std::string one_byte =
        "option \"delimiter\" must be a single one-byte character for format \"csv\"";
    const std::string several = "Format \"delimited\" takes a delimiter of several characters.";
    const std::string line_end = "option \"delimiter\" must not contain newline or carriage return";
    const std::string no_separator = "Every message is one row, so rows need no separator.";
    const std::string unsafe =
        "Without a quote it must not contain a backslash nor begin with a lower-case letter, a digit or a "
        "dot, which "
        "mean something after a backslash.";
    expect_refused({{csv_source(1, {.delimiter = ""}), one_byte, several},
                    {csv_source(1, {.delimiter = "||"}), one_byte, several},
                    {csv_source(1, {.delimiter = "é"}), one_byte, several},
                    {csv_source(1, {.delimiter = "\n"}), line_end, no_separator},
                    {csv_source(1, {.delimiter = "\r"}), line_end, no_separator},
                    {delimited_source(1, {.delimiter = "|\n"}), line_end, no_separator},
                    {delimited_source(1, {.delimiter = ""}), "option \"delimiter\" must not be empty",
                     "The default is a tab."},
                    {delimited_source(1, {.delimiter = "\\"}),
                     "option \"delimiter\" cannot be \"\\\" without a quote", unsafe},
                    {delimited_source(1, {.delimiter = "|\\"}),
                     "option \"delimiter\" cannot be \"|\\\" without a quote", unsafe},
                    {delimited_source(1, {.delimiter = "n"}),
                     "option \"delimiter\" cannot be \"n\" without a quote", unsafe},
                    {delimited_source(1, {.delimiter = "0x"}),
                     "option \"delimiter\" cannot be \"0x\" without a quote", unsafe},
                    {delimited_source(1, {.delimiter = "."}),
                     "option \"delimiter\" cannot be \".\" without a quote", unsafe}},
                   "22023");
    EXPECT_EQ(cells(csv_source(2, {.delimiter = "n"}), "anb"), (Texts{"a", "b"}));
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "N", .null_string = "-"}), "aNb"), (Texts{"a", "b"}));
    EXPECT_EQ(cells(delimited_source(2, {.delimiter = "|n"}), "a|nb"), (Texts{"a", "b"}));
}

TEST(FormatOptions, QuoteAndEscape) {
    const std::string differ = "option \"delimiter\" and option \"quote\" must be different";
    const std::string other = "Choose a quote that is not part of the delimiter.";
    expect_refused({{csv_source(1, {.quote = ""}), "option \"quote\" must be a single one-byte character",
                     "The usual one is '\"'."},
                    {csv_source(1, {.quote = "''"}), "option \"quote\" must be a single one-byte character",
                     "The usual one is '\"'."},
                    {csv_source(1, {.delimiter = "\""}), differ, other},
                    {csv_source(1, {.quote = ","}), differ, other},
                    {delimited_source(1, {.delimiter = "|'|", .quote = "'"}), differ, other},
                    {csv_source(1, {.escape = ""}), "option \"escape\" must be a single one-byte character",
                     "The default is the quote."},
                    {csv_source(1, {.escape = "\\\\"}),
                     "option \"escape\" must be a single one-byte character", "The default is the quote."},
                    {delimited_source(1, {.escape = "!"}), "option \"escape\" needs option \"quote\"",
                     "Without a quote the escape is always a backslash."}},
                   "22023");
    EXPECT_EQ(cells(delimited_source(1, {.escape = "\\"}), "a\\tb"), (Texts{"a\tb"}));
    EXPECT_EQ(cells(csv_source(1, {.quote = "'"}), "'it''s'"), (Texts{"it's"}));
}

TEST(FormatOptions, Null) {
    expect_refused(
        {{csv_source(1, {.null_string = "a\n"}),
          "option \"null\" must not contain newline or carriage return", "Choose a text of one line."},
         {csv_source(1, {.null_string = "a,b"}), "option \"delimiter\" must not appear in option \"null\"",
          "The columns are cut before they are compared with it."},
         {delimited_source(1, {.delimiter = "||", .null_string = "||"}),
          "option \"delimiter\" must not appear in option \"null\"",
          "The columns are cut before they are compared with it."},
         {csv_source(1, {.null_string = "\"\""}), "option \"quote\" must not appear in option \"null\"",
          "A quoted column is data; option \"force_null\" lets quoted columns be null too."}},
        "22023");
    EXPECT_EQ(cells(delimited_source(1, {.delimiter = "||", .null_string = "|"}), "|"), (Texts{kNull}));
}

TEST(FormatOptions, BytesThatAreNoText) {
    const std::string hint = "Write characters that the database's encoding has.";
    expect_refused(
        {{csv_source(1, {.delimiter = std::string(1, '\0')}),
          "option \"delimiter\" must be valid text without NUL bytes", hint},
         {csv_source(1, {.quote = "\xff"}), "option \"quote\" must be valid text without NUL bytes", hint},
         {delimited_source(1, {.delimiter = "\x86\x92"}),
          "option \"delimiter\" must be valid text without NUL bytes", hint},
         {csv_source(1, {.null_string = "\xc3"}), "option \"null\" must be valid text without NUL bytes",
          hint}},
        "22023");
}

TEST(FormatOptions, ForceLists) {
    const std::string quotes =
        "Use format \"csv\", or give option \"quote\" too: without quotes NULL and text are never mixed up.";
    expect_refused(
        {{delimited_source(1, {.force_null = {"c1"}}), "option \"force_null\" needs quotes", quotes},
         {delimited_source(1, {.force_not_null = {"c1"}}), "option \"force_not_null\" needs quotes", quotes}},
        "22023");
    RecordSpec spec = csv_source(2, {.force_not_null = {"prize"}});
    spec.columns[1].name = "price";
    RecordSpec far = csv_source(2, {.force_null = {"nothing_like_it"}});
    RecordSpec key = csv_source(1, {.force_null = {"k"}});
    key.key = FormatSpec{Format::Text, {}};
    key.columns.push_back(key_column("k"));
    expect_refused(
        {{spec, "option \"force_not_null\" names column \"prize\", which does not read the value",
          "Perhaps you meant \"price\"."},
         {far, "option \"force_null\" names column \"nothing_like_it\", which does not read the value", ""},
         {key, "option \"force_null\" names column \"k\", which does not read the value", ""}},
        "42703");
}

TEST(FormatOptions, KeyOptionsHaveTheirOwnNames) {
    RecordSpec spec;
    spec.key = FormatSpec{Format::Csv, {.delimiter = "||"}};
    spec.columns.push_back(key_column("k"));
    EXPECT_EQ(refusal_of(spec).message,
              "option \"key_delimiter\" must be a single one-byte character for format \"csv\"");
    spec.key = FormatSpec{Format::Csv, {.force_null = {"x"}}};
    EXPECT_EQ(refusal_of(spec).message,
              "option \"key_force_null\" names column \"x\", which does not read the key");
}

TEST(FormatOptions, OptionsAreCheckedEvenWhenNothingIsWanted) {
    RecordSpec spec = csv_source(1, {.delimiter = "||"});
    spec.columns[0].wanted = false;
    EXPECT_EQ(refusal_of(spec).sqlstate, "22023");
}

TEST(FormatOptions, ColumnsNeedAFormat) {
    RecordSpec spec;
    spec.columns = {value_column("a")};
    EXPECT_EQ(refusal_of(spec).message, "column \"a\" reads the value, which has no format");
    EXPECT_EQ(refusal_of(spec).hint, "Set option \"format\".");
    spec.columns = {key_column("k")};
    EXPECT_EQ(refusal_of(spec).message, "column \"k\" reads the key, which has no format");
    EXPECT_EQ(refusal_of(spec).hint, "Set option \"key_format\".");
    EXPECT_EQ(refusal_of(spec).column_name, "k");
}

TEST(FormatOptions, WholeFormatsTakeOneColumnAndNoOptions) {
    expect_refused({{value_source({Format::Text, {}}, 2),
                     "format \"text\" needs exactly one column that reads the value, found 2",
                     "The whole value becomes one column; metadata columns are not counted."},
                    {value_source({Format::Binary, {}}, 0),
                     "format \"binary\" needs exactly one column that reads the value, found 0",
                     "The whole value becomes one column; metadata columns are not counted."}},
                   "42611");
    const std::string belongs = "It belongs to formats \"csv\" and \"delimited\".";
    expect_refused({{value_source({Format::Text, {.delimiter = ","}}, 1),
                     "option \"delimiter\" means nothing to format \"text\"", belongs},
                    {value_source({Format::Text, {.quote = ","}}, 1),
                     "option \"quote\" means nothing to format \"text\"", belongs},
                    {value_source({Format::Text, {.escape = ","}}, 1),
                     "option \"escape\" means nothing to format \"text\"", belongs},
                    {value_source({Format::Binary, {.null_string = ""}}, 1),
                     "option \"null\" means nothing to format \"binary\"", belongs},
                    {value_source({Format::Binary, {.force_not_null = {"c1"}}}, 1),
                     "option \"force_not_null\" means nothing to format \"binary\"", belongs},
                    {value_source({Format::Binary, {.force_null = {"c1"}}}, 1),
                     "option \"force_null\" means nothing to format \"binary\"", belongs}},
                   "22023");
}

RecordSpec schema_source(Format format, SchemaOptions schema) {
    RecordSpec spec;
    spec.value = FormatSpec{.format = format, .schema = std::move(schema)};
    spec.columns.push_back({.name = "a"});
    return spec;
}

TEST(FormatOptions, FormatsThatNeedSchemas) {
    const SharedSchema orders = std::make_shared<SchemaText>();
    const std::string make_one =
        "Name a schema that sluice.create_schema has made, or set option \"framing\" to confluent when "
        "messages "
        "name schemas of a registry.";
    expect_refused(
        {{schema_source(Format::Avro, {}), "format \"avro\" needs option \"schema\"", make_one},
         {schema_source(Format::Protobuf, {.framing = Framing::None}),
          "format \"protobuf\" needs option \"schema\"", make_one},
         {schema_source(Format::DebeziumAvro, {.schema = {"a"}, .message = "A"}),
          "option \"message\" means nothing to format \"debezium-avro\"",
          "It belongs to format \"protobuf\"."},
         {schema_source(Format::Protobuf, {.schema = {"a"}, .reader_schema = "b"}),
          "option \"reader_schema\" means nothing to format \"protobuf\"", "It belongs to formats in Avro."},
         {schema_source(Format::Protobuf, {.framing = Framing::SingleObject, .schema = {"a"}}),
          "option \"framing\" cannot be single-object for format \"protobuf\"",
          "Single-object encoding is Avro's own."},
         {schema_source(Format::Csv, {.framing = Framing::Confluent}),
          "option \"framing\" means nothing to format \"csv\"",
          "It belongs to formats in JSON, Avro and Protobuf."}},
        "22023");
    // Options are checked before the catalog is at hand, but nothing is decoded without schemas.
    const RecordSpec named = schema_source(Format::Avro, {.framing = Framing::Confluent});
    EXPECT_TRUE(PayloadDecoder::make(named, Origin::Value));
    expect_refused({{named, "there is no schema registry that knows the schemas of the messages",
                     "Set option \"registry_url\" of the server."}},
                   "22023");
    EXPECT_FALSE(
        PayloadDecoder::has_schemas({.schema = {.schema = {"a", "b"}, .writers = {orders}}}, nullptr));
    EXPECT_FALSE(PayloadDecoder::has_schemas({.schema = {.reader_schema = "a"}}, nullptr));
    EXPECT_TRUE(PayloadDecoder::has_schemas(
        {.schema = {.schema = {"a"}, .reader_schema = "b", .writers = {orders}, .reader = orders}}, nullptr));
}

}  // namespace
}  // namespace sluice
