// What a good programmer writes in an afternoon: librdkafka's consumer with a queue that is never full, and
// COPY through libpq. usage: copy_client BROKERS TOPIC ROWS WAY CONNECTIONS, where libpq's environment tells
// the server.
//   csv     hands the payload on as it is; offsets are written in the same transaction: exactly once
//   binary  decodes it to the types of orders_row here, so that the server need not parse; no guarantee
//   upsert  as csv, but through a staging table, with one upsert for each transaction: exactly once
// Ends when ROWS are committed and prints seconds, CPU ticks of itself, CPU ticks of its backends. Each
// connection has a consumer of its own for its share of the partitions.

#include "../test/tools/kafka_handle.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

namespace {

using namespace sluice::tools;
using Clock = std::chrono::steady_clock;

constexpr size_t kFetch = 10'000;
constexpr size_t kSendAt = 256 << 10;
// Commits are cheap beyond some ten thousand rows; without offsets to keep there is even less reason for
// them.
constexpr uint64_t kRowsInTransaction = 100'000;
constexpr uint64_t kRowsWithoutGuarantee = 500'000;
// As a merging job's batch; larger ones are no faster.
constexpr uint64_t kRowsInUpsert = 50'000;

constexpr char kMakeStaging[] = "CREATE TEMP TABLE staging (LIKE target) ON COMMIT DELETE ROWS";
constexpr char kUpsert[] =
    "INSERT INTO target SELECT DISTINCT ON (id) * FROM staging ORDER BY id, version DESC"
    " ON CONFLICT (id) DO UPDATE SET version = excluded.version, customer_id = excluded.customer_id,"
    " sku = excluded.sku, quantity = excluded.quantity, price = excluded.price, status = excluded.status,"
    " ordered_at = excluded.ordered_at, note = excluded.note";

std::atomic<uint64_t> consumed{0};  // by all connections

// User and system time from the kernel's table of processes, in ticks.
long long cpu_ticks(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    long long user = 0;
    long long system = 0;
    fields >> user >> system;
    return user + system;
}

struct Result {
    explicit Result(PGresult* given) : result(given) {}
    ~Result() { PQclear(result); }
    Result(const Result&) = delete;
    Result& operator=(const Result&) = delete;
    PGresult* result;
};

class Server {
  public:
    Server() : connection_(PQconnectdb("")) {
        if (PQstatus(connection_) != CONNECTION_OK) throw Failure(PQerrorMessage(connection_));
    }
    ~Server() { PQfinish(connection_); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::string run(const std::string& statement) {
        const Result answer(PQexec(connection_, statement.c_str()));
        const ExecStatusType status = PQresultStatus(answer.result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
            throw Failure(PQerrorMessage(connection_));
        return PQntuples(answer.result) ? PQgetvalue(answer.result, 0, 0) : "";
    }

    void send(std::string& bytes) {
        if (PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size())) != 1)
            throw Failure(PQerrorMessage(connection_));
        bytes.clear();
    }

    void end_copy() {
        if (PQputCopyEnd(connection_, nullptr) != 1) throw Failure(PQerrorMessage(connection_));
        for (;;) {
            const Result answer(PQgetResult(connection_));
            if (!answer.result) return;
            if (PQresultStatus(answer.result) != PGRES_COMMAND_OK) throw Failure(PQerrorMessage(connection_));
        }
    }

    long long backend_ticks() const { return cpu_ticks(PQbackendPID(connection_)); }

  private:
    PGconn* connection_;
};

// COPY's binary form of one message of orders_row.
class BinaryRow {
  public:
    void append(std::string_view csv, std::string& out) {
        split(csv);
        big_endian<uint16_t>(out, kColumns);
        integer<uint64_t>(out, 0);
        integer<uint64_t>(out, 1);
        integer<uint32_t>(out, 2);
        text(out, 3);
        integer<uint32_t>(out, 4);
        price(out, fields_[5]);
        text(out, 6);
        timestamp(out, fields_[7]);
        text(out, 8);
    }

  private:
    static constexpr uint16_t kColumns = 9;

