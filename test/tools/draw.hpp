// Draws the fields that made-up rows consist of: seeded, so that two runs see the same ones.
// Must not know: which columns a row has, Kafka, files.
// Everything appends to the caller's string; an object owns only its state.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

namespace sluice::tools {

class Draw {
  public:
    explicit Draw(uint64_t seed) : state_(seed) {}

    uint64_t below(uint64_t bound) {
        return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
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

    void price(std::string& out) {
        number(out, below(1000));
        out += '.';
        digits(out, below(100), 2);
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
        out += 'Z';
    }

    // Small letters, blanks and commas: text that csv has to quote.
    void letters(std::string& out, uint64_t count) {
        static constexpr char kLetters[] = "etaoin shrdlu, cmfwyp vbgkqj xz ";
        for (uint64_t bits = 0, have = 0; count > 0; --count, bits >>= 5, --have) {
            if (have == 0) {
                bits = next();
                have = 12;
            }
            out += kLetters[bits & 31];
        }
    }

  private:
    // splitmix64: one multiply chain a draw, so the generator stays far ahead of the broker
    uint64_t next() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    uint64_t state_;
};

}  // namespace sluice::tools
