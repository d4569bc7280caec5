// The client against a server of a few lines that answers what a test wants.
#include "registry/client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace sluice {
namespace {

class PollWaiter : public Waiter {
  public:
    bool wait_readable(int fd, std::chrono::milliseconds timeout) override {
        ++waits;
        if (cancel) throw std::runtime_error("cancelled");
        pollfd one{fd, POLLIN, 0};
        return poll(&one, 1, static_cast<int>(timeout.count())) > 0;
    }
    int waits = 0;
    bool cancel = false;
};

// Answers each request by what the test has set for its path; a connection serves many.
class Server {
  public:
    Server() {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0)
            throw std::runtime_error("no port");
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        done_ = true;
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
    }

    void answer(const std::string& path, int status, const std::string& body, const std::string& head = {}) {
        const std::lock_guard lock(mutex_);
        answers_[path] = "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + head +
                         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    void answer_raw(const std::string& path, const std::string& bytes) {
        const std::lock_guard lock(mutex_);
        answers_[path] = bytes;
    }
    std::vector<std::string> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }

    int port = 0;
    std::atomic<int> connections = 0;

  private:
    void serve() {
        while (!done_) {
            const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) return;
            ++connections;
            while (serve_one(connection)) {
            }
            close(connection);
        }
    }
    bool serve_one(int connection) {
        std::string request;
        while (request.find("\r\n\r\n") == std::string::npos) {
            pollfd one{connection, POLLIN, 0};
            if (done_) return false;
            if (poll(&one, 1, 50) == 0) continue;
            char bytes[4096];
            const ssize_t count = read(connection, bytes, sizeof bytes);
            if (count <= 0) return false;
            request.append(bytes, static_cast<size_t>(count));
        }
        const size_t begin = request.find(' ') + 1;
        const std::string path = request.substr(begin, request.find(' ', begin) - begin);
        std::string answer;
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
            answer = answers_.count(path) ? answers_[path] : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
        }
        for (size_t sent = 0; sent < answer.size();) {
            const ssize_t count = send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) return false;
            sent += static_cast<size_t>(count);
        }
        return answer.find("Connection: close") == std::string::npos;
    }

    int listener_ = -1;
    std::atomic<bool> done_ = false;
    std::mutex mutex_;
    std::map<std::string, std::string> answers_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

Error error_of(RegistryClient& client, int32_t id, Waiter& waiter) {
    const auto schema = client.fetch(id, waiter);
    return schema ? Error::data("00000", "fetched") : schema.error();
}

TEST(RegistryClient, FetchesASchemaOverOneConnection) {
    Server server;
    server.answer("/base/schemas/ids/7", 200, R"({"schema": "\"long\""})");
    RegistryClient client({{"url", server.url() + "/base/"}, {"username", "etl"}, {"password", "p:w"}});
    PollWaiter waiter;
    for (int i = 0; i < 3; ++i) {
        const auto schema = client.fetch(7, waiter);
        ASSERT_TRUE(schema) << schema.error().message << schema.error().detail;
        EXPECT_EQ(schema.value().body, "\"long\"");
    }
    EXPECT_EQ(server.connections, 1);
    EXPECT_GT(waiter.waits, 0) << "waiting is the caller's";
    EXPECT_NE(server.requests()[0].find("Authorization: Basic ZXRsOnA6dw=="), std::string::npos);
    const SharedSchema schema = to_schema(7, client.fetch(7, waiter).value());
    EXPECT_EQ(schema->name, "schema 7 of the registry");
}

