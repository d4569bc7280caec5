#include "format/protobuf_files.hpp"

#include "format/json_value.hpp"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sluice {

namespace pb = google::protobuf;

namespace {

constexpr size_t kMostBytes = size_t{4} << 20;
constexpr size_t kMostFiles = 500;  // libprotobuf recurses into what they import
constexpr int kMostNesting = 32;    // libprotobuf's own parser recurses as deep as the text says

constexpr const char* kNoSuchFile = "There is no such file among the schemas.";

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 && !is_space(c); }

// What libprotobuf would write to standard error comes to the collectors of errors, too.
class QuietLog {
  public:
    QuietLog() : before_(pb::SetLogHandler(nullptr)) {}
    ~QuietLog() { pb::SetLogHandler(before_); }
    QuietLog(const QuietLog&) = delete;
    QuietLog& operator=(const QuietLog&) = delete;

  private:
    pb::LogHandler* before_;
};

// How deep the brackets of a .proto text are nested, outside of comments and strings, which are cut as
// libprotobuf's tokenizer cuts them. A bracket is closed by its own kind alone.
class Nesting {
  public:
    static bool is_too_deep(std::string_view text) { return Nesting(text).run(); }

  private:
    explicit Nesting(std::string_view text) : text_(text) {}

    bool run() {
        constexpr std::string_view kOpening = "{<[(", kClosing = "}>])";
        int depth[kOpening.size()] = {};
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"' || c == '\'') {
                skip_string(c);
            } else if (text_.substr(at_).starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (text_.substr(at_).starts_with("/*")) {
                const size_t end = text_.find("*/", at_ + 2);
                at_ = end == std::string_view::npos ? text_.size() : end + 1;
            } else if (const size_t opens = kOpening.find(c); opens != std::string_view::npos) {
                if (++depth[opens] > kMostNesting) return true;
            } else if (const size_t closes = kClosing.find(c); closes != std::string_view::npos) {
                depth[closes] = std::max(0, depth[closes] - 1);
            }
        }
        return false;
    }

    void skip_string(char quote) {
        while (++at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n')
            if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }

    std::string_view text_;
    size_t at_ = 0;
};

// A name may be the phrase that errors use: schema "orders".
std::string file_name(const std::string& name) {
    const size_t first = name.find('"'), last = name.rfind('"');
    return first == last ? name : name.substr(first + 1, last - first - 1);
}

// No .proto text declares anything in letters of base64 alone, and a serialized set begins with the tag of
// its first file; whoever declares a field has the tag 0x12 in it, a character that .proto text cannot have.
std::optional<std::string> serialized_set(const std::string& body) {
    if (body.starts_with('\n') && std::any_of(body.begin(), body.end(), is_control)) return body;
    std::string letters;
    std::copy_if(body.begin(), body.end(), std::back_inserter(letters), [](char c) { return !is_space(c); });
    std::string bytes(base64_room(letters.size()), '\0');
    const std::optional<size_t> size = decode_base64(letters, bytes.data());
    if (!size || *size == 0 || bytes[0] != '\n') return std::nullopt;
    bytes.resize(*size);
    return bytes;
}

// libprotobuf would parse their text, as deep as it is nested. protoc leaves none of them.
bool has_uninterpreted_option(const pb::Message& message) {
    if (message.GetDescriptor() == pb::UninterpretedOption::descriptor()) return true;
    const pb::Reflection& reflection = *message.GetReflection();
    std::vector<const pb::FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const pb::FieldDescriptor* field : fields) {
        if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
        if (!field->is_repeated()) {
            if (has_uninterpreted_option(reflection.GetMessage(message, field))) return true;
            continue;
        }
        for (int i = 0; i < reflection.FieldSize(message, field); ++i)
            if (has_uninterpreted_option(reflection.GetRepeatedMessage(message, field, i))) return true;
    }
    return false;
}

