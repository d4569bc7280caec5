// How long a message takes from a producer until a reader of the table has it, seen by one process with one
// clock: one thread produces rows of orders, the other asks the table for rows that it has not seen. usage:
// latency_client BROKERS TOPIC PARTITIONS FIRST_ID MESSAGES PER_SECOND, where libpq's environment tells the
// server. PER_SECOND 0 sends single messages: each at a random moment of the half second after the one before
// has been seen. Prints the milliseconds of each message, a line each.

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
    uint64_t first_id;
    size_t count;
    int per_second;
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

class Reader {
  public:
    Reader(const Task& task, std::vector<Message>& messages)
        : task_(task), messages_(messages), connection_(PQconnectdb(""), &PQfinish) {
        if (PQstatus(connection_.get()) != CONNECTION_OK) throw Failure(PQerrorMessage(connection_.get()));
        const Result made(
            PQprepare(connection_.get(), "new", "SELECT id FROM target WHERE id >= $1", 1, nullptr),
            &PQclear);
        if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) throw Failure(PQerrorMessage(connection_.get()));
    }

    // Until the first `count` messages are seen.
    void wait_for(size_t count) {
        const auto end =
            Clock::now() + kGiveUp +
            std::chrono::seconds(task_.per_second ? count / static_cast<size_t>(task_.per_second) : 0);
        while (first_unseen_ < count) {
            look();
            if (Clock::now() > end)
                throw Failure("message " + std::to_string(first_unseen_) + " does not come");
            std::this_thread::sleep_for(kPause);
        }
    }

  private:
    using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

    // Partitions overtake each other, so seen ones may lie behind the first that is not.
    void look() {
        const std::string from = std::to_string(task_.first_id + first_unseen_);
        const char* values[] = {from.c_str()};
        const Result rows(PQexecPrepared(connection_.get(), "new", 1, values, nullptr, nullptr, 0), &PQclear);
        if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK) throw Failure(PQerrorMessage(connection_.get()));
        const Clock::rep now = Clock::now().time_since_epoch().count();
        for (int i = 0; i < PQntuples(rows.get()); ++i) {
            Message& message = messages_.at(std::stoull(PQgetvalue(rows.get(), i, 0)) - task_.first_id);
            if (!message.seen) message.seen = now;
        }
        while (first_unseen_ < messages_.size() && messages_[first_unseen_].seen) ++first_unseen_;
    }

    const Task& task_;
    std::vector<Message>& messages_;
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
    size_t first_unseen_ = 0;
};

void run(const Task& task) {
    std::vector<Message> messages(task.count);
    Producer producer(task);
    Reader reader(task, messages);
    if (task.per_second) {
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
        reader.wait_for(task.count);
        sender.join();
    } else {
        std::mt19937 random(1);
        for (size_t i = 0; i < task.count; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
            producer.send(i, messages[i]);
            reader.wait_for(i + 1);
        }
    }
    for (const Message& message : messages) {
        const std::chrono::duration<double, std::milli> took = Clock::duration(message.seen - message.sent);
        std::printf("%.3f\n", took.count());
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 7) throw Failure("expected BROKERS TOPIC PARTITIONS FIRST_ID MESSAGES PER_SECOND");
        run({argv[1], argv[2], std::stoi(argv[3]), std::stoull(argv[4]), std::stoul(argv[5]),
             std::stoi(argv[6])});
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "latency_client: %s\n", failure.what());
        return 1;
    }
}
