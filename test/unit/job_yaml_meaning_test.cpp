// Documents of the right form that say something wrong: what a person is told.
#include "job_yaml_wrong.hpp"

namespace sluice {
namespace {

class WrongMeaning : public testing::TestWithParam<WrongDocument> {};

TEST_P(WrongMeaning, IsToldExactly) { expect_told(GetParam()); }

const WrongDocument kWrong[] = {
    {"NoColumns", kHead + with(kValue, "[{NAME: id, TYPE: int}]", "[]") + kOutput,
     "22023 KAFKA.INPUT (line 2): VALUE, KEY and META name no column"},
    {"ColumnTwice", kHead + kValue + "    KEY: {COLUMNS: {ID: text}, FORMAT: text}\n" + kOutput,
     "42701 KAFKA.INPUT.KEY.COLUMNS.ID (line 9): there is a column \"id\" already: "
     "KAFKA.INPUT.VALUE.COLUMNS[1] (line 7)\n"
     "HINT: The columns of VALUE, KEY and META are columns of one table."},
    {"ColumnName", kHead + with(kValue, "NAME: id", "NAME: order-id") + kOutput,
     "42602 KAFKA.INPUT.VALUE.COLUMNS[1].NAME (line 7): \"order-id\" is not a name\n"
     "HINT: Names are written as in SQL: put one with other characters than letters, digits and underscores "
     "into double quotes."},
    {"ProtobufWithoutSchema",
     kHead + with(kValue, "csv", "protobuf\n      PROTOBUF_OPTION: {MESSAGE: m}") + kOutput,
     "22023 KAFKA.INPUT.VALUE (line 6): format \"protobuf\" needs option \"schema\"\n"
     "DETAIL: Its messages cannot be read without the schema that wrote them.\n"
     "HINT: Name a schema that sluice.create_schema has made, or set option \"framing\" to confluent when "
     "messages name schemas of a registry."},
    {"UnknownFormat", kHead + with(kValue, "csv", "cvs") + kOutput,
     "22023 KAFKA.INPUT.VALUE.FORMAT (line 8): FORMAT must be csv, delimited, text, binary, json, "
     "connect-json, debezium-json, canal-json, maxwell-json, avro, debezium-avro or protobuf, not "
     "\"cvs\"\n"
     "HINT: Perhaps you meant \"csv\"."},
    {"OptionOfOtherFormat", kHead + kValue + "      DELIMITED_OPTION: {DELIMITER: '|'}\n" + kOutput,
     "22023 KAFKA.INPUT.VALUE.DELIMITED_OPTION (line 9): this belongs to FORMAT delimited, not csv"},
    {"CsvDelimiter", kHead + kValue + "      CSV_OPTION: {DELIMITER: '||'}\n" + kOutput,
     "22023 KAFKA.INPUT.VALUE (line 6): option \"delimiter\" must be a single one-byte character for format "
     "\"csv\"\n"
     "HINT: Format \"delimited\" takes a delimiter of several characters."},
    {"TextColumns",
     kHead + with(with(kValue, "[{NAME: id, TYPE: int}]", "{a: text, b: text}"), "csv", "text") + kOutput,
     "42611 KAFKA.INPUT.VALUE (line 6): format \"text\" needs exactly one column that reads the value, found "
     "2\n"
     "HINT: The whole value becomes one column; metadata columns are not counted."},
    {"MetaFormat", kHead + kValue + "    META: {COLUMNS: {meta: jsonb}, FORMAT: csv}\n" + kOutput,
     "22023 KAFKA.INPUT.META.FORMAT (line 9): FORMAT must be json, not \"csv\""},
    {"MetaType", kHead + kValue + "    META: {COLUMNS: {meta: int}, FORMAT: json}\n" + kOutput,
     "22023 KAFKA.INPUT.META.COLUMNS.meta (line 9): the type of a column with all metadata must be json, "
     "jsonb or text, not \"int\"\n"
     "HINT: METADATA makes it one of: topic, partition, offset, timestamp, timestamp_type, leader_epoch, "
     "key, value, headers."},
    {"MetaTwice", kHead + kValue + "    META: {COLUMNS: {m: jsonb, n: json}, FORMAT: json}\n" + kOutput,
     "22023 KAFKA.INPUT.META.COLUMNS.n (line 9): there is a second column with all metadata, beside "
     "KAFKA.INPUT.META.COLUMNS.m (line 9)\n"
     "HINT: METADATA makes it one of: topic, partition, offset, timestamp, timestamp_type, leader_epoch, "
     "key, value, headers."},
    {"MetaKind",
     kHead + kValue + "    META: {COLUMNS: [{NAME: m, TYPE: int, METADATA: partitio}]}\n" + kOutput,
     "22023 KAFKA.INPUT.META.COLUMNS[1].METADATA (line 9): METADATA must be topic, partition, offset, "
     "timestamp, timestamp_type, leader_epoch, key, value, headers or json, not \"partitio\"\n"
     "DETAIL: Formats of changes also have op, ts_ms, source and more, with a path such as source.lsn.\n"
     "HINT: Perhaps you meant \"partition\"."},
    {"Brokers", with(kHead, "b:9092", "b:99999") + kValue + kOutput,
     "22023 KAFKA.INPUT.SOURCE.BROKERS (line 4): BROKERS must name hosts with commas between them, and "
     "\"b:99999\" is not one\n"
     "HINT: Write it as in broker1:9092,broker2:9092. The protocol goes into security_protocol."},
    {"Topic", with(kHead, "TOPIC: t", "TOPIC: a topic") + kValue + kOutput,
     "22023 KAFKA.INPUT.SOURCE.TOPIC (line 5): TOPIC must be the name of a topic, not \"a topic\"\n"
     "HINT: Kafka's topic names have 1 to 249 letters, digits, dots, underscores and hyphens."},
    {"SeveralTopics", with(kHead, "TOPIC: t", "TOPIC: [a, b]") + kValue + kOutput,
     "0A000 KAFKA.INPUT.SOURCE.TOPIC (line 5): TOPIC must name one topic, not \"a,b\"\n"
     "DETAIL: Several topics in one source are not supported yet.\n"
     "HINT: Make a foreign table for each topic."},
    {"Partitions", kHead + "      PARTITIONS: [0, x]\n" + kValue + kOutput,
     "22023 KAFKA.INPUT.SOURCE.PARTITIONS (line 6): PARTITIONS must list numbers of partitions, and \"x\" is "
     "not one\n"
     "HINT: Write it as in 0,1,2 or (0,1,2)."},
    {"FallbackOffset", kHead + "      FALLBACK_OFFSET: lastest\n" + kValue + kOutput,
     "22023 KAFKA.INPUT.SOURCE.FALLBACK_OFFSET (line 6): FALLBACK_OFFSET must be earliest or latest, not "
     "\"lastest\"\n"
     "HINT: Perhaps you meant \"latest\"."},
    {"Mode", kHead + kValue + kOutput + "    MODE: UPSERT\n",
     "22023 KAFKA.OUTPUT.MODE (line 11): MODE must be insert, update or merge, not \"UPSERT\"\n"
     "HINT: Perhaps you meant \"merge\"."},
    {"TableWithSchema", kHead + kValue + "  OUTPUT: {TABLE: shop.orders}\n",
     "42602 KAFKA.OUTPUT.TABLE (line 9): \"shop.orders\" is not the name of a table\n"
     "HINT: Write the schema into SCHEMA; a name with a dot in it needs double quotes."},
    {"MatchColumnsInInsert", kHead + kValue + kOutput + "    MATCH_COLUMNS: [id]\n",
     "22023 KAFKA.OUTPUT.MATCH_COLUMNS (line 11): a list of match columns in insert mode would have no "
     "effect\n"
     "HINT: Leave it out, or choose update or merge mode."},
    {"DeleteConditionInUpdate", kHead + kValue + kOutput + "    MODE: UPDATE\n    DELETE_CONDITION: id = 1\n",
     "22023 KAFKA.OUTPUT.DELETE_CONDITION (line 12): a delete condition in update mode would have no effect\n"
     "HINT: Leave it out, or choose merge mode."},
    {"MatchColumnTwice", kHead + kValue + kOutput + "    MODE: MERGE\n    MATCH_COLUMNS: [id, ID]\n",
     "42701 KAFKA.OUTPUT.MATCH_COLUMNS (line 12): column \"id\" is named twice"},
    {"MatchColumnNotMapped",
     kHead + kValue + kOutput + "    MODE: MERGE\n    MATCH_COLUMNS: [id]\n    MAPPING: {note: '1'}\n",
     "42703 KAFKA.OUTPUT.MATCH_COLUMNS (line 12): match column \"id\" is not in the mapping\n"
     "HINT: A mapping, when given, is the whole mapping: add the column to it."},
    {"UpdateColumnMatches",
     kHead + kValue + kOutput + "    MODE: MERGE\n    MATCH_COLUMNS: [id]\n    UPDATE_COLUMNS: [id]\n",
     "42701 KAFKA.OUTPUT.UPDATE_COLUMNS (line 13): column \"id\" is both a match and an update column\n"
     "HINT: A matched row has that value already; leave it out of the update columns."},
    {"MappingEmpty", kHead + kValue + kOutput + "    MAPPING: []\n",
     "22023 KAFKA.OUTPUT.MAPPING (line 11): the mapping names no column\n"
     "HINT: Without a mapping, columns map by name."},
    {"MappingTwice",
     kHead + kValue + kOutput +
         "    MAPPING:\n      - {NAME: id, EXPRESSION: id}\n      - {NAME: ID, EXPRESSION: id}\n",
     "42701 KAFKA.OUTPUT.MAPPING (line 11): column \"id\" is mapped twice"},
    {"ErrorLimit", kHead + kValue + "    ERROR_LIMIT: many\n" + kOutput,
     "22023 KAFKA.INPUT.ERROR_LIMIT (line 9): job option \"error_limit\" must be a count from 0 to "
     "1000000000, a percentage such as 5%, or unlimited, not \"many\""},
    {"MaxRow", kHead + kValue + kOutput + "  COMMIT: {MAX_ROW: 0}\n",
     "22023 KAFKA.COMMIT.MAX_ROW (line 11): job option \"max_count\" must be between 1 and 10000000, not "
     "\"0\""},
    {"MinimalInterval", kHead + kValue + kOutput + "  COMMIT: {MINIMAL_INTERVAL: 1s}\n",
     "22023 KAFKA.COMMIT.MINIMAL_INTERVAL (line 11): job option \"interval_ms\" must be a whole number, not "
     "\"1s\"\n"
     "DETAIL: The range is 0 to 3600000."},
    {"Consistency", kHead + kValue + kOutput + "  COMMIT: {CONSISTENCY: exact}\n",
     "22023 KAFKA.COMMIT.CONSISTENCY (line 11): job option \"consistency\" must be exactly, strong, "
     "at-least, at-most, none, atleast or atmost, not \"exact\"\n"
     "HINT: Perhaps you meant \"exactly\"."},
    {"PollTimeout", kHead + kValue + kOutput + "  POLL: {TIMEOUT: soon}\n",
     "22023 KAFKA.POLL.TIMEOUT (line 11): this must be a whole number between 0 and 1000000000, not "
     "\"soon\""},
    {"MaxRetries", kHead + kValue + kOutput + "  SCHEDULE: {MAX_RETRIES: -2}\n",
     "22023 KAFKA.SCHEDULE.MAX_RETRIES (line 11): job option \"max_retries\" must be between -1 and "
     "1000000000, not \"-2\""},
    {"OptionRange", kHead + kValue + kOutput + "  OPTIONS:\n    workers: 100\n",
     "22023 KAFKA.OPTIONS.workers (line 12): job option \"workers\" must be between 1 and 64, not \"100\""},
    {"OptionOffsets", kHead + kValue + kOutput + "  OPTIONS: {start: {0: x}}\n",
     "22023 KAFKA.OPTIONS.start (line 11): job option \"start\" has wrong offsets\n"
     "DETAIL: The text is not a JSON object.\n"
     "HINT: Write the next offset of each partition, as in {\"0\": 123, \"1\": 456}."},
    {"StartGroup", kHead + kValue + kOutput + "  OPTIONS: {start: group}\n",
     "22023 KAFKA.OPTIONS.start (line 11): job option \"start\" is group, but no consumer group is named\n"
     "HINT: Set job option \"group_id\" (in YAML also group.id in PROPERTIES)."},
    {"ResetConflict",
     kHead + "      FALLBACK_OFFSET: earliest\n" + kValue + kOutput +
         "  PROPERTIES:\n    auto.offset.reset: latest\n",
     "22023 KAFKA.PROPERTIES.auto.offset.reset (line 13): this contradicts "
     "KAFKA.INPUT.SOURCE.FALLBACK_OFFSET (line 6)\n"
     "HINT: Keep one of the two: auto.offset.reset is only another word for the start."},
    {"Reset", kHead + kValue + kOutput + "  PROPERTIES: {auto.offset.reset: error}\n",
     "22023 KAFKA.PROPERTIES.auto.offset.reset (line 11): auto.offset.reset must be earliest, smallest, "
     "beginning, latest, largest or end, not \"error\""},
    {"UnknownProperty", kHead + kValue + kOutput + "  PROPERTIES: {plugin.library.paths: x}\n",
     "HV00D KAFKA.PROPERTIES.plugin.library.paths (line 11): unknown Kafka property "
     "\"plugin.library.paths\""},
    {"PropertyWithoutValue", kHead + kValue + kOutput + "  PROPERTIES: {client.id: }\n",
     "22023 KAFKA.PROPERTIES.client.id (line 11): the property has no value"},
    {"IsolationLevel", kHead + kValue + kOutput + "  PROPERTIES: {isolation.level: serializable}\n",
     "22023 KAFKA.PROPERTIES.isolation.level (line 11): isolation.level must be read_committed or "
     "read_uncommitted, not \"serializable\""},
    {"Version", "VERSION: v1\n" + kHead + kValue + kOutput,
     "0A000 VERSION (line 1): VERSION must be 2, not \"v1\""},
    {"Port", "PORT: none\n" + kHead + kValue + kOutput,
     "22023 PORT (line 1): this must be a whole number between 1 and 65535, not \"none\""},
};

INSTANTIATE_TEST_SUITE_P(Yaml, WrongMeaning, testing::ValuesIn(kWrong), name_of);

}  // namespace
}  // namespace sluice
