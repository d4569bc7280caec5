#include "base/nearest.hpp"

#include <algorithm>
#include <vector>

namespace sluice {

namespace {

// Words longer than any name we know are not worth the quadratic work: hostile input must stay cheap.
constexpr size_t kLongestWord = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
size_t typing_errors(std::string_view a, std::string_view b) {
    std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            const bool swapped =
                i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped) now[j] = std::min(now[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(now);
    }
    return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > kLongestWord) return {};
    std::string_view best;
    size_t best_errors = 0;
    for (std::string_view candidate : candidates) {
        if (candidate.size() > kLongestWord) continue;
        const size_t errors = typing_errors(word, candidate);
        // A third of the letters may be wrong: beyond that a suggestion misleads more than it helps.
        const bool near = errors <= std::max(word.size(), candidate.size()) / 3;
        if (near && (best.empty() || errors < best_errors)) {
            best = candidate;
            best_errors = errors;
        }
    }
    return std::string(best);
}

}  // namespace sluice
