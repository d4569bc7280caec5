#include "base/nearest.hpp"
#include "job/words.hpp"

#include <algorithm>

#include "pg/bookkeeping.hpp"
#include "pg/resolving.hpp"

namespace sluice {

void Resolving::problem(std::string sqlstate, std::string message, std::string detail, std::string hint) {
    out.problems.push_back(
        Error::config(std::move(sqlstate), std::move(message), std::move(detail), std::move(hint)));
}

void Resolving::notice(std::string message, std::string detail, std::string hint) {
    out.notices.push_back({NOTICE, std::move(message), std::move(detail), std::move(hint)});
}

void Resolving::warning(std::string message, std::string detail, std::string hint) {
    out.notices.push_back({WARNING, std::move(message), std::move(detail), std::move(hint)});
}

std::optional<AnalysedExpression> Resolving::analyse_expression(const std::string& subject,
                                                                Expression& expression, Oid type,
                                                                int32 typmod) {
    ExpressionRequest request;
    request.subject = subject;
    request.source = source->relation;
    request.type = type;
    request.typmod = typmod;
    std::optional<PinnedPath> path;
    if (expressions == Expressions::Qualified && !expression.qualified.empty()) {
        path.emplace();
        request.text = expression.qualified;
    } else {
        request.text = expression.written;
    }
    auto analysed = analyse(request);
    if (!analysed) {
        out.problems.push_back(std::move(analysed.error()));
        return std::nullopt;
    }
    const AnalysedExpression& result = analysed.value();
    expression.qualified = result.qualified;
    has_subselect |= result.has_subselect;
    job().expressions_volatile |= result.is_volatile;
    is_volatile_beyond_nextval |= result.is_volatile && !result.only_nextval;
    std::vector<AttrNumber>& used = job().source_columns_used;
    used.insert(used.end(), result.columns.begin(), result.columns.end());
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    return std::move(analysed).value();
}

std::string column_hint(std::string_view wrong, const std::vector<std::string>& columns) {
    const std::vector<std::string_view> known(columns.begin(), columns.end());
    const std::string near = nearest(wrong, known);
    if (!near.empty()) return "Perhaps you meant \"" + near + "\".";
    constexpr size_t kMost = 30;
    std::string list;
    for (size_t i = 0; i < columns.size() && i < kMost; ++i) list += (i > 0 ? ", " : "") + columns[i];
    return "The columns are " + list + (columns.size() > kMost ? ", and more." : ".");
}

std::vector<std::string> column_names(const SourceFacts& source) {
    std::vector<std::string> names;
    for (const SourceAttribute& column : source.columns) names.push_back(column.name);
    return names;
}

std::vector<std::string> column_names(const TargetFacts& target) {
    std::vector<std::string> names;
    for (const TargetColumn& column : target.columns) names.push_back(column.name);
    return names;
}

std::string enumerated(std::span<const std::string> words) {
    std::string text;
    for (size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
        text += words[i];
    }
    return text;
}

}  // namespace sluice
