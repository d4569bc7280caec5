#include "kafka/errors.hpp"

#include <librdkafka/rdkafka.h>

namespace sluice {
namespace {

constexpr std::string_view kLogin =
    "Check sasl_username and sasl_password in the user mapping of the server.";
constexpr std::string_view kSecurity =
    "Check security_protocol, sasl_mechanisms and the ssl_* options of the server and its user mapping.";
constexpr std::string_view kReach =
    "Check the option \"brokers\", the network, and whether the addresses that the brokers advertise can be "
    "reached "
    "from here.";
constexpr std::string_view kLeader =
    "The brokers choose another leader by themselves when one goes away; try again in a few seconds.";
constexpr std::string_view kGrant =
    "Grant the Kafka user READ and DESCRIBE on the topic (and the group, to start there).";
constexpr std::string_view kTopic = "Create the topic in Kafka, or correct the option \"topic\".";
constexpr std::string_view kPartition =
    "If the topic was deleted and created again, its offsets mean other messages: call sluice.set_offsets "
    "before you resume the job. Otherwise correct the option \"partitions\".";
constexpr std::string_view kPosition =
    "Set a new position with sluice.set_offsets, or choose the job option \"fallback_offset\".";
constexpr std::string_view kSize = "Raise the job option \"memory\" above the size of the message batch.";

}  // namespace

bool is_unreachable(int code) {
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__WAIT_COORD ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE || code == RD_KAFKA_RESP_ERR__RESOLVE;
}

CodeMeaning meaning_of(int code) {
    using enum ErrorKind;
    switch (code) {
        case RD_KAFKA_RESP_ERR__RESOLVE:
            return {Transient, "08001", "the name of a broker cannot be resolved", kReach};
        case RD_KAFKA_RESP_ERR__TRANSPORT:
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            return {Transient, "08006", "no broker can be reached", kReach};
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
            return {Transient, "08006", "no broker answered in time", kReach};
        case RD_KAFKA_RESP_ERR__WAIT_COORD:
            return {Transient, "08006", "the coordinator of the group was not found in time", kReach};
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
        case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
        case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
            return {Transient, "08006", "the partition has no leader at the moment", kLeader};

        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            return {Config, "28P01", "the broker refused the log-in", kLogin};
        case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
        case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            return {Config, "28000", "the broker does not offer this way to log in", kSecurity};
        case RD_KAFKA_RESP_ERR__SSL:
            return {Config, "28000", "the TLS connection to the broker failed", kSecurity};
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            return {Config, "42501", "the Kafka user lacks the privilege", kGrant};

        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            return {Config, "42704", "the topic does not exist", kTopic};
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return {Config, "42704", "the topic has no such partition (any more)", kPartition};
        case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            return {Config, "42602", "the name of the topic is not valid", kTopic};

        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            return {Config, "55000", "Kafka does not have this offset (any more)", kPosition};
#if RD_KAFKA_VERSION >= 0x020100ff
        case RD_KAFKA_RESP_ERR__LOG_TRUNCATION:
            return {Config, "55000", "the log was truncated below the position that was reached", kPosition};
#endif
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
            return {Config, "54000", "a message batch is larger than the memory allows", kSize};
        case RD_KAFKA_RESP_ERR__BAD_MSG:
        case RD_KAFKA_RESP_ERR_INVALID_MSG:
        case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
            return {Config, "XX001", "a message batch cannot be decoded",
                    "Pass it with sluice.skip_offset, and check the topic on the brokers."};
        case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
        case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
            return {Config, "0A000", "the installed librdkafka or the broker does not support it", ""};
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
            return {Bug, "XX000", "", ""};
        case RD_KAFKA_RESP_ERR__FATAL:
            return {Bug, "XX000", "librdkafka stopped with a fatal error", ""};
        case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
            return {Transient, "53000", "the server ran out of a resource",
                    "Check limits for threads and open files."};
        // What is not listed is mostly about coordinators that move; the brokers settle it.
        default:
            return {Transient, "58000", "", ""};
    }
}

}  // namespace sluice
