// What the tests of src/job share: a small list of Kafka properties, and documents.
// Must not use the real list: it belongs to another floor.
// Returns copies.
#pragma once

#include "job/source_options.hpp"
#include "job/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace sluice {

inline Result<std::string> few_properties(std::string_view written, Scope scope) {
    static const std::set<std::string> server = {"security.protocol", "sasl.mechanisms", "isolation.level",
                                                 "client.id"};
    static const std::set<std::string> secret = {"sasl.username", "sasl.password"};
    std::string name = to_lower(written);
    std::replace(name.begin(), name.end(), '_', '.');
    if (scope == Scope::Server && server.count(name)) return name;
    if (scope == Scope::UserMapping && secret.count(name)) return name;
    if (server.count(name) || secret.count(name))
        return Error::config("HV00D", "Kafka property \"" + std::string(written) + "\" does not belong here");
    return Error::config("HV00D", "unknown Kafka property \"" + std::string(written) + "\"");
}

// All that a person is told, so that a test compares all of it.
inline std::string told(const Error& error) {
    std::string text = error.sqlstate + " " + error.message;
    if (!error.detail.empty()) text += "\nDETAIL: " + error.detail;
    if (!error.hint.empty()) text += "\nHINT: " + error.hint;
    return text;
}

inline std::string repository_file(const std::string& path) {
    std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/" + path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace sluice
