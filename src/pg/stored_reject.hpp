// A message that was kept in sluice.reject, as a message again.
// Must not know what is done with it.
// Owns its bytes: the view and the headers are valid as long as it lives.
#pragma once

#include "base/ports.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace sluice {

class StoredReject {
  public:
    // Locks it; nothing when it is settled by now. Needs a Bookkeeping scope.
    static std::optional<StoredReject> lock(int64_t error_id);

    int64_t id() const { return id_; }
    bool is_blocking() const { return blocking_; }
    const std::string& topic() const { return topic_; }
    const std::string& headers_json() const { return headers_json_; }
    MessageView message() const;
    void headers(std::vector<Header>& headers) const;

  private:
    struct StoredHeader {
        std::string name;
        std::optional<std::string> value;
    };

    int64_t id_ = 0;
    bool blocking_ = false;
    std::string topic_;
    Partition partition_{};
    Offset offset_{};
    int64_t timestamp_ms_ = -1;
    std::optional<std::string> key_;
    std::optional<std::string> value_;
    std::string headers_json_;
    std::vector<StoredHeader> headers_;
};

// Reads the headers of the reject that is at hand.
class RejectHeaders : public HeaderReader {
  public:
    void at_hand(const StoredReject* reject) { reject_ = reject; }
    void read(const MessageView&, std::vector<Header>& headers) const override {
        headers.clear();
        if (reject_ != nullptr) reject_->headers(headers);
    }

  private:
    const StoredReject* reject_ = nullptr;
};

}  // namespace sluice
