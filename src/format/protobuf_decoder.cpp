#include "format/protobuf_decoder.hpp"

#include "format/delimited_rules.hpp"
#include "format/framing.hpp"
#include "format/protobuf_plan.hpp"
#include "format/protobuf_row.hpp"
#include "format/protobuf_schema.hpp"
#include "format/protobuf_value.hpp"
#include "format/protobuf_wire.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <utility>
#include <vector>

namespace sluice {

namespace {

constexpr size_t kMostPlans = 64;     // a message may name any schema of a registry and any type of it
constexpr size_t kMostIndexes = 100;  // as deep as messages may be nested

// Which type of which schema a message is of.
struct TypeName {
    int32_t schema = 0;
    std::vector<int32_t> indexes{};  // the first of the main file when there is none
    friend bool operator==(const TypeName&, const TypeName&) = default;
};

// Zigzag varints: how many, and which; a single zero means the first type.
std::optional<Error> take_indexes(std::string_view payload, Origin part, std::string_view& body,
                                  std::vector<int32_t>& indexes) {
    const auto bad = [&](const char* why) {
        return Error::data("22P03",
                           std::string(part_name(part)) + " does not tell its message type at byte " +
                               std::to_string(body.data() - payload.data()) + ": " + why,
                           {}, "The producer must write with a Protobuf serializer of the schema registry.");
    };
    const auto take = [&](int32_t& number) {
        WireReader reader(body, 0);
        WireValue value;
        if (!reader.take(0, WireType::Varint, value) || value.bits > UINT32_MAX) return false;
        body.remove_prefix(value.bytes.size());
        number = static_cast<int32_t>(integer_of(ProtobufKind::SInt32, value.bits));
        return true;
    };
    int32_t count = 0;
    if (!take(count)) return bad("the number of indexes is no number");
    if (count < 0 || static_cast<size_t>(count) > kMostIndexes)
        return bad("it has no such number of indexes");
    indexes.assign(count == 0 ? 1 : static_cast<size_t>(count), 0);
    for (int32_t i = 0; i < count; ++i)
        if (!take(indexes[static_cast<size_t>(i)])) return bad("an index is no number");
    return std::nullopt;
}

Error as_data(Error error) {
    error.kind = ErrorKind::Data;
    return error;
}

}  // namespace

struct ProtobufDecoder::State {
    RecordSpec spec;
    Origin part;
    TextCheck check;
    Framing framing;
    std::optional<std::string> message;
    SchemaFinder* schemas = nullptr;
    std::shared_ptr<const ProtobufTypes> given;  // when the schema is
    std::optional<ProtobufPlan> plan;            // when the type is given, too

    struct Known {
        TypeName name;
        Result<ProtobufPlan> plan;
    };
    std::list<Known> known;  // of messages that name their type, the latest first
    std::list<std::pair<int32_t, Result<std::shared_ptr<const ProtobufTypes>>>> read;  // schemas, likewise
    TypeName name;  // of the message at hand
    ProtobufState row{};

    // An error of the data, or a transient one, which is not remembered.
    Result<std::shared_ptr<const ProtobufTypes>> types_of(int32_t id) {
        if (given) return given;
        for (const auto& [schema, types] : read)
            if (schema == id) return types;
        Result<SharedSchema> found = schemas->find(id);
        if (!found) return found.error();
        Result<std::shared_ptr<const ProtobufTypes>> types = read_found(found.value());
        if (read.size() == kMostPlans) read.pop_back();
        read.emplace_front(id, types);
        return types;
    }

    static Result<std::shared_ptr<const ProtobufTypes>> read_found(const SharedSchema& schema) {
        if (schema->kind != SchemaKind::Protobuf)
            return Error::data("22P03", schema->name + ", which the message names, is not of Protobuf");
        Result<std::shared_ptr<const ProtobufTypes>> types = read_protobuf_schema({&schema, 1});
        if (!types) return as_data(std::move(types.error()));
        return types;
    }

