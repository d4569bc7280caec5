// One librdkafka client: its handle, its configuration, its log and its errors, all served on the caller's
// thread. Must not know topics, offsets or messages; no code of ours runs on a thread of librdkafka. The
// Client owns the handle; whoever shares the Client keeps it alive. The last owner destroys it.
#pragma once

#include "base/result.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_queue_s;

namespace sluice {

using Properties = std::map<std::string, std::string>;

// librdkafka wants a group even of a consumer that assigns its partitions itself.
inline constexpr std::string_view kDefaultGroupId = "sluice";

struct ClientConfig {
    std::string brokers;
    Properties properties;  // canonical names, checked with check_property before
    std::string group_id;   // empty: kDefaultGroupId
};

// What the library has; sluice.library_info() shows it.
struct LibraryInfo {
    std::string compiled_version;
    std::string runtime_version;
    std::string builtin_features;  // librdkafka's own list: ssl, sasl_scram, zstd, …
    bool leader_epoch = false;     // 2.1: stored with the offset, so that a truncated log is noticed
    bool fetch_backoff = false;    // 2.2: fetch.queue.backoff.ms
    bool topic_id = false;         // 2.3: a topic that was deleted and made again is noticed
    bool scram_at_kafka4 = false;  // 2.6.1: SCRAM log-in at Kafka 4
};
LibraryInfo library_info();

class Client {
  public:
    // `owned` are properties that the caller decides; they win over those of `config`.
    static Result<std::shared_ptr<Client>> open(const ClientConfig& config, const Properties& owned = {});
    // Waits a bounded time for librdkafka's threads; when one hangs (name resolution), they finish alone.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    rd_kafka_s* native() const { return handle_; }
    // Queue of errors and log lines, for whoever wants to be woken by it.
    rd_kafka_queue_s* main_queue() const { return main_queue_; }
    // For messages: without anything that could be a credential.
    const std::string& brokers() const { return brokers_; }

    // Moves errors and log lines out of librdkafka. Never blocks. One thread only, as for all that follows.
    void serve();
    // The errors since the last call that concern the whole client: log-in refused, no broker left, …
    std::vector<Error> take_errors();
    // Errors that librdkafka puts between messages instead of the main queue, with its words; most name a
    // partition.
    struct QueuedError {
        int code;
        std::string text;
    };
    std::vector<QueuedError> take_queued_errors();
    // Hands out the log lines that `serve` kept (the latest hundred). Levels as in syslog.
    void drain_logs(const std::function<void(int level, std::string_view line)>& sink);
    // Notes what a connection met; take_errors and last_error tell of it.
    void keep_error(int code, std::string_view text);
    // What went wrong last on a connection, or nothing: it turns "timed out" into a reason.
    const std::optional<Error>& last_error() const { return last_error_; }
    void forget_last_error() { last_error_.reset(); }

    // The Error of a librdkafka code (rd_kafka_resp_err_t). `tried` begins the message: "cannot read topic
    // …".
    Error error_of(int code, std::string_view tried, std::string_view text = {}) const;

    // Makes librdkafka's threads look at once whether they may fetch again; else that can take them a second.
    void nudge() const;

  private:
    struct LogLine {
        int level;
        std::string text;
    };

    Client() = default;
    std::string_view login_hint() const;

    rd_kafka_s* handle_ = nullptr;
    rd_kafka_queue_s* main_queue_ = nullptr;
    std::string brokers_;
    std::string mechanism_;
    std::string username_;
    std::string password_;
    std::deque<LogLine> log_;
    std::vector<Error> errors_;
    std::vector<QueuedError> queued_errors_;
    std::optional<Error> last_error_;
    std::string last_text_;  // librdkafka's words for it
};

using SharedClient = std::shared_ptr<Client>;

}  // namespace sluice
