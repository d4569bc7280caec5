// Finds the tokens of one JSON text with simdjson's first stage, and says why a text has none.
// Must not know what the tokens mean, nor grammar: json_cursor does.
// Owns the token positions, which are valid until the next scan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace sluice {

// Where a text stops being JSON, and why. `what` is a constant.
struct JsonFault {
    enum class Kind { Syntax, Encoding, Limit };
    size_t at = 0;
    std::string_view what;
    Kind kind = Kind::Syntax;
};

class JsonTokens {
  public:
    // What is above would need several times its size in memory.
    static constexpr size_t kMostBytes = size_t{64} * 1024 * 1024;

    JsonTokens();
    ~JsonTokens();
    JsonTokens(const JsonTokens&) = delete;
    JsonTokens& operator=(const JsonTokens&) = delete;

    // Positions of brackets, colons, commas, opening quotes and the first bytes of other words. Afterwards
    // the text is valid UTF-8, its strings are closed and free of control characters; nothing else is
    // checked. Reads nothing past the text's end.
    std::optional<JsonFault> scan(std::string_view text);

    const uint32_t* positions() const { return positions_; }
    size_t count() const { return count_; }

  private:
    struct Scanner;  // keeps simdjson out of the other files
    std::unique_ptr<Scanner> scanner_;
    const uint32_t* positions_ = nullptr;
    size_t count_ = 0;
};

}  // namespace sluice
