// Fills the columns that show a message's metadata: position, time, key and value bytes, headers, JSON.
// Must not know formats.
// Cells point into the message or the caller's arena.
#pragma once

#include "base/arena.hpp"
#include "base/ports.hpp"
#include "base/result.hpp"
#include "format/text_check.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sluice {

class MetadataDecoder {
  public:
    // `headers` may be null when no wanted column shows headers.
    static Result<MetadataDecoder> make(const RecordSpec& spec, const HeaderReader* headers);

    // Fills the cells of metadata columns and leaves others alone. Never fails: what is not known is Null.
    void decode(const MessageView& message, Arena& arena, Row row) const;

  private:
    struct Column {
        size_t cell;
        Metadata metadata;
        bool wanted;
        std::string header;
    };

    MetadataDecoder(TextCheck check, const HeaderReader* headers)
        : check_(check), headers_(headers), found_(std::make_shared<std::vector<Header>>()) {}

    Cell cell_of(const Column& column, const MessageView& message, Arena& arena) const;
    Cell header_cell(const std::string& name) const;
    void append_headers(std::string& json, const MessageView& message) const;
    void append_record(std::string& json, const MessageView& message) const;
    void append_member(std::string& json, std::string_view name, std::string_view base64_name,
                       Bytes value) const;

    std::vector<Column> columns_;
    TextCheck check_;
    const HeaderReader* headers_;
    bool reads_headers_ = false;  // for columns with one header
    // Of the message at hand; kept for its memory. Copies share it, and belong to one thread.
    std::shared_ptr<std::vector<Header>> found_;
};

}  // namespace sluice