// The documents of the schema, and files that are linked into libprotobuf.
class Documents : public pb::compiler::SourceTree, public pb::DescriptorDatabase {
  public:
    // The names of the document's files, the main one last; nothing when it is no set, though it looks so.
    std::optional<std::vector<std::string>> add(const std::string& name, const std::string& body) {
        const std::optional<std::string> serialized = serialized_set(body);
        if (!serialized) {
            texts_.emplace(name, body);
            return std::vector{name};
        }
        pb::FileDescriptorSet set;
        if (!set.ParseFromString(*serialized) || has_uninterpreted_option(set)) return std::nullopt;
        std::vector<std::string> names;
        for (pb::FileDescriptorProto& file : *set.mutable_file()) {
            names.push_back(file.name());
            parsed_.emplace(names.back(), std::move(file));
        }
        return names;
    }
    size_t size() const { return texts_.size() + parsed_.size(); }

    pb::io::ZeroCopyInputStream* Open(const std::string& name) override {
        const auto found = texts_.find(name);
        if (found == texts_.end()) return nullptr;
        return new pb::io::ArrayInputStream(found->second.data(), static_cast<int>(found->second.size()));
    }
    std::string GetLastErrorMessage() override { return kNoSuchFile; }

    bool FindFileByName(const std::string& name, pb::FileDescriptorProto* file) override {
        const auto found = parsed_.find(name);
        if (found != parsed_.end()) {
            *file = found->second;
            return true;
        }
        if (!name.starts_with("google/protobuf/")) return false;
        const pb::FileDescriptor* linked = pb::DescriptorPool::generated_pool()->FindFileByName(name);
        if (linked == nullptr) return false;
        linked->CopyTo(file);
        return true;
    }
    bool FindFileContainingSymbol(const std::string&, pb::FileDescriptorProto*) override { return false; }
    bool FindFileContainingExtension(const std::string&, int, pb::FileDescriptorProto*) override {
        return false;
    }

  private:
    std::map<std::string, std::string> texts_;
    std::map<std::string, pb::FileDescriptorProto> parsed_;
};

// Keeps the first error, which the others mostly come from.
class FirstError : public pb::compiler::MultiFileErrorCollector, public pb::DescriptorPool::ErrorCollector {
  public:
    explicit FirstError(pb::compiler::SourceTreeDescriptorDatabase& database) : database_(database) {}

    // Of the text. Lines and columns count from 0; a line of -1 is the whole file.
    void AddError(const std::string& file, int line, int column, const std::string& message) override {
        // Where a file is imported is told next.
        if (message_.empty() || message_ == kNoSuchFile) {
            file_ = file;
            line_ = line;
            column_ = column;
            message_ = message;
        }
    }

    // Of what the text means: the database knows where it stands in the text.
    void AddError(const std::string& file, const std::string& element, const pb::Message* descriptor,
                  ErrorLocation location, const std::string& message) override {
        const bool is_first = message_.empty();
        database_.GetValidationErrorCollector()->AddError(file, element, descriptor, location, message);
        if (is_first && line_ < 0 && element != file) element_ = element;
    }

    Error error(const std::string& schema, const std::string& main_file) const {
        std::string text = schema + " is not valid Protobuf";
        if (line_ >= 0)
            text += " at line " + std::to_string(line_ + 1) + ", column " + std::to_string(column_ + 1);
        if (!file_.empty() && file_ != main_file) text += " in file \"" + file_ + "\"";
        if (!element_.empty()) text += ", \"" + element_ + "\"";
        std::string_view why(message_);
        if (why.ends_with('.')) why.remove_suffix(1);
        return Error::config("42601", text + (why.empty() ? std::string() : ": " + std::string(why)));
    }

  private:
    pb::compiler::SourceTreeDescriptorDatabase& database_;
    std::string file_, element_, message_;
    int line_ = -1, column_ = 0;
};

// What libprotobuf must not get to see.
std::optional<Error> check_text(const std::string& schema, const std::string& file, const std::string& body) {
    const std::string which = file.empty() ? schema : schema + ", file \"" + file + "\",";
    if (serialized_set(body)) return std::nullopt;
    if (std::any_of(body.begin(), body.end(), is_control))
        return Error::config(
            "42601", which + " is not valid Protobuf: it has control characters", {},
            "It is .proto text, or a FileDescriptorSet as protoc --descriptor_set_out writes it, "
            "also in base64.");
    if (Nesting::is_too_deep(body))
        return Error::config(
            "54001", which + " is nested more than " + std::to_string(kMostNesting) + " brackets deep");
    return std::nullopt;
}

