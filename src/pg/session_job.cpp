#include "pg/session_job.hpp"

namespace sluice {

SessionJob::Settings::Settings(const JobSpec& spec) {
    for (const auto& [name, value] : spec.settings)
        call([&] {
            set_config_option(name.c_str(), value.c_str(), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
                              0, false);
        });
}

SessionJob::SessionJob(const JobSpec& spec, Oid owner, const HeaderReader& headers, Ties ties)
    : owner_(owner), settings_(spec) {
    Resolution resolution = resolve_job(spec, owner, Expressions::Qualified);
    if (!resolution.problems.empty()) fail(combine(resolution.problems));
    resolved_ = std::move(resolution.job);
    resolved_.ties_are_stale = ties == Ties::RowStays;
    source_.emplace(resolved_, headers);
    sink_ = make_sink(resolved_);
}

void SessionJob::learn_schemas(const MessageView& message) {
    if (RegistrySchemas* schemas = source_->schemas())
        if (auto error = schemas->learn({&message, 1}, waiter_)) fail(std::move(*error));
}

std::optional<Error> SessionJob::write(const MessageView& message) {
    learn_schemas(message);
    std::optional<Error> error;
    spi::Subtransaction attempt;
    try {
        reader().bind({&message, 1});
        sink_->write(reader());
        if (!reader().rejects().empty()) error = reader().rejects().front().error;
    } catch (const PgError& e) {
        error = to_error(e.record, reader().stage());
    } catch (const Failure& e) {
        error = e.error;
    }
    if (error)
        attempt.rollback();
    else
        attempt.release();
    return error;
}

}  // namespace sluice
