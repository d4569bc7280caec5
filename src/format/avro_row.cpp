#include "format/avro_row.hpp"

#include "format/avro_json.hpp"
#include "format/json_row.hpp"
#include "format/json_value.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace sluice {

namespace {

// A schema may have long names and a message few bytes, so JSON may become far larger than the message.
size_t most_json(size_t message) {
    constexpr size_t kMost = size_t{256} << 20, kBase = size_t{1} << 20, kFactor = 256;
    return std::min(kMost, kBase + message * kFactor);
}

bool says_unavailable(std::string_view bytes) {
    return bytes.size() == kUnavailable.size() && bytes == kUnavailable;
}

constexpr int64_t kDayMicroseconds = int64_t{86400} * 1'000'000;

}  // namespace

std::optional<Error> AvroRow::read() {
    if (plan_.may_miss())
        for (const JsonColumn& column : plan_.columns().columns()) row_[column.cell] = Cell::absent();
    if (!run(0)) return error_ ? std::move(error_) : malformed();
    return std::nullopt;
}

std::optional<Error> AvroRow::end() {
    if (cursor_.left() == 0) return std::nullopt;
    const size_t left = cursor_.left();
    cursor_.fail(std::to_string(left) + (left == 1 ? " byte is" : " bytes are") + " left behind it");
    at_ = 0;
    return malformed();
}

bool AvroRow::run(uint32_t next) {
    for (;;) {
        const AvroStep& step = plan_.step(next);
        bool right = true;
        switch (step.code) {
            case AvroStep::End:
                return true;
            case AvroStep::Jump:
                next = step.target;
                continue;
            case AvroStep::SkipFixed: {
                std::string_view ignored;
                right = cursor_.take_fixed(step.target, ignored);
                break;
            }
            case AvroStep::SkipVarint:
                right = cursor_.skip_varint();
                break;
            case AvroStep::SkipBytes:
                right = cursor_.skip_bytes();
                break;
            case AvroStep::Skip:
                right = cursor_.skip(plan_.reading(), step.shape);
                break;
            case AvroStep::Take:
                right = take(step);
                break;
            case AvroStep::Look: {
                const size_t start = cursor_.offset();
                right = take(step);
                if (right) cursor_.go_to(start);
                break;
            }
            case AvroStep::Null:
                for (uint32_t i = step.first; i < step.last; ++i) row_[plan_.take(i).cell] = Cell::null();
                break;
            case AvroStep::Union: {
                uint32_t branch = 0;
                right = cursor_.take_index(step.last - step.first, branch);
                if (!right) break;
                next = plan_.target(step.first + branch);
                continue;
            }
            case AvroStep::Items:
                right = run_items(step);
                break;
            case AvroStep::Members:
                right = run_members(step);
                break;
            case AvroStep::Initial:
                right = run_initial(step);
                break;
            case AvroStep::Unreadable:
                right = cursor_.fail(plan_.reading().shape(step.shape).problem, AvroFault::Kind::Unreadable);
                break;
            case AvroStep::WrongShape:
                error_ =
                    Error::data("2203C", "avro " + std::string(part_name(of_.part)) + " is not a record",
                                "Columns are fields of it. " + std::string(of_.schema) + " says what it is.",
                                "A column with option field '$' takes the whole " +
                                    std::string(part_name(of_.part)) + ", whatever it is.");
                return false;
        }
        if (!right) [[unlikely]] {
            // The innermost one is where it happened.
            if (at_ == 0) at_ = next;
            return false;
        }
        ++next;
    }
}

bool AvroRow::take(const AvroStep& step) {
    const AvroShape& shape = plan_.reading().shape(step.shape);
    const size_t at = cursor_.offset();
    const bool scalar_shape = shape.wire < AvroWire::Record;
    AvroScalar scalar;
    if (scalar_shape && !take_avro_scalar(cursor_, shape, scalar)) return false;
    for (uint32_t i = step.first; i < step.last; ++i) {
        const AvroTake& one = plan_.take(i);
        bool taken = false;
        switch (one.into) {
            case AvroInto::Json:
            case AvroInto::Nested:
                cursor_.go_to(at);
                taken = take_json(one, step.shape);
                break;
            case AvroInto::Variable:
                cursor_.go_to(at);
                taken = take_variable(one, shape, at);
                break;
            case AvroInto::Place:
                cursor_.go_to(at);
                row_[one.cell] = Cell::integer(static_cast<int64_t>(at));
                row_[one.cell].size = step.shape;
                taken = cursor_.skip(plan_.reading(), step.shape);
                break;
            default:
                taken = fill(one, shape, scalar, at);
        }
        if (!taken) return false;
    }
    return true;
}

