#include "registry/http.hpp"

#include "base/signal_guard.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>

namespace sluice {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kConnectLimit{5'000};
constexpr milliseconds kAnswerLimit{10'000};
constexpr size_t kLongestBody = 2 << 20;  // a schema of 1 MB, escaped as JSON
constexpr size_t kLongestHead = 64 << 10;
// libcurl keeps its own time; this is for a server that keeps it busy all the same.
constexpr milliseconds kGrace{2'000};
constexpr milliseconds kLongestWait{1'000};

constexpr const char* kReach = "Check the option \"registry_url\" of the server, and the network.";
constexpr const char* kTrust =
    "Check registry_ca_pem of the server, and registry_certificate_pem and registry_key_pem of the user "
    "mapping.";

// Once in a process, and never undone: at exit other threads may still use it.
bool start_library() {
    static const bool started = [] {
        SignalGuard no_signals;
        return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    }();
    return started;
}

curl_blob blob_of(std::string& text) { return {text.data(), text.size(), CURL_BLOB_NOCOPY}; }

Error failure(CURLcode code, const std::string& url, std::string reason) {
    const std::string message = "the schema registry at " + url + " ";
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return Error::transient("08001", message + "cannot be found", std::move(reason), kReach);
        case CURLE_COULDNT_CONNECT:
            return Error::transient("08001", message + "cannot be reached", std::move(reason), kReach);
        case CURLE_OPERATION_TIMEDOUT:
            return Error::transient("08006", message + "did not answer in time", std::move(reason), kReach);
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
            return Error::transient("08006", message + "broke the connection", std::move(reason), kReach);
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
            return Error::config("28000", message + "is not trusted, or does not trust this server",
                                 std::move(reason), kTrust);
        case CURLE_OUT_OF_MEMORY:
            return Error::transient("53200", message + "cannot be asked: memory is used up");
        default:
            return Error::config("55000", message + "cannot be asked", std::move(reason), kReach);
    }
}

}  // namespace

struct HttpClient::Handles {
    CURLM* multi = nullptr;
    CURL* easy = nullptr;
    int epoll = -1;  // all sockets of libcurl behind one descriptor, which the waiter knows how to wait for
    std::optional<steady_clock::time_point> timer;
    std::string body;
    size_t head_size = 0;
    bool too_long = false;
    char reason[CURL_ERROR_SIZE] = "";

    ~Handles() {
        SignalGuard no_signals;
        if (easy) curl_easy_cleanup(easy);
        if (multi) curl_multi_cleanup(multi);
        if (epoll >= 0) close(epoll);
    }

    // Callbacks of libcurl, on our thread and inside our calls of it. Nothing may leave them but a value.
    static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
        const int epoll = static_cast<Handles*>(self)->epoll;
        if (what == CURL_POLL_REMOVE) {
            epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
            return 0;
        }
        epoll_event event{};
        event.data.fd = socket;
        if (what & CURL_POLL_IN) event.events |= EPOLLIN;
        if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
        if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) == 0) return 0;
        return epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
    }
    static int on_timer(CURLM*, long wait, void* self) {
        auto* handles = static_cast<Handles*>(self);
        handles->timer.reset();
        if (wait >= 0) handles->timer = steady_clock::now() + milliseconds(wait);
        return 0;
    }
    static size_t on_body(char* bytes, size_t, size_t size, void* self) {
        auto* handles = static_cast<Handles*>(self);
        handles->too_long = size > kLongestBody - handles->body.size();
        if (handles->too_long) return 0;
        try {
            handles->body.append(bytes, size);
        } catch (const std::bad_alloc&) {
            return 0;
        }
        return size;
    }
    static size_t on_head(char*, size_t, size_t size, void* self) {
        auto* handles = static_cast<Handles*>(self);
        handles->head_size += size;
        handles->too_long = handles->head_size > kLongestHead;
        return handles->too_long ? 0 : size;
    }
};

