// What tests and bench do to a Kafka cluster, without a JVM start for each call. See usage() for the
// commands.

#include "kafka_admin.hpp"
#include "kafka_handle.hpp"
#include "orders.hpp"
#include "orders_as.hpp"
#include "shapes.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <set>
#include <string_view>

namespace {

using namespace sluice::tools;
using Clock = std::chrono::steady_clock;

constexpr char kUsage[] = R"(usage: kafkatool [-b BROKERS] [-X property=value]... COMMAND
BROKERS defaults to $SLUICE_TEST_KAFKA. Commands:
  topics                                            name and partition count of every topic
  watermarks TOPIC                                  partition, low and high watermark
  create-topic TOPIC [--partitions N] [--config name=value]...
  delete-topic TOPIC
  add-partitions TOPIC TOTAL
  delete-records TOPIC PARTITION BEFORE_OFFSET
  produce TOPIC [--transaction commit|abort|open]   messages from stdin, one a line; prints partition and offset of each
        a line is words of p=PARTITION t=MILLISECONDS k=HEX v=HEX h=HEX_NAME:HEX_VALUE in any order;
        without k or v the key or value is null, a header without : has a null value. "open" leaves
        the transaction unfinished.
  flood [TOPIC] --rows N [--keys N] [--stride N] [--shape NAME] [--partitions N] [--seed N]
        [--rate ROWS_PER_SECOND] [--file FILE] [--format NAME]
        rows of the orders table, keyed by id, as CSV; without TOPIC only into FILE. Makes the topic
        when it is missing. --keys 0 numbers the rows, otherwise ids are uniform among the first N
        multiples of the stride. Shapes other than orders number their rows: wide, long, tiny, document.
        Formats of orders other than csv: json, debezium-json, avro, protobuf; FILE is always CSV.
)";

long long integer(const std::string& text, const std::string& what) {
    long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        throw Failure(what + ": expected an integer, found \"" + text + "\"");
    return value;
}

// The command line after the command: positional words, and --name value pairs that may repeat.
class Arguments {
  public:
    Arguments(const std::vector<std::string>& words, std::set<std::string> known) {
        for (size_t i = 0; i < words.size(); ++i) {
            if (words[i].rfind("--", 0) != 0) {
                words_.push_back(words[i]);
                continue;
            }
            if (!known.count(words[i])) throw Failure("unknown option " + words[i]);
            if (i + 1 == words.size()) throw Failure(words[i] + " needs a value");
            options_.emplace(words[i], words[i + 1]);
            ++i;
        }
    }

    size_t count() const { return words_.size(); }

    const std::string& word(size_t index, const char* what) const {
        if (index >= words_.size()) throw Failure(std::string(what) + " is missing");
        return words_[index];
    }

    std::string text(const std::string& name) const {
        const auto found = options_.find(name);
        return found == options_.end() ? std::string() : found->second;
    }

    long long number(const std::string& name, long long otherwise) const {
        const auto found = options_.find(name);
        return found == options_.end() ? otherwise : integer(found->second, name);
    }

    std::vector<std::string> all(const std::string& name) const {
        std::vector<std::string> values;
        const auto [first, last] = options_.equal_range(name);
        for (auto at = first; at != last; ++at) values.push_back(at->second);
        return values;
    }

  private:
    std::vector<std::string> words_;
    std::multimap<std::string, std::string> options_;
};

void print_watermarks(rd_kafka_t* handle, const std::string& topic) {
    const auto known = topics(handle);
    const auto found = known.find(topic);
    if (found == known.end()) throw Failure("topic " + topic + " does not exist");
    for (int partition = 0; partition < found->second; ++partition) {
        int64_t low = 0;
        int64_t high = 0;
        check(rd_kafka_query_watermark_offsets(handle, topic.c_str(), partition, &low, &high, kTimeoutMs),
              "cannot read the watermarks of " + topic);
        std::printf("%d %lld %lld\n", partition, static_cast<long long>(low), static_cast<long long>(high));
    }
}

struct Position {
    int32_t partition = -1;
    int64_t offset = -1;
};

// What became of the messages: opaque of the client; a message's own opaque is where its position goes, or
// null.
struct Deliveries {
    std::string first_error;