bool AvroRow::fill(const AvroTake& take, const AvroShape& shape, const AvroScalar& scalar, size_t at) {
    Cell& cell = row_[take.cell];
    switch (take.into) {
        case AvroInto::Integer:
            cell = Cell::integer(scalar.number);
            return true;
        case AvroInto::Boolean:
            cell = Cell::text(scalar.number ? "true" : "false");
            return true;
        case AvroInto::Text:
            return fill_text(take, scalar.bytes, at);
        case AvroInto::Binary:
            if (says_unavailable(scalar.bytes)) return set_unavailable(take);
            cell = Cell::binary(initial_ ? arena_.copy(scalar.bytes) : scalar.bytes);
            return true;
        case AvroInto::Symbol:
            cell = Cell::text(arena_.copy(scalar.bytes));
            return true;
        case AvroInto::Epoch: {
            int64_t time = 0;
            const bool fits = shape.meaning.kind == AvroMeaning::Days
                                  ? !__builtin_mul_overflow(scalar.number, kDayMicroseconds, &time)
                                  : to_microseconds(scalar.number, shape.meaning.unit, time);
            if (!fits) return refuse(take, "22008", "is out of range for a time", at);
            cell = Cell::epoch_us(time);
            return true;
        }
        case AvroInto::Real:
        case AvroInto::Written: {
            if (says_unavailable(scalar.bytes)) return set_unavailable(take);
            scratch_.clear();
            const AvroRefusal refusal = append_avro_text(scratch_, shape, scalar);
            return refusal.what ? refuse(take, refusal.sqlstate, refusal.what, at) : fill_written(take);
        }
        case AvroInto::NumberTime:
        case AvroInto::NumberClock:
            return fill_number_time(take, shape, scalar, at);
        case AvroInto::NoTime:
            return refuse(take, "22007", "is a number, not a date or time", at,
                          "Set option \"timestamp_unit\" to s, ms or us if it counts from 1970-01-01 UTC, or "
                          "from midnight.");
        default:
            return false;
    }
}

bool AvroRow::fill_text(const AvroTake& take, std::string_view text, size_t at) {
    if (says_unavailable(text)) return set_unavailable(take);
    if (!clean_text(text, of_.check)) [[unlikely]] {
        const size_t begin = cursor_.offset() - text.size();
        error_ = text_fault(text, of_.check, of_.begin + std::max(begin, at), of_.part,
                            plan_.columns().columns()[take.column].name);
        return false;
    }
    row_[take.cell] = Cell::text(initial_ ? arena_.copy(text) : text);
    return true;
}

// A column of whole numbers takes 100.00 as 100, and leaves what is no number of digits to PostgreSQL.
bool AvroRow::fill_written(const AvroTake& take) {
    if (take.whole && !scratch_.empty() && (scratch_.back() >= '0' && scratch_.back() <= '9')) {
        std::array<char, kMostWholeDigits> digits;
        if (const auto size = whole_number(scratch_, digits.data())) {
            row_[take.cell] = Cell::text(arena_.copy({digits.data(), *size}));
            return true;
        }
    }
    row_[take.cell] = Cell::text(arena_.copy(scratch_));
    return true;
}

