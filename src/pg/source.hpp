// A foreign table as the source that it defines: gathers the options of server, user mapping, table and
// columns. Must not know what options mean (floor 2 and kafka/properties check them) nor touch a broker.
// Everything is returned by value; needs a transaction.
#pragma once

#include "job/source_options.hpp"
#include "job/source_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

bool is_sluice_server(Oid server);
bool is_sluice_table(Oid relation);

// The source of a foreign table as `user` reads it: with the user mapping of that role, else of PUBLIC, else
// none. A definition that cannot work is thrown as Failure. The caller may set `wanted` of the columns before
// it builds a decoder. Columns stand as in `source_attributes`.
SourceSpec load_source(Oid relation, Oid user);

// The cluster of a server with one topic, for questions about the topic.
SourceSpec load_topic(Oid server, const std::string& topic, Oid user);
// The same with the options of a foreign table that need not exist, topic included.
SourceSpec load_topic(Oid server, const OptionList& table, Oid user);

// Attribute numbers of the columns of load_source(…).record: all but dropped ones.
std::vector<AttrNumber> source_attributes(TupleDesc tupdesc);

// Options as the catalog keeps them.
OptionList option_list(Datum options);

// Dotted name of a Kafka property that may be written in that place; for build_source and check_options.
Result<std::string> kafka_property(std::string_view name, Scope scope);

// Checks what a person has written for one object, values of Kafka properties included, as the current user.
Result<void> check_written_options(Scope scope, const OptionList& options);

}  // namespace sluice
