// Columns for a foreign table that nobody has written yet, from messages of its topic.
// Must not know who asks.
// Everything is returned by value.
#pragma once

#include "format/infer.hpp"
#include "job/source_options.hpp"

#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

constexpr int kDefaultSample = 100;
constexpr int kLargestSample = 10'000;

// The server's OID, when it is one of ours and the current user may use it.
Oid usable_server(const char* name);

// The columns of value and key, by a sample of the newest messages. `table` are the options of the foreign
// table, topic included. Empty when there is no message to look at. NOTICE when some cannot be decoded;
// Failure when none can, and when the brokers do not answer.
std::vector<InferredColumn> propose_columns(Oid server, const OptionList& table, int sample);

// What OPTIONS (…) of the column must say, without the word; empty when there is nothing to say.
std::string column_options(const RecordSpec& record, const InferredColumn& column);

}  // namespace sluice
