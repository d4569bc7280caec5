// Short ways to say in a test: this source, this message, these cells.
// Must not decide what is right.
// Decoded rows own copies of their text.
#pragma once

#include "format/record_decoder.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace sluice {

inline constexpr std::nullopt_t kNull = std::nullopt;

using Texts = std::vector<std::optional<std::string>>;

inline SourceColumn value_column(std::string name) { return {.name = std::move(name)}; }
inline SourceColumn key_column(std::string name) { return {.name = std::move(name), .origin = Origin::Key}; }
inline SourceColumn metadata_column(std::string name, Metadata what) {
    return {.name = std::move(name), .origin = Origin::Metadata, .metadata = what};
}

// A source with `count` columns c1, c2, … that read the value.
inline RecordSpec value_source(FormatSpec format, size_t count) {
    RecordSpec spec;
    spec.value = std::move(format);
    for (size_t i = 1; i <= count; ++i) spec.columns.push_back(value_column("c" + std::to_string(i)));
    return spec;
}

inline RecordSpec csv_source(size_t count, DelimitedOptions options = {}) {
    return value_source({Format::Csv, std::move(options)}, count);
}

inline RecordSpec delimited_source(size_t count, DelimitedOptions options = {}) {
    return value_source({Format::Delimited, std::move(options)}, count);
}

struct Decoded {
    std::vector<CellKind> kinds;
    Texts texts;  // of Text and Binary cells
    std::vector<int64_t> numbers;
    std::optional<Error> error;
};

inline MessageView message_of(Bytes value, Bytes key = {}) {
    MessageView message;
    message.topic = "orders";
    message.partition = {3};
    message.offset = {42};
    message.key = key;
    message.value = value;
    return message;
}

inline Decoded decode(const RecordDecoder& decoder, const MessageView& message) {
    Arena arena;
    // Garbage, so that a cell that is not filled shows.
    std::vector<Cell> row(decoder.column_count(), Cell::text("never filled"));
    Decoded decoded;
    decoded.error = decoder.decode(message, arena, row);
    if (decoded.error) return decoded;
    for (const Cell& cell : row) {
        const bool has_text =
            cell.kind == CellKind::Text || cell.kind == CellKind::Binary || cell.kind == CellKind::Json;
        const bool has_number = cell.kind == CellKind::Int || cell.kind == CellKind::TimestampMs ||
                                cell.kind == CellKind::EpochUs;
        decoded.kinds.push_back(cell.kind);
        decoded.texts.push_back(has_text ? std::optional<std::string>(cell.view()) : std::nullopt);
        decoded.numbers.push_back(has_number ? cell.number : 0);
    }
    return decoded;
}

inline RecordDecoder decoder_of(RecordSpec spec, const HeaderReader* headers = nullptr,
                                SchemaFinder* schemas = nullptr) {
    Result<RecordDecoder> decoder = RecordDecoder::make(std::move(spec), headers, schemas);
    if (!decoder) throw std::runtime_error("refused: " + decoder.error().message);
    return std::move(decoder).value();
}

// The cells of a value, all of them Text or Null. The bytes are copied to a block of exactly their size, so
// that a sanitizer sees every read past the end.
inline Texts cells(RecordSpec spec, std::string_view value) {
    const std::vector<char> exact(value.begin(), value.end());
    const Decoded decoded =
        decode(decoder_of(std::move(spec)), message_of(Bytes::of({exact.data(), exact.size()})));
    if (decoded.error) throw std::runtime_error("not decoded: " + decoded.error->message);
    for (size_t i = 0; i < decoded.kinds.size(); ++i) {
        const bool text = decoded.kinds[i] == CellKind::Text || decoded.kinds[i] == CellKind::Null;
        if (!text) throw std::runtime_error("cell " + std::to_string(i) + " is no text");
    }
    return decoded.texts;
}

// The error of a value that must not decode.
inline Error error_of(RecordSpec spec, std::string_view value) {
    const Decoded decoded = decode(decoder_of(std::move(spec)), message_of(Bytes::of(value)));
    if (!decoded.error) throw std::runtime_error("decoded without error");
    return *decoded.error;
}

inline Error refusal_of(RecordSpec spec, const HeaderReader* headers = nullptr) {
    const Result<RecordDecoder> decoder = RecordDecoder::make(std::move(spec), headers);
    if (decoder) throw std::runtime_error("accepted");
    return decoder.error();
}

}  // namespace sluice
