// Makes the rows of the orders table that bench and tests share: seeded, so that two runs see the same rows.
// Must not know: Kafka, files.
// append() writes into the caller's string and owns nothing.
#pragma once

#include "draw.hpp"

#include <array>
#include <string_view>

namespace sluice::tools {

// id, version, customer_id, sku, quantity, price, status, ordered_at, note: 115 bytes of CSV on average.
class Orders {
  public:
    // keys = 0 numbers the rows; otherwise ids are uniform among the first `keys` multiples of stride.
    // Versions always increase.
    Orders(uint64_t keys, uint64_t seed, uint64_t stride = 1) : keys_(keys), stride_(stride), draw_(seed) {}

    // Appends the next row without a line end and returns its id.
    uint64_t append(std::string& out) {
        ++version_;
        const uint64_t id = keys_ ? stride_ * (1 + draw_.below(keys_)) : version_;
        Draw::number(out, id);
        out += ',';
        Draw::number(out, version_);
        out += ',';
        Draw::number(out, 1 + draw_.below(50000));
        out += ",SKU";
        Draw::digits(out, draw_.below(100000), 7);
        out += ',';
        Draw::number(out, 1 + draw_.below(99));
        out += ',';
        draw_.price(out);
        out += ',';
        out += kStatus[draw_.below(kStatus.size())];
        out += ',';
        draw_.timestamp(out);
        out += ',';
        note(out);
        return id;
    }

  private:
    static constexpr std::array<std::string_view, 6> kStatus = {"new",     "paid",      "packed",
                                                                "shipped", "delivered", "returned"};

    // 20 to 60 characters, always quoted; one in fifty holds a doubled quote, so that decoders meet both
    // paths
    void note(std::string& out) {
        out += '"';
        uint64_t left = 20 + draw_.below(41);
        if (draw_.below(50) == 0) {
            out += "\"\"";
            --left;
        }
        draw_.letters(out, left);
        out += '"';
    }

    uint64_t keys_;
    uint64_t stride_;
    Draw draw_;
    uint64_t version_ = 0;
};

}  // namespace sluice::tools
