// What went wrong, as a value: Error says what, why and how to fix it; Result<T> is a T or an Error.
// Must not know who reports it: PostgreSQL's ereport and the rejects table are on higher floors.
// Errors own their text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sluice {

// Decides what the job does next. The rule for SQLSTATEs is `kind_of_sqlstate`.
enum class ErrorKind {
    Transient,  // try the same batch again later
    Data,       // this message can never be applied: isolate it, keep it as a reject
    Config,     // the job cannot go on without a person
    Bug,        // ours; treated as Config, with a request to report it
};

// Where in the life of a message it happened; the `stage` column of sluice.errors.
enum class Stage { Fetch, Decode, Map, Write, Commit };

constexpr std::string_view stage_name(Stage stage) {
    switch (stage) {
        case Stage::Fetch:
            return "fetch";
        case Stage::Decode:
            return "decode";
        case Stage::Map:
            return "map";
        case Stage::Write:
            return "write";
        case Stage::Commit:
            return "commit";
    }
    return "unknown";
}

// The whole record that PostgreSQL would show; empty strings are fields that are not set.
struct Error {
    ErrorKind kind = ErrorKind::Bug;
    Stage stage = Stage::Decode;
    std::string sqlstate = "XX000";
    std::string message;
    std::string detail;
    std::string hint;
    std::string context;
    std::string schema_name;
    std::string table_name;
    std::string column_name;
    std::string constraint_name;
    std::string data_type;

    static Error data(std::string sqlstate, std::string message, std::string detail = {},
                      std::string hint = {}) {
        return make(ErrorKind::Data, std::move(sqlstate), std::move(message), std::move(detail),
                    std::move(hint));
    }
    static Error config(std::string sqlstate, std::string message, std::string detail = {},
                        std::string hint = {}) {
        return make(ErrorKind::Config, std::move(sqlstate), std::move(message), std::move(detail),
                    std::move(hint));
    }
    static Error transient(std::string sqlstate, std::string message, std::string detail = {},
                           std::string hint = {}) {
        return make(ErrorKind::Transient, std::move(sqlstate), std::move(message), std::move(detail),
                    std::move(hint));
    }

  private:
    static Error make(ErrorKind kind, std::string sqlstate, std::string message, std::string detail,
                      std::string hint) {
        Error e;
        e.kind = kind;
        e.sqlstate = std::move(sqlstate);
        e.message = std::move(message);
        e.detail = std::move(detail);
        e.hint = std::move(hint);
        return e;
    }
};

// A T or an Error. Test with `if (!result)`; `value()` of an error is undefined.
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T& value() & { return *std::get_if<0>(&state_); }
    const T& value() const& { return *std::get_if<0>(&state_); }
    T&& value() && { return std::move(*std::get_if<0>(&state_)); }
    Error& error() { return *std::get_if<1>(&state_); }
    const Error& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, Error> state_;
};

// The Result of something that has no value: empty when all went well.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_.has_value(); }
    Error& error() { return *error_; }
    const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

}  // namespace sluice
