// What the values of one column have in common, and the SQL type that holds all of them.
// Must not know where the values come from.
// Owns its example.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

class ValueSketch {
  public:
    void add_null() {}
    void add_boolean(std::string_view text) { add(kBoolean, text); }
    // A number as JSON writes it.
    void add_number(std::string_view text);
    // A text that has a type of its own: it may be a date, a time or a uuid, but digits stay text.
    void add_text(std::string_view text);
    // A text that stands for a value of any type, as in csv.
    void add_untyped(std::string_view text);
    // An array or object.
    void add_json(std::string_view text) { add(kJson, text); }

    // Values that were not null.
    size_t count() const { return count_; }
    // The first of them, shortened.
    const std::string& example() const { return example_; }
    // `text` when there was no value, or nothing in common.
    std::string_view type() const;

  private:
    enum Kind : uint16_t {
        kBoolean = 1,
        kInteger = 2,  // fits bigint
        kNumeric = 4,
        kDate = 8,
        kTimestamp = 16,
        kTimestampTz = 32,
        kUuid = 64,
        kText = 128,
        kJson = 256,
    };

    static Kind kind_of_number(std::string_view text);
    static Kind kind_of_text(std::string_view text);
    void add(Kind kind, std::string_view text);

    uint16_t kinds_ = 0;
    size_t count_ = 0;
    std::string example_;
};

}  // namespace sluice