bool AvroRow::fill_number_time(const AvroTake& take, const AvroShape& shape, const AvroScalar& scalar,
                               size_t at) {
    std::optional<int64_t> time;
    if (shape.type == AvroType::Int || shape.type == AvroType::Long) {
        int64_t microseconds = 0;
        if (take.unit == TimestampUnit::Seconds
                ? !__builtin_mul_overflow(scalar.number, int64_t{1'000'000}, &microseconds)
                : to_microseconds(scalar.number, take.unit, microseconds))
            time = microseconds;
    } else if (std::isfinite(scalar.real)) {
        scratch_.clear();
        append_real(scratch_, shape.type, scalar.real);
        time = epoch_us(scratch_, take.unit);
    }
    if (take.into == AvroInto::NumberTime) {
        if (!time) return refuse(take, "22008", "is a number that is out of range for a time", at);
        row_[take.cell] = Cell::epoch_us(*time);
        return true;
    }
    AvroShape clock;
    clock.type = AvroType::Long;
    clock.meaning = {AvroMeaning::Clock, TimestampUnit::Microseconds};
    scratch_.clear();
    const AvroRefusal refusal = append_avro_text(scratch_, clock, {.number = time.value_or(-1)});
    return refusal.what ? refuse(take, refusal.sqlstate, refusal.what, at) : fill_written(take);
}

bool AvroRow::take_json(const AvroTake& take, uint32_t shape) {
    const size_t at = cursor_.offset();
    const bool nested = take.into == AvroInto::Nested;
    scratch_.clear();
    AvroJson json(plan_.reading(), cursor_, nested ? AvroBytesAs::Hex : AvroBytesAs::Base64, scratch_,
                  most_json(cursor_.offset() + cursor_.left()));
    if (!json.put(shape)) {
        if (!json.refusal().what) return false;
        return refuse(take, json.refusal().sqlstate, json.refusal().what, at);
    }
    if (is_unavailable_json(scratch_)) return set_unavailable(take);
    const std::string_view text = arena_.copy(scratch_);
    row_[take.cell] = nested ? Cell::json(text) : Cell::text(text);
    return true;
}

bool AvroRow::take_variable(const AvroTake& take, const AvroShape& shape, size_t at) {
    AvroRefusal refusal;
    scratch_.clear();
    if (!take_variable_decimal(cursor_, plan_.reading(), shape, scratch_, refusal)) return false;
    return refusal.what ? refuse(take, refusal.sqlstate, refusal.what, at) : fill_written(take);
}

bool AvroRow::run_items(const AvroStep& step) {
    const uint32_t items = plan_.reading().shape(step.shape).inner[0];
    const uint64_t least = plan_.reading().shape(items).least;
    uint32_t next = step.first;
    uint64_t index = 0;
    for (AvroCursor::Block block;;) {
        if (!cursor_.take_block(least, block)) return false;
        if (block.count == 0) return true;
        // The rest is nobody's.
        if (next == step.last && block.end != 0) {
            cursor_.go_to(block.end);
            continue;
        }
        // Items without bytes may be more than anybody can count.
        if (least == 0) {
            for (; next < step.last && plan_.inner(next).key - index < block.count; ++next)
                if (!run(plan_.inner(next).step)) return false;
            index += std::min<uint64_t>(block.count, UINT32_MAX);
            if (!cursor_.end_block(block)) return false;
            continue;
        }
        for (uint64_t i = 0; i < block.count; ++i, ++index) {
            const bool wanted = next < step.last && plan_.inner(next).key == index;
            if (wanted && !run(plan_.inner(next++).step)) return false;
            if (!wanted && !cursor_.skip(plan_.reading(), items))
                return cursor_.inside("[" + std::to_string(index) + "]");
        }
        if (!cursor_.end_block(block)) return false;
    }
}

bool AvroRow::run_members(const AvroStep& step) {
    const uint32_t values = plan_.reading().shape(step.shape).inner[0];
    const uint64_t least = plan_.reading().shape(values).least + 1;
    const JsonMembers& members = plan_.columns().node(step.target).members;
    for (AvroCursor::Block block;;) {
        if (!cursor_.take_block(least, block)) return false;
        if (block.count == 0) return true;
        for (uint64_t i = 0; i < block.count; ++i) {
            std::string_view key;
            if (!cursor_.take_bytes(key)) return false;
            const uint32_t member = members.find(key);
            const AvroInner* inner = nullptr;
            for (uint32_t j = step.first; j < step.last && member != JsonMembers::kNone; ++j)
                if (plan_.inner(j).key == member) inner = &plan_.inner(j);
            // When a name is repeated, nothing of its earlier values is left.
            if (inner) forget(member);
            if (inner ? !run(inner->step) : !cursor_.skip(plan_.reading(), values)) return false;
        }
        if (!cursor_.end_block(block)) return false;
    }
}