    // Doubled quotes are the only fields that need a copy.
    void split(std::string_view csv) {
        for (size_t column = 0; column < kColumns; ++column) {
            if (csv.empty() || csv[0] != '"') {
                fields_[column] = csv.substr(0, csv.find(','));
                csv.remove_prefix(std::min(csv.size(), fields_[column].size() + 1));
                continue;
            }
            csv.remove_prefix(1);
            std::string& copy = unquoted_[column];
            copy.clear();
            for (;;) {
                const size_t quote = csv.find('"');
                if (quote == csv.npos) throw Failure("a quoted field does not end");
                const bool doubled = quote + 1 < csv.size() && csv[quote + 1] == '"';
                if (!doubled && copy.empty()) {
                    fields_[column] = csv.substr(0, quote);
                } else {
                    copy.append(csv.substr(0, quote + doubled));
                    fields_[column] = copy;
                }
                csv.remove_prefix(quote + 1 + doubled);
                if (!doubled) break;
            }
            if (!csv.empty()) csv.remove_prefix(1);
        }
    }

    template <typename Unsigned>
    static void big_endian(std::string& out, Unsigned value) {
        char bytes[sizeof value];
        for (size_t i = sizeof value; i-- > 0; value = static_cast<Unsigned>(value >> 4 >> 4))
            bytes[i] = static_cast<char>(value & 0xff);
        out.append(bytes, sizeof bytes);
    }

    static uint64_t natural(std::string_view digits) {
        uint64_t value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc() || end != digits.data() + digits.size())
            throw Failure("not a number: " + std::string(digits));
        return value;
    }

    template <typename Unsigned>
    void integer(std::string& out, size_t column) {
        big_endian<uint32_t>(out, sizeof(Unsigned));
        big_endian(out, static_cast<Unsigned>(natural(fields_[column])));
    }

    void text(std::string& out, size_t column) {
        big_endian<uint32_t>(out, static_cast<uint32_t>(fields_[column].size()));
        out += fields_[column];
    }

    // numeric: groups of four decimal digits, here at most one before the point and one behind it.
    static void price(std::string& out, std::string_view field) {
        const size_t point = field.find('.');
        const auto whole = static_cast<uint16_t>(natural(field.substr(0, point)));
        const auto cents = static_cast<uint16_t>(natural(field.substr(point + 1)));
        const uint16_t groups = cents ? (whole ? 2 : 1) : (whole ? 1 : 0);
        big_endian<uint32_t>(out, 8u + 2u * groups);
        big_endian(out, groups);
        big_endian<uint16_t>(out, !whole && cents ? 0xffff : 0);  // weight of the first group
        big_endian<uint16_t>(out, 0);                             // positive
        big_endian<uint16_t>(out, 2);                             // digits that are shown behind the point
        if (whole) big_endian(out, whole);
        if (cents) big_endian(out, static_cast<uint16_t>(cents * 100));
    }

    // 2025-06-22T21:31:17.793Z as microseconds since the year 2000.
    static void timestamp(std::string& out, std::string_view field) {
        using namespace std::chrono;
        const auto part = [&](size_t at, size_t width) { return natural(field.substr(at, width)); };
        const sys_days day{year(static_cast<int>(part(0, 4))) / month(static_cast<unsigned>(part(5, 2))) /
                           std::chrono::day(static_cast<unsigned>(part(8, 2)))};
        const auto since = day - sys_days{year(2000) / 1 / 1} + hours(part(11, 2)) + minutes(part(14, 2)) +
                           seconds(part(17, 2)) + milliseconds(part(20, 3));
        big_endian<uint32_t>(out, 8);
        big_endian(out, static_cast<uint64_t>(duration_cast<microseconds>(since).count()));
    }

    std::array<std::string_view, kColumns> fields_;
    std::array<std::string, kColumns> unquoted_;
};

enum class Way { Csv, Binary, Upsert };

struct Task {
    std::string brokers;
    std::string topic;
    uint64_t rows;
    Way way;
    int connections;
};

Way way_of(const std::string& name) {
    if (name == "csv") return Way::Csv;
    if (name == "binary") return Way::Binary;
    if (name == "upsert") return Way::Upsert;
    throw Failure("WAY is csv, binary or upsert");
}

uint64_t rows_in_transaction(Way way) {
    if (way == Way::Binary) return kRowsWithoutGuarantee;
    return way == Way::Upsert ? kRowsInUpsert : kRowsInTransaction;
}

Handle consumer(const Task& task) {
    return open(RD_KAFKA_CONSUMER, {{"bootstrap.servers", task.brokers},
                                    {"broker.address.family", "v4"},
                                    {"group.id", "copy_client"},
                                    {"enable.auto.commit", "false"},
                                    {"auto.offset.reset", "error"},
                                    // a queue that is full makes the fetcher pause up to a second
                                    {"queued.min.messages", "10000000"},
                                    {"queued.max.messages.kbytes", "2000000"}});
}

