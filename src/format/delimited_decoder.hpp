// Decodes one csv or delimited text into the cells of its columns, with COPY's meaning.
// Must not know whether the text is a value or a key beyond naming it in errors.
// Cells point into the text or the caller's arena.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "format/delimited_rules.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct RawField;

// A column of the text, in its order there.
struct DelimitedColumn {
    std::string name{};
    size_t cell = 0;  // its place in the row
    bool wanted = true;
    bool force_null = false;
    bool force_not_null = false;
};

class DelimitedDecoder {
  public:
    // At least one column is wanted.
    DelimitedDecoder(Format format, DelimitedRules rules, std::vector<DelimitedColumn> columns, Origin part,
                     TextCheck check);

    // Fills the cells of all columns, unwanted ones with Null.
    std::optional<Error> decode(std::string_view text, Arena& arena, Row row) const;

  private:
    template <class Cut>
    std::optional<Error> decode_with(std::string_view text, Arena& arena, Row row) const;
    template <class Cut>
    std::optional<Error> decode_field(const RawField& raw, const DelimitedColumn& column, Arena& arena,
                                      Cell& cell) const;
    std::string_view without_line_end(std::string_view text) const;
    Error unterminated(size_t found) const;
    Error wrong_count(size_t found) const;

    DelimitedRules rules_;
    std::vector<DelimitedColumn> columns_;
    size_t decoded_ = 0;  // columns up to the last wanted one; those after it are only counted
    Origin part_;
    TextCheck check_;
    std::string_view format_name_;
};

}  // namespace sluice