void AvroRow::forget(uint32_t node) {
    const JsonPlan& plan = plan_.columns();
    for (const uint32_t column : plan.node(node).columns) row_[plan.columns()[column].cell] = Cell::absent();
    for (const size_t cell : plan.node(node).below) row_[cell] = Cell::absent();
}

bool AvroRow::run_initial(const AvroStep& step) {
    const AvroPart& part = plan_.reading().shape(step.shape).parts[step.target];
    AvroCursor cursor(part.initial);
    AvroRow inner(plan_, of_, cursor, arena_, scratch_, row_);
    inner.initial_ = true;
    if (inner.run(plan_.inner(step.first).step)) return true;
    error_ = std::move(inner.error_);
    return cursor_.fail("the field's default: " + cursor.fault().what, cursor.fault().kind);
}

bool AvroRow::set_unavailable(const AvroTake& take) {
    Cell& cell = row_[take.cell];
    cell = Cell::absent();
    cell.size = 1;
    has_unavailable_ = true;
    return true;
}

std::optional<Error> AvroRow::finish() {
    if (!plan_.may_miss()) return std::nullopt;
    for (const JsonColumn& column : plan_.columns().columns()) {
        Cell& cell = row_[column.cell];
        if (cell.kind != CellKind::Absent) continue;
        if (of_.options.missing_field == MissingField::Error) {
            Error error = Error::data(
                "2203A", "avro " + std::string(part_name(of_.part)) + " has no field \"" + column.path + "\"",
                "It was written by " + std::string(of_.schema) + ".",
                "Without option \"missing_field\" such a column is NULL.");
            error.column_name = column.name;
            return error;
        }
        cell = Cell::null();
    }
    return std::nullopt;
}

bool AvroRow::refuse(const AvroTake& take, const char* sqlstate, std::string what, size_t at,
                     std::string hint) {
    const JsonColumn& column = plan_.columns().columns()[take.column];
    error_ = Error::data(sqlstate, "field \"" + column.path + "\" " + std::move(what) + place(at), {},
                         std::move(hint));
    error_->column_name = column.name;
    return false;
}

std::string AvroRow::place(size_t at) const {
    return " at byte " + std::to_string(of_.begin + at) + " of the " + std::string(part_name(of_.part));
}

Error AvroRow::malformed() const {
    const AvroFault& fault = cursor_.fault();
    const std::string subject = "avro " + std::string(part_name(of_.part));
    std::string path = plan_.place(plan_.step(at_).place);
    for (size_t i = fault.steps.size(); i-- > 0;) {
        constexpr size_t kMostShown = 200;
        if (path.size() > kMostShown) {
            path += "...";
            break;
        }
        path += (path.empty() || fault.steps[i].starts_with('[') ? "" : ".") + fault.steps[i];
    }
    const std::string schema(of_.schema);
    const std::string detail =
        (path.empty() ? "" : "In field \"" + path + "\". ") + "It was read by " + schema + ".";
    switch (fault.kind) {
        case AvroFault::Kind::Encoding:
            return Error::data("22021", subject + " has text that is not valid UTF-8" + place(fault.at),
                               detail, "Text of Avro is always in UTF-8; bytes are of type bytes.");
        case AvroFault::Kind::Limit:
            return Error::data("54001", subject + " is too large" + place(fault.at) + ": " + fault.what,
                               detail, "Take its fields into columns of their own.");
        case AvroFault::Kind::Unreadable:
            return Error::data("22023", subject + " cannot be read" + place(fault.at) + ": " + fault.what,
                               detail, "Avro's rules of schema resolution say what can be read.");
        case AvroFault::Kind::Malformed:
            break;
    }
    return Error::data(
        "22P03", subject + " is not valid Avro" + place(fault.at) + ": " + fault.what, detail,
        "Bytes tell nothing of their schema: the message must be written by this one, and have "
        "the frame that option \"framing\" says.");
}

}  // namespace sluice
