// Proposes the columns of a source from a sample of its messages.
// Must not know topics nor how columns are declared.
// Everything is returned by value.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "format/format_spec.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice {

struct InferredColumn {
    SourceColumn column;  // its name, and where it is found when that is not by name or order
    std::string type;     // as in SQL
    size_t seen = 0;      // rows of the sample that have a value
    std::string example;  // one of them, shortened
};

struct Inference {
    std::vector<InferredColumn> columns;
    size_t rows = 0;
    size_t undecodable = 0;      // payloads
    std::optional<Error> error;  // of the first of those
};

// For one part of the messages, which must have a format. Null payloads count for nothing. Columns of the key
// have names that do not clash with those of `others`.
Result<Inference> infer_columns(const RecordSpec& formats, Origin part, std::span<const Bytes> payloads,
                                const std::vector<InferredColumn>& others = {});

}  // namespace sluice
