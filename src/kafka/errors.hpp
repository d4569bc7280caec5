// What a code of librdkafka or a broker means for a job: retry or stop, with which SQLSTATE, in which words.
// Must not know clients, topics or offsets: the caller says what was tried.
// Returned texts are constants.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace sluice {

struct CodeMeaning {
    ErrorKind kind;
    std::string_view sqlstate;
    std::string_view
        reason;  // ends a sentence that begins with what was tried; empty: use the library's words
    std::string_view hint;
};

// `code` is an rd_kafka_resp_err_t.
CodeMeaning meaning_of(int code);

// True for codes that only say that no broker answered, so that an earlier error tells more.
bool is_unreachable(int code);

}  // namespace sluice
