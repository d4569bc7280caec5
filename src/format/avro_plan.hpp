// How the bytes of one schema become the cells of a row: steps over them in their order, with what no column
// needs skipped. Must not know framing, nor who found the schema. Owns what it needs of schemas and columns;
// immutable once made.
#pragma once

#include "base/result.hpp"
#include "format/avro_shape.hpp"
#include "format/json_plan.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

// What a value becomes in a column.
enum class AvroInto : uint8_t {
    Integer,
    Boolean,
    Real,
    Text,
    Binary,
    Epoch,        // a time of the schema's unit
    Written,      // text by what the value means
    Symbol,       // of an enum
    Json,         // as text
    Nested,       // JSON that becomes an array or a composite
    Variable,     // a record of scale and value
    NumberTime,   // a plain number that counts in the column's unit
    NumberClock,  // likewise, from midnight
    NoTime,       // a plain number where there must be a time
    Place,        // where it stands and of which shape it is, for a second look
};

struct AvroTake {
    uint32_t column = 0;  // of the columns' plan
    uint32_t cell = 0;
    AvroInto into = AvroInto::Text;
    bool whole = false;  // the column takes digits only
    TimestampUnit unit = TimestampUnit::Milliseconds;
};

struct AvroStep {
    enum Code : uint8_t {
        End,
        Jump,       // to `target`
        SkipFixed,  // `target` bytes
        SkipVarint,
        SkipBytes,
        Skip,        // a value of `shape`
        Take,        // a value of `shape` for the takes from `first` to `last`
        Look,        // the same, and stays before it
        Null,        // for the same
        Union,       // goes on at the branch's target, one of those from `first`
        Items,       // an array of `shape`; some of its items have steps: `first` to `last` of the inner ones
        Members,     // a map of `shape`, likewise
        Initial,     // a value that is not written: the default of part `target` of record `shape`; its steps
                     // are inner number `first`
        Unreadable,  // a value of `shape`, for somebody who needs it
        WrongShape,  // the value has no fields
    };
    Code code = End;
    uint32_t shape = 0;
    uint32_t first = 0, last = 0;
    uint32_t target = 0;
    uint32_t place = 0;  // where the value stands, among the plan's places
};

struct AvroInner {
    uint32_t key = 0;   // the index of an item, or the node of a map's member
    uint32_t step = 0;  // the first of its own
};

// Takes the value where it stands: who reads it needs a second look. Columns with these cells take places.
constexpr size_t kNoPlaces = 0;

class AvroPlan {
  public:
    static constexpr size_t kMostSteps = 100'000;

    // The value is of `shape`. The first `places` cells of the columns take places. An error is one of
    // configuration.
    static Result<std::shared_ptr<const AvroPlan>> make(SharedAvroReading reading, uint32_t shape,
                                                        std::shared_ptr<const JsonPlan> columns,
                                                        const JsonOptions& options,
                                                        size_t places = kNoPlaces);

    const AvroReading& reading() const { return *reading_; }
    const JsonPlan& columns() const { return *columns_; }
    const AvroStep& step(uint32_t index) const { return steps_[index]; }
    const AvroTake& take(uint32_t index) const { return takes_[index]; }
    uint32_t target(uint32_t index) const { return targets_[index]; }
    const AvroInner& inner(uint32_t index) const { return inner_[index]; }
    const std::string& place(uint32_t index) const { return places_[index]; }
    // The shapes of values whose places are taken.
    const std::vector<uint32_t>& placed() const { return placed_; }
    // Some column may find nothing.
    bool may_miss() const { return may_miss_; }

  private:
    friend class AvroPlanner;

    SharedAvroReading reading_;
    std::shared_ptr<const JsonPlan> columns_;
    std::vector<AvroStep> steps_;
    std::vector<AvroTake> takes_;
    std::vector<uint32_t> targets_;
    std::vector<AvroInner> inner_;
    std::vector<std::string> places_;
    std::vector<uint32_t> placed_;
    bool may_miss_ = false;
};

using SharedAvroPlan = std::shared_ptr<const AvroPlan>;

}  // namespace sluice
