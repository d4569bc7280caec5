#include "job/json.hpp"

#include "base/json_text.hpp"
#include "job/options.hpp"
#include "job/values.hpp"
#include "job/words.hpp"

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <set>

namespace sluice {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// Writes the members of one object, with commas between them.
class Members {
  public:
    explicit Members(std::string& out) : out_(out) { out_ += '{'; }

    std::string& key(std::string_view name) {
        if (out_.back() != '{') out_ += ", ";
        append_json_string(out_, name);
        return out_ += ": ";
    }
    void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
    void texts(std::string_view name, const std::vector<std::string>& values) {
        if (values.empty()) return;
        key(name) += '[';
        for (const std::string& value : values) {
            if (out_.back() != '[') out_ += ", ";
            append_json_string(out_, value);
        }
        out_ += ']';
    }
    void texts(std::string_view name, const std::map<std::string, std::string>& values) {
        if (values.empty()) return;
        Members members(key(name));
        for (const auto& [key, value] : values) members.text(key, value);
        members.end();
    }
    void expression(const Expression& expression) {
        text("expression", expression.written);
        if (!expression.qualified.empty()) text("qualified", expression.qualified);
    }
    void expression(std::string_view name, const std::optional<Expression>& value) {
        if (!value) return;
        Members members(key(name));
        members.expression(*value);
        members.end();
    }
    void end() { out_ += '}'; }

  private:
    std::string& out_;
};

void append_mapping(std::string& out, const std::vector<MappedColumn>& mapping) {
    out += '[';
    for (const MappedColumn& column : mapping) {
        if (out.back() != '[') out += ", ";
        Members members(out);
        members.text("name", column.column);
        members.expression(column.expression);
        members.end();
    }
    out += ']';
}

void append_options(std::string& out, const JobOptions& options) {
    Members members(out);
    for (const auto& [name, text] : changed_options(options)) {
        const auto number = parse_integer(text);
        const bool is_json = (number && std::to_string(*number) == text) ||
                             ((name == "start" || name == "stop") && text.front() == '{');
        if (is_json)
            members.key(name) += text;
        else
            members.text(name, text);
    }
    members.end();
}

Error wrong(std::string message, std::string hint = {}) {
    return Error::config("22023", std::move(message), {}, std::move(hint));
}

Result<void> set_from_element(JobOptions& options, std::string_view name, const element& value) {
    if (value.is_null()) return reset_option(options, name);
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) return set_option(options, name, text);
    if (value.is_array()) return wrong("job option \"" + clipped(name) + "\" must not be a JSON array");
    return set_option(options, name, simdjson::minify(value));
}

Result<void> set_from_object(JobOptions& options, const object& members) {
    for (const auto& [name, value] : members)
        if (auto set = set_from_element(options, name, value); !set) return set;
    return {};
}

// One column of a mapping that the user wrote as JSON.
Result<void> add_mapped(std::vector<MappedColumn>& mapping, std::string_view column,
                        const element& expression) {
    std::string_view text;
    const std::string place = "the mapping of column \"" + clipped(column) + "\"";
    if (column.empty()) return wrong("the mapping has a column without a name");
    if (expression.get(text))
        return wrong(place + " must be a JSON string",
                     "Write an SQL expression as text: {\"total\": \"price * 2\"}.");
    if (text.find_first_not_of(" \t\r\n") == text.npos) return wrong(place + " is empty");
    for (const MappedColumn& earlier : mapping)
        if (earlier.column == column)
            return Error::config("42701", "column \"" + clipped(column) + "\" is mapped twice");
    mapping.push_back({std::string(column), {std::string(text), {}}});
    return {};
}

constexpr std::string_view kMappingForms =
    "Write {\"column\": \"expression\"} or [{\"name\": \"column\", \"expression\": \"expression\"}].";

Result<void> add_mapped(std::vector<MappedColumn>& mapping, const element& item) {
    object members;
    if (item.get(members))
        return wrong("an item of the mapping is not a JSON object", std::string(kMappingForms));
    std::string_view name;
    std::optional<element> expression;
    for (const auto& [key, value] : members) {
        if (same_word(key, "name")) {
            if (value.get(name)) return wrong("the name of a mapped column must be a JSON string");
        } else if (same_word(key, "expression")) {
            expression = value;
        } else {
            return wrong("unknown key \"" + clipped(key) + "\" in an item of the mapping",
                         std::string(kMappingForms));
        }
    }
    if (!expression || name.data() == nullptr)
        return wrong("an item of the mapping lacks its name or its expression", std::string(kMappingForms));
    return add_mapped(mapping, name, *expression);
}

// Reads the stored form; keeps the first problem and goes on with empty values.
class Definition {
  public:
    Result<JobSpec> read(const object& members) {
        for (const auto& [key, value] : members) member(key, value);
        if (version_ != kSpecVersion)
            return Error::config(
                "XX001",
                "the job's definition has spec_version " + std::to_string(version_) + ", and only " +
                    std::to_string(kSpecVersion) + " can be read",
                {}, "It was written by another version of sluice: run ALTER EXTENSION sluice UPDATE.");
        if (problem_) return *problem_;
        return std::move(job_);
    }

