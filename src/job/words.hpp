// The words that SQL and YAML share for modes, formats and the like, as tables of word and value.
// Must not know where a word stands, only what the caller calls that place.
// The tables are constants; errors own their text.
#pragma once

#include "base/nearest.hpp"
#include "base/result.hpp"
#include "format/format_spec.hpp"
#include "job/job_spec.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

template <class E>
struct Word {
    std::string_view text;
    E value;
};

inline constexpr Word<Mode> kModes[] = {
    {"insert", Mode::Insert}, {"update", Mode::Update}, {"merge", Mode::Merge}};
inline constexpr Word<OnConflict> kOnConflicts[] = {{"error", OnConflict::Error},
                                                    {"ignore", OnConflict::Ignore}};
inline constexpr Word<Tombstone> kTombstones[] = {
    {"delete", Tombstone::Delete}, {"ignore", Tombstone::Ignore}, {"error", Tombstone::Error}};
inline constexpr Word<Fallback> kFallbacks[] = {
    {"error", Fallback::Error}, {"earliest", Fallback::Earliest}, {"latest", Fallback::Latest}};
inline constexpr Word<Format> kFormats[] = {{"csv", Format::Csv},
                                            {"delimited", Format::Delimited},
                                            {"text", Format::Text},
                                            {"binary", Format::Binary},
                                            {"json", Format::Json},
                                            {"connect-json", Format::ConnectJson},
                                            {"debezium-json", Format::DebeziumJson},
                                            {"canal-json", Format::CanalJson},
                                            {"maxwell-json", Format::MaxwellJson},
                                            {"avro", Format::Avro},
                                            {"debezium-avro", Format::DebeziumAvro},
                                            {"protobuf", Format::Protobuf}};
inline constexpr Word<MissingField> kMissingFields[] = {{"null", MissingField::Null},
                                                        {"error", MissingField::Error}};
inline constexpr Word<TimestampUnit> kTimestampUnits[] = {
    {"s", TimestampUnit::Seconds}, {"ms", TimestampUnit::Milliseconds}, {"us", TimestampUnit::Microseconds}};
inline constexpr Word<Framing> kFramings[] = {
    {"none", Framing::None}, {"confluent", Framing::Confluent}, {"single-object", Framing::SingleObject}};
inline constexpr Word<SchemaKind> kSchemaKinds[] = {
    {"avro", SchemaKind::Avro}, {"protobuf", SchemaKind::Protobuf}, {"json-schema", SchemaKind::JsonSchema}};
inline constexpr Word<bool> kBooleans[] = {{"true", true}, {"false", false}};
inline constexpr Word<Metadata> kMetadata[] = {{"topic", Metadata::Topic},
                                               {"partition", Metadata::Partition},
                                               {"offset", Metadata::Offset},
                                               {"timestamp", Metadata::Timestamp},
                                               {"timestamp_type", Metadata::TimestampType},
                                               {"leader_epoch", Metadata::LeaderEpoch},
                                               {"key", Metadata::Key},
                                               {"value", Metadata::Value},
                                               {"headers", Metadata::Headers},
                                               {"json", Metadata::Json}};
inline constexpr Word<Origin> kPayloads[] = {{"value", Origin::Value}, {"key", Origin::Key}};

// ASCII only: the words are.
std::string to_lower(std::string_view text);
bool same_word(std::string_view a, std::string_view b);  // upper and lower case being equal

// For error texts: a long value is cut between characters.
std::string clipped(std::string_view text);

// "a, b or c"
std::string choice(std::span<const std::string_view> words);

// The hint for a word that is near one of `known`; empty when none is.
std::string nearest_hint(std::string_view word, std::span<const std::string_view> known);

// The error for a value that is none of `allowed`: `<subject> must be a, b or c, not "x"`.
Error unknown_word(std::string_view subject, std::string_view text,
                   std::span<const std::string_view> allowed);

template <class E, size_t N>
constexpr std::array<std::string_view, N> texts(const Word<E> (&table)[N]) {
    std::array<std::string_view, N> result;
    for (size_t i = 0; i < N; ++i) result[i] = table[i].text;
    return result;
}

template <class E, size_t N>
constexpr std::string_view word_for(const Word<E> (&table)[N], E value) {
    for (const auto& word : table)
        if (word.value == value) return word.text;
    return {};
}

// `subject` names the place for the error, such as `option "tombstone"`.
template <class E, size_t N>
Result<E> value_for(const Word<E> (&table)[N], std::string_view subject, std::string_view text) {
    for (const auto& word : table)
        if (same_word(word.text, text)) return word.value;
    return unknown_word(subject, text, texts(table));
}

Result<Mode> mode_for(std::string_view subject, std::string_view text);

// "Formats that work: a, b, c."
std::string format_hint();

// A word of kMetadata, or a path into what a change tells of itself: then `field` is set.
struct MetadataWord {
    Metadata metadata = Metadata::Topic;
    std::string field{};
};
Result<MetadataWord> metadata_for(std::string_view subject, std::string_view text);
std::string_view metadata_word(Metadata metadata, const std::string& field);

}  // namespace sluice