TEST(RegistryClient, CollectsReferences) {
    Server server;
    const auto schema = [](const std::string& name, const std::string& references) {
        return R"({"schemaType": "PROTOBUF", "schema": ")" + name + R"(", "references": [)" + references +
               "]}";
    };
    const auto reference = [](const std::string& name, const std::string& subject, int version) {
        return R"({"name": ")" + name + R"(", "subject": ")" + subject + R"(", "version": )" +
               std::to_string(version) + "}";
    };
    server.answer("/schemas/ids/1", 200,
                  schema("root", reference("a", "a/sub ject", 1) + "," + reference("b", "b", 2)));
    server.answer("/subjects/a%2Fsub%20ject/versions/1", 200, schema("A", reference("b", "b", 2)));
    server.answer("/subjects/b/versions/2", 200, schema("B", ""));
    RegistryClient client({{"url", server.url()}});
    PollWaiter waiter;
    const auto fetched = client.fetch(1, waiter);
    ASSERT_TRUE(fetched) << fetched.error().message;
    ASSERT_EQ(fetched.value().references.size(), 2u);
    EXPECT_EQ(fetched.value().references[0].name, "b") << "before a, which needs it";
    EXPECT_EQ(fetched.value().references[1].body, "A");
    // Round and round, and one name for two things.
    server.answer("/schemas/ids/2", 200, schema("root", reference("x", "x", 1)));
    server.answer("/subjects/x/versions/1", 200, schema("X", reference("x", "x", 2)));
    EXPECT_EQ(error_of(client, 2, waiter).kind, ErrorKind::Data);
    server.answer("/subjects/x/versions/1", 404, R"({"error_code": 40402, "message": "Version not found."})");
    const Error gone = error_of(client, 2, waiter);
    EXPECT_EQ(gone.kind, ErrorKind::Data);
    EXPECT_EQ(gone.message, "schema 2: the schema registry at " + server.url() +
                                "/subjects/x/versions/1 does not know what a schema refers to");
    std::string many;
    for (int i = 0; i < 101; ++i) {
        many += (i ? "," : "") + reference("r" + std::to_string(i), "b", 2);
        if (i == 99) server.answer("/schemas/ids/3", 200, schema("root", many));
    }
    EXPECT_TRUE(client.fetch(3, waiter));
    server.answer("/schemas/ids/3", 200, schema("root", many));
    EXPECT_FALSE(client.fetch(3, waiter));
    for (int i = 0; i < 30; ++i)
        server.answer("/subjects/deep" + std::to_string(i) + "/versions/1", 200,
                      schema("d", reference("d" + std::to_string(i + 1), "deep" + std::to_string(i + 1), 1)));
    server.answer("/schemas/ids/4", 200, schema("root", reference("d0", "deep0", 1)));
    EXPECT_EQ(error_of(client, 4, waiter).message,
              "schema 4: the schemas that a schema of the registry refers to are nested too deeply");
}

TEST(RegistryClient, WhatAnAnswerMeans) {
    Server server;
    RegistryClient client({{"url", server.url()}, {"username", "etl"}, {"password", "secret"}});
    PollWaiter waiter;
    struct Case {
        int status;
        const char* body;
        ErrorKind kind;
        const char* sqlstate;
        const char* says;
    };
    for (const Case& one : {
             Case{404, R"({"error_code": 40403, "message": "Schema 7 not found"})", ErrorKind::Data, "22P03",
                  "knows no such schema"},
             {404, R"({"error_code": 404, "message": "HTTP 404 Not Found"})", ErrorKind::Config, "55000",
              "does not answer as one"},
             {404, "<html>", ErrorKind::Config, "55000", "does not answer as one"},
             {401, "", ErrorKind::Config, "28000", "refused the log-in"},
             {403, "", ErrorKind::Config, "42501", "denies access"},
             {301, "", ErrorKind::Config, "55000", "points elsewhere"},
             {429, "", ErrorKind::Transient, "08006", "is in trouble"},
             {500, R"({"error_code": 50001})", ErrorKind::Transient, "08006", "is in trouble"},
             {503, "", ErrorKind::Transient, "08006", "is in trouble"},
         }) {
        server.answer("/schemas/ids/7", one.status, one.body, "Location: file:///etc/passwd\r\n");
        const Error error = error_of(client, 7, waiter);
        EXPECT_EQ(error.kind, one.kind) << one.status;
        EXPECT_EQ(error.sqlstate, one.sqlstate) << one.status;
        EXPECT_EQ(error.message,
                  "schema 7: the schema registry at " + server.url() + "/schemas/ids/7 " + one.says);
        EXPECT_EQ((error.message + error.detail + error.hint).find("secret"), std::string::npos);
        EXPECT_NE(error.detail.find(std::to_string(one.status)), std::string::npos);
    }
    server.answer("/schemas/ids/7", 200, "<html>");
    EXPECT_EQ(error_of(client, 7, waiter).message, "schema 7: the schema registry at " + server.url() +
                                                       "/schemas/ids/7: its answer cannot be read");
    const size_t asked = server.requests().size();
    EXPECT_EQ(error_of(client, 0, waiter).kind, ErrorKind::Data);
    EXPECT_EQ(error_of(client, -5, waiter).message, "schema -5: ids of a schema registry are greater than 0");
    EXPECT_EQ(server.requests().size(), asked) << "nobody is asked";
}

