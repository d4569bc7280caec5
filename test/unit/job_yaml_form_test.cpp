// Documents of the wrong form: what a person is told, and that hostile ones cost little.
#include "job_yaml_wrong.hpp"

#include <cstdlib>
#include <new>

namespace {
size_t allocated = 0;
}

// Inlined, these look to the compiler as if memory of new went to free.
[[gnu::noinline]] void* operator new(size_t size) {
    allocated += size;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace sluice {
namespace {

class WrongForm : public testing::TestWithParam<WrongDocument> {};

TEST_P(WrongForm, IsToldExactly) { expect_told(GetParam()); }

const WrongDocument kWrong[] = {
    {"Empty", "", "42601 document (line 1): the document is empty"},
    {"OnlyComments", "# nothing\n", "42601 document (line 1): the document is empty"},
    {"NotAMap", "- a\n- b\n",
     "42601 document (line 1): the document must be a map of keys and values\n"
     "HINT: It begins with a line such as KAFKA:"},
    {"PlainText", "hello\n",
     "42601 document (line 1): the document must be a map of keys and values\n"
     "HINT: It begins with a line such as KAFKA:"},
    {"Syntax", kHead + kValue + "  OUTPUT: {TABLE: t\n",
     "42601 KAFKA.OUTPUT (line 10): this is not YAML: did not find expected ',' or '}' at column 1\n"
     "HINT: Indent with blanks, not tabs, and quote text that contains a colon, a # or a bracket."},
    {"TabIndentation", "KAFKA:\n\tINPUT: x\n",
     "42601 KAFKA (line 2): this is not YAML: found character that cannot start any token at column 1\n"
     "HINT: Indent with blanks, not tabs, and quote text that contains a colon, a # or a bracket."},
    {"TwoDocuments", kHead + kValue + kOutput + "---\nKAFKA: x\n",
     "42601 document (line 11): there is a second document\n"
     "HINT: Make a job of each document."},
    {"Anchor", kHead + kValue + "  OUTPUT: &a\n    TABLE: t\n",
     "42601 KAFKA.OUTPUT (line 9): anchors are not allowed"},
    {"Alias", kHead + kValue + "  OUTPUT: *a\n",
     "42601 KAFKA.OUTPUT (line 9): aliases are not allowed\n"
     "HINT: Write the value again; text that begins with * needs quotes."},
    {"Tag", kHead + kValue + "  OUTPUT:\n    TABLE: !!str t\n",
     "42601 KAFKA.OUTPUT.TABLE (line 10): tags are not allowed"},
    {"TagDirective", "%TAG ! tag:x,2000:\n---\n" + kHead + kValue + kOutput,
     "42601 document (line 1): tags are not allowed"},
    {"DuplicateKey", kHead + kValue + kOutput + "    table: u\n",
     "42601 KAFKA.OUTPUT.table (line 11): the key is there twice\n"
     "HINT: Upper and lower case are equal in keys."},
    {"DuplicateKeyOtherCase", "kafka: {}\nKAFKA: {}\n",
     "42601 KAFKA (line 2): the key is there twice\n"
     "HINT: Upper and lower case are equal in keys."},
    {"ComplexKey", "? [a]\n: b\n", "42601 document (line 1): a key must be plain text"},
    {"UnknownKey", kHead + kValue + "  OUTPUT:\n    TABLE: t\n    MATCH_COLUMN: [id]\n",
     "42601 KAFKA.OUTPUT.MATCH_COLUMN (line 11): unknown key\n"
     "DETAIL: Keys known here: SCHEMA, TABLE, MODE, MATCH_COLUMNS, ORDER_COLUMNS, UPDATE_COLUMNS, "
     "UPDATE_CONDITION, DELETE_CONDITION, FILTER, MAPPING.\n"
     "HINT: Perhaps you meant \"MATCH_COLUMNS\"."},
    {"UnknownKeys", "KAFKAA: 1\n" + with(kHead, "TOPIC", "TOPPIC") + kValue + kOutput + "    WHATEVER: 1\n",
     "42601 KAFKAA (line 1): unknown key; KAFKA.INPUT.SOURCE.TOPPIC (line 6): unknown key; "
     "KAFKA.OUTPUT.WHATEVER (line 12): unknown key\n"
     "DETAIL: Keys known beside KAFKAA: DATABASE, USER, PASSWORD, HOST, PORT, VERSION, KAFKA, INPUT, OUTPUT, "
     "METADATA, COMMIT, POLL, PROPERTIES, SCHEDULE, OPTIONS, ERROR_LIMIT, SERVER.\n"
     "HINT: KAFKAA: Perhaps you meant \"KAFKA\".\n"
     "KAFKA.INPUT.SOURCE.TOPPIC: Perhaps you meant \"TOPIC\"."},
    {"CommaInFlow", kHead + with(kValue, "TYPE: int", "TYPE: numeric(10,2)") + kOutput,
     "42601 KAFKA.INPUT.VALUE.COLUMNS[1].2) (line 7): unknown key\n"
     "DETAIL: Keys known here: NAME, TYPE, FIELD.\n"
     "HINT: Quote text with a comma in it: 'numeric(10,2)'."},
    {"MissingInput", "KAFKA:\n" + kOutput, "42601 KAFKA (line 1): INPUT is missing"},
    {"MissingKafka", "DATABASE: shop\n", "42601 document (line 1): INPUT is missing"},
    {"MissingOutput", kHead + kValue, "42601 KAFKA (line 1): OUTPUT is missing"},
    {"MissingSource", "KAFKA:\n  INPUT:\n" + kValue + kOutput,
     "42601 KAFKA.INPUT (line 2): SOURCE is missing"},
    {"MissingTopic", with(kHead, "      TOPIC: t\n", "") + kValue + kOutput,
     "42601 KAFKA.INPUT.SOURCE (line 3): TOPIC is missing"},
    {"MissingBrokers", with(kHead, "      BROKERS: b:9092\n", "") + kValue + kOutput,
     "42601 KAFKA.INPUT.SOURCE (line 3): BROKERS is missing\n"
     "HINT: Name the brokers, or with SERVER a server that has them."},
    {"MissingTable", kHead + kValue + "  OUTPUT: {MODE: INSERT}\n",
     "42601 KAFKA.OUTPUT (line 9): TABLE is missing"},
    {"MissingValueAndKey", kHead + kOutput,
     "42601 KAFKA.INPUT (line 2): VALUE is missing\n"
     "HINT: A job needs VALUE, KEY or both."},
    {"MissingFormat", kHead + with(kValue, "      FORMAT: csv\n", "") + kOutput,
     "42601 KAFKA.INPUT.VALUE (line 6): FORMAT is missing\n"
     "HINT: Formats that work: csv, delimited, text, binary, json, connect-json, debezium-json, canal-json, "
     "maxwell-json, avro, debezium-avro, protobuf."},
    {"MissingColumns", kHead + "    VALUE: {FORMAT: csv}\n" + kOutput,
     "42601 KAFKA.INPUT.VALUE (line 6): COLUMNS is missing\n"
     "HINT: Write them as in COLUMNS: [{NAME: id, TYPE: bigint}]."},
    {"ColumnWithoutType", kHead + with(kValue, ", TYPE: int", "") + kOutput,
     "42601 KAFKA.INPUT.VALUE.COLUMNS[1] (line 7): TYPE is missing\n"
     "HINT: Write the SQL type of the column, such as bigint."},
    {"ColumnWithoutName", kHead + with(kValue, "NAME: id, ", "") + kOutput,
     "42601 KAFKA.INPUT.VALUE.COLUMNS[1] (line 7): NAME is missing\n"
     "HINT: Write a column as in {NAME: id, TYPE: bigint}."},
    {"ColumnsAsText", kHead + with(kValue, "[{NAME: id, TYPE: int}]", "id") + kOutput,
     "42601 KAFKA.INPUT.VALUE.COLUMNS (line 7): this must be a list of columns\n"
     "HINT: Write them as in COLUMNS: [{NAME: id, TYPE: bigint}]."},
    {"ModeIsAList", kHead + kValue + kOutput + "    MODE: [MERGE]\n",
     "42601 KAFKA.OUTPUT.MODE (line 11): this must be a single value, not a list"},
    {"MappingText", kHead + kValue + kOutput + "    MAPPING: id\n",
     "42601 KAFKA.OUTPUT.MAPPING (line 11): this must be a list or a map of target columns and expressions\n"
     "HINT: Write it as in MAPPING: [{NAME: total, EXPRESSION: price * 2}]."},
    {"MappingWithoutExpression", kHead + kValue + kOutput + "    MAPPING:\n      - {NAME: id}\n",
     "42601 KAFKA.OUTPUT.MAPPING[1] (line 12): EXPRESSION is missing"},
    {"MappingItem", kHead + kValue + kOutput + "    MAPPING: [id]\n",
     "42601 KAFKA.OUTPUT.MAPPING[1] (line 11): this must be a map of keys and values\n"
     "HINT: Keys known here: NAME, EXPRESSION."},
    {"EmptyFilter", kHead + kValue + kOutput + "    FILTER: ''\n",
     "42601 KAFKA.OUTPUT.FILTER (line 11): the expression is empty"},
    {"FilterTwice", kHead + kValue + "    FILTER: id > 1\n" + kOutput + "    FILTER: id > 2\n",
     "42601 KAFKA.OUTPUT.FILTER (line 12): this is said already: KAFKA.INPUT.FILTER (line 9)\n"
     "HINT: Keep one of the two."},
    {"ErrorLimitTwice", kHead + kValue + "    ERROR_LIMIT: 1\n" + kOutput + "ERROR_LIMIT: 1\n",
     "42601 ERROR_LIMIT (line 12): this is said already: KAFKA.INPUT.ERROR_LIMIT (line 9)\n"
     "HINT: Keep one of the two."},
    {"SaidTwice", kHead + kValue + kOutput + "  COMMIT: {MAX_ROW: 5}\n  OPTIONS: {max_count: 5}\n",
     "42601 KAFKA.OPTIONS.max_count (line 12): this is said already: KAFKA.COMMIT.MAX_ROW (line 11)\n"
     "HINT: Keep one of the two."},
    {"SectionTwice", kHead + kValue + kOutput + "  COMMIT: {MAX_ROW: 5}\nCOMMIT: {MAX_ROW: 5}\n",
     "42601 COMMIT (line 12): this is said already: KAFKA.COMMIT (line 11)\n"
     "HINT: Keep one of the two."},
    {"UnknownOption", kHead + kValue + kOutput + "  OPTIONS: {wrokers: 2}\n",
     "42601 KAFKA.OPTIONS.wrokers (line 11): unknown key\n"
     "DETAIL: Keys known here: max_count, max_bytes, interval_ms, workers, start, stop, fallback_offset, "
     "error_limit, error_window, on_conflict, consistency, tombstone, synchronous_commit, max_rate, "
     "group_id, memory, retry_interval, max_retries, lag_threshold, upsert.\n"
     "HINT: Perhaps you meant \"workers\"."},
    {"StartTwice",
     kHead + "      FALLBACK_OFFSET: latest\n" + kValue + kOutput + "  OPTIONS: {start: latest}\n",
     "42601 KAFKA.OPTIONS.start (line 12): this is said already: KAFKA.INPUT.SOURCE.FALLBACK_OFFSET (line "
     "6)\n"
     "HINT: Keep one of the two."},
    {"GroupTwice", kHead + kValue + kOutput + "  PROPERTIES: {group.id: a}\n  OPTIONS: {group_id: a}\n",
     "42601 KAFKA.OPTIONS.group_id (line 12): this is said already: KAFKA.PROPERTIES.group.id (line 11)\n"
     "HINT: Keep one of the two."},
    {"PropertyTwice", kHead + kValue + kOutput + "  PROPERTIES: {client.id: a, client_id: b}\n",
     "42601 KAFKA.PROPERTIES.client_id (line 11): this is said already: KAFKA.PROPERTIES.client.id (line "
     "11)\n"
     "HINT: Keep one of the two."},
    {"PropertiesAsList", kHead + kValue + kOutput + "  PROPERTIES: [a]\n",
     "42601 KAFKA.PROPERTIES (line 11): this must be a map of Kafka properties and values"},
    {"ServerTwice", kHead + "      SERVER: a\n" + kValue + kOutput + "SERVER: a\n",
     "42601 SERVER (line 12): this is said already: KAFKA.INPUT.SOURCE.SERVER (line 6)\n"
     "HINT: Keep one of the two."},
    {"NulEscape", kHead + kValue + kOutput + "    FILTER: \"a\\0b\"\n",
     "22021 KAFKA.OUTPUT.FILTER (line 11): the text has a NUL character"},
};

INSTANTIATE_TEST_SUITE_P(Yaml, WrongForm, testing::ValuesIn(kWrong), name_of);

std::string repeated(const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
}

// The refusal, which must be cheap. Bytes that are copied are the same on every machine, time is not; fuzzing
// watches the time.
std::string refused_cheaply(const std::string& document) {
    const size_t before = allocated;
    const auto read = parse_yaml_job(document, few_properties);
    EXPECT_LT(allocated - before, 200 * (document.size() + 1000));
    return read ? "accepted" : read.error().sqlstate + " " + read.error().message;
}

TEST(HostileYaml, TenThousandLevels) {
    const std::string flow = refused_cheaply("KAFKA: " + repeated("[", 10'000) + repeated("]", 10'000));
    EXPECT_EQ(flow.substr(0, 16), "54000 KAFKA[1][1");
    EXPECT_NE(flow.find(" (line 1): more than 16 levels are not allowed"), std::string::npos) << flow;
    std::string block;
    for (size_t i = 0; i < 1'000; ++i) block += std::string(i, ' ') + "a:\n";
    EXPECT_EQ(refused_cheaply(block),
              "54000 a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a (line 17): more than 16 levels are not allowed");
    for (const char* opening : {"- ", "? ", "{a: ", "[[a]: ", "{"})
        EXPECT_NE(refused_cheaply(repeated(opening, 10'000)), "accepted") << opening;
}

TEST(HostileYaml, SixteenLevelsAreNotTooMany) {
    // The map of the document, KAFKA's value and 14 lists make 16: only the meaning is refused.
    EXPECT_EQ(refused_cheaply("KAFKA: {INPUT: " + repeated("[", 14) + repeated("]", 14) + "}"),
              "42601 KAFKA.INPUT (line 1): this must be a map of keys and values");
    EXPECT_EQ(refused_cheaply("KAFKA: {INPUT: " + repeated("[", 15) + repeated("]", 15) + "}").substr(0, 5),
              "54000");
}

TEST(HostileYaml, TenMegabytes) {
    EXPECT_EQ(refused_cheaply("KAFKA: " + std::string(10 << 20, 'x')),
              "54000 the YAML document has 10485767 bytes, the most is 1048576");
    EXPECT_EQ(refused_cheaply(std::string((1 << 20) + 1, ' ')),
              "54000 the YAML document has 1048577 bytes, the most is 1048576");
    EXPECT_EQ(refused_cheaply("DATABASE: " + std::string((1 << 20) - 10, 'x')),
              "42601 document (line 1): INPUT is missing");
}

TEST(HostileYaml, AMegabyteOfSmallThings) {
    constexpr size_t kAlmost = (1 << 20) - 100;
    EXPECT_EQ(refused_cheaply("KAFKA: [" + repeated("a,", kAlmost / 2) + "]").substr(0, 5), "54000");
    std::string keys;
    for (size_t i = 0; keys.size() < kAlmost; ++i) keys += "k" + std::to_string(i) + ":\n";
    EXPECT_EQ(refused_cheaply(keys).substr(0, 5), "54000");
    EXPECT_NE(refused_cheaply(keys.substr(0, keys.find("k20000:"))).find("unknown key"), std::string::npos);
    for (const char* text :
         {"#\n", "\n", "'", "\"", "|\n", "\\", "%", "&a ", "!a ", "*a ", ": ", "? ", ", ", "{}", "]"})
        EXPECT_NE(refused_cheaply("KAFKA: " + repeated(text, kAlmost / std::string(text).size())), "accepted")
            << text;
}

TEST(HostileYaml, AliasBomb) {
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        const std::string before = std::string("*") + static_cast<char>(c - 1) + ",";
        bomb += std::string(1, c) + ": &" + c + " [" + repeated(before, 9) + "]\n";
    }
    EXPECT_EQ(refused_cheaply(bomb), "42601 a (line 1): anchors are not allowed");
    EXPECT_EQ(refused_cheaply("KAFKA:\n  <<: *base\n"), "42601 KAFKA.<< (line 2): aliases are not allowed");
}

TEST(HostileYaml, NulAndInvalidUtf8) {
    EXPECT_EQ(refused_cheaply(kHead + std::string("\0", 1) + kValue),
              "22021 document (line 6): a NUL byte cannot be in YAML");
    EXPECT_EQ(refused_cheaply(kHead + "# \xff\n" + kValue),
              "22021 document (line 6): the text is not valid UTF-8");
    EXPECT_EQ(refused_cheaply(kHead + "# \xed\xa0\x80\n"),
              "22021 document (line 6): the text is not valid UTF-8");
    EXPECT_EQ(refused_cheaply("a: \xc3"), "22021 document (line 1): the text is not valid UTF-8");
    // UTF-16 with its byte order mark
    EXPECT_EQ(refused_cheaply(std::string("\xff\xfe"
                                          "a\0:\0",
                                          6))
                  .substr(0, 5),
              "22021");
    EXPECT_EQ(refused_cheaply("a: \x01\n").substr(0, 53),
              "42601 document (line 1): this is not YAML: control ch");
}

TEST(HostileYaml, AByteOrderMarkOfUtf8IsAccepted) {
    EXPECT_TRUE(parse_yaml_job("\xef\xbb\xbf" + kHead + kValue + kOutput, few_properties));
    EXPECT_TRUE(parse_yaml_job(with(kHead + kValue + kOutput, "\n", "\r\n"), few_properties));
    EXPECT_TRUE(parse_yaml_job("%YAML 1.1\n---\n" + kHead + kValue + kOutput + "...\n", few_properties));
}

// A refused document must not show the secrets in it.
TEST(HostileYaml, ErrorsKeepSecrets) {
    for (const char* more : {"  PROPERTIES: {sasl.password: hunter2, sasl_password: hunter2}\n",
                             "  PROPERTIES: {sasl.password: [hunter2]}\n", "PASSWORD: [hunter2]\n",
                             "  PROPERTIES: {sasl.pasword: hunter2}\n", "PASSWORDD: hunter2\n",
                             "  PROPERTIES: {sasl.password: 'hunter2}\n"}) {
        const auto read = parse_yaml_job(kHead + kValue + kOutput + more, few_properties);
        ASSERT_FALSE(read) << more;
        EXPECT_EQ(told(read.error()).find("hunter2"), std::string::npos) << told(read.error());
    }
}

}  // namespace
}  // namespace sluice
