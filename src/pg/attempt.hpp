// Runs what PostgreSQL may object to, such as the analysis of a text, in a subtransaction that survives it.
// Must not be used for what changes data in normal operation: the price is a subtransaction.
// The refusal owns its text.
#pragma once

#include "base/result.hpp"

#include <optional>

#include "pg/airlock.hpp"
#include "pg/spi.hpp"

namespace sluice {

struct Refusal {
    Error error;
    int character = 0;  // in the text that was analysed, from 1; 0: PostgreSQL did not say
};

// Nothing when `body` went through. Cancel requests and shortages are no objections: they go on as Failure,
// because the PgError's record goes with the subtransaction.
template <class Body>
std::optional<Refusal> attempt(Body&& body) {
    spi::Subtransaction subtransaction;
    try {
        body();
        subtransaction.release();
        return std::nullopt;
    } catch (const PgError& e) {
        Refusal refusal{to_error(e.record, Stage::Map), e.record->cursorpos};
        subtransaction.rollback();
        if (refusal.error.kind == ErrorKind::Transient) fail(std::move(refusal.error));
        refusal.error.kind = ErrorKind::Config;
        return refusal;
    }
}

}  // namespace sluice
