#include "flow/error_kind.hpp"

#include <algorithm>
#include <array>

namespace sluice {

namespace {

struct Rule {
    std::string_view prefix;  // a whole SQLSTATE, or its class
    ErrorKind kind;
};

// Whatever is not here is the message's fault once the message fails alone: with a whole record kept, a wrong
// guess costs a replay, whereas a wrong guess in the other direction stops the job or retries for ever.
constexpr std::array kRules = {
    // The same batch may succeed later, unchanged.
    Rule{"08", ErrorKind::Transient},     // connection: broker, or a server behind a foreign table
    Rule{"40001", ErrorKind::Transient},  // serialization failure
    Rule{"40P01", ErrorKind::Transient},  // deadlock
    Rule{"53", ErrorKind::Transient},     // disk, memory or connections used up
    Rule{"55P03", ErrorKind::Transient},  // lock_timeout
    Rule{"57", ErrorKind::Transient},     // cancelled, time-out, shutdown, recovery

    // What the definition names is gone: no message can be applied until a person acts.
    Rule{"3D000", ErrorKind::Config},  // database
    Rule{"3F000", ErrorKind::Config},  // schema
    Rule{"42P01", ErrorKind::Config},  // table
    Rule{"42703", ErrorKind::Config},  // column
    Rule{"42704", ErrorKind::Config},  // type, index, operator, collation, …
    Rule{"42883", ErrorKind::Config},  // function or operator

    // The statement of the job is no longer valid SQL for its objects, whatever the message says.
    Rule{"42601", ErrorKind::Config},  // syntax
    Rule{"42702", ErrorKind::Config},  // a column was added that makes a name ambiguous
    Rule{"42725", ErrorKind::Config},  // likewise a function
    Rule{"42803", ErrorKind::Config},  // aggregate where none may be
    Rule{"42804", ErrorKind::Config},  // a column's type no longer fits its expression
    Rule{"42809", ErrorKind::Config},  // the target has become something that cannot be written
    Rule{"42846", ErrorKind::Config},  // the cast is gone
    Rule{"428C9", ErrorKind::Config},  // the column has become generated
    Rule{"42P02", ErrorKind::Config},  // parameter that does not exist
    Rule{"42P10", ErrorKind::Config},  // the unique index for ON CONFLICT is gone
    Rule{"42P17", ErrorKind::Config},  // policy or partition definition that cannot work
    Rule{"42P18", ErrorKind::Config},  // type of an expression cannot be determined
    Rule{"42P20", ErrorKind::Config},  // window function where none may be
    Rule{"42P21", ErrorKind::Config},  // collations collide
    Rule{"42P22", ErrorKind::Config},  // collation cannot be determined

    // The role may not do it, or not any more.
    Rule{"0P000", ErrorKind::Config},  // role is gone
    Rule{"28", ErrorKind::Config},     // log-in refused, by a broker too
    Rule{"42501", ErrorKind::Config},  // no privilege

    // The server or the target is in a state that refuses every write.
    Rule{"2200H", ErrorKind::Config},  // sequence used up: every further insert would be rejected
    Rule{"25006", ErrorKind::Config},  // read-only
    Rule{"55000", ErrorKind::Config},  // not in the needed state: no replica identity, no usable arbiter, …

    // The machine, not the message: rejecting message after message would hide it.
    Rule{"58", ErrorKind::Config},     // file or device error
    Rule{"F0", ErrorKind::Config},     // configuration file
    Rule{"XX001", ErrorKind::Config},  // table corrupted
    Rule{"XX002", ErrorKind::Config},  // index corrupted
};

// A full disk and a server that is away last for hours, and every message meets them. Deadlocks, time-outs
// and used up memory may come from what a message sets off.
constexpr std::array<std::string_view, 4> kNeverTheMessage = {
    "08",     // connection
    "53100",  // disk full
    "53300",  // too many connections
    "57P",    // shutdown, recovery
};

}  // namespace

ErrorKind kind_of_sqlstate(std::string_view sqlstate, std::string_view raised_in) {
    if (sqlstate == "42501" && raised_in == "ExecWithCheckOptions") return ErrorKind::Data;
    const auto* rule = std::find_if(kRules.begin(), kRules.end(),
                                    [&](const Rule& r) { return sqlstate.starts_with(r.prefix); });
    return rule == kRules.end() ? ErrorKind::Data : rule->kind;
}

bool is_never_the_message(std::string_view sqlstate) {
    return std::any_of(kNeverTheMessage.begin(), kNeverTheMessage.end(),
                       [&](std::string_view prefix) { return sqlstate.starts_with(prefix); });
}

}  // namespace sluice
