#include "kafka/client.hpp"

#include "base/signal_guard.hpp"
#include "kafka/errors.hpp"
#include "kafka/handles.hpp"
#include "kafka/properties.hpp"

#include <charconv>
#include <chrono>
#include <future>
#include <system_error>
#include <thread>

namespace sluice {
namespace {

constexpr size_t kLogLines = 100;
constexpr size_t kErrors = 100;
constexpr auto kDestroyLimit = std::chrono::seconds(2);

// Versions as in rd_kafka_version(): one byte each for major, minor and revision, the last byte for the
// release.
constexpr int kVersionLeaderEpoch = 0x020100ff;
constexpr int kVersionFetchBackoff = 0x020200ff;
constexpr int kVersionTopicId = 0x020300ff;
constexpr int kVersionScramNonce = 0x020601ff;

std::string version_text(int version) {
    return std::to_string(version >> 24 & 0xff) + "." + std::to_string(version >> 16 & 0xff) + "." +
           std::to_string(version >> 8 & 0xff);
}

// A broker is host:port; whatever stands before an @ would be a user name or worse.
std::string without_credentials(std::string_view brokers) {
    std::string out;
    while (!brokers.empty()) {
        const size_t comma = brokers.find(',');
        std::string_view one = brokers.substr(0, comma);
        brokers = comma == std::string_view::npos ? std::string_view() : brokers.substr(comma + 1);
        if (const size_t at = one.rfind('@'); at != std::string_view::npos) one.remove_prefix(at + 1);
        if (!out.empty()) out += ',';
        out += one;
    }
    return out;
}

// With TLS 1.3 a broker that refuses our certificate, or misses one, says so only after the handshake, and
// librdkafka calls it a connection that was lost. Alerts 40 to 51 are about the handshake and certificates.
bool is_tls_refusal(std::string_view text) {
    constexpr std::string_view kAlert = "SSL alert number ";
    const size_t at = text.find(kAlert);
    if (at == text.npos) return false;
    int alert = 0;
    const std::string_view number = text.substr(at + kAlert.size());
    std::from_chars(number.data(), number.data() + number.size(), alert);
    constexpr int kProtocolVersion = 70, kInsufficientSecurity = 71, kCertificateRequired = 116;
    return (alert >= 40 && alert <= 51) || alert == kProtocolVersion || alert == kInsufficientSecurity ||
           alert == kCertificateRequired;
}

Result<void> set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
    char text[512];
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK)
        return {};
    return Error::config("22023", "librdkafka refuses Kafka property \"" + name + "\"",
                         is_secret_property(name) ? "" : text);
}

Result<void> configure(rd_kafka_conf_t* conf, const ClientConfig& config, const Properties& owned) {
    Properties all{
        {"client.id", "sluice"},
        // The default of a minute keeps a consumer waiting for a stopped leader; this one recovers in
        // seconds.
        {"socket.timeout.ms", "6000"},
    };
    for (const auto& [name, value] : config.properties) all[name] = value;
    all["bootstrap.servers"] = config.brokers;
    all["group.id"] = config.group_id.empty() ? kDefaultGroupId : config.group_id;
    all["enable.auto.commit"] = "false";
    all["allow.auto.create.topics"] = "false";
    all["log.queue"] = "true";
    all["sasl.kerberos.min.time.before.relogin"] = "0";  // or librdkafka runs kinit in a shell
    for (const auto& [name, value] : owned) all[name] = value;
    for (const auto& [name, value] : all)
        if (auto done = set(conf, name, value); !done) return done;
    // On by default in newer libraries, unknown to older ones: it tells the brokers about this server.
    rd_kafka_conf_set(conf, "enable.metrics.push", "false", nullptr, 0);

    // Errors and log lines become events in a queue that our thread reads, so that no log callback is needed.
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    return {};
}

}  // namespace

LibraryInfo library_info() {
    const ConfHandle conf(rd_kafka_conf_new());
    char features[512] = "";
    size_t size = sizeof features;
    rd_kafka_conf_get(conf.get(), "builtin.features", features, &size);
    const int runtime = rd_kafka_version();
    return {
        .compiled_version = version_text(RD_KAFKA_VERSION),
        .runtime_version = rd_kafka_version_str(),
        .builtin_features = features,
        .leader_epoch = RD_KAFKA_VERSION >= kVersionLeaderEpoch && runtime >= kVersionLeaderEpoch,
        .fetch_backoff = runtime >= kVersionFetchBackoff,
        .topic_id = RD_KAFKA_VERSION >= kVersionTopicId && runtime >= kVersionTopicId,
        .scram_at_kafka4 = runtime >= kVersionScramNonce,
    };
}