    static void report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        auto& self = *static_cast<Deliveries*>(opaque);
        if (message->err && self.first_error.empty()) self.first_error = rd_kafka_err2str(message->err);
        if (auto* position = static_cast<Position*>(message->_private))
            *position = {message->partition, message->offset};
    }

    void flush(rd_kafka_t* producer) const {
        check(rd_kafka_flush(producer, 2 * kTimeoutMs), "not all messages were delivered");
        if (!first_error.empty()) throw Failure("a message was not delivered: " + first_error);
    }
};

Handle producer_handle(const Properties& given, Deliveries& deliveries, const Properties& more = {}) {
    Properties properties = {{"enable.idempotence", "true"},  // keeps the order over retries
                             {"message.max.bytes", "200000000"},
                             {"linger.ms", "2"}};
    properties.insert(properties.end(), more.begin(), more.end());
    properties.insert(properties.end(), given.begin(), given.end());
    return open(RD_KAFKA_PRODUCER, properties, &Deliveries::report, &deliveries);
}

// One line of `produce`: owns the bytes until librdkafka has copied them.
struct Line {
    struct Header {
        std::string name;
        std::optional<std::string> value;
    };
    int32_t partition = RD_KAFKA_PARTITION_UA;
    int64_t timestamp = 0;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<Header> headers;
};

std::string from_hex(std::string_view hex) {
    if (hex.size() % 2) throw Failure("odd number of hex digits");
    std::string bytes(hex.size() / 2, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
        unsigned value = 0;
        const char* end = hex.data() + 2 * i + 2;
        if (std::from_chars(end - 2, end, value, 16).ptr != end) throw Failure("not a hex digit");
        bytes[i] = static_cast<char>(value);
    }
    return bytes;
}

Line parse(std::string_view text) {
    Line line;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (word.empty()) continue;
        if (word.size() < 2 || word[1] != '=') throw Failure("expected p= t= k= v= or h=");
        const std::string_view value = word.substr(2);
        const auto colon = value.find(':');
        switch (word[0]) {
            case 'p':
                line.partition = static_cast<int32_t>(integer(std::string(value), "p"));
                break;
            case 't':
                line.timestamp = integer(std::string(value), "t");
                break;
            case 'k':
                line.key = from_hex(value);
                break;
            case 'v':
                line.value = from_hex(value);
                break;
            case 'h':
                line.headers.push_back({from_hex(value.substr(0, colon)), std::nullopt});
                if (colon != value.npos) line.headers.back().value = from_hex(value.substr(colon + 1));
                break;
            default:
                throw Failure("expected p= t= k= v= or h=");
        }
    }
    return line;
}

// A null key or value is a null pointer; an empty one must not be.
void* bytes_of(std::optional<std::string>& bytes) { return bytes ? bytes->data() : nullptr; }
size_t size_of(const std::optional<std::string>& bytes) { return bytes ? bytes->size() : 0; }

void send(rd_kafka_t* producer, const std::string& topic, Line line, Position* position) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(line.headers.size());
    for (auto& [name, value] : line.headers)
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), bytes_of(value),
                            static_cast<ssize_t>(size_of(value)));
    for (;;) {
        rd_kafka_vu_t arguments[8] = {};
        arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
        arguments[0].u.cstr = topic.c_str();
        arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
        arguments[1].u.i32 = line.partition;
        arguments[2].vtype = RD_KAFKA_VTYPE_VALUE;
        arguments[2].u.mem = {bytes_of(line.value), size_of(line.value)};
        arguments[3].vtype = RD_KAFKA_VTYPE_KEY;
        arguments[3].u.mem = {bytes_of(line.key), size_of(line.key)};
        arguments[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        arguments[4].u.i64 = line.timestamp;
        arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
        arguments[5].u.ptr = position;
        arguments[6].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
        arguments[6].u.i = RD_KAFKA_MSG_F_COPY;
        arguments[7].vtype = RD_KAFKA_VTYPE_HEADERS;
        arguments[7].u.headers = headers;
        rd_kafka_error_t* error = rd_kafka_produceva(producer, arguments, 8);
        if (!error) return;  // the headers are the message's now
        if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_headers_destroy(headers);
            check(error, "cannot send");
        }
        rd_kafka_error_destroy(error);
        rd_kafka_poll(producer, 100);
    }
}

