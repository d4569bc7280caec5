// The arguments of SQL functions as C++ values, NULL included.
// Must not know what they mean.
// Returns copies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice {

class Arguments {
  public:
    explicit Arguments(FunctionCallInfo info) : info_(info) {}

    bool is_null(int at) const { return info_->args[at].isnull; }
    std::optional<std::string> text(int at) const;
    std::optional<std::string> name(int at) const;
    std::optional<std::string> bytea(int at) const { return text(at); }
    std::optional<std::string> jsonb(int at) const;
    // NULL elements are refused with the argument's name.
    std::optional<std::vector<std::string>> text_array(int at, const char* argument) const;
    std::optional<int32_t> integer(int at) const;
    std::optional<int64_t> bigint(int at) const;
    std::optional<bool> boolean(int at) const;
    // Milliseconds; months count 30 days.
    std::optional<int64_t> interval_ms(int at) const;
    // Like text(), but NULL is an error that names the argument.
    std::string required_text(int at, const char* argument) const;

  private:
    FunctionCallInfo info_;
};

}  // namespace sluice
