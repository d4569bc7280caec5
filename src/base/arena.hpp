// Memory of one batch: bytes that decoders unquote or build, freed in one move.
// Must not know what is stored in it; only trivially destructible things may be.
// Owns everything it hands out, until `reset`.
#pragma once

#include <cstring>
#include <memory>
#include <memory_resource>
#include <string_view>

namespace sluice {

class Arena {
  public:
    // The first block is kept over resets, so that a steady stream of batches does not allocate.
    explicit Arena(size_t first_block = 64 * 1024)
        : block_(new char[first_block]), size_(first_block), resource_(block_.get(), size_) {}

    char* allocate(size_t bytes) { return static_cast<char*>(resource_.allocate(bytes ? bytes : 1, 1)); }

    std::string_view copy(std::string_view text) {
        char* at = allocate(text.size());
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }

    std::pmr::memory_resource* resource() { return &resource_; }

    // Forgets everything that was handed out.
    void reset() { resource_.release(); }

  private:
    std::unique_ptr<char[]> block_;
    size_t size_;
    std::pmr::monotonic_buffer_resource resource_;
};

}  // namespace sluice
