// How long a message takes from a producer until a reader has it, seen by one process with one clock: one
// thread produces rows of orders, the other waits for those that it has not seen. usage: latency_client
// BROKERS TOPIC PARTITIONS READER FIRST_ID MESSAGES PER_SECOND
//   READER table asks `target` in the server that libpq's environment tells; READER topic is a plain
//   consumer, to know what the way through the broker takes alone PER_SECOND 0 sends single messages: each at
//   a random moment of the half second after the one before was seen
// Prints the milliseconds of each message, a line each.

#include "../test/tools/kafka_handle.hpp"
#include "../test/tools/orders.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

using namespace sluice::tools;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A row is seen this late at most; the time a question takes comes to it. Both are in the result.
constexpr auto kPause = 500us;
constexpr auto kGiveUp = 30s;

struct Message {
    std::atomic<Clock::rep> sent{0};
    Clock::rep seen = 0;
};

struct Task {
    std::string brokers;
    std::string topic;
    int partitions;
    std::string reader;
    uint64_t first_id;
    size_t count;
    size_t per_second;
};

class Producer {
  public:
    explicit Producer(const Task& task)
        : task_(task),
          handle_(open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", task.brokers},
                                           {"broker.address.family", "v4"},
                                           {"socket.nagle.disable", "true"},
                                           {"linger.ms", "0"}})),
          topic_(rd_kafka_topic_new(handle_.get(), task.topic.c_str(), nullptr), &rd_kafka_topic_destroy) {
        // So that the first message does not wait for connections.
        topics(handle_.get());
    }

    void send(size_t index, Message& message) {
        const uint64_t id = task_.first_id + index;
        std::string row;
        orders_.append(row);
        row = std::to_string(id) + row.substr(row.find(','));
        message.sent = Clock::now().time_since_epoch().count();
        if (rd_kafka_produce(topic_.get(), static_cast<int32_t>(id % static_cast<uint64_t>(task_.partitions)),
                             RD_KAFKA_MSG_F_COPY, row.data(), row.size(), nullptr, 0, nullptr))
            check(rd_kafka_last_error(), "cannot send");
        rd_kafka_poll(handle_.get(), 0);
    }

    void flush() { check(rd_kafka_flush(handle_.get(), kTimeoutMs), "not all messages were delivered"); }

  private:
    const Task& task_;
    Orders orders_{0, 1};
    Handle handle_;
    std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> topic_;
};

// What was sent, and which of it was seen.
class Messages {
  public:
    explicit Messages(const Task& task) : first_id_(task.first_id), messages_(task.count) {}

    Message& operator[](size_t index) { return messages_[index]; }
    size_t first_unseen() const { return first_unseen_; }
    uint64_t first_unseen_id() const { return first_id_ + first_unseen_; }

    void see(const char* id, Clock::rep now) {
        Message& message = messages_.at(std::stoull(id) - first_id_);
        if (!message.seen) message.seen = now;
        while (first_unseen_ < messages_.size() && messages_[first_unseen_].seen) ++first_unseen_;
    }

    void print() const {
        for (const Message& message : messages_) {
            const std::chrono::duration<double, std::milli> took =
                Clock::duration(message.seen - message.sent);
            std::printf("%.3f\n", took.count());
        }
    }

  private:
    uint64_t first_id_;
    std::vector<Message> messages_;
    size_t first_unseen_ = 0;
};

class Reader {
  public:
    virtual ~Reader() = default;
    virtual void look(Messages& messages) = 0;

    // Until the first `count` messages are seen.
    void wait_for(size_t count, Messages& messages, std::chrono::seconds longest) {
        const auto end = Clock::now() + longest;
        while (messages.first_unseen() < count) {
            look(messages);
            if (Clock::now() > end)
                throw Failure("message " + std::to_string(messages.first_unseen()) + " does not come");
        }
    }
};