using Queue = std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)>;
using Assignment =
    std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)>;

// One connection with its consumer, until all rows of all connections are committed.
long long load(const Task& task, int share) {
    const bool binary = task.way == Way::Binary;
    Server server;
    if (task.way == Way::Upsert) {
        server.run("SET work_mem = '16MB'");  // what a job has for sorting a batch
        server.run(kMakeStaging);
    }
    const Handle handle = consumer(task);
    const Assignment mine(rd_kafka_topic_partition_list_new(4), &rd_kafka_topic_partition_list_destroy);
    const auto known = topics(handle.get());
    const auto found = known.find(task.topic);
    if (found == known.end()) throw Failure("topic " + task.topic + " does not exist");
    for (int partition = share; partition < found->second; partition += task.connections) {
        int64_t offset = 0;
        if (!binary)
            offset = std::stoll(
                server.run("SELECT coalesce((SELECT next_offset FROM client_offsets WHERE partition = " +
                           std::to_string(partition) + "), 0)"));
        rd_kafka_topic_partition_list_add(mine.get(), task.topic.c_str(), partition)->offset = offset;
    }
    check(rd_kafka_assign(handle.get(), mine.get()), "cannot assign the partitions");
    const Queue queue(rd_kafka_queue_get_consumer(handle.get()), &rd_kafka_queue_destroy);

    const std::string copy = "COPY " + std::string(task.way == Way::Upsert ? "staging" : "target") +
                             " FROM STDIN (FORMAT " + (binary ? "binary)" : "csv)");
    std::vector<rd_kafka_message_t*> messages(kFetch);
    std::map<int32_t, int64_t> next;
    std::string bytes;
    BinaryRow row;
    const uint64_t most = rows_in_transaction(task.way);
    while (consumed < task.rows) {
        uint64_t rows = 0;
        while (rows < most && consumed < task.rows) {
            const ssize_t count = rd_kafka_consume_batch_queue(queue.get(), 10, messages.data(), kFetch);
            if (count < 0) throw Failure("cannot consume");
            if (count == 0) continue;  // the other connections may have the rest
            consumed += static_cast<uint64_t>(count);
            if (rows == 0) {
                server.run("BEGIN");
                server.run(copy);
                if (binary) bytes.assign("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
            }
            for (ssize_t i = 0; i < count; ++i) {
                rd_kafka_message_t* message = messages[static_cast<size_t>(i)];
                check(message->err, "a message cannot be read");
                const std::string_view payload(static_cast<const char*>(message->payload), message->len);
                if (binary)
                    row.append(payload, bytes);
                else
                    bytes.append(payload) += '\n';
                next[message->partition] = message->offset + 1;
                rd_kafka_message_destroy(message);
                if (bytes.size() >= kSendAt) server.send(bytes);
            }
            rows += static_cast<uint64_t>(count);
        }
        if (rows == 0) continue;
        if (binary) bytes.append("\377\377", 2);
        if (!bytes.empty()) server.send(bytes);
        server.end_copy();
        if (task.way == Way::Upsert) server.run(kUpsert);
        if (!binary)
            for (const auto& [partition, offset] : next)
                server.run("INSERT INTO client_offsets VALUES (" + std::to_string(partition) + ", " +
                           std::to_string(offset) +
                           ") ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset");
        server.run("COMMIT");
    }
    return server.backend_ticks();
}

}  // namespace

int main(int argc, char** argv) {
    const auto start = Clock::now();
    try {
        if (argc != 6) throw Failure("expected BROKERS TOPIC ROWS WAY CONNECTIONS");
        const Task task{argv[1], argv[2], std::stoull(argv[3]), way_of(argv[4]), std::stoi(argv[5])};
        std::atomic<long long> backends{0};
        std::vector<std::thread> threads;
        for (int share = 0; share < task.connections; ++share)
            threads.emplace_back([&task, &backends, share] {
                try {
                    backends += load(task, share);
                } catch (const std::exception& failure) {
                    std::fprintf(stderr, "copy_client: %s\n", failure.what());
                    std::_Exit(1);
                }
            });
        for (std::thread& thread : threads) thread.join();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        std::printf("%.3f\t%lld\t%lld\n", seconds, cpu_ticks(getpid()), backends.load());
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "copy_client: %s\n", failure.what());
        return 1;
    }
}
