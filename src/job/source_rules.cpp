#include "job/source_rules.hpp"

#include "format/json_path.hpp"
#include "job/identifier.hpp"
#include "job/values.hpp"
#include "job/words.hpp"

#include <algorithm>
#include <limits>

namespace sluice {

namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Calls `use` with each part between commas, blanks taken off, until it returns false.
template <class Use>
bool each_part(std::string_view list, Use use) {
    while (true) {
        const size_t comma = list.find(',');
        if (!use(trimmed(list.substr(0, comma)))) return false;
        if (comma == list.npos) return true;
        list.remove_prefix(comma + 1);
    }
}

// host, host:port, [address]:port
bool is_broker(std::string_view broker) {
    std::string_view host = broker, port;
    if (!broker.empty() && broker.front() == '[') {
        const size_t end = broker.find(']');
        if (end == broker.npos) return false;
        host = broker.substr(1, end - 1);
        port = broker.substr(end + 1);
        for (char c : host)
            if (!is_letter_or_digit(c) && c != ':' && c != '.' && c != '%') return false;
    } else {
        const size_t colon = broker.find(':');
        host = broker.substr(0, colon);
        port = colon == broker.npos ? std::string_view() : broker.substr(colon);
        for (char c : host)
            if (!is_letter_or_digit(c) && c != '.' && c != '-' && c != '_') return false;
    }
    if (host.empty()) return false;
    if (port.empty()) return true;
    if (port.front() != ':' || port.size() == 1 || port[1] < '0' || port[1] > '9') return false;
    const int64_t number = parse_integer(port.substr(1)).value_or(0);
    return number >= 1 && number <= 65535;
}

// http://host, https://host:port/path
bool is_registry_url(std::string_view url) {
    constexpr size_t kLongest = 2000;
    const size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
    if (scheme == 0 || url.size() > kLongest) return false;
    url.remove_prefix(scheme);
    const size_t slash = std::min(url.find('/'), url.size());
    const std::string_view host = url.substr(0, slash), path = url.substr(slash);
    return host.find('%') == host.npos && is_broker(host) &&
           std::all_of(path.begin(), path.end(), [](char c) {
               return is_letter_or_digit(c) || std::string_view("/-._~").find(c) != std::string_view::npos;
           });
}

// The bytes are looked at by the TLS library, when it connects.
Result<void> check_pem(const std::string& subject, std::string_view value) {
    if (trimmed(value).starts_with("-----BEGIN ")) return {};
    return Error::config("22023", subject + " must be text in PEM", {},
                         "It is what the file holds, from -----BEGIN to the end.");
}

// libcurl puts name and password together with a colon.
Result<void> check_user_name(const std::string& subject, std::string_view value) {
    if (!value.empty() && value.find(':') == value.npos) return {};
    return Error::config("22023", subject + " must be a name without a colon");
}

Result<void> check_partitions(const std::string& subject, std::string_view value) {
    auto partitions = parse_partitions(subject, value);
    if (!partitions) return partitions.error();
    return {};
}

Result<void> check_format(const std::string& subject, std::string_view value) {
    auto format = value_for(kFormats, subject, value);
    if (!format) return format.error();
    return {};
}

template <auto& words>
Result<void> check_word(const std::string& subject, std::string_view value) {
    auto found = value_for(words, subject, value);
    if (!found) return found.error();
    return {};
}

Result<void> check_names(const std::string& subject, std::string_view value) {
    auto names = parse_identifiers(value);
    if (names) return {};
    Error error = std::move(names.error());
    error.message = subject + ": " + error.message;
    return error;
}

Result<void> check_name(const std::string& subject, std::string_view value) {
    auto name = parse_identifier(value);
    if (name) return {};
    Error error = std::move(name.error());
    error.message = subject + ": " + error.message;
    return error;
}

Result<void> check_field(const std::string& subject, std::string_view value) {
    auto path = parse_json_path(value);
    if (path) return {};
    Error error = std::move(path.error());
    error.message = subject + ": " + error.message;
    return error;
}

Result<void> check_header(const std::string& subject, std::string_view value) {
    if (!value.empty()) return {};
    return Error::config("22023", subject + " must name a header", {}, "Write it as in header 'trace-id'.");
}

Result<void> check_metadata(const std::string& subject, std::string_view value) {
    auto metadata = metadata_for(subject, value);
    if (!metadata) return metadata.error();
    return {};
}

constexpr std::string_view kFormatWords =
    "csv, delimited, text, binary, json, connect-json, debezium-json, canal-json, maxwell-json, avro, "
    "debezium-avro or protobuf";
constexpr std::string_view kOneByte = "a character of one byte";
constexpr std::string_view kNames = "column names with commas between them";
constexpr std::string_view kSchemaNames = "names of schemas with commas between them";
constexpr std::string_view kFramingWords = "none, confluent or single-object";

constexpr SourceRule kRules[] = {
    {{Scope::Server, "brokers", "brokers to ask first for the cluster", "host:port with commas between them"},
     check_brokers},
    {{Scope::Server, "registry_url", "addresses of the schema registry, tried in this order",
      "URLs with commas between them"},
     check_registry_url},
    {{Scope::Server, "registry_ca_pem",
      "authorities that may vouch for the registry; those of the system when it is not set",
      "certificates in PEM"},
     check_pem},
    {{Scope::UserMapping, "registry_username", "who logs in to the registry", "a name"}, check_user_name},
    {{Scope::UserMapping, "registry_password", "with which password", ""}, nullptr},
    {{Scope::UserMapping, "registry_certificate_pem", "the certificate that is shown to the registry",
      "a certificate in PEM"},
     check_pem},
    {{Scope::UserMapping, "registry_key_pem", "the certificate's key", "a key in PEM"}, check_pem},
    {{Scope::UserMapping, "registry_key_password", "the password of that key", ""}, nullptr},
    {{Scope::Table, "topic", "the topic that is read", "the name of one topic"}, check_topic},
    {{Scope::Table, "partitions", "the partitions that are read; all when it is not set",
      "numbers, as in 0,1,2"},
     check_partitions},
    {{Scope::Table, "format", "how a message's value is read", kFormatWords}, check_format},
    {{Scope::Table, "delimiter", "what separates the fields", "one byte for csv, one or more for delimited"},
     nullptr},
    {{Scope::Table, "quote", "what quotes a field", kOneByte}, nullptr},
    {{Scope::Table, "escape", "what stands before a quote inside quotes", kOneByte}, nullptr},
    {{Scope::Table, "null", "the text that means NULL", ""}, nullptr},
    {{Scope::Table, "force_not_null", "columns in which the NULL text is text", kNames}, check_names},
    {{Scope::Table, "force_null", "columns in which the NULL text means NULL even in quotes", kNames},
     check_names},
    {{Scope::Table, "missing_field", "what a field is that the message does not have", "null or error"},
     check_word<kMissingFields>},
    {{Scope::Table, "timestamp_unit", "what numbers in columns of dates and timestamps count since 1970",
      "s, ms or us"},
     check_word<kTimestampUnits>},
    {{Scope::Table, "ignore_case", "whether upper and lower case of field names are the same",
      "true or false"},
     check_word<kBooleans>},
    {{Scope::Table, "rows_path",
      "the array whose elements become rows; a message is one row when it is not set",
      "a path, as in order.lines; $ when the value itself is the array"},
     check_field},
    {{Scope::Table, "newline_delimited", "whether each line of the value is a value of its own",
      "true or false"},
     check_word<kBooleans>},
    {{Scope::Table, "schema", "schemas that messages are written by", kSchemaNames}, check_names},
    {{Scope::Table, "reader_schema",
      "the schema that messages are read by; the one that wrote them when it is not set",
      "the name of a schema"},
     check_name},
    {{Scope::Table, "framing", "what stands before the value and tells the schema that wrote it",
      kFramingWords},
     check_word<kFramings>},
    {{Scope::Table, "message", "the message type of the value", "a full name, as in shop.Order"}, nullptr},
    {{Scope::Table, "key_format", "how a message's key is read", kFormatWords}, check_format},
    {{Scope::Table, "key_delimiter", "delimiter of the key", "one byte for csv, one or more for delimited"},
     nullptr},
    {{Scope::Table, "key_quote", "quote of the key", kOneByte}, nullptr},
    {{Scope::Table, "key_escape", "escape of the key", kOneByte}, nullptr},
    {{Scope::Table, "key_null", "null of the key", ""}, nullptr},
    {{Scope::Table, "key_force_not_null", "force_not_null of the key", kNames}, check_names},
    {{Scope::Table, "key_force_null", "force_null of the key", kNames}, check_names},
    {{Scope::Table, "key_missing_field", "missing_field of the key", "null or error"},
     check_word<kMissingFields>},
    {{Scope::Table, "key_timestamp_unit", "timestamp_unit of the key", "s, ms or us"},
     check_word<kTimestampUnits>},
    {{Scope::Table, "key_ignore_case", "ignore_case of the key", "true or false"}, check_word<kBooleans>},
    {{Scope::Table, "key_schema", "schema of the key", kSchemaNames}, check_names},
    {{Scope::Table, "key_reader_schema", "reader_schema of the key", "the name of a schema"}, check_name},
    {{Scope::Table, "key_framing", "framing of the key", kFramingWords}, check_word<kFramings>},
    {{Scope::Table, "key_message", "message of the key", "a full name, as in shop.Order"}, nullptr},
    {{Scope::Column, "field", "where the column's value is in the message; its own name when it is not set",
      "a path, as in details.items[0].sku"},
     check_field},
    {{Scope::Column, "source", "the part of the message that holds the column", "value or key"},
     check_word<kPayloads>},
    {{Scope::Column, "metadata", "what the column tells about the message",
      "topic, partition, offset, timestamp, timestamp_type, leader_epoch, key, value, headers or json; of "
      "changes also op, ts_ms, source.lsn and the like"},
     check_metadata},
    {{Scope::Column, "header", "the header that the column shows", "a name"}, check_header},
};

}  // namespace

