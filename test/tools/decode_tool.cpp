// Decodes rows with the library's decoder, so that a test can compare them with what PostgreSQL's COPY makes
// of them. Must not know PostgreSQL.
//
// Reads lines of blank-separated words from standard input and answers each with one line. Bytes are
// hexadecimal.
//   spec FORMAT COLUMNS [delimiter=HEX] [quote=HEX] [escape=HEX] [null=HEX] [force_null=N,…]
//   [force_not_null=N,…]
//       -> ok | refused SQLSTATE MESSAGE            columns are named c1, c2, …
//   row [HEX]
//       -> row CELL CELL …  (HEX after a colon, or - for NULL) | error SQLSTATE MESSAGE
#include "format/record_decoder.hpp"

#include <charconv>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace sluice;

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        unsigned byte = 0;
        std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

std::string to_hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (char c : bytes) {
        hex += kDigits[static_cast<unsigned char>(c) >> 4];
        hex += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

std::vector<std::string> column_names(std::string_view numbers) {
    std::vector<std::string> names;
    std::istringstream list{std::string(numbers)};
    for (std::string number; std::getline(list, number, ',');) names.push_back("c" + number);
    return names;
}

RecordSpec read_spec(std::istringstream& words) {
    std::string format;
    size_t columns = 0;
    words >> format >> columns;
    FormatSpec spec{.format = format == "csv" ? Format::Csv : Format::Delimited};
    DelimitedOptions& options = spec.delimited;
    for (std::string word; words >> word;) {
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
        if (name == "delimiter") options.delimiter = from_hex(value);
        if (name == "quote") options.quote = from_hex(value);
        if (name == "escape") options.escape = from_hex(value);
        if (name == "null") options.null_string = from_hex(value);
        if (name == "force_null") options.force_null = column_names(value);
        if (name == "force_not_null") options.force_not_null = column_names(value);
    }
    RecordSpec record;
    record.value = std::move(spec);
    for (size_t i = 1; i <= columns; ++i) record.columns.push_back({.name = "c" + std::to_string(i)});
    return record;
}

void answer_row(const std::optional<RecordDecoder>& decoder, Arena& arena, std::string_view hex) {
    if (!decoder) {
        std::cout << "error XX000 no spec\n";
        return;
    }
    const std::string value = from_hex(hex);
    MessageView message;
    message.value = Bytes::of(value);
    std::vector<Cell> row(decoder->column_count());
    arena.reset();
    if (std::optional<Error> error = decoder->decode(message, arena, row)) {
        std::cout << "error " << error->sqlstate << ' ' << error->message << '\n';
        return;
    }
    std::cout << "row";
    for (const Cell& cell : row)
        std::cout << (cell.kind == CellKind::Null ? " -" : " :" + to_hex(cell.view()));
    std::cout << '\n';
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    std::optional<RecordDecoder> decoder;
    Arena arena;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string command, hex;
        words >> command;
        if (command == "row") {
            words >> hex;
            answer_row(decoder, arena, hex);
            continue;
        }
        Result<RecordDecoder> made = RecordDecoder::make(read_spec(words), nullptr);
        if (made) {
            decoder.emplace(std::move(made).value());
            std::cout << "ok\n";
        } else {
            decoder.reset();
            std::cout << "refused " << made.error().sqlstate << ' ' << made.error().message << '\n';
        }
    }
    return 0;
}