std::optional<Error> check(std::span<const SharedSchema> schemas) {
    const std::string& name = schemas.front()->name;
    size_t bytes = 0;
    for (const SharedSchema& schema : schemas) {
        bytes += schema->body.size();
        if (auto error = check_text(schema->name, {}, schema->body)) return error;
        for (const SchemaText::Reference& reference : schema->references) {
            bytes += reference.body.size();
            if (auto error = check_text(schema->name, reference.name, reference.body)) return error;
        }
    }
    if (bytes > kMostBytes)
        return Error::config(
            "54000", name + " has " + std::to_string(bytes) + " bytes",
            "A schema of Protobuf may have " + std::to_string(kMostBytes) + " with all that it imports.");
    return std::nullopt;
}

}  // namespace

struct ProtobufFiles::State {
    Documents documents;
    pb::compiler::SourceTreeDescriptorDatabase database{&documents, &documents};
    FirstError errors{database};
    std::unique_ptr<pb::DescriptorPool> pool;
    std::vector<const pb::FileDescriptor*> files;
    std::set<const pb::FileDescriptor*> seen;

    State() {
        database.RecordErrorsTo(&errors);
        // Has the database note where the text says what.
        (void)database.GetValidationErrorCollector();
        pool = std::make_unique<pb::DescriptorPool>(&database, &errors);
    }

    void add(const pb::FileDescriptor* file) {
        if (!seen.insert(file).second) return;
        files.push_back(file);
        for (int i = 0; i < file->dependency_count(); ++i) add(file->dependency(i));
    }

    std::optional<Error> read(std::span<const SharedSchema> schemas) {
        std::string main_file;
        std::vector<std::string> roots;
        for (const SharedSchema& schema : schemas) {
            for (const SchemaText::Reference& reference : schema->references)
                if (!documents.add(reference.name, reference.body))
                    return no_set(schema->name + ", file \"" + reference.name + "\",");
            const auto names = documents.add(file_name(schema->name), schema->body);
            if (!names) return no_set(schema->name);
            if (roots.empty() && !names->empty()) main_file = names->back();
            roots.insert(roots.end(), names->rbegin(), names->rend());
        }
        if (documents.size() > kMostFiles)
            return Error::config(
                "54000", schemas.front()->name + " has more than " + std::to_string(kMostFiles) + " files");
        for (const std::string& root : roots) {
            const pb::FileDescriptor* file = pool->FindFileByName(root);
            if (file == nullptr) return errors.error(schemas.front()->name, main_file);
            add(file);
        }
        return std::nullopt;
    }

    static Error no_set(const std::string& subject) {
        return Error::config("42601", subject + " is not a FileDescriptorSet, though it begins like one", {},
                             "protoc --descriptor_set_out --include_imports writes one.");
    }
};

ProtobufFiles::ProtobufFiles(std::unique_ptr<State> state) : state_(std::move(state)) {}
ProtobufFiles::ProtobufFiles(ProtobufFiles&&) noexcept = default;
ProtobufFiles& ProtobufFiles::operator=(ProtobufFiles&&) noexcept = default;
ProtobufFiles::~ProtobufFiles() = default;

const std::vector<const pb::FileDescriptor*>& ProtobufFiles::files() const { return state_->files; }

Result<ProtobufFiles> ProtobufFiles::read(std::span<const SharedSchema> schemas) {
    if (auto error = check(schemas)) return *std::move(error);
    const QuietLog quiet;
    try {
        auto state = std::make_unique<State>();
        if (auto error = state->read(schemas)) return *std::move(error);
        return ProtobufFiles(std::move(state));
    } catch (const pb::FatalException& exception) {
        return Error::config("42601",
                             schemas.front()->name + " is not valid Protobuf: " + exception.message());
    }
}

}  // namespace sluice