std::span<const SourceRule> source_rules() { return kRules; }

std::string_view scope_name(Scope scope) {
    switch (scope) {
        case Scope::Server:
            return "server";
        case Scope::UserMapping:
            return "user mapping";
        case Scope::Table:
            return "foreign table";
        case Scope::Column:
            return "column";
    }
    return "unknown";
}

Result<void> check_brokers(const std::string& subject, std::string_view value) {
    std::string_view wrong;
    if (each_part(value, [&](std::string_view broker) { return wrong = broker, is_broker(broker); }))
        return {};
    return Error::config(
        "22023",
        subject + " must name hosts with commas between them, and \"" + clipped(wrong) + "\" is not one", {},
        "Write it as in broker1:9092,broker2:9092. The protocol goes into security_protocol.");
}

Result<void> check_registry_url(const std::string& subject, std::string_view value) {
    constexpr std::string_view kForm = "Write it as in https://registry:8081.";
    if (value.find('@') != value.npos)
        return Error::config("22023", subject + " must not hold a user name or a password", {},
                             "Set registry_username and registry_password in the user mapping.");
    std::string_view wrong;
    if (each_part(value, [&](std::string_view url) { return wrong = url, is_registry_url(url); })) return {};
    return Error::config(
        "22023",
        subject + " must be URLs with commas between them, and \"" + clipped(wrong) + "\" is not one",
        "A URL has http or https, a host, and a port and a path or not.", std::string(kForm));
}