Result<SharedClient> Client::open(const ClientConfig& config, const Properties& owned) {
    const auto property = [&](const char* name) {
        const auto found = config.properties.find(name);
        return found == config.properties.end() ? std::string() : found->second;
    };
    if (config.brokers.empty())
        return Error::config(
            "22023", "no Kafka broker is given", "",
            "Set the option \"brokers\" of the server, for example 'broker1:9092,broker2:9092'.");
    if (auto checked = check_property_combination(config.properties); !checked) return checked.error();

    ConfHandle conf(rd_kafka_conf_new());
    if (auto configured = configure(conf.get(), config, owned); !configured) return configured.error();

    SharedClient client(new Client);
    client->brokers_ = without_credentials(config.brokers);
    client->mechanism_ = property("sasl.mechanisms");
    client->username_ = property("sasl.username");
    client->password_ = property("sasl.password");

    // Called by none but rd_kafka_consume_batch_queue, on the thread that polls.
    rd_kafka_conf_set_opaque(conf.get(), client.get());
    rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int code, const char* text, void* self) {
        static_cast<Client*>(self)->queued_errors_.push_back({code, text});
    });
    const bool refreshes_token = client->mechanism_ == "OAUTHBEARER";
    if (refreshes_token) rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
    char text[512];
    SignalGuard no_signals;
    client->handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), text, sizeof text);
    if (!client->handle_)
        return Error::config("22023", "librdkafka refuses the Kafka properties of the server", text);
    (void)conf.release();  // librdkafka owns it from here on
    client->main_queue_ = rd_kafka_queue_get_main(client->handle_);
    // librdkafka asks the token endpoint from a thread of its own: on ours it would block.
    if (refreshes_token) ErrorHandle ignored(rd_kafka_sasl_background_callbacks_enable(client->handle_));
    rd_kafka_set_log_queue(client->handle_, nullptr);
    return client;
}

Client::~Client() {
    if (!handle_) return;
    rd_kafka_queue_destroy(main_queue_);
    const auto destroy = [handle = handle_] {
        rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    };
    try {
        auto done = std::make_shared<std::promise<void>>();
        auto finished = done->get_future();
        SignalGuard no_signals;
        std::thread thread([destroy, done] {
            destroy();
            done->set_value();
        });
        if (finished.wait_for(kDestroyLimit) == std::future_status::ready)
            thread.join();
        else
            thread.detach();
    } catch (const std::system_error&) {  // no thread to be had
        destroy();
    }
}

void Client::serve() {
    while (EventHandle event{rd_kafka_queue_poll(main_queue_, 0)}) {
        switch (rd_kafka_event_type(event.get())) {
            case RD_KAFKA_EVENT_ERROR:
                keep_error(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
                break;
            case RD_KAFKA_EVENT_LOG: {
                const char *facility = "", *line = "";
                int level = 0;
                if (rd_kafka_event_log(event.get(), &facility, &line, &level)) break;
                if (log_.size() == kLogLines) log_.pop_front();
                log_.push_back({level, std::string(facility) + ": " + line});
                break;
            }
            default:
                break;
        }
    }
}

void Client::keep_error(int code, std::string_view text) {
    const bool too_large =
        code == RD_KAFKA_RESP_ERR__BAD_MSG && text.find("receive.message.max.bytes") != text.npos;
    if (too_large) code = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT && is_tls_refusal(text)) code = RD_KAFKA_RESP_ERR__SSL;
    // Others only say that one broker went away, which librdkafka mends by itself.
    const bool concerns_all = too_large || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                              code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
                              code == RD_KAFKA_RESP_ERR__FATAL ||
                              code == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    if (concerns_all && errors_.size() < kErrors)
        errors_.push_back(error_of(code, "cannot read from Kafka", text));
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;  // what came before tells more
    last_error_.reset();
    last_error_ = error_of(code, "cannot connect to Kafka", text);
    last_text_ = text;
}

std::vector<Error> Client::take_errors() { return std::exchange(errors_, {}); }

std::vector<Client::QueuedError> Client::take_queued_errors() { return std::exchange(queued_errors_, {}); }

void Client::drain_logs(const std::function<void(int, std::string_view)>& sink) {
    serve();
    for (const LogLine& line : std::exchange(log_, {})) sink(line.level, line.text);
}

std::string_view Client::login_hint() const {
    if (!mechanism_.starts_with("SCRAM") || rd_kafka_version() >= kVersionScramNonce) return {};
    return "Check sasl_username and sasl_password. If they are right and the brokers run Kafka 4: librdkafka "
           "before "
           "2.6.1 cannot log in there with SCRAM; use PLAIN over TLS, TLS certificates, or a newer "
           "librdkafka.";
}

Error Client::error_of(int code, std::string_view tried, std::string_view text) const {
    // "Timed out" is never the reason; what a connection said before may be.
    if (is_unreachable(code) && last_error_ && last_error_->kind == ErrorKind::Config) {
        Error error = *last_error_;
        if (const size_t colon = error.message.find(": "); colon != std::string::npos)
            error.message.replace(0, colon, tried);
        return error;
    }
    const CodeMeaning meaning = meaning_of(code);
    Error error;
    error.kind = meaning.kind;
    error.stage = Stage::Fetch;
    error.sqlstate = meaning.sqlstate;
    const auto native = static_cast<rd_kafka_resp_err_t>(code);
    error.message = std::string(tried) + ": " +
                    std::string(meaning.reason.empty() ? rd_kafka_err2str(native) : meaning.reason);
    error.detail = "Brokers: " + brokers_ +
                   "; librdkafka: " + std::string(text.empty() ? rd_kafka_err2str(native) : text) + " (" +
                   rd_kafka_err2name(native) + ")";
    if (is_unreachable(code) && last_error_) error.detail += "; before that: " + last_text_;
    error.hint = meaning.hint;
    if (meaning.sqlstate == "28P01" && !login_hint().empty()) error.hint = login_hint();
    return error;
}

void Client::nudge() const {
    if (rd_kafka_version() >= kVersionFetchBackoff)
        return;  // looks again by itself, see fetch.queue.backoff.ms
    // A full queue puts the thread of a broker to sleep for up to a second, and taking messages out does not
    // wake it. To hand in the credentials it has already does wake it, and changes nothing else.
    ErrorHandle ignored(rd_kafka_sasl_set_credentials(handle_, username_.c_str(), password_.c_str()));
}

}  // namespace sluice
