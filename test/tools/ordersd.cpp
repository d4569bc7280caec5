// The demo's shop: keeps producing orders that change, and remembers what it said, because a mock topic
// forgets. usage: ordersd BROKERS TOPIC KEYS ROWS_PER_SECOND The topic must exist. Stdin tells what to do, a
// line each:
//   read PARTITION OFFSET   the slowest reader of the partition has come so far. The shop never runs further
//   ahead of
//                           its readers than a mock partition remembers: without this line it stops by
//                           itself.
//   pause DIRECTORY         delivers everything and writes what a reader must have now: orders.csv, the last
//   state of
//                           each order, then events.csv: partition, messages, sum of ids, of versions, of
//                           prices
//   resume                  goes on

#include "kafka_handle.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string_view>

namespace {

using namespace sluice::tools;
using Clock = std::chrono::steady_clock;

// A mock partition keeps 5 MB.
constexpr uint64_t kMaxUnreadBytes = 3'500'000;
constexpr uint64_t kRecordOverhead = 16;
constexpr int kTickMs = 10;
constexpr double kMaxBurstSeconds = 0.2;
// One message in so many comes late: an older version of its order after a newer one.
constexpr uint64_t kLateOneIn = 50;
constexpr std::array<std::string_view, 6> kStatus = {"new",     "paid",      "packed",
                                                     "shipped", "delivered", "returned"};

struct Change {
    uint64_t version = 0;
    uint64_t cents = 0;
    std::string row;
};

struct Order {
    uint64_t customer = 0;
    uint64_t article = 0;
    uint64_t quantity = 0;
    Change last;
    Change before;
};

struct Partition {
    uint64_t messages = 0;
    uint64_t ids = 0;
    uint64_t versions = 0;
    uint64_t cents = 0;
    uint64_t unread_bytes = 0;
    std::deque<uint64_t> unread;  // the size of each message that some reader has not seen
};

std::string money(uint64_t cents) {
    char text[32];
    std::snprintf(text, sizeof text, "%llu.%02llu", static_cast<unsigned long long>(cents / 100),
                  static_cast<unsigned long long>(cents % 100));
    return text;
}

std::string timestamp() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const std::time_t seconds = milliseconds / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    const size_t length = std::strftime(text, sizeof text, "%FT%T", &parts);
    std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(milliseconds % 1000));
    return text;
}

class Shop {
  public:
    Shop(uint64_t keys, int partitions) : orders_(keys), partitions_(static_cast<size_t>(partitions)) {}

    struct Message {
        int32_t partition;
        std::string key;
        const std::string& value;
    };

    // Nothing while the partition whose turn it is has enough that nobody has read.
    template <typename Send>
    bool next(Send send) {
        if (!chosen_) chosen_ = 1 + below(orders_.size());
        const uint64_t id = chosen_;
        const size_t partition = id % partitions_.size();
        Partition& to = partitions_[partition];
        if (to.unread_bytes > kMaxUnreadBytes) return false;
        chosen_ = 0;
        Order& order = orders_[id - 1];
        const bool late = order.before.version && below(kLateOneIn) == 0;
        if (!late) change(id, order);
        const Change& said = late ? order.before : order.last;
        ++to.messages;
        to.ids += id;
        to.versions += said.version;
        to.cents += said.cents;
        const Message message{static_cast<int32_t>(partition), std::to_string(id), said.row};
        to.unread.push_back(message.key.size() + said.row.size() + kRecordOverhead);
        to.unread_bytes += to.unread.back();
        send(message);
        return true;
    }

    void read_to(size_t partition, uint64_t offset) {
        if (partition >= partitions_.size()) throw Failure("no partition " + std::to_string(partition));
        Partition& of = partitions_[partition];
        while (!of.unread.empty() && of.messages - of.unread.size() < offset) {
            of.unread_bytes -= of.unread.front();
            of.unread.pop_front();
        }
    }

    // events.csv comes last and at once: who sees it sees both files whole.
    void write_expected(const std::filesystem::path& directory) const {
        std::ostringstream orders;
        for (const Order& order : orders_)
            if (order.last.version) orders << order.last.row << '\n';
        write(directory / "orders.csv", orders.str());
        std::ostringstream events;
        for (size_t i = 0; i < partitions_.size(); ++i) {
            const Partition& of = partitions_[i];
            events << i << ',' << of.messages << ',' << of.ids << ',' << of.versions << ',' << money(of.cents)
                   << '\n';
        }
        write(directory / "events.csv", events.str());
    }

  private:
    uint64_t below(uint64_t bound) { return random_() % bound; }

    void change(uint64_t id, Order& order) {
        if (!order.last.version) {
            order.customer = 1 + below(5000);
            order.article = below(100000);
            order.quantity = 1 + below(9);
        }
        std::swap(order.before, order.last);
        order.last.version = order.before.version + 1;
        order.last.cents = 100 + below(99900);
        char row[256];
        std::snprintf(
            row, sizeof row, "%llu,%llu,%llu,SKU%05llu,%llu,%s,%s,%s,\"%s, said clerk \"\"%llu\"\"\"",
            static_cast<unsigned long long>(id), static_cast<unsigned long long>(order.last.version),
            static_cast<unsigned long long>(order.customer), static_cast<unsigned long long>(order.article),
            static_cast<unsigned long long>(order.quantity), money(order.last.cents).c_str(),
            kStatus[(order.last.version - 1) % kStatus.size()].data(), timestamp().c_str(),
            order.last.version == 1 ? "ordered" : "changed", static_cast<unsigned long long>(below(40)));
        order.last.row = row;
    }

