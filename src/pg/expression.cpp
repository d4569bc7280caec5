#include "job/words.hpp"

#include <optional>

#include "pg/attempt.hpp"
#include "pg/bookkeeping.hpp"
#include "pg/conversion.hpp"
#include "pg/expression.hpp"
#include "pg/query_relations.hpp"
#include "pg/source.hpp"
#include "pg/system_catalog.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rewrite/rewriteManip.h"
#include "utils/acl.h"
#include "utils/ruleutils.h"
}

namespace sluice {

namespace {

constexpr const char* kAlias = "s";

// What PostgreSQL has nothing against, but a job has.
enum class Objection {
    None,
    Empty,
    Several,
    NotAnExpression,
    Star,
    Aggregate,
    WindowFunction,
    SetReturning,
    WrongType,
    SystemColumn,
};

// The analysis in PostgreSQL's own terms; palloc'd in the caller's context.
struct Analysed {
    Objection objection = Objection::None;
    Node* expr = nullptr;  // after unknown literals got their type, before assignment
    Oid type = InvalidOid;
    bool has_subselect = false;
};

// The single expression in what the parser made of the text.
Objection single_expression(List* raw, Node** node) {
    if (list_length(raw) != 1) return Objection::NotAnExpression;
    Node* statement = linitial_node(RawStmt, raw)->stmt;
    if (!IsA(statement, SelectStmt)) return Objection::NotAnExpression;
    auto* select = castNode(SelectStmt, statement);
    if (select->distinctClause || select->fromClause || select->whereClause || select->groupClause ||
        select->havingClause || select->windowClause || select->sortClause || select->limitOffset ||
        select->limitCount || select->lockingClause || select->op != SETOP_NONE)
        return Objection::NotAnExpression;
    if (select->targetList == NIL) return Objection::Empty;
    if (list_length(select->targetList) != 1) return Objection::Several;
    auto* target = linitial_node(ResTarget, select->targetList);
    if (target->name != nullptr || target->indirection != NIL) return Objection::NotAnExpression;
    if (IsA(target->val, ColumnRef) && IsA(llast(castNode(ColumnRef, target->val)->fields), A_Star))
        return Objection::Star;
    *node = target->val;
    return Objection::None;
}

// A namespace with the source's columns only. The source is in it twice, by its own name and as s, because a
// reference to the whole row must be one to the table under either name; `one_source` makes them one again.
ParseState* parse_state_for(const char* text, Relation source) {
    ParseState* state = make_parsestate(nullptr);
    state->p_sourcetext = text;
    ParseNamespaceItem* own =
        addRangeTableEntryForRelation(state, source, AccessShareLock, nullptr, false, true);
    addNSItemToQuery(state, own, false, true, true);
    if (strcmp(RelationGetRelationName(source), kAlias) != 0) {
        ParseNamespaceItem* alias = addRangeTableEntryForRelation(state, source, AccessShareLock,
                                                                  makeAlias(kAlias, NIL), false, true);
        addNSItemToQuery(state, alias, false, true, false);
    }
    return state;
}

void one_source(Node* expr) { ChangeVarNodes(expr, 2, 1, 0); }

Analysed analyse_raw(const char* text, Relation source, Oid type, int32 typmod) {
    Analysed result;
    Node* raw = nullptr;
    result.objection = single_expression(raw_parser(text, RAW_PARSE_PLPGSQL_EXPR), &raw);
    if (result.objection != Objection::None) return result;

    ParseState* state = parse_state_for(text, source);
    Node* expr = transformExpr(state, raw, EXPR_KIND_SELECT_TARGET);
    if (state->p_hasAggs) result.objection = Objection::Aggregate;
    if (state->p_hasWindowFuncs) result.objection = Objection::WindowFunction;
    if (state->p_hasTargetSRFs) result.objection = Objection::SetReturning;
    if (result.objection != Objection::None) return result;

    result.type = exprType(expr);
    if (result.type == UNKNOWNOID) {
        // A bare literal takes the type that is asked for, as in INSERT.
        Oid base = getBaseType(type);
        expr = coerce_to_target_type(state, expr, UNKNOWNOID, base, -1, COERCION_ASSIGNMENT,
                                     COERCE_IMPLICIT_CAST, -1);
        result.type = base;
    }
    one_source(expr);
    assign_expr_collations(state, expr);
    Node* assigned = coerce_to_target_type(state, static_cast<Node*>(copyObjectImpl(expr)), result.type, type,
                                           typmod, COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
    if (assigned == nullptr) {
        result.objection = Objection::WrongType;
        return result;
    }
    result.expr = expr;
    result.has_subselect = state->p_hasSubLinks;
    return result;
}

// What leaves PostgreSQL's side: plain data in the caller's memory context.
struct Findings {
    Analysed analysed;
    const char* detail = nullptr;  // the type or column that is objected to
    const char* qualified = nullptr;
    Conversion conversion = {nullptr, false};
    bool is_volatile = false;
    bool only_nextval = false;
    Bitmapset* columns = nullptr;
    QueryRelations relations = {NIL, NIL};
};

// Adds the columns that the expression uses; a reference to the whole row uses them all.
void collect_columns(Findings& findings, Relation source) {
    ListCell* cell;
    foreach (cell, pull_vars_of_level(findings.analysed.expr, 0)) {
        const AttrNumber attnum = lfirst_node(Var, cell)->varattno;
        if (attnum > 0) findings.columns = bms_add_member(findings.columns, attnum);
        if (attnum < 0) {
            findings.analysed.objection = Objection::SystemColumn;
            findings.detail = get_attname(RelationGetRelid(source), attnum, false);
        }
        if (attnum != 0) continue;
        TupleDesc desc = RelationGetDescr(source);
        for (int i = 0; i < desc->natts; ++i)
            if (!TupleDescAttr(desc, i)->attisdropped)
                findings.columns = bms_add_member(findings.columns, i + 1);
    }
}

Findings find(const char* text, Oid source, Oid type, int32 typmod) {
    Findings findings;
    Relation rel = table_open(source, AccessShareLock);
    findings.analysed = analyse_raw(text, rel, type, typmod);
    if (findings.analysed.objection == Objection::WrongType)
        findings.detail = format_type_be(findings.analysed.type);
    if (findings.analysed.objection == Objection::None) {
        Node* expr = findings.analysed.expr;
        collect_columns(findings, rel);
        findings.is_volatile = contain_volatile_functions(expr);
        findings.only_nextval = findings.is_volatile && !contain_volatile_functions_not_nextval(expr);
        findings.relations = relations_of(expr);
    }
    table_close(rel, NoLock);
    return findings;
}

void deparse(Findings& findings, Oid source, Oid type, int32 typmod) {
    Node* expr = findings.analysed.expr;
    findings.qualified = deparse_expression(expr, deparse_context_for(kAlias, source), true, false);
    // A bare s.* would be expanded to all columns where it stands alone in a select list.
    if (IsA(expr, Var) && castNode(Var, expr)->varattno == 0)
        findings.qualified = psprintf("(%s)::%s", findings.qualified, format_type_be(exprType(expr)));
    findings.conversion = convert_as_assignment(expr, findings.qualified, type, typmod);
}

std::string format_type(Oid type, int32 typmod) {
    return call([&] { return format_type_with_typemod(type, typmod); });
}

// Where in which text.
std::string place(const std::string& text, int character) {
    constexpr size_t kWhole = 1000;
    std::string result = "In " + (text.size() <= kWhole ? text : clipped(text));
    if (character > 0) result += ", at character " + std::to_string(character);
    return result + ".";
}

Error objection_error(const ExpressionRequest& request, Objection objection, const std::string& detail) {
    auto error = [&](const char* state, const std::string& message, const std::string& hint = {}) {
        return Error::config(state, request.subject + ": " + message, place(request.text, 0), hint);
    };
    switch (objection) {
        case Objection::Empty:
            return Error::config("42601", request.subject + ": the expression is empty");
        case Objection::Several:
            return error("42601", "this is more than one expression");
        case Objection::NotAnExpression:
            return error("42601", "this is not a single expression",
                         "Put a query into parentheses to use it as an expression.");
        case Objection::Star:
            return error("42601", "* is not an expression", "Name one column.");
        case Objection::Aggregate:
            return error("42803", "an aggregate function has no meaning here",
                         "An expression sees one message at a time.");
        case Objection::WindowFunction:
            return error("42P20", "a window function has no meaning here",
                         "An expression sees one message at a time.");
        case Objection::SetReturning:
            return error("0A000", "a set-returning function has no meaning here",
                         "A message gives one row. Take one element, or an array of all.");
        case Objection::SystemColumn:
            return error("42703", "system column \"" + detail + "\" of the source has no meaning",
                         "What Kafka says of a message is in columns with the option metadata.");
        case Objection::WrongType:
        case Objection::None:
            break;
    }
    return error("42804",
                 "the expression is of type " + detail + ", where " +
                     format_type(request.type, request.typmod) + " is needed",
                 "Cast it to that type.");
}

std::string column_list(Oid source) {
    return call([&] {
        StringInfoData names;
        initStringInfo(&names);
        Relation rel = table_open(source, AccessShareLock);
        TupleDesc desc = RelationGetDescr(rel);
        for (int i = 0; i < desc->natts; ++i) {
            const FormData_pg_attribute* column = TupleDescAttr(desc, i);
            if (column->attisdropped) continue;
            appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
                             ::quote_identifier(NameStr(column->attname)));
        }
        table_close(rel, NoLock);
        return names.data;
    });
}

Error refusal_error(const ExpressionRequest& request, Refusal refusal) {
    Error error = std::move(refusal.error);
    error.message = request.subject + ": " + error.message;
    error.detail = place(request.text, refusal.character) + (error.detail.empty() ? "" : " " + error.detail);
    if (error.hint.empty() && (error.sqlstate == "42703" || error.sqlstate == "42P01"))
        error.hint = "An expression sees the columns of the source (" + column_list(request.source) +
                     "), and other tables only in a sub-select.";
    return error;
}

// What a sub-select may not read.
std::optional<Error> check_relations(const ExpressionRequest& request, const QueryRelations& relations) {
    auto error = [&](const char* state, const std::string& message, const std::string& hint) {
        return Error::config(state, request.subject + ": " + message, place(request.text, 0), hint);
    };
    for (int i = 0; i < list_length(relations.reachable); ++i) {
        const Oid relation = list_nth_oid(relations.reachable, i);
        if (is_sluice_table(relation))
            return error(
                "0A000", "a sub-select cannot read " + qualified_name(relation) + ", which is a Kafka topic",
                "Every message would read that topic again. Let a job write it to a table, and read that.");
        if (call([&] { return get_rel_persistence(relation); }) == RELPERSISTENCE_TEMP)
            return error("0A000", "a sub-select cannot read the temporary table " + qualified_name(relation),
                         "A job runs in a session of its own, which does not have it.");
    }
    for (int i = 0; i < list_length(relations.named); ++i) {
        const Oid relation = list_nth_oid(relations.named, i);
        const bool may_read = call([&] {
            return pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
                   pg_attribute_aclcheck_all(relation, GetUserId(), ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
        });
        if (may_read) continue;
        const std::string role =
            call([] { return ::quote_identifier(GetUserNameFromId(GetUserId(), false)); });
        return error("42501", "the job's owner may not read " + qualified_name(relation),
                     "GRANT SELECT ON " + qualified_name(relation) + " TO " + role + ";");
    }
    return std::nullopt;
}

}  // namespace

Result<AnalysedExpression> analyse(const ExpressionRequest& request) {
    Findings findings;
    auto refusal = attempt([&] {
        findings = call([&] {
            // A caller's callback would take the position for one in the caller's own text.
            error_context_stack = nullptr;
            return find(request.text.c_str(), request.source, request.type, request.typmod);
        });
        if (findings.analysed.objection != Objection::None) return;
        PinnedPath path;  // the one under which the text will run
        call([&] { deparse(findings, request.source, request.type, request.typmod); });
    });
    if (refusal) return refusal_error(request, std::move(*refusal));
    if (findings.analysed.objection != Objection::None)
        return objection_error(request, findings.analysed.objection, findings.detail ? findings.detail : "");
    if (auto error = check_relations(request, findings.relations)) return std::move(*error);

    AnalysedExpression result;
    result.qualified = findings.qualified;
    result.value = findings.conversion.text;
    result.length_is_open = findings.conversion.length_is_open;
    for (int column = -1; (column = bms_next_member(findings.columns, column)) >= 0;)
        result.columns.push_back(static_cast<AttrNumber>(column));
    result.has_subselect = findings.analysed.has_subselect;
    result.is_volatile = findings.is_volatile;
    result.only_nextval = findings.only_nextval;
    return result;
}

}  // namespace sluice