void produce(const Properties& properties, const std::string& topic, const std::string& transaction) {
    if (!transaction.empty() && transaction != "commit" && transaction != "abort" && transaction != "open")
        throw Failure("--transaction " + transaction + ": expected commit, abort or open");
    Deliveries deliveries;
    Properties more;
    if (!transaction.empty())
        more.emplace_back("transactional.id", "kafkatool-" + std::to_string(getpid()) + "-" +
                                                  std::to_string(Clock::now().time_since_epoch().count()));
    // Declared before the producer: reports may come until it is gone.
    std::deque<Position> positions;  // reports hold addresses
    const auto producer = producer_handle(properties, deliveries, more);
    if (!transaction.empty()) {
        check(rd_kafka_init_transactions(producer.get(), kTimeoutMs), "cannot begin transactions");
        check(rd_kafka_begin_transaction(producer.get()), "cannot begin a transaction");
    }
    std::ios::sync_with_stdio(false);
    for (std::string text; std::getline(std::cin, text);) {
        positions.emplace_back();
        try {
            send(producer.get(), topic, parse(text), &positions.back());
        } catch (const Failure& failure) {
            throw Failure("line " + std::to_string(positions.size()) + ": " + failure.what());
        }
        rd_kafka_poll(producer.get(), 0);
    }
    deliveries.flush(producer.get());
    if (transaction == "commit")
        check(rd_kafka_commit_transaction(producer.get(), kTimeoutMs), "cannot commit the transaction");
    if (transaction == "abort")
        check(rd_kafka_abort_transaction(producer.get(), kTimeoutMs), "cannot abort the transaction");
    for (const auto& position : positions)
        std::printf("%d %lld\n", position.partition, static_cast<long long>(position.offset));
}

// Appends a row without a line end and returns its id.
using RowMaker = std::function<uint64_t(std::string&)>;

struct Flood {
    uint64_t rows;
    RowMaker append;
    int partitions;
    uint64_t rate;   // rows a second, 0 = as fast as it goes
    OrderForm form;  // null: as they are made
};