class TableReader : public Reader {
  public:
    TableReader() : connection_(PQconnectdb(""), &PQfinish) {
        if (PQstatus(connection_.get()) != CONNECTION_OK) throw Failure(PQerrorMessage(connection_.get()));
        const Result made(
            PQprepare(connection_.get(), "new", "SELECT id FROM target WHERE id >= $1", 1, nullptr),
            &PQclear);
        if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) throw Failure(PQerrorMessage(connection_.get()));
    }

    // Partitions overtake each other, so seen ones may lie behind the first that is not.
    void look(Messages& messages) override {
        const std::string from = std::to_string(messages.first_unseen_id());
        const char* values[] = {from.c_str()};
        const Result rows(PQexecPrepared(connection_.get(), "new", 1, values, nullptr, nullptr, 0), &PQclear);
        if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK) throw Failure(PQerrorMessage(connection_.get()));
        const Clock::rep now = Clock::now().time_since_epoch().count();
        for (int i = 0; i < PQntuples(rows.get()); ++i) messages.see(PQgetvalue(rows.get(), i, 0), now);
        std::this_thread::sleep_for(kPause);
    }

  private:
    using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

class TopicReader : public Reader {
  public:
    explicit TopicReader(const Task& task)
        : handle_(open(RD_KAFKA_CONSUMER, {{"bootstrap.servers", task.brokers},
                                           {"broker.address.family", "v4"},
                                           {"group.id", "latency_client"},
                                           {"enable.auto.commit", "false"}})) {
        rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(task.partitions);
        for (int partition = 0; partition < task.partitions; ++partition) {
            int64_t low = 0;
            int64_t high = 0;
            check(rd_kafka_query_watermark_offsets(handle_.get(), task.topic.c_str(), partition, &low, &high,
                                                   kTimeoutMs),
                  "cannot read the watermarks of " + task.topic);
            rd_kafka_topic_partition_list_add(all, task.topic.c_str(), partition)->offset = high;
        }
        const rd_kafka_resp_err_t code = rd_kafka_assign(handle_.get(), all);
        rd_kafka_topic_partition_list_destroy(all);
        check(code, "cannot assign the partitions");
    }

    void look(Messages& messages) override {
        rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_.get(), 100);
        if (!message) return;
        const rd_kafka_resp_err_t code = message->err;
        const std::string id(static_cast<const char*>(message->payload), code ? 0 : message->len);
        rd_kafka_message_destroy(message);
        check(code, "a message cannot be read");
        messages.see(id.c_str(), Clock::now().time_since_epoch().count());
    }

  private:
    Handle handle_;
};

std::unique_ptr<Reader> reader_of(const Task& task) {
    if (task.reader == "table") return std::make_unique<TableReader>();
    if (task.reader == "topic") return std::make_unique<TopicReader>(task);
    throw Failure("READER is table or topic");
}

void stream(const Task& task, Producer& producer, Reader& reader, Messages& messages) {
    std::thread sender([&] {
        try {
            const auto start = Clock::now();
            for (size_t i = 0; i < task.count; ++i) {
                std::this_thread::sleep_until(start + i * std::chrono::nanoseconds(1s) / task.per_second);
                producer.send(i, messages[i]);
            }
            producer.flush();
        } catch (const std::exception& failure) {
            std::fprintf(stderr, "latency_client: %s\n", failure.what());
            std::_Exit(1);
        }
    });
    reader.wait_for(task.count, messages, kGiveUp + std::chrono::seconds(task.count / task.per_second));
    sender.join();
}

void run(const Task& task) {
    Messages messages(task);
    Producer producer(task);
    const std::unique_ptr<Reader> reader = reader_of(task);
    std::mt19937 random(1);
    if (task.per_second) stream(task, producer, *reader, messages);
    for (size_t i = messages.first_unseen(); i < task.count; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
        producer.send(i, messages[i]);
        reader->wait_for(i + 1, messages, kGiveUp);
    }
    messages.print();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 8) throw Failure("expected BROKERS TOPIC PARTITIONS READER FIRST_ID MESSAGES PER_SECOND");
        run({argv[1], argv[2], std::stoi(argv[3]), argv[4], std::stoull(argv[5]), std::stoul(argv[6]),
             std::stoul(argv[7])});
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "latency_client: %s\n", failure.what());
        return 1;
    }
}