TEST(RegistryClient, HostileAnswers) {
    Server server;
    RegistryClient client({{"url", server.url()}});
    PollWaiter waiter;
    server.answer("/schemas/ids/1", 200, R"({"schema": ")" + std::string(3 << 20, 'x') + "\"}");
    EXPECT_EQ(error_of(client, 1, waiter).sqlstate, "54000");
    std::string head = "HTTP/1.1 200 OK\r\n";
    while (head.size() < 200'000) head += "X-More: " + std::string(1000, 'x') + "\r\n";
    server.answer_raw("/schemas/ids/1", head);
    EXPECT_EQ(error_of(client, 1, waiter).sqlstate, "54000");
    server.answer_raw("/schemas/ids/1",
                      "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{}");
    EXPECT_EQ(error_of(client, 1, waiter).sqlstate, "08006") << "cut off";
    server.answer_raw("/schemas/ids/1", "rubbish\r\nConnection: close\r\n\r\n");
    EXPECT_FALSE(client.fetch(1, waiter));
    server.answer("/schemas/ids/1", 200, R"({"schema": "\"long\""})");
    EXPECT_TRUE(client.fetch(1, waiter)) << "none of it is remembered";
}

TEST(RegistryClient, TriesTheNextAddress) {
    Server first, second;
    first.answer("/schemas/ids/1", 503, "");
    second.answer("/schemas/ids/1", 200, R"({"schema": "\"long\""})");
    PollWaiter waiter;
    RegistryClient client({{"url", "http://127.0.0.1:1 , " + first.url() + "," + second.url() + "/"}});
    EXPECT_TRUE(client.fetch(1, waiter));
    EXPECT_TRUE(client.fetch(1, waiter));
    EXPECT_EQ(first.requests().size(), 1u) << "the one that answers is asked first from then on";
    // What an address knows for sure ends the search.
    second.answer("/schemas/ids/1", 404, R"({"error_code": 40403})");
    EXPECT_EQ(error_of(client, 1, waiter).kind, ErrorKind::Data);
    EXPECT_EQ(first.requests().size(), 1u);
    RegistryClient nobody({{"url", std::string("http://127.0.0.1:1")}});
    const Error error = error_of(nobody, 1, waiter);
    EXPECT_EQ(error.kind, ErrorKind::Transient);
    EXPECT_EQ(error.sqlstate, "08001");
    EXPECT_EQ(error.message,
              "schema 1: the schema registry at http://127.0.0.1:1/schemas/ids/1 cannot be reached");
}

TEST(RegistryClient, ACancelledRequestLeavesTheClientUsable) {
    Server server;
    server.answer("/schemas/ids/1", 200, R"({"schema": "\"long\""})");
    RegistryClient client({{"url", server.url()}});
    PollWaiter waiter;
    waiter.cancel = true;
    EXPECT_THROW((void)client.fetch(1, waiter), std::runtime_error);
    waiter.cancel = false;
    EXPECT_TRUE(client.fetch(1, waiter));
}

TEST(RegistryClient, NoProxyOfTheEnvironment) {
    Server server;
    server.answer("/schemas/ids/1", 200, R"({"schema": "\"long\""})");
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    RegistryClient client({{"url", server.url()}});
    PollWaiter waiter;
    EXPECT_TRUE(client.fetch(1, waiter));
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

TEST(RegistryClient, PemThatIsNone) {
    PollWaiter waiter;
    const std::string rubbish = "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n";
    RegistryClient client({{"url", "https://127.0.0.1:1"}, {"ca_pem", rubbish}});
    EXPECT_FALSE(client.fetch(1, waiter));
}

}  // namespace
}  // namespace sluice
