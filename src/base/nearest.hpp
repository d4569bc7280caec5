// Finds the word a person probably meant, for hints about unknown options, keys and columns.
// Must not know what the words stand for.
// Returns a copy.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice {

// The candidate with the fewest typing errors, upper and lower case being equal; empty when none is near.
std::string nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace sluice
