#include "kafka_helpers.hpp"

#include "kafka/errors.hpp"
#include "kafka/metadata.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace sluice {
namespace {

using namespace sluice::testing;

SharedClient open_client(const std::string& brokers, Properties properties = {}, std::string group = {}) {
    properties.emplace("reconnect.backoff.ms", "20");
    auto opened = Client::open({brokers, properties, group});
    if (!opened) throw std::runtime_error(opened.error().message + " " + opened.error().detail);
    return std::move(opened).value();
}

// A listener that accepts connections and never says a word.
class SilentBroker {
  public:
    SilentBroker() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) || listen(socket_, 5) ||
            getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size))
            throw std::runtime_error("no socket");
        port_ = ntohs(address.sin_port);
    }
    ~SilentBroker() { close(socket_); }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    int socket_;
    int port_;
};

TEST(KafkaClient, TellsWhatTheLibraryHas) {
    const LibraryInfo info = library_info();
    EXPECT_EQ(info.runtime_version, rd_kafka_version_str());
    EXPECT_TRUE(info.runtime_version.starts_with(info.compiled_version.substr(0, 2)));
    EXPECT_NE(info.builtin_features.find("ssl"), std::string::npos);
    EXPECT_EQ(info.fetch_backoff, rd_kafka_version() >= 0x020200ff);
    EXPECT_TRUE(!info.topic_id || info.leader_epoch);
}

TEST(KafkaClient, RefusesWhatCannotWork) {
    struct Case {
        ClientConfig config;
        const char* message;
    };
    const Case cases[] = {
        {{"", {}, ""}, "no Kafka broker is given"},
        {{"localhost:1", {{"security.protocol", "sasl_plaintext"}}, ""},
         "security_protocol \"sasl_plaintext\" needs a SASL mechanism"},
        {{"localhost:1", {{"no.such.thing", "1"}}, ""},
         "librdkafka refuses Kafka property \"no.such.thing\""},
        {{"localhost:1", {{"security.protocol", "ssl"}, {"ssl.ca.pem", "not a certificate"}}, ""},
         "librdkafka refuses the Kafka properties of the server"},
    };
    for (const Case& c : cases) {
        const auto opened = Client::open(c.config);
        ASSERT_FALSE(opened) << c.message;
        EXPECT_EQ(opened.error().message, c.message);
        EXPECT_EQ(opened.error().kind, ErrorKind::Config);
    }
}

TEST(KafkaClient, KeepsItsLogUntilItIsAskedFor) {
    const auto client = open_client("127.0.0.1:1");
    std::string log;
    for (int i = 0; i < 100 && log.find("Connection refused") == std::string::npos; ++i) {
        std::this_thread::sleep_for(50ms);
        client->drain_logs([&](int level, std::string_view line) {
            EXPECT_GE(level, 0);
            EXPECT_LE(level, 7);
            log += line;
        });
    }
    EXPECT_NE(log.find("Connection refused"), std::string::npos) << log;
    ASSERT_TRUE(client->last_error());
    const auto errors = client->take_errors();
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].message, "cannot read from Kafka: no broker can be reached");
    EXPECT_NE(errors[0].detail.find("Connection refused"), std::string::npos);
    EXPECT_TRUE(client->take_errors().empty());
}

TEST(KafkaClient, ShowsNoCredentials) {
    const auto client = open_client("PLAINTEXT://me:secret@127.0.0.1:1,other:9092");
    EXPECT_EQ(client->brokers(), "127.0.0.1:1,other:9092");
}

TEST(KafkaClient, HintsAtScramOfOldLibraries) {
    const auto client = open_client("127.0.0.1:1", {{"security.protocol", "sasl_plaintext"},
                                                    {"sasl.mechanisms", "SCRAM-SHA-256"},
                                                    {"sasl.username", "me"},
                                                    {"sasl.password", "secret"}});
    const Error error = client->error_of(RD_KAFKA_RESP_ERR__AUTHENTICATION, "cannot log in");
    EXPECT_EQ(error.kind, ErrorKind::Config);
    EXPECT_EQ(error.sqlstate, "28P01");
    EXPECT_EQ(error.message, "cannot log in: the broker refused the log-in");
    EXPECT_EQ(error.hint.find("before 2.6.1") != std::string::npos, !library_info().scram_at_kafka4);
    EXPECT_EQ((error.message + error.detail + error.hint).find("secret"), std::string::npos);
}

TEST(KafkaErrors, DecideWhetherToRetry) {
    using enum ErrorKind;
    struct Case {
        int code;
        ErrorKind kind;
        const char* sqlstate;
    };
    const Case cases[] = {
        {RD_KAFKA_RESP_ERR__RESOLVE, Transient, "08001"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, Transient, "08006"},
        {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, Transient, "08006"},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, Transient, "08006"},
        {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, Transient, "08006"},
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, Transient, "08006"},
        {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, Transient, "58000"},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, Config, "28P01"},
        {RD_KAFKA_RESP_ERR__SSL, Config, "28000"},
        {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, Config, "28000"},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, Config, "42501"},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, Config, "42704"},
        {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, Config, "42704"},
        {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, Config, "42602"},
        {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, Config, "55000"},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, Config, "54000"},
        {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, Config, "XX001"},
        {RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, Config, "0A000"},
        {RD_KAFKA_RESP_ERR__FATAL, Bug, "XX000"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(meaning_of(c.code).kind, c.kind)
            << rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(c.code));
        EXPECT_EQ(meaning_of(c.code).sqlstate, c.sqlstate);
    }
}

