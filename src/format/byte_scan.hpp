// Finds the next of up to three byte values in a text, 64 bytes at a step: the inner loop of delimited
// formats. Must not know what the bytes mean. Owns nothing; reads the text only, never past its end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace sluice {

class ByteScan {
  public:
    ByteScan(std::string_view text, char a, char b, char c)
        : data_(text.data()), size_(text.size()), a_(a), b_(b), c_(c) {}

    // Position of the next hit, size() when there is none any more.
    // Inlined by force: the call costs as much as the few instructions between two hits of short columns.
    [[gnu::always_inline]] size_t next() {
        while (hits_ == 0) [[unlikely]] {
                if (!load_block()) return size_;
            }
        const size_t at = loaded_ - kBlock + static_cast<size_t>(std::countr_zero(hits_));
        hits_ &= hits_ - 1;
        return at;
    }

    // Forgets the hits before `position`.
    void skip_to(size_t position) {
        while (position >= loaded_ && load_block()) {
        }
        const size_t block = loaded_ - kBlock;
        if (position >= loaded_) {
            hits_ = 0;
        } else if (position > block) {
            hits_ &= ~uint64_t{0} << (position - block);
        }
    }

    size_t size() const { return size_; }

  private:
    static constexpr size_t kBlock = 64;

    [[gnu::noinline]] bool load_block() {
        if (loaded_ >= size_) return false;
        const size_t rest = size_ - loaded_;
        if (rest >= kBlock) {
            hits_ = hits_in(data_ + loaded_);
        } else {
            char tail[kBlock] = {};
            std::memcpy(tail, data_ + loaded_, rest);
            hits_ = hits_in(tail) & ((uint64_t{1} << rest) - 1);
        }
        loaded_ += kBlock;
        return true;
    }

#ifdef __SSE2__
    uint64_t hits_in(const char* block) const {
        const __m128i a = _mm_set1_epi8(a_), b = _mm_set1_epi8(b_), c = _mm_set1_epi8(c_);
        uint64_t hits = 0;
        for (int part = 0; part < 4; ++part) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + part);
            const __m128i equal = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(bytes, a), _mm_cmpeq_epi8(bytes, b)), _mm_cmpeq_epi8(bytes, c));
            hits |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(equal))) << (16 * part);
        }
        return hits;
    }
#else
    uint64_t hits_in(const char* block) const {
        uint64_t hits = 0;
        for (size_t i = 0; i < kBlock; ++i) {
            const bool hit = (block[i] == a_) | (block[i] == b_) | (block[i] == c_);
            hits |= static_cast<uint64_t>(hit) << i;
        }
        return hits;
    }
#endif

    const char* data_;
    size_t size_;
    size_t loaded_ = 0;  // a multiple of kBlock: everything before it has been compared
    uint64_t hits_ = 0;  // hits of the block that ends at loaded_ which were not handed out yet
    char a_, b_, c_;
};

}  // namespace sluice
