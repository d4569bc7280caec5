// Makes the rows of the orders table that bench and tests share: seeded, so that two runs see the same rows.
// Must not know: Kafka, files.
// append() writes into the caller's string and owns nothing.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::tools {

// id, version, customer_id, sku, quantity, price, status, ordered_at, note: 115 bytes of CSV on average.
class Orders {
  public:
    // keys = 0 numbers the rows; otherwise ids are uniform in 1..keys. Versions always increase.
    Orders(uint64_t keys, uint64_t seed) : keys_(keys), state_(seed) {}

    // Appends the next row without a line end and returns its id.
    uint64_t append(std::string& out) {
        ++version_;
        const uint64_t id = keys_ ? 1 + below(keys_) : version_;
        number(out, id);
        out += ',';
        number(out, version_);
        out += ',';
        number(out, 1 + below(50000));
        out += ",SKU";
        digits(out, below(100000), 7);
        out += ',';
        number(out, 1 + below(99));
        out += ',';
        number(out, below(1000));
        out += '.';
        digits(out, below(100), 2);
        out += ',';
        out += kStatus[below(kStatus.size())];
        out += ',';
        timestamp(out);
        note(out);
        return id;
    }

  private:
    static constexpr std::array<std::string_view, 6> kStatus = {"new",     "paid",      "packed",
                                                                "shipped", "delivered", "returned"};

    // splitmix64: one multiply chain a draw, so the generator stays far ahead of the broker
    uint64_t draw() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    uint64_t below(uint64_t bound) {
        return static_cast<uint64_t>((static_cast<unsigned __int128>(draw()) * bound) >> 64);
    }

    static void number(std::string& out, uint64_t value) {
        char text[20];
        out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
    }

    static void digits(std::string& out, uint64_t value, int width) {
        const size_t end = out.size() + static_cast<size_t>(width);
        out.append(static_cast<size_t>(width), '0');
        for (size_t at = end; width-- > 0; value /= 10) out[--at] = static_cast<char>('0' + value % 10);
    }

    void timestamp(std::string& out) {
        out += "2025-";
        digits(out, 1 + below(12), 2);
        out += '-';
        digits(out, 1 + below(28), 2);
        out += 'T';
        digits(out, below(24), 2);
        out += ':';
        digits(out, below(60), 2);
        out += ':';
        digits(out, below(60), 2);
        out += '.';
        digits(out, below(1000), 3);
        out += "Z,";
    }

    // 20 to 60 characters, always quoted; one in fifty holds a doubled quote, so that decoders meet both
    // paths
    void note(std::string& out) {
        static constexpr char kLetters[] = "etaoin shrdlu, cmfwyp vbgkqj xz ";
        out += '"';
        uint64_t left = 20 + below(41);
        if (below(50) == 0) {
            out += "\"\"";
            --left;
        }
        for (uint64_t bits = 0, have = 0; left > 0; --left, bits >>= 5, --have) {
            if (have == 0) {
                bits = draw();
                have = 12;
            }
            out += kLetters[bits & 31];
        }
        out += '"';
    }

    uint64_t keys_;
    uint64_t state_;
    uint64_t version_ = 0;
};

}  // namespace sluice::tools
