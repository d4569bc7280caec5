// A job as its worker has it, in an ordinary session: for trying it, and for replaying its rejects.
// Must not know where messages come from.
// Until the scope ends the session runs as the job's owner, with the job's settings.
#pragma once

#include "job/job_spec.hpp"

#include <memory>
#include <optional>

#include "pg/bookkeeping.hpp"
#include "pg/sink.hpp"
#include "pg/source_reader.hpp"
#include "pg/wait.hpp"

namespace sluice {

// What a stored row does to an event that is as old by all order columns.
enum class Ties { EventWins, RowStays };

class SessionJob {
  public:
    // The expressions of `spec` must be qualified. `headers` are those of the messages to come.
    SessionJob(const JobSpec& spec, Oid owner, const HeaderReader& headers, Ties ties = Ties::EventWins);

    const ResolvedJob& resolved() const { return resolved_; }
    const SourceSpec& source() const { return source_->spec(); }
    BatchReader& reader() { return source_->reader(); }
    Sink& sink() { return *sink_; }

    // Finds out which schemas the message was written by. A Failure when the registry cannot tell now.
    void learn_schemas(const MessageView& message);

    // Writes the rows of one message, or none of them when there is an error. What became of them is in
    // `reader().outcomes_of(0, 1)`.
    std::optional<Error> write(const MessageView& message);

  private:
    // The settings under which a worker would run the job's expressions.
    class Settings {
      public:
        explicit Settings(const JobSpec& spec);

      private:
        PinnedPath path_;  // opens the nest level that the settings belong to, and closes it
    };

    RunAs owner_;
    Settings settings_;
    ResolvedJob resolved_;
    std::optional<SourceReader> source_;
    SessionWaiter waiter_;
    std::unique_ptr<Sink> sink_;
};

}  // namespace sluice
