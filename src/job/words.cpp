#include "job/words.hpp"

#include "format/envelope_decoder.hpp"

#include <algorithm>

namespace sluice {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string to_lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string choice(std::span<const std::string_view> words) {
    std::string result;
    for (size_t i = 0; i < words.size(); ++i) {
        if (i > 0) result += i + 1 == words.size() ? " or " : ", ";
        result += words[i];
    }
    return result;
}

std::string nearest_hint(std::string_view word, std::span<const std::string_view> known) {
    const std::string near = nearest(word, known);
    return near.empty() ? std::string() : "Perhaps you meant \"" + near + "\".";
}

Error unknown_word(std::string_view subject, std::string_view text,
                   std::span<const std::string_view> allowed) {
    return Error::config(
        "22023", std::string(subject) + " must be " + choice(allowed) + ", not \"" + clipped(text) + "\"", {},
        nearest_hint(text, allowed));
}

std::string clipped(std::string_view text) {
    constexpr size_t kMost = 80;
    if (text.size() <= kMost) return std::string(text);
    size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "...";
}

Result<Mode> mode_for(std::string_view subject, std::string_view text) {
    auto mode = value_for(kModes, subject, text);
    // By its letters it is nearer to insert.
    if (!mode && same_word(text, "upsert")) mode.error().hint = "Perhaps you meant \"merge\".";
    return mode;
}

std::string format_hint() {
    std::string list;
    for (const auto& word : kFormats) list += (list.empty() ? "" : ", ") + std::string(word.text);
    return "Formats that work: " + list + ".";
}

Result<MetadataWord> metadata_for(std::string_view subject, std::string_view text) {
    auto metadata = value_for(kMetadata, subject, text);
    if (metadata) return MetadataWord{metadata.value(), {}};
    if (is_change_path(text)) return MetadataWord{Metadata::Change, std::string(text)};
    metadata.error().detail =
        "Formats of changes also have op, ts_ms, source and more, with a path such as source.lsn.";
    return metadata.error();
}

std::string_view metadata_word(Metadata metadata, const std::string& field) {
    return metadata == Metadata::Change ? std::string_view(field) : word_for(kMetadata, metadata);
}

}  // namespace sluice
