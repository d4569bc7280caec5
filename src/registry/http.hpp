// Asks an HTTP server for one document at a time, with libcurl, on the caller's thread.
// Must not know what a registry is. Follows no redirect, no proxy of the environment, no scheme but http and
// https; size and time of an answer have bounds. Owns its connection, which is used again, until it is
// destroyed.
#pragma once

#include "base/ports.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>

namespace sluice {

// Empty: not set.
struct HttpOptions {
    std::string username;
    std::string password;
    std::string ca_pem;  // not set: the authorities of the system
    std::string certificate_pem;
    std::string key_pem;
    std::string key_password;
};

struct HttpAnswer {
    long status = 0;
    std::string body;
};

class HttpClient {
  public:
    explicit HttpClient(HttpOptions options);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // The answer, whatever its status. Not reachable or too slow: Transient, 08001 or 08006; a certificate
    // that is refused or cannot be read: Config, 28000; too long: Config, 54000. The message begins with the
    // URL. Throws what the waiter throws.
    Result<HttpAnswer> get(const std::string& url, Waiter& waiter);

  private:
    struct Handles;
    class Transfer;

    HttpOptions options_;
    std::unique_ptr<Handles> handles_;
};

}  // namespace sluice
