// What the steps that resolve a job share: definition, result in the making, what expressions are like.
// Must not decide anything itself.
// Borrowed by the steps; lives in resolve_job.
#pragma once

#include "job/job_spec.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pg/expression.hpp"
#include "pg/resolved_job.hpp"
#include "pg/source_facts.hpp"
#include "pg/target_facts.hpp"

namespace sluice {

struct Resolving {
    const JobSpec& spec;
    Expressions expressions;
    Resolution& out;
    std::string owner_name;             // quoted
    std::optional<SourceFacts> source;  // unset when it was not found, which is a problem already
    std::optional<TargetFacts> target;

    // Of all expressions together.
    bool has_subselect = false;
    bool is_volatile_beyond_nextval = false;

    ResolvedJob& job() { return out.job; }

    void problem(std::string sqlstate, std::string message, std::string detail = {}, std::string hint = {});
    void notice(std::string message, std::string detail = {}, std::string hint = {});
    void warning(std::string message, std::string detail = {}, std::string hint = {});

    // Analyses an expression as the definition asks, notes what it uses and fills in its qualified text. The
    // type is the one that it must give. Nothing when it has a problem, which is added.
    std::optional<AnalysedExpression> analyse_expression(const std::string& subject, Expression& expression,
                                                         Oid type, int32 typmod);
};

// The hint for a column that does not exist: the one that was probably meant, else which there are.
std::string column_hint(std::string_view wrong, const std::vector<std::string>& columns);

std::vector<std::string> column_names(const SourceFacts& source);
std::vector<std::string> column_names(const TargetFacts& target);

// "id", "id and name", "id, name and note"
std::string enumerated(std::span<const std::string> words);

}  // namespace sluice
