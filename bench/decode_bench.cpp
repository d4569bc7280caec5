// How fast one core turns messages into cells. usage: decode_bench [SECONDS for each case]
// Prints megabytes of payload a second; judges nothing, because machines differ.
#include "../test/tools/orders.hpp"
#include "format/record_decoder.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace sluice;

constexpr size_t kMessages = 20'000;  // about 2 MB of orders: larger than the inner caches, as a batch is

struct Case {
    const char* name;
    RecordSpec spec;
    std::function<std::string(const std::string& order)> payload;
};

RecordSpec source(FormatSpec format, size_t columns, size_t wanted) {
    RecordSpec spec;
    spec.value = std::move(format);
    for (size_t i = 0; i < columns; ++i)
        spec.columns.push_back({.name = "c" + std::to_string(i), .wanted = i < wanted});
    return spec;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

void run(const Case& one, double length) {
    tools::Orders orders(1'000'000, 1);
    std::vector<std::string> payloads(kMessages);
    size_t bytes = 0;
    for (std::string& payload : payloads) {
        std::string order;
        orders.append(order);
        payload = one.payload(order);
        bytes += payload.size();
    }
    Result<RecordDecoder> decoder = RecordDecoder::make(one.spec, nullptr);
    if (!decoder) {
        std::fprintf(stderr, "%s: %s\n", one.name, decoder.error().message.c_str());
        std::exit(1);
    }
    Arena arena;
    std::vector<Cell> row(one.spec.columns.size());
    // The processor's time, so that whatever else runs on the machine does not count.
    const std::clock_t start = std::clock();
    double spent = 0;
    size_t rounds = 0;
    for (; spent < length; ++rounds) {
        arena.reset();
        for (const std::string& payload : payloads) {
            MessageView message;
            message.value = Bytes::of(payload);
            if (std::optional<Error> error = decoder.value().decode(message, arena, row)) {
                std::fprintf(stderr, "%s: %s\n", one.name, error->message.c_str());
                std::exit(1);
            }
        }
        spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    }
    const double total = static_cast<double>(rounds);
    std::printf("%-34s %8.0f MB/s %8.0f ns/message %6zu bytes/message\n", one.name,
                total * static_cast<double>(bytes) / spent / 1e6,
                spent / total / static_cast<double>(kMessages) * 1e9, bytes / kMessages);
}

}  // namespace

int main(int argc, char** argv) {
    const double length = argc > 1 ? std::atof(argv[1]) : 1.0;
    const auto as_it_is = [](const std::string& order) { return order; };
    const FormatSpec csv{Format::Csv, {}};
    RecordSpec unchecked = source(csv, 9, 9);
    unchecked.validate_utf8 = false;
    const FormatSpec tab{Format::Delimited, {}};
    const FormatSpec bars{Format::Delimited, {.delimiter = "||", .quote = "\""}};
    const std::vector<Case> cases = {
        {"csv, orders", source(csv, 9, 9), as_it_is},
        {"csv, orders, no UTF-8 check", unchecked, as_it_is},
        {"csv, orders, two of nine wanted", source(csv, 9, 2), as_it_is},
        {"csv, quoted JSON in one column", source(csv, 2, 2),
         [](const std::string& order) {
             return "1,\"{\"\"order\"\":\"\"" + replace_all(replace_all(order, "\"", ""), ",", "\"\",\"\"") +
                    "\"\"}\"";
         }},
        {"delimited, tab", source(tab, 1, 1),
         [](const std::string& order) { return replace_all(order, "\t", "\\t"); }},
        {"delimited, \"||\" and quotes", source(bars, 1, 1), as_it_is},
        {"text", source({Format::Text, {}}, 1, 1), as_it_is},
    };
    for (const Case& one : cases) run(one, length);
    return 0;
}