    Result<ProtobufPlan> make_plan(const std::shared_ptr<const ProtobufTypes>& types) const {
        const ProtobufMessage* const type = types->at(name.indexes);
        if (type == nullptr) {
            std::string path;
            for (const int32_t index : name.indexes)
                path += (path.empty() ? "" : ", ") + std::to_string(index);
            return Error::data("22P03", types->schema + " has no message type with the index [" + path + "]");
        }
        if (message) {
            const Result<const ProtobufMessage*> wanted = types->named(*message);
            if (!wanted) return as_data(wanted.error());
            if (wanted.value() != type)
                return Error::data("22P03", std::string(part_name(part)) + " is a message of type \"" +
                                                type->name + "\", not \"" + wanted.value()->name + "\"");
        }
        Result<ProtobufPlan> made = ProtobufPlan::make(spec, part, types, *type, !given);
        if (!made && !given) return as_data(std::move(made.error()));
        return made;
    }

    // The plan for a message that names its type; the latest types are at hand.
    Result<const ProtobufPlan*> plan_of_name() {
        const auto found =
            std::find_if(known.begin(), known.end(), [&](const Known& one) { return one.name == name; });
        if (found != known.end()) {
            known.splice(known.begin(), known, found);
        } else {
            const auto types = types_of(name.schema);
            if (!types && types.error().kind == ErrorKind::Transient) return types.error();
            if (known.size() == kMostPlans) known.pop_back();
            known.push_front({name, types ? make_plan(types.value()) : Result<ProtobufPlan>(types.error())});
        }
        const Result<ProtobufPlan>& made = known.front().plan;
        if (!made) return made.error();
        return &made.value();
    }
};

Result<ProtobufDecoder> ProtobufDecoder::make(const RecordSpec& spec, Origin part, SchemaFinder* schemas) {
    const FormatSpec& format = part == Origin::Key ? *spec.key : *spec.value;
    const SchemaOptions& options = format.schema;
    auto state = std::make_shared<State>();
    state->spec = spec;
    state->part = part;
    state->check = spec.validate_utf8 ? TextCheck::Utf8 : TextCheck::NulOnly;
    state->framing = options.framing.value_or(Framing::None);
    state->message = options.message;
    state->schemas = schemas;
    if (!options.writers.empty()) {
        for (const SharedSchema& schema : options.writers)
            if (schema->kind != SchemaKind::Protobuf)
                return Error::config("22023", schema->name + " is not of Protobuf", {},
                                     "Option \"" + option_name("schema", part) + "\" needs one that is.");
        auto types = read_protobuf_schema(options.writers);
        if (!types) return types.error();
        state->given = types.value();
        if (state->framing == Framing::None || options.message) {
            const auto type = options.message ? state->given->named(*options.message) : state->given->only();
            if (!type) return type.error();
            Result<ProtobufPlan> plan = ProtobufPlan::make(spec, part, state->given, *type.value(), false);
            if (!plan) return plan.error();
            state->plan.emplace(std::move(plan).value());
        }
    }
    return ProtobufDecoder(std::move(state));
}

std::optional<Error> ProtobufDecoder::decode(std::string_view payload, Arena& arena, Row row) const {
    State& state = *state_;
    const ProtobufPlan* plan = state.plan ? &*state.plan : nullptr;
    std::string_view message = payload;
    if (state.framing != Framing::None) {
        const Result<Frame> frame = frame_of(state.framing, payload, state.part);
        if (!frame) return frame.error();
        message = frame.value().body;
        state.name.schema = state.given ? 0 : frame.value().id;
        if (auto error = take_indexes(payload, state.part, message, state.name.indexes)) return error;
        const Result<const ProtobufPlan*> found = state.plan_of_name();
        if (!found) return found.error();
        plan = found.value();
    }
    return ProtobufRow(*plan, state.part, state.check, payload, state.row, arena, row).read(message);
}

}  // namespace sluice