void flood(const Properties& properties, const std::optional<std::string>& topic, const Flood& wanted,
           const std::string& file) {
    Deliveries deliveries;
    Handle producer(nullptr, &rd_kafka_destroy);
    std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> destination(nullptr,
                                                                                     &rd_kafka_topic_destroy);
    if (topic) {
        const auto admin = admin_handle(properties);
        if (!topics(admin.get()).count(*topic)) create_topic(admin.get(), *topic, wanted.partitions, {});
        producer =
            producer_handle(properties, deliveries,
                            {{"queue.buffering.max.messages", "500000"}, {"batch.num.messages", "20000"}});
        destination.reset(rd_kafka_topic_new(producer.get(), topic->c_str(), nullptr));
    }
    std::ofstream copy;
    if (!file.empty()) copy.open(file, std::ios::binary | std::ios::trunc);
    if (!copy) throw Failure("cannot write " + file);

    uint64_t bytes = 0;
    std::string row;
    const auto start = Clock::now();
    for (uint64_t i = 0; i < wanted.rows; ++i) {
        row.clear();
        const uint64_t id = wanted.append(row);
        if (!file.empty()) copy << row << '\n';
        if (wanted.form) row = wanted.form(row);
        bytes += row.size();
        if (topic) {
            const std::string key = std::to_string(id);
            const auto partition = static_cast<int32_t>(id % static_cast<uint64_t>(wanted.partitions));
            while (rd_kafka_produce(destination.get(), partition, RD_KAFKA_MSG_F_COPY, row.data(), row.size(),
                                    key.data(), key.size(), nullptr)) {
                if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                    check(rd_kafka_last_error(), "cannot send");
                rd_kafka_poll(producer.get(), 10);
            }
            if (i % 1024 == 0) rd_kafka_poll(producer.get(), 0);
        }
        if (wanted.rate) {
            const auto due = start + std::chrono::nanoseconds(1'000'000'000 / wanted.rate * (i + 1));
            if (due > Clock::now() + std::chrono::milliseconds(1)) std::this_thread::sleep_until(due);
        }
    }
    if (topic) deliveries.flush(producer.get());
    if (!copy.flush()) throw Failure("cannot write " + file);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("rows=%llu bytes=%llu seconds=%.3f\n", static_cast<unsigned long long>(wanted.rows),
                static_cast<unsigned long long>(bytes), seconds);
}

Flood flood_of(const Arguments& given) {
    const auto natural = [&](const char* name, long long otherwise, long long least) {
        const long long value = given.number(name, otherwise);
        if (value < least) throw Failure(std::string(name) + " must be at least " + std::to_string(least));
        return static_cast<uint64_t>(value);
    };
    const auto maker = [&]() -> RowMaker {
        const uint64_t seed = natural("--seed", 1, 0);
        const std::string name = given.text("--shape");
        if (name.empty() || name == "orders")
            return [rows = Orders(natural("--keys", 0, 0), seed, natural("--stride", 1, 1))](
                       std::string& out) mutable { return rows.append(out); };
        const std::optional<Shape> shape = Shape::named(name, seed);
        if (!shape) throw Failure("--shape " + name + ": expected orders, wide, long, tiny or document");
        return [rows = *shape](std::string& out) mutable { return rows.append(out); };
    };
    const std::string format = given.text("--format");
    const OrderForm form = order_form(format);
    if (!form && !format.empty() && format != "csv")
        throw Failure("--format " + format + ": expected csv, json, debezium-json, avro or protobuf");
    if (form && !given.text("--shape").empty() && given.text("--shape") != "orders")
        throw Failure("--format is for orders only");
    return {natural("--rows", 0, 1), maker(), static_cast<int>(natural("--partitions", 4, 1)),
            natural("--rate", 0, 0), form};
}

void run(const Properties& properties, const std::string& command, const std::vector<std::string>& words) {
    if (command == "produce") {
        const Arguments given(words, {"--transaction"});
        return produce(properties, given.word(0, "TOPIC"), given.text("--transaction"));
    }
    if (command == "flood") {
        const Arguments given(words, {"--rows", "--keys", "--stride", "--shape", "--partitions", "--seed",
                                      "--rate", "--file", "--format"});
        if (given.count() == 0 && given.text("--file").empty()) throw Failure("TOPIC or --file is missing");
        const auto topic = given.count() ? std::optional(given.word(0, "TOPIC")) : std::nullopt;
        return flood(properties, topic, flood_of(given), given.text("--file"));
    }
    const auto handle = admin_handle(properties);
    const Arguments given(words, {"--partitions", "--config"});
    if (command == "topics") {
        for (const auto& [name, partitions] : topics(handle.get()))
            std::printf("%s %d\n", name.c_str(), partitions);
        return;
    }
    const std::string& topic = given.word(0, "TOPIC");
    if (command == "watermarks") return print_watermarks(handle.get(), topic);
    if (command == "delete-topic") return delete_topic(handle.get(), topic);
    if (command == "create-topic")
        return create_topic(handle.get(), topic, static_cast<int>(given.number("--partitions", 4)),
                            given.all("--config"));
    if (command == "add-partitions")
        return add_partitions(handle.get(), topic,
                              static_cast<int>(integer(given.word(1, "TOTAL"), "TOTAL")));
    if (command == "delete-records")
        return delete_records(handle.get(), topic,
                              static_cast<int>(integer(given.word(1, "PARTITION"), "PARTITION")),
                              integer(given.word(2, "BEFORE_OFFSET"), "BEFORE_OFFSET"));
    throw Failure("unknown command " + command + "\n" + kUsage);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        std::vector<std::string> words(argv + 1, argv + argc);
        const char* environment = std::getenv("SLUICE_TEST_KAFKA");
        std::string brokers = environment ? environment : "";
        // IPv4 only: test brokers listen there, and a name that also resolves to ::1 costs a failed attempt
        Properties properties = {{"broker.address.family", "v4"}};
        size_t at = 0;
        for (; at + 1 < words.size() && (words[at] == "-b" || words[at] == "-X"); at += 2)
            if (words[at] == "-b")
                brokers = words[at + 1];
            else
                properties.push_back(name_and_value(words[at + 1], "-X"));
        if (at >= words.size()) throw Failure(std::string("command is missing\n") + kUsage);
        properties.emplace_back("bootstrap.servers", brokers);
        run(properties, words[at], {words.begin() + static_cast<long>(at) + 1, words.end()});
    } catch (const Failure& failure) {
        std::fprintf(stderr, "kafkatool: %s\n", failure.what());
        return 1;
    }
}
