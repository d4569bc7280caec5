#include "job/yaml_tree.hpp"

#include "job/words.hpp"

#include <simdjson.h>
#include <yaml.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <unordered_set>

namespace sluice {

namespace {

constexpr size_t kMostBytes = 1024 * 1024;
constexpr size_t kMostLevels = 16;
constexpr size_t kMostValues = 50'000;  // 1 MB of commas must not become 100 MB of nodes

struct Event {
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { yaml_event_delete(&raw); }

    yaml_event_t raw{};
    int line() const { return static_cast<int>(raw.start_mark.line) + 1; }
};

struct DeleteParser {
    void operator()(yaml_parser_t* parser) const {
        yaml_parser_delete(parser);
        delete parser;
    }
};

int line_of(std::string_view document, size_t offset) {
    return 1 + static_cast<int>(
                   std::count(document.begin(), document.begin() + static_cast<ptrdiff_t>(offset), '\n'));
}

Error syntax(std::string place, std::string_view what, std::string hint = {}) {
    return Error::config("42601", std::move(place) + ": " + std::string(what), {}, std::move(hint));
}

std::optional<Error> check_bytes(std::string_view document) {
    if (document.size() > kMostBytes)
        return Error::config("54000", "the YAML document has " + std::to_string(document.size()) +
                                          " bytes, the most is " + std::to_string(kMostBytes));
    if (const size_t at = document.find('\0'); at != document.npos)
        return Error::config("22021",
                             yaml_place({}, line_of(document, at)) + ": a NUL byte cannot be in YAML");
    const auto valid = simdjson::validate_utf8(document.data(), document.size());
    if (valid) return std::nullopt;
    size_t line_start = 0, line = 1;
    while (line_start < document.size()) {
        const size_t end = std::min(document.find('\n', line_start), document.size());
        if (!simdjson::validate_utf8(document.data() + line_start, end - line_start)) break;
        line_start = end + 1;
        ++line;
    }
    return Error::config("22021", yaml_place({}, static_cast<int>(line)) + ": the text is not valid UTF-8",
                         {}, "Write the document in UTF-8.");
}

class TreeBuilder {
  public:
    explicit TreeBuilder(std::string_view document) : document_(document), parser_(new yaml_parser_t{}) {
        if (!yaml_parser_initialize(parser_.get())) throw std::bad_alloc();
        // Without this a byte order mark could switch to UTF-16, which check_bytes does not see through.
        yaml_parser_set_encoding(parser_.get(), YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(parser_.get(), reinterpret_cast<const unsigned char*>(document.data()),
                                     document.size());
    }

    Result<YamlNode> build() {
        YamlNode root;
        if (!document(root)) return *problem_;
        return root;
    }

  private:
    // Each step returns false after it has set problem_.
    bool fail(Error error) {
        problem_ = std::move(error);
        return false;
    }

    bool next(Event& event) {
        if (yaml_parser_parse(parser_.get(), &event.raw)) return true;
        if (parser_->error == YAML_MEMORY_ERROR) throw std::bad_alloc();
        const bool reader = parser_->error == YAML_READER_ERROR;
        const int line = reader ? line_of(document_, std::min(parser_->problem_offset, document_.size()))
                                : static_cast<int>(parser_->problem_mark.line) + 1;
        std::string what = parser_->problem ? parser_->problem : "cannot be read";
        if (!reader) what += " at column " + std::to_string(parser_->problem_mark.column + 1);
        return fail(
            syntax(yaml_place(path_, line), "this is not YAML: " + what,
                   "Indent with blanks, not tabs, and quote text that contains a colon, a # or a bracket."));
    }

    bool document(YamlNode& root) {
        if (Event start; !next(start)) return false;  // of the stream
        Event begin;
        if (!next(begin)) return false;
        if (begin.raw.type == YAML_STREAM_END_EVENT)
            return fail(syntax(yaml_place({}, 1), "the document is empty"));
        if (begin.raw.data.document_start.tag_directives.start !=
            begin.raw.data.document_start.tag_directives.end)
            return fail(syntax(yaml_place({}, begin.line()), "tags are not allowed"));
        Event first;
        if (!next(first) || !node(first, root, 1)) return false;
        if (root.kind != YamlNode::Kind::Map)
            return fail(syntax(yaml_place({}, root.line), "the document must be a map of keys and values",
                               "It begins with a line such as KAFKA:"));
        Event end, after;
        if (!next(end) || !next(after)) return false;
        if (after.raw.type != YAML_STREAM_END_EVENT)
            return fail(syntax(yaml_place({}, after.line()), "there is a second document",
                               "Make a job of each document."));
        return true;
    }

    bool refuse_extras(const Event& event, const unsigned char* anchor, const unsigned char* tag) {
        if (anchor) return fail(syntax(yaml_place(path_, event.line()), "anchors are not allowed"));
        if (tag) return fail(syntax(yaml_place(path_, event.line()), "tags are not allowed"));
        return true;
    }

    // Recursion is bounded by kMostLevels.
    bool node(const Event& event, YamlNode& out, size_t level) {
        out.line = event.line();
        if (++values_ > kMostValues)
            return fail(Error::config("54000", yaml_place(path_, event.line()) + ": more than " +
                                                   std::to_string(kMostValues) + " values are not allowed"));
        switch (event.raw.type) {
            case YAML_SCALAR_EVENT:
                return text(event, out);
            case YAML_SEQUENCE_START_EVENT: {
                const auto& start = event.raw.data.sequence_start;
                return refuse_extras(event, start.anchor, start.tag) && enter(event, level) &&
                       list(out, level);
            }
            case YAML_MAPPING_START_EVENT: {
                const auto& start = event.raw.data.mapping_start;
                return refuse_extras(event, start.anchor, start.tag) && enter(event, level) &&
                       map(out, level);
            }
            case YAML_ALIAS_EVENT:
                return fail(syntax(yaml_place(path_, event.line()), "aliases are not allowed",
                                   "Write the value again; text that begins with * needs quotes."));
            default:
                return fail(syntax(yaml_place(path_, event.line()), "a value is missing"));
        }
    }

    bool enter(const Event& event, size_t level) {
        if (level <= kMostLevels) return true;
        return fail(Error::config("54000", yaml_place(path_, event.line()) + ": more than " +
                                               std::to_string(kMostLevels) + " levels are not allowed"));
    }

    bool text(const Event& event, YamlNode& out) {
        const auto& scalar = event.raw.data.scalar;
        if (!refuse_extras(event, scalar.anchor, scalar.tag)) return false;
        out.kind = YamlNode::Kind::Text;
        out.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
        out.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
        if (out.text.find('\0') == std::string::npos) return true;
        return fail(
            Error::config("22021", yaml_place(path_, event.line()) + ": the text has a NUL character"));
    }

    bool list(YamlNode& out, size_t level) {
        out.kind = YamlNode::Kind::List;
        const size_t here = path_.size();
        while (true) {
            Event event;
            if (!next(event)) return false;
            if (event.raw.type == YAML_SEQUENCE_END_EVENT) return true;
            path_ = yaml_child(path_, out.items.size() + 1);
            if (!node(event, out.items.emplace_back(), level + 1)) return false;
            path_.resize(here);
        }
    }

    bool map(YamlNode& out, size_t level) {
        out.kind = YamlNode::Kind::Map;
        const size_t here = path_.size();
        std::unordered_set<std::string> seen;
        while (true) {
            Event key_event;
            if (!next(key_event)) return false;
            if (key_event.raw.type == YAML_MAPPING_END_EVENT) return true;
            if (key_event.raw.type == YAML_SEQUENCE_START_EVENT ||
                key_event.raw.type == YAML_MAPPING_START_EVENT)
                return fail(syntax(yaml_place(path_, key_event.line()), "a key must be plain text"));
            YamlNode key;
            if (!node(key_event, key, level)) return false;
            path_ = yaml_child(path_, clipped(key.text));
            if (!seen.insert(to_lower(key.text)).second)
                return fail(syntax(yaml_place(path_, key.line), "the key is there twice",
                                   "Upper and lower case are equal in keys."));
            Event event;
            if (!next(event) || !node(event, out.items.emplace_back(), level + 1)) return false;
            out.keys.push_back(std::move(key.text));
            out.key_lines.push_back(key.line);
            path_.resize(here);
        }
    }

    std::string_view document_;
    std::unique_ptr<yaml_parser_t, DeleteParser> parser_;
    std::string path_;
    size_t values_ = 0;
    std::optional<Error> problem_;
};

}  // namespace

bool YamlNode::is_null() const {
    return kind == Kind::Text && plain && (text.empty() || text == "~" || same_word(text, "null"));
}

std::string yaml_place(std::string_view path, int line) {
    return (path.empty() ? "document" : std::string(path)) + " (line " + std::to_string(line) + ")";
}

std::string yaml_child(std::string_view path, std::string_view key) {
    return (path.empty() ? "" : std::string(path) + ".") + std::string(key);
}

std::string yaml_child(std::string_view path, size_t item) {
    return std::string(path) + "[" + std::to_string(item) + "]";
}

Result<YamlNode> parse_yaml_tree(std::string_view document) {
    if (auto problem = check_bytes(document)) return *std::move(problem);
    return TreeBuilder(document).build();
}

}  // namespace sluice
