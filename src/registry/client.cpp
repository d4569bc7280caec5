#include "registry/client.hpp"

#include <algorithm>

namespace sluice {

namespace {

constexpr size_t kMostReferences = 100;
constexpr size_t kMostLevels = 20;
constexpr size_t kMostBytes = 4 << 20;  // of a schema with all that it refers to

constexpr int32_t kSchemaNotFound = 40403;
constexpr int32_t kSubjectNotFound = 40401;
constexpr int32_t kVersionNotFound = 40402;

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> urls;
    for (size_t at = 0; at <= list.size();) {
        const size_t comma = std::min(list.find(',', at), list.size());
        std::string url = list.substr(at, comma - at);
        url.erase(0, url.find_first_not_of(" \t\r\n"));
        url.erase(url.find_last_not_of(" \t\r\n/") + 1);
        urls.push_back(std::move(url));
        at = comma + 1;
    }
    return urls;
}

HttpOptions http_options(const std::map<std::string, std::string>& options) {
    const auto option = [&](const char* name) {
        const auto found = options.find(name);
        return found == options.end() ? std::string() : found->second;
    };
    return {.username = option("username"),
            .password = option("password"),
            .ca_pem = option("ca_pem"),
            .certificate_pem = option("certificate_pem"),
            .key_pem = option("key_pem"),
            .key_password = option("key_password")};
}

// A path's segment may have anything but these as it is.
std::string escaped(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
            c == '_' || c == '~')
            result += c;
        else
            (result += '%').append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
    return result;
}

std::string said(const HttpAnswer& answer, const RefusalAnswer& refusal) {
    std::string text = "It answered with status " + std::to_string(answer.status);
    if (refusal.code != 0) text += ", error " + std::to_string(refusal.code);
    if (!refusal.message.empty()) text += ": " + refusal.message;
    return text.back() == '.' ? text : text + ".";
}

Error refused(const HttpAnswer& answer, const std::string& url) {
    const RefusalAnswer refusal = read_refusal(answer.body);
    const std::string registry = "the schema registry at " + url + " ", detail = said(answer, refusal);
    const long status = answer.status;
    if (status == 401)
        return Error::config(
            "28000", registry + "refused the log-in", detail,
            "Check registry_username and registry_password in the user mapping of the server.");
    if (status == 403)
        return Error::config(
            "42501", registry + "denies access", detail,
            "Allow the user of registry_username, in the user mapping of the server, to read the "
            "subject.");
    if (status == 404 && refusal.code == kSchemaNotFound)
        return Error::data("22P03", registry + "knows no such schema", detail,
                           "The message was written with another registry, or its schema was deleted there.");
    if (status == 404 && (refusal.code == kSubjectNotFound || refusal.code == kVersionNotFound))
        return Error::data("22P03", registry + "does not know what a schema refers to", detail);
    if (status >= 500 || status == 408 || status == 429)
        return Error::transient("08006", registry + "is in trouble", detail);
    if (status >= 300 && status < 400)
        return Error::config("55000", registry + "points elsewhere", detail,
                             "Redirects are not followed: set registry_url to where the registry is.");
    return Error::config("55000", registry + "does not answer as one", detail,
                         "Check the option \"registry_url\" of the server, its path too.");
}

}  // namespace

SharedSchema to_schema(int32_t id, const RegistrySchema& schema) {
    const auto body = [&](const std::string& text) {
        return schema.kind == SchemaKind::Protobuf ? protobuf_body(text) : text;
    };
    auto result = std::make_shared<SchemaText>(
        SchemaText{schema.kind, "schema " + std::to_string(id) + " of the registry", body(schema.body), {}});
    for (const auto& [name, text] : schema.references) result->references.push_back({name, body(text)});
    return result;
}

// Collects what a schema refers to, each after those that it needs itself.
class RegistryClient::References {
  public:
    References(RegistryClient& client, Waiter& waiter, RegistrySchema& schema)
        : client_(client), waiter_(waiter), schema_(schema), bytes_(schema.body.size()) {}

    Result<void> add(const std::vector<SubjectVersion>& references, size_t level = 0) {
        if (level == kMostLevels) return too_many("are nested too deeply");
        for (const SubjectVersion& reference : references)
            if (auto added = add(reference, level); !added) return added;
        return {};
    }

  private:
    static Error too_many(const std::string& what) {
        return Error::data("54000", "the schemas that a schema of the registry refers to " + what);
    }

    Result<void> add(const SubjectVersion& reference, size_t level) {
        for (const SubjectVersion& known : known_) {
            if (known.name != reference.name) continue;
            if (known == reference) return {};
            return too_many("have one name in several versions");
        }
        if (known_.size() == kMostReferences) return too_many("are too many");
        known_.push_back(reference);
        auto answer = client_.get(
            "/subjects/" + escaped(reference.subject) + "/versions/" + std::to_string(reference.version),
            waiter_);
        if (!answer) return answer.error();
        bytes_ += answer.value().body.size();
        if (bytes_ > kMostBytes) return too_many("are too long");
        if (auto added = add(answer.value().references, level + 1); !added) return added;
        schema_.references.push_back({reference.name, std::move(answer.value().body)});
        return {};
    }

    RegistryClient& client_;
    Waiter& waiter_;
    RegistrySchema& schema_;
    size_t bytes_;
    std::vector<SubjectVersion> known_;
};

RegistryClient::RegistryClient(const std::map<std::string, std::string>& options)
    : urls_(split(options.at("url"))), http_(http_options(options)) {}

Result<SchemaAnswer> RegistryClient::get(const std::string& path, Waiter& waiter) {
    Result<SchemaAnswer> answer = Error();
    for (size_t tried = 0; tried < urls_.size(); ++tried) {
        answer = ask(urls_[current_] + path, waiter);
        if (answer || answer.error().kind != ErrorKind::Transient) break;
        current_ = (current_ + 1) % urls_.size();
    }
    return answer;
}

Result<SchemaAnswer> RegistryClient::ask(const std::string& url, Waiter& waiter) {
    auto answer = http_.get(url, waiter);
    if (!answer) return answer.error();
    if (answer.value().status != 200) return refused(answer.value(), url);
    auto schema = read_schema_answer(answer.value().body);
    if (!schema) schema.error().message = "the schema registry at " + url + ": " + schema.error().message;
    return schema;
}

Result<RegistrySchema> RegistryClient::fetch(int32_t id, Waiter& waiter) {
    const auto with_id = [&](Error error) {
        error.message = "schema " + std::to_string(id) + ": " + error.message;
        return error;
    };
    // Such ids come from hostile messages; what a registry says to them differs.
    if (id <= 0) return with_id(Error::data("22P03", "ids of a schema registry are greater than 0"));
    auto answer = get("/schemas/ids/" + std::to_string(id), waiter);
    if (!answer) return with_id(answer.error());
    RegistrySchema schema{answer.value().kind, std::move(answer.value().body), {}};
    References references(*this, waiter, schema);
    if (auto added = references.add(answer.value().references); !added) return with_id(added.error());
    return schema;
}

}  // namespace sluice
