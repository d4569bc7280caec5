#include "format/json_tokens.hpp"

#include "format/utf8.hpp"

#include <simdjson.h>

#include <algorithm>
#include <new>

namespace sluice {

namespace {

constexpr size_t kSmallest = 4 * 1024;
// The memory for a larger text goes back as soon as a smaller one comes.
constexpr size_t kKept = size_t{1} * 1024 * 1024;

// Looks at the text byte by byte, because the first stage tells that there is a fault but not where.
JsonFault string_fault(std::string_view text) {
    size_t opened = 0;
    bool inside = false;
    for (size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (!inside) {
            inside = c == '"';
            opened = at;
        } else if (c == '\\') {
            ++at;
        } else if (c == '"') {
            inside = false;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            return {at, "a control character in a string must be escaped"};
        }
    }
    return {opened, "a string is never closed"};
}

}  // namespace

struct JsonTokens::Scanner {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    size_t capacity = 0;

    // Doubles, so that messages that grow byte by byte do not allocate each time.
    void reserve(size_t size) {
        const bool too_large = capacity > kKept && size <= kKept;
        if (size < capacity && !too_large) return;
        size_t wanted = kSmallest;
        while (wanted <= size) wanted *= 2;
        stage.reset();
        capacity = 0;
        constexpr size_t kNoTree = 1;  // depth is for the second stage, which is not used
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, kNoTree, stage))
            throw std::bad_alloc();
        capacity = wanted;
    }
};

JsonTokens::JsonTokens() : scanner_(std::make_unique<Scanner>()) {}
JsonTokens::~JsonTokens() = default;

std::optional<JsonFault> JsonTokens::scan(std::string_view text) {
    count_ = 0;
    if (text.size() > kMostBytes)
        return JsonFault{kMostBytes, "it has more than 64 MiB", JsonFault::Kind::Limit};
    scanner_->reserve(text.size());
    auto& stage = *scanner_->stage;
    const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
    const simdjson::error_code code =
        text.empty() ? simdjson::EMPTY : stage.stage1(bytes, text.size(), simdjson::stage1_mode::regular);
    if (code == simdjson::SUCCESS) {
        positions_ = stage.structural_indexes.get();
        count_ = stage.n_structural_indexes;
        return std::nullopt;
    }
    if (const size_t valid = valid_utf8_prefix(text); valid < text.size())
        return JsonFault{valid, "the text is not valid UTF-8", JsonFault::Kind::Encoding};
    if (code == simdjson::EMPTY) return JsonFault{text.size(), "there is no value"};
    return string_fault(text);
}

}  // namespace sluice