// Leaves the handle ready for the next one, also when the waiter throws.
class HttpClient::Transfer {
  public:
    Transfer(Handles& handles, const std::string& url) : handles_(handles) {
        handles_.body.clear();
        handles_.head_size = 0;
        handles_.too_long = false;
        handles_.reason[0] = '\0';
        SignalGuard no_signals;
        curl_easy_setopt(handles_.easy, CURLOPT_URL, url.c_str());
        curl_multi_add_handle(handles_.multi, handles_.easy);
    }
    ~Transfer() {
        SignalGuard no_signals;
        curl_multi_remove_handle(handles_.multi, handles_.easy);
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    CURLcode run(Waiter& waiter) {
        const auto deadline = steady_clock::now() + kAnswerLimit + kGrace;
        for (;;) {
            const auto now = steady_clock::now();
            if (now >= deadline) return CURLE_OPERATION_TIMEDOUT;
            auto wait = std::min(kLongestWait, duration_cast<milliseconds>(deadline - now));
            if (handles_.timer)
                wait = std::clamp(duration_cast<milliseconds>(*handles_.timer - now) + milliseconds(1),
                                  milliseconds(0), wait);
            if (!handles_.timer || *handles_.timer > now) waiter.wait_readable(handles_.epoll, wait);
            if (const auto result = go_on()) return *result;
        }
    }

  private:
    // What the sockets and the timer ask for; the result, once there is one.
    std::optional<CURLcode> go_on() {
        constexpr int kMostEvents = 8;
        SignalGuard no_signals;
        int running = 0;
        epoll_event events[kMostEvents];
        const int count = epoll_wait(handles_.epoll, events, kMostEvents, 0);
        for (int i = 0; i < count; ++i) {
            const int ready = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                              (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                              (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(handles_.multi, events[i].data.fd, ready, &running);
        }
        if (handles_.timer && *handles_.timer <= steady_clock::now()) {
            handles_.timer.reset();
            curl_multi_socket_action(handles_.multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(handles_.multi, &left))
            if (message->msg == CURLMSG_DONE) return message->data.result;
        return std::nullopt;
    }

    Handles& handles_;
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), handles_(std::make_unique<Handles>()) {
    if (!start_library()) return;
    SignalGuard no_signals;
    Handles& h = *handles_;
    h.epoll = epoll_create1(EPOLL_CLOEXEC);
    h.multi = curl_multi_init();
    h.easy = curl_easy_init();
    if (h.multi == nullptr || h.easy == nullptr) return;
    curl_multi_setopt(h.multi, CURLMOPT_SOCKETFUNCTION, Handles::on_socket);
    curl_multi_setopt(h.multi, CURLMOPT_SOCKETDATA, &h);
    curl_multi_setopt(h.multi, CURLMOPT_TIMERFUNCTION, Handles::on_timer);
    curl_multi_setopt(h.multi, CURLMOPT_TIMERDATA, &h);
    curl_multi_setopt(h.multi, CURLMOPT_MAXCONNECTS, 4L);

    const auto set = [&h](CURLoption option, auto value) { curl_easy_setopt(h.easy, option, value); };
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, h.reason);
    set(CURLOPT_WRITEFUNCTION, Handles::on_body);
    set(CURLOPT_WRITEDATA, &h);
    set(CURLOPT_HEADERFUNCTION, Handles::on_head);
    set(CURLOPT_HEADERDATA, &h);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(kAnswerLimit.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnectLimit.count()));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");  // else the environment of the server decides
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_USERAGENT, "sluice");
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    // A name that is still being resolved when the caller is cancelled is left to its thread.
    set(CURLOPT_QUICK_EXIT, 1L);
#endif
    if (!options_.username.empty()) {
        set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
        set(CURLOPT_USERNAME, options_.username.c_str());
        set(CURLOPT_PASSWORD, options_.password.c_str());
    }
    if (!options_.ca_pem.empty()) {
        curl_blob blob = blob_of(options_.ca_pem);
        set(CURLOPT_CAINFO_BLOB, &blob);
        // The system's authorities would be trusted beside it.
        set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    if (!options_.certificate_pem.empty()) {
        curl_blob certificate = blob_of(options_.certificate_pem), key = blob_of(options_.key_pem);
        set(CURLOPT_SSLCERT_BLOB, &certificate);
        set(CURLOPT_SSLKEY_BLOB, &key);
        if (!options_.key_password.empty()) set(CURLOPT_KEYPASSWD, options_.key_password.c_str());
    }
}

HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::get(const std::string& url, Waiter& waiter) {
    Handles& h = *handles_;
    if (h.multi == nullptr || h.easy == nullptr || h.epoll < 0) return failure(CURLE_OUT_OF_MEMORY, url, {});
    Transfer transfer(h, url);
    const CURLcode code = transfer.run(waiter);
    if (h.too_long)
        return Error::config("54000", "the schema registry at " + url + " gave an answer that is too long",
                             "The body may have " + std::to_string(kLongestBody) + " bytes.", kReach);
    if (code != CURLE_OK) return failure(code, url, h.reason[0] ? h.reason : curl_easy_strerror(code));
    HttpAnswer answer;
    curl_easy_getinfo(h.easy, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.body = std::move(h.body);
    return answer;
}

}  // namespace sluice
