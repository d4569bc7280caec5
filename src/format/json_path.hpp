// Where a column finds its value inside a structured value: names and array positions, from the top.
// Must not know columns nor messages.
// Plain values.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct JsonStep {
    bool is_item = false;
    std::string name{};  // of a member
    uint32_t index = 0;  // of an array's item, from 0

    static JsonStep member(std::string name) { return {false, std::move(name), 0}; }
    static JsonStep item(uint32_t index) { return {true, {}, index}; }
    friend bool operator==(const JsonStep&, const JsonStep&) = default;
};

using JsonPath = std::vector<JsonStep>;

// `a.b[0]."name with . or [ or quotes"`; a quote inside quotes is doubled. `$` is the whole message and `@`
// the whole row, alone or before further steps; they differ where a message becomes several rows, and a path
// that begins with neither is the row's.
Result<JsonPath> parse_json_path(std::string_view text);
// Whether a path that can be read begins with `$`.
bool is_of_message(std::string_view text);

// The shortest text that parse_json_path reads as this path.
std::string to_text(const JsonPath& path);

}  // namespace sluice