    static void write(const std::filesystem::path& file, const std::string& content) {
        const std::filesystem::path unfinished = file.string() + ".unfinished";
        std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
        out << content;
        out.close();
        if (!out) throw Failure("cannot write " + file.string());
        std::filesystem::rename(unfinished, file);
    }

    std::vector<Order> orders_;
    std::vector<Partition> partitions_;
    std::mt19937_64 random_{1};
    uint64_t chosen_ = 0;  // the order whose turn it is, kept while its partition is full
};

class Producer {
  public:
    Producer(const std::string& brokers, const std::string& topic)
        : handle_(open(RD_KAFKA_PRODUCER,
                       {{"bootstrap.servers", brokers},
                        {"broker.address.family", "v4"},
                        {"enable.idempotence", "true"},  // keeps the order over retries
                        {"linger.ms", "20"}},
                       &Producer::report, this)),
          topic_(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr), &rd_kafka_topic_destroy) {
        const auto known = topics(handle_.get());
        const auto found = known.find(topic);
        if (found == known.end()) throw Failure("topic " + topic + " does not exist");
        partitions_ = found->second;
    }

    int partitions() const { return partitions_; }

    void send(const Shop::Message& message) {
        while (rd_kafka_produce(topic_.get(), message.partition, RD_KAFKA_MSG_F_COPY,
                                const_cast<char*>(message.value.data()), message.value.size(),
                                message.key.data(), message.key.size(), nullptr)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                check(rd_kafka_last_error(), "cannot send");
            rd_kafka_poll(handle_.get(), 10);
        }
    }

    void serve() {
        rd_kafka_poll(handle_.get(), 0);
        if (failed_) check(failed_, "a message was not delivered");
    }

    void flush() {
        check(rd_kafka_flush(handle_.get(), kTimeoutMs), "not all messages were delivered");
        serve();
    }

  private:
    static void report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        if (message->err) static_cast<Producer*>(opaque)->failed_ = message->err;
    }

    rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    Handle handle_;
    std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> topic_;
    int partitions_ = 0;
};

// Whole lines of stdin, without waiting for one longer than asked.
class Commands {
  public:
    // False at the end of stdin.
    template <typename Take>
    bool wait(int milliseconds, Take take) {
        pollfd in{STDIN_FILENO, POLLIN, 0};
        if (poll(&in, 1, milliseconds) <= 0) return true;
        char bytes[4096];
        const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got <= 0) return false;
        text_.append(bytes, static_cast<size_t>(got));
        for (size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1))
            take(std::istringstream(text_.substr(0, end)));
        return true;
    }

  private:
    std::string text_;
};

uint64_t positive(const char* text, const char* what) {
    uint64_t value = 0;
    const char* end = text + std::strlen(text);
    if (const auto [stop, error] = std::from_chars(text, end, value);
        error != std::errc() || stop != end || !value)
        throw Failure(std::string(what) + ": expected a positive integer, found \"" + text + "\"");
    return value;
}

void run(const std::string& brokers, const std::string& topic, uint64_t keys, uint64_t rate) {
    Producer producer(brokers, topic);
    Shop shop(keys, producer.partitions());
    Commands commands;
    bool paused = false;
    const auto obey = [&](std::istringstream line) {
        std::string command;
        line >> command;
        if (command == "read") {
            size_t partition = 0;
            uint64_t offset = 0;
            if (!(line >> partition >> offset)) throw Failure("read: expected a partition and an offset");
            shop.read_to(partition, offset);
        } else if (command == "pause") {
            std::string directory;
            if (!(line >> std::ws) || !std::getline(line, directory))
                throw Failure("pause: expected a directory");
            paused = true;
            producer.flush();
            shop.write_expected(directory);
        } else if (command == "resume") {
            paused = false;
        } else if (!command.empty()) {
            throw Failure("unknown command " + command + ": expected read, pause or resume");
        }
    };

    double due = 0;
    for (auto last = Clock::now(); commands.wait(kTickMs, obey);) {
        const auto now = Clock::now();
        const double passed = std::chrono::duration<double>(now - last).count();
        last = now;
        // What could not be sent in time is not made up for: a reader that comes back meets no flood.
        due =
            std::min(due + passed * static_cast<double>(rate), kMaxBurstSeconds * static_cast<double>(rate));
        if (paused) due = 0;
        while (due >= 1 && shop.next([&](const Shop::Message& message) { producer.send(message); })) due -= 1;
        producer.serve();
    }
    producer.flush();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 5) throw Failure("usage: ordersd BROKERS TOPIC KEYS ROWS_PER_SECOND");
        run(argv[1], argv[2], positive(argv[3], "KEYS"), positive(argv[4], "ROWS_PER_SECOND"));
    } catch (const Failure& failure) {
        std::fprintf(stderr, "ordersd: %s\n", failure.what());
        return 1;
    }
}
