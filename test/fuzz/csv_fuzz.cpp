// Any bytes as csv: no crash, no read outside the message, and the same cells as the byte-by-byte model.
// The input's first three bytes choose options and columns.
#include "delimited_model.hpp"

#include <array>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace sluice;
    if (size < 3) return 0;
    static const std::array<DelimitedOptions, 6> kOptions = {{
        {},
        {.escape = "\\"},
        {.delimiter = ";", .quote = "'", .null_string = "nil"},
        {.quote = "'", .escape = "!", .null_string = "!"},
        {.escape = ","},
        {.delimiter = "a", .quote = "b", .escape = "c", .null_string = "d"},
    }};
    const FormatSpec format{Format::Csv, kOptions[data[0] % kOptions.size()]};
    model::compare(model::source_of(format, data[1], data[2]),
                   {reinterpret_cast<const char*>(data) + 3, size - 3});
    return 0;
}