Result<void> check_topic(const std::string& subject, std::string_view value) {
    constexpr size_t kLongest = 249;
    if (value.find(',') != value.npos)
        return Error::config("0A000", subject + " must name one topic, not \"" + clipped(value) + "\"",
                             "Several topics in one source are not supported yet.",
                             "Make a foreign table for each topic.");
    const bool fits = std::all_of(value.begin(), value.end(), [](char c) {
        return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
    });
    if (fits && !value.empty() && value.size() <= kLongest && value != "." && value != "..") return {};
    return Error::config("22023", subject + " must be the name of a topic, not \"" + clipped(value) + "\"",
                         {},
                         "Kafka's topic names have 1 to 249 letters, digits, dots, underscores and hyphens.");
}

Result<std::vector<int32_t>> parse_partitions(const std::string& subject, std::string_view value) {
    std::string_view list = trimmed(value);
    if (list.size() >= 2 && list.front() == '(' && list.back() == ')') list = list.substr(1, list.size() - 2);
    std::vector<int32_t> partitions;
    std::string_view wrong;
    const bool numbers = each_part(list, [&](std::string_view part) {
        wrong = part;
        const auto number = parse_integer(part);
        if (!number || *number < 0 || *number > std::numeric_limits<int32_t>::max()) return false;
        partitions.push_back(static_cast<int32_t>(*number));
        return true;
    });
    if (!numbers)
        return Error::config(
            "22023", subject + " must list numbers of partitions, and \"" + clipped(wrong) + "\" is not one",
            {}, "Write it as in 0,1,2 or (0,1,2).");
    std::sort(partitions.begin(), partitions.end());
    const auto twice = std::adjacent_find(partitions.begin(), partitions.end());
    if (twice != partitions.end())
        return Error::config("22023", subject + " names partition " + std::to_string(*twice) + " twice");
    return partitions;
}

}  // namespace sluice
