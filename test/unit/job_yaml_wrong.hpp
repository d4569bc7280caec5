// Wrong documents with all that a person is told about them, for the tables of two tests.
// Must not know what is wrong in them.
// Plain values.
#pragma once

#include "job/yaml.hpp"
#include "job_helpers.hpp"

#include <ostream>
#include <string>

namespace sluice {

// The three parts of a good document of ten lines; each case spoils one or adds to the end.
inline const std::string kHead =
    "KAFKA:\n"
    "  INPUT:\n"
    "    SOURCE:\n"
    "      BROKERS: b:9092\n"
    "      TOPIC: t\n";
inline const std::string kValue =
    "    VALUE:\n"
    "      COLUMNS: [{NAME: id, TYPE: int}]\n"
    "      FORMAT: csv\n";
inline const std::string kOutput =
    "  OUTPUT:\n"
    "    TABLE: t\n";

struct WrongDocument {
    const char* name;
    std::string document;
    std::string told;
};

inline std::ostream& operator<<(std::ostream& out, const WrongDocument& wrong) { return out << wrong.name; }

inline std::string with(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    return at == std::string::npos ? "the part has no " + from : text.replace(at, from.size(), to);
}

inline void expect_told(const WrongDocument& wrong) {
    const auto read = parse_yaml_job(wrong.document, few_properties);
    ASSERT_FALSE(read) << wrong.document;
    EXPECT_EQ(read.error().kind, ErrorKind::Config);
    EXPECT_EQ(told(read.error()), wrong.told) << wrong.document;
}

inline std::string name_of(const testing::TestParamInfo<WrongDocument>& info) { return info.param.name; }

}  // namespace sluice
