#include "pg/sink.hpp"

#include "pg/writer_direct.hpp"
#include "pg/writer_statement.hpp"

namespace sluice {

std::unique_ptr<Sink> make_sink(const ResolvedJob& job) {
    if (job.gear == Gear::Direct) return std::make_unique<DirectWriter>(job);
    return std::make_unique<StatementWriter>(job);
}

}  // namespace sluice
