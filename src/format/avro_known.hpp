// The schemas that wrote the messages of a source, each with its plans made once: by framing, and by what the
// frame of a message says. Must not know rows nor where schemas are kept. Owns the plans; what it finds is
// valid until the next look-up.
#pragma once

#include "base/arena.hpp"
#include "base/result.hpp"
#include "format/avro_plan.hpp"
#include "format/framing.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sluice {

struct AvroKnown {
    std::string name{};  // of the schema, as errors call it
    SharedAvroReading reading{};
    SharedAvroPlan plan{};
    std::vector<std::pair<uint32_t, SharedAvroPlan>> images{};  // for values whose place the plan takes
};

// Makes the plans for a reading.
using AvroPlanning = std::function<Result<void>(AvroKnown& known)>;

// A payload taken apart.
struct AvroMessage {
    const AvroKnown* known = nullptr;
    std::string_view body{};
    size_t begin = 0;  // of the body in the payload
};

class AvroKnownSchemas {
  public:
    static constexpr size_t kMostKnown = 1000;  // of a registry, at once

    // `options` has the schemas looked up; `finder`, which must outlive this, knows those of a registry.
    static Result<AvroKnownSchemas> make(const SchemaOptions& options, Origin part, SchemaFinder* finder,
                                         AvroPlanning planning);

    std::optional<Error> find(std::string_view payload, Origin part, Arena& arena, AvroMessage& message);

  private:
    // A registry's schema that cannot be used cannot be used the next time either.
    struct Found {
        AvroKnown known{};
        bool is_raw = false;
        std::optional<Error> error{};
    };

    AvroKnownSchemas(Framing framing, SchemaFinder* finder, AvroPlanning planning)
        : framing_(framing), finder_(finder), planning_(std::move(planning)) {}

    Result<AvroKnown> know(const AvroSchema& writer) const;
    std::optional<Error> find_by_id(int32_t id, const Found*& found);

    Framing framing_;
    SchemaFinder* finder_;
    AvroPlanning planning_;
    SharedAvroSchema reader_;
    std::vector<std::pair<uint64_t, AvroKnown>> named_;  // by fingerprint; without framing there is one
    std::unordered_map<int32_t, Found> by_id_;
    int32_t last_id_ = 0;
    const Found* last_ = nullptr;
};

}  // namespace sluice
