// Files of a Protobuf schema as libprotobuf has them: parsed, linked with what they import, and checked.
// Must not know what the types are for.
// Descriptors live as long as the object.
#pragma once

#include "base/result.hpp"
#include "format/schema.hpp"

#include <memory>
#include <span>
#include <vector>

namespace google::protobuf {
class FileDescriptor;
}

namespace sluice {

class ProtobufFiles {
  public:
    // An exception of libprotobuf is an error; so is text that would make it recurse too deep.
    static Result<ProtobufFiles> read(std::span<const SharedSchema> schemas);
    ProtobufFiles(ProtobufFiles&&) noexcept;
    ProtobufFiles& operator=(ProtobufFiles&&) noexcept;
    ~ProtobufFiles();

    // With everything that they import; the main file is the first.
    const std::vector<const google::protobuf::FileDescriptor*>& files() const;

  private:
    struct State;
    explicit ProtobufFiles(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace sluice
