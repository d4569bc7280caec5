#include "pg/conversion.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
}

namespace sluice {

namespace {

// Length functions take (value, length) or (value, length, explicit); the explicit form of the latter cuts.
bool cuts_when_explicit(Oid length_function) { return get_func_nargs(length_function) == 3; }

// With its typmod: a bare "character" would mean character(1).
const char* cast(const char* text, Oid type, int32 typmod) {
    return psprintf("(%s)::%s", text, format_type_with_typemod(type, typmod));
}

}  // namespace

Conversion convert_as_assignment(Node* expr, const char* text, Oid declared, int32 typmod) {
    const Oid base = getBaseTypeAndTypmod(declared, &typmod);
    const bool same_type = exprType(expr) == base;
    const char* unlimited = same_type ? text : cast(text, base, -1);
    if (typmod < 0 || (same_type && exprTypmod(expr) == typmod)) return {unlimited, false};

    Oid length_function = InvalidOid;
    const CoercionPathType path = find_typmod_coercion_function(base, &length_function);
    const bool cuts = OidIsValid(length_function) && cuts_when_explicit(length_function);
    if (!cuts) return {cast(text, base, typmod), false};
    if (path == COERCION_PATH_ARRAYCOERCE) return {unlimited, true};
    const char* name = quote_qualified_identifier(get_namespace_name(get_func_namespace(length_function)),
                                                  get_func_name(length_function));
    return {psprintf("%s(%s, %d, false)", name, unlimited, typmod), false};
}

}  // namespace sluice