  private:
    void member(std::string_view key, const element& value) {
        if (key == "spec_version") {
            if (value.get(version_)) fail(key);
        } else if (key == "name") {
            read(key, value, job_.name);
        } else if (key == "description") {
            read(key, value, job_.description);
        } else if (key == "source") {
            read(key, value, job_.source);
        } else if (key == "target") {
            read(key, value, job_.target);
        } else if (key == "mode") {
            std::string word;
            read(key, value, word);
            if (auto mode = mode_for("mode", word))
                job_.mode = mode.value();
            else
                keep(mode.error());
        } else if (key == "match_columns") {
            read(key, value, job_.match_columns);
        } else if (key == "update_columns") {
            read(key, value, job_.update_columns);
        } else if (key == "order_columns") {
            read(key, value, job_.order_columns);
        } else if (key == "mapping") {
            read(key, value, job_.mapping.emplace());
        } else if (key == "filter") {
            read(key, value, job_.filter.emplace());
        } else if (key == "update_condition") {
            read(key, value, job_.update_condition.emplace());
        } else if (key == "delete_condition") {
            read(key, value, job_.delete_condition.emplace());
        } else if (key == "options") {
            object options;
            if (value.get(options)) return fail(key);
            if (auto set = set_from_object(job_.options, options); !set) keep(set.error());
        } else if (key == "hints") {
            read(key, value, job_.hints);
        } else if (key == "settings") {
            read(key, value, job_.settings);
        } else {
            fail(key);
        }
    }

    void keep(Error error) {
        if (!problem_) problem_ = std::move(error);
    }
    void fail(std::string_view key) {
        keep(Error::config("XX001", "the job's definition cannot be read at \"" + clipped(key) + "\"", {},
                           "It was changed by hand: define the job again with alter_job."));
    }

    void read(std::string_view key, const element& value, std::string& out) {
        std::string_view text;
        if (value.get(text)) return fail(key);
        out = text;
    }
    void read(std::string_view key, const element& value, std::vector<std::string>& out) {
        array items;
        if (value.get(items)) return fail(key);
        for (const element& item : items) read(key, item, out.emplace_back());
    }
    void read(std::string_view key, const element& value, std::map<std::string, std::string>& out) {
        object members;
        if (value.get(members)) return fail(key);
        for (const auto& [name, text] : members) read(key, text, out[std::string(name)]);
    }
    void read(std::string_view key, const element& value, Expression& out) {
        if (value["expression"].error()) return fail(key);
        read(key, value["expression"].value_unsafe(), out.written);
        if (element qualified; value["qualified"].get(qualified) == simdjson::SUCCESS)
            read(key, qualified, out.qualified);
    }
    void read(std::string_view key, const element& value, std::vector<MappedColumn>& out) {
        array items;
        if (value.get(items)) return fail(key);
        for (const element& item : items) {
            element name;
            if (item["name"].get(name)) return fail(key);
            MappedColumn& column = out.emplace_back();
            read(key, name, column.column);
            read(key, item, column.expression);
        }
    }

    JobSpec job_;
    int64_t version_ = 0;
    std::optional<Error> problem_;
};

}  // namespace

std::string to_json(const JobSpec& job) {
    std::string out;
    Members members(out);
    members.key("spec_version") += std::to_string(kSpecVersion);
    members.text("name", job.name);
    if (!job.description.empty()) members.text("description", job.description);
    members.text("source", job.source);
    members.text("target", job.target);
    members.text("mode", word_for(kModes, job.mode));
    members.texts("match_columns", job.match_columns);
    members.texts("update_columns", job.update_columns);
    members.texts("order_columns", job.order_columns);
    if (job.mapping) append_mapping(members.key("mapping"), *job.mapping);
    members.expression("filter", job.filter);
    members.expression("update_condition", job.update_condition);
    members.expression("delete_condition", job.delete_condition);
    append_options(members.key("options"), job.options);
    members.texts("hints", job.hints);
    members.texts("settings", job.settings);
    members.end();
    return out;
}

Result<JobSpec> job_from_json(std::string_view text) {
    simdjson::dom::parser parser;
    object members;
    if (parser.parse(text.data(), text.size()).get(members))
        return Error::config("XX001", "the job's definition is not a JSON object");
    return Definition().read(members);
}

Result<std::vector<MappedColumn>> mapping_from_json(std::string_view text) {
    simdjson::dom::parser parser;
    element root;
    if (const auto problem = parser.parse(text.data(), text.size()).get(root))
        return Error::config(
            "22032", std::string("the mapping is not valid JSON: ") + simdjson::error_message(problem), {},
            std::string(kMappingForms));
    std::vector<MappedColumn> mapping;
    object members;
    array items;
    if (root.get(members) == simdjson::SUCCESS) {
        for (const auto& [column, expression] : members)
            if (auto added = add_mapped(mapping, column, expression); !added) return added.error();
    } else if (root.get(items) == simdjson::SUCCESS) {
        for (const element& item : items)
            if (auto added = add_mapped(mapping, item); !added) return added.error();
    } else {
        return wrong("the mapping must be a JSON object or array", std::string(kMappingForms));
    }
    if (mapping.empty())
        return wrong("the mapping names no column", "Without a mapping, columns map by name.");
    return mapping;
}

Result<void> options_from_json(JobOptions& options, std::string_view text) {
    simdjson::dom::parser parser;
    object members;
    if (parser.parse(text.data(), text.size()).get(members))
        return wrong("the job options must be a JSON object",
                     "Write them as in {\"workers\": 2, \"max_count\": 500}.");
    return set_from_object(options, members);
}

}  // namespace sluice