class KafkaMetadata : public ::testing::Test {
  protected:
    KafkaMetadata() {
        cluster_.create_topic("orders", 3);
        for (int i = 0; i < 5; ++i) cluster_.produce("orders", 1, "x");
        cluster_.flush();
        client_ = open_client(cluster_.brokers_text(), {}, "readers");
    }

    MockCluster cluster_;
    SharedClient client_;
    PollWaiter waiter_;
};

TEST_F(KafkaMetadata, DescribesATopic) {
    const auto topic = fetch_topic(client_, "orders", 5s, waiter_);
    ASSERT_TRUE(topic) << topic.error().message;
    EXPECT_EQ(topic.value().name, "orders");
    ASSERT_EQ(topic.value().partitions.size(), 3u);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(topic.value().partitions[i].partition, Partition{i});
        EXPECT_EQ(topic.value().partitions[i].leader, 1);
        EXPECT_EQ(topic.value().partitions[i].leader_address, cluster_.brokers_text());
    }
}

TEST_F(KafkaMetadata, ListsTopics) {
    cluster_.create_topic("__internal", 1);
    const auto topics = fetch_topics(client_, 5s, waiter_);
    ASSERT_TRUE(topics);
    ASSERT_EQ(topics.value().size(), 1u);
    EXPECT_EQ(topics.value()[0].name, "orders");
}

TEST_F(KafkaMetadata, TellsAnUnknownTopicFromAnUnreachableBroker) {
    rd_kafka_mock_topic_set_error(cluster_.native(), "missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    const auto unknown = fetch_topic(client_, "missing", 5s, waiter_);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::Config);
    EXPECT_EQ(unknown.error().sqlstate, "42704");
    EXPECT_EQ(unknown.error().message, "cannot find topic \"missing\": the topic does not exist");
    EXPECT_NE(unknown.error().detail.find(cluster_.brokers_text()), std::string::npos);
    EXPECT_EQ(unknown.error().hint, "Create the topic in Kafka, or correct the option \"topic\".");

    const auto unreachable = fetch_topic(open_client("127.0.0.1:1"), "orders", 500ms, waiter_);
    ASSERT_FALSE(unreachable);
    EXPECT_EQ(unreachable.error().kind, ErrorKind::Transient);
    EXPECT_EQ(unreachable.error().sqlstate, "08001");
    EXPECT_EQ(unreachable.error().message, "cannot find topic \"orders\": no broker can be reached");
    EXPECT_NE(unreachable.error().detail.find("Connection refused"), std::string::npos)
        << unreachable.error().detail;
    EXPECT_NE(unreachable.error().hint.find("\"brokers\""), std::string::npos);
}

TEST_F(KafkaMetadata, FindsEndsAndCommittedOffsets) {
    const std::vector<Partition> all{Partition{0}, Partition{1}, Partition{2}};
    const auto ends = fetch_watermarks(client_, "orders", all, 5s, waiter_);
    ASSERT_TRUE(ends) << ends.error().message;
    ASSERT_EQ(ends.value().size(), 3u);
    EXPECT_EQ(ends.value()[0].high, NextOffset{0});
    EXPECT_EQ(ends.value()[1].low, NextOffset{0});
    EXPECT_EQ(ends.value()[1].high, NextOffset{5});

    const PartitionList mark(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(mark.get(), "orders", 1)->offset = 3;
    ASSERT_EQ(rd_kafka_commit(client_->native(), mark.get(), 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    const auto committed = committed_offsets(client_, "orders", all, 10s, waiter_);
    ASSERT_TRUE(committed) << committed.error().message << committed.error().detail;
    ASSERT_EQ(committed.value().size(), 1u);
    EXPECT_EQ(committed.value()[0].partition, Partition{1});
    EXPECT_EQ(committed.value()[0].offset, NextOffset{3});
}

TEST_F(KafkaMetadata, TakesTheEndWhenNothingIsAsNewAsTheTime) {
    const auto found = offsets_for_time(client_, "orders", {Partition{1}}, 4'102'444'800'000, 5s, waiter_);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(found.value().size(), 1u);
    EXPECT_EQ(found.value()[0].offset, NextOffset{5});
}

struct Cancelled {};

// Cancels the caller when it has waited a while, as an interrupt of PostgreSQL does.
class CancellingWaiter : public Waiter {
  public:
    bool wait_readable(int, std::chrono::milliseconds) override {
        std::this_thread::sleep_for(50ms);
        throw Cancelled();
    }
};

TEST(KafkaCalls, CanBeCancelledAndEndAlone) {
    const SilentBroker broker;
    auto client = open_client(broker.address());
    std::weak_ptr<Client> watched = client;
    CancellingWaiter waiter;
    EXPECT_THROW((void)fetch_topic(client, "orders", 1s, waiter), Cancelled);
    client.reset();
    EXPECT_FALSE(watched.expired()) << "the call that was left behind needs it";
    for (int i = 0; i < 100 && !watched.expired(); ++i) std::this_thread::sleep_for(50ms);
    EXPECT_TRUE(watched.expired());
}

TEST(KafkaCalls, EndWhenTheBrokerSaysNothing) {
    const SilentBroker broker;
    PollWaiter waiter;
    const auto topic = fetch_topic(open_client(broker.address()), "orders", 500ms, waiter);
    ASSERT_FALSE(topic);
    EXPECT_EQ(topic.error().kind, ErrorKind::Transient);
    EXPECT_EQ(topic.error().sqlstate.substr(0, 2), "08");
}

}  // namespace
}  // namespace sluice
