#include "kafka/properties.hpp"

#include "base/nearest.hpp"
#include "kafka/handles.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <vector>

namespace sluice {
namespace {

enum Places : unsigned { kServer = 1, kUserMapping = 2, kTable = 4 };

struct Allowed {
    std::string_view name;
    unsigned places;
    bool secret = false;
    bool superuser_only = false;
};

// Sorted by theme. What is not here is refused, so that a newer library cannot add a hole.
constexpr Allowed kAllowed[] = {
    // Log-in. The user name is with the password, so that a user mapping is complete.
    {"security.protocol", kServer},
    {"sasl.mechanisms", kServer},
    {"sasl.username", kUserMapping, true},
    {"sasl.password", kUserMapping, true},
    {"sasl.kerberos.service.name", kServer, false, true},
    {"sasl.oauthbearer.method", kServer},
    {"sasl.oauthbearer.config", kUserMapping, true},
    {"sasl.oauthbearer.client.id", kUserMapping, true},
    {"sasl.oauthbearer.client.secret", kUserMapping, true},
    {"sasl.oauthbearer.scope", kServer | kUserMapping},
    {"sasl.oauthbearer.extensions", kServer | kUserMapping},
    {"sasl.oauthbearer.token.endpoint.url", kServer, false, true},  // makes the server send requests
    {"enable.sasl.oauthbearer.unsecure.jwt", kServer},

    // TLS. The inline forms are for everybody; files are read as the account that runs PostgreSQL.
    {"ssl.ca.pem", kServer},
    {"ssl.certificate.pem", kServer | kUserMapping},
    {"ssl.key.pem", kUserMapping, true},
    {"ssl.key.password", kUserMapping, true},
    {"ssl.keystore.password", kUserMapping, true},
    {"ssl.ca.location", kServer, false, true},
    {"ssl.crl.location", kServer, false, true},
    {"ssl.certificate.location", kServer | kUserMapping, false, true},
    {"ssl.key.location", kServer | kUserMapping, false, true},
    {"ssl.keystore.location", kServer | kUserMapping, false, true},
    {"https.ca.location", kServer, false, true},
    {"ssl.cipher.suites", kServer, false, true},  // can switch encryption off
    {"ssl.curves.list", kServer, false, true},
    {"ssl.sigalgs.list", kServer, false, true},
    {"enable.ssl.certificate.verification", kServer},
    {"ssl.endpoint.identification.algorithm", kServer},

    // Connections.
    {"client.id", kServer},
    {"client.rack", kServer},
    {"client.dns.lookup", kServer},
    {"broker.address.family", kServer},
    {"broker.address.ttl", kServer},
    {"connections.max.idle.ms", kServer},
    {"socket.timeout.ms", kServer},
    {"socket.connection.setup.timeout.ms", kServer},
    {"socket.keepalive.enable", kServer},
    {"socket.nagle.disable", kServer},
    {"socket.send.buffer.bytes", kServer},
    {"socket.receive.buffer.bytes", kServer},
    {"socket.max.fails", kServer},
    {"reconnect.backoff.ms", kServer},
    {"reconnect.backoff.max.ms", kServer},
    {"retry.backoff.ms", kServer},
    {"retry.backoff.max.ms", kServer},
    {"metadata.max.age.ms", kServer},
    {"topic.metadata.refresh.interval.ms", kServer},
    {"topic.metadata.refresh.fast.interval.ms", kServer},
    {"topic.metadata.propagation.max.ms", kServer},

    // Reading.
    {"isolation.level", kServer | kTable},
    {"fetch.wait.max.ms", kServer | kTable},
    {"fetch.min.bytes", kServer | kTable},
    {"fetch.error.backoff.ms", kServer | kTable},
};

struct Alias {
    std::string_view alias;
    std::string_view name;
};

constexpr Alias kAliases[] = {
    {"sasl.mechanism", "sasl.mechanisms"},
    {"metadata.broker.list", "bootstrap.servers"},
    {"max.partition.fetch.bytes", "fetch.message.max.bytes"},
    {"auto.commit.enable", "enable.auto.commit"},
};

// A refused property, or all that begin with `name` when it ends in a dot.
struct Refused {
    std::string_view name;
    std::string_view why;
    std::string_view hint;
};

constexpr std::string_view kStartHint = "Use the job options \"start\" and \"fallback_offset\".";
constexpr std::string_view kMemory = "sluice derives it from the memory of the job.";
constexpr std::string_view kMemoryHint = "Use the job option \"memory\".";
constexpr std::string_view kOffsets = "sluice keeps the offsets in the same transaction as the rows.";
constexpr std::string_view kAssigns =
    "sluice divides the partitions itself and takes no part in a consumer group.";
constexpr std::string_view kRunsCode = "It runs code inside the database server.";
constexpr std::string_view kRunsShell =
    "It is part of a shell command that librdkafka runs as the server's account.";
constexpr std::string_view kNoise = "It can bring secrets into the server's log.";
constexpr std::string_view kReadsOnly = "It is a property of producers; sluice only reads.";

constexpr std::string_view kMechanisms = "Use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.";

constexpr Refused kOwned[] = {
    {"bootstrap.servers", "The brokers are an option of their own.", "Use the server option \"brokers\"."},
    {"group.id", kAssigns, "Use the job option \"group_id\" to start where a group has committed."},
    {"group.", kAssigns, ""},
    {"partition.assignment.strategy", kAssigns, ""},
    {"session.timeout.ms", kAssigns, ""},
    {"heartbeat.interval.ms", kAssigns, ""},
    {"max.poll.interval.ms", kAssigns, ""},
    {"coordinator.query.interval.ms", kAssigns, ""},
    {"enable.auto.commit", kOffsets, ""},
    {"auto.commit.interval.ms", kOffsets, ""},
    {"enable.auto.offset.store", kOffsets, ""},
    {"offset.store.", kOffsets, ""},
    {"auto.offset.reset", "A position is never reset silently.", kStartHint},
    {"enable.partition.eof", "sluice needs it to know when it has read everything.", ""},
    {"check.crcs", "sluice always checks what it reads.", ""},
    {"allow.auto.create.topics", "sluice never creates topics.", ""},
    {"queued.", kMemory, kMemoryHint},
    {"fetch.message.max.bytes", kMemory, kMemoryHint},
    {"fetch.max.bytes", kMemory, kMemoryHint},
    {"fetch.queue.backoff.ms", kMemory, kMemoryHint},
    {"receive.message.max.bytes", kMemory, kMemoryHint},
    {"message.max.bytes", kMemory, kMemoryHint},
    {"message.copy.max.bytes", kMemory, kMemoryHint},
    {"consume.callback.max.messages", kMemory, kMemoryHint},
    {"log.queue", "sluice reads the log of librdkafka itself.", ""},
    {"sasl.kerberos.min.time.before.relogin", "sluice never runs kinit; a ticket must be there already.", ""},
};

constexpr Refused kDenied[] = {
    {"plugin.library.paths", kRunsCode, ""},
    {"ssl.engine.", kRunsCode, ""},
    {"ssl.providers", kRunsCode, ""},
    {"sasl.kerberos.kinit.cmd", kRunsShell, ""},
    {"sasl.kerberos.keytab", kRunsShell, ""},
    {"sasl.kerberos.principal", kRunsShell, ""},
    {"internal.", "It changes how signals reach the database server.", ""},
    {"debug", kNoise, ""},
    {"log.level", kNoise, ""},
    {"log.", kNoise, ""},
    {"statistics.interval.ms", "It only costs time; sluice shows its own numbers.", ""},
    {"enable.metrics.push", "It sends data about this server to the brokers.", ""},
    {"test.mock.", "It replaces the brokers by a simulation.", ""},
    {"transactional.id", kReadsOnly, ""},
    {"transaction.timeout.ms", kReadsOnly, ""},
    {"enable.idempotence", kReadsOnly, ""},
    {"acks", kReadsOnly, ""},
    {"linger.ms", kReadsOnly, ""},
    {"compression.type", kReadsOnly, ""},
    {"compression.codec", kReadsOnly, ""},
};

// Values that weaken security; the name is enough where any value does.
struct Weakening {
    std::string_view name;
    std::string_view value;
};

constexpr Weakening kWeakening[] = {
    {"enable.ssl.certificate.verification", "false"},
    {"ssl.endpoint.identification.algorithm", "none"},
    {"enable.sasl.oauthbearer.unsecure.jwt", "true"},
};

std::string normalized(std::string_view name) {
    std::string out(name);
    for (char& c : out) c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const Alias& a : kAliases)
        if (out == a.alias) return std::string(a.name);
    return out;
}

unsigned place_of(PropertyScope scope) {
    switch (scope) {
        case PropertyScope::Server:
            return kServer;
        case PropertyScope::UserMapping:
            return kUserMapping;
        case PropertyScope::Table:
            return kTable;
    }
    return 0;
}

std::string_view place_name(unsigned place) {
    return place == kServer ? "server" : place == kUserMapping ? "user mapping" : "foreign table";
}

const Allowed* find_allowed(std::string_view name) {
    const auto* found = std::find_if(std::begin(kAllowed), std::end(kAllowed),
                                     [&](const Allowed& p) { return p.name == name; });
    return found == std::end(kAllowed) ? nullptr : found;
}

const Refused* find_refused(std::span<const Refused> table, std::string_view name) {
    for (const Refused& r : table)
        if (r.name.back() == '.' ? name.starts_with(r.name) : name == r.name) return &r;
    return nullptr;
}

// In the spelling of the one who asks: options of SQL have underscores, since a dot would need quotes.
std::string spelled_like(std::string_view name, std::string_view like) {
    std::string out(name);
    if (like.find('.') == std::string_view::npos) std::replace(out.begin(), out.end(), '.', '_');
    return out;
}

std::string quoted(std::string_view text) {
    constexpr size_t kMost = 100;
    return "\"" + std::string(text.substr(0, kMost)) + (text.size() > kMost ? "..." : "") + "\"";
}

// `written` is what the person wrote, `name` the same as a property's name.
Error unknown(std::string_view written, const std::string& name, unsigned place) {
    std::vector<std::string_view> candidates;
    for (const Allowed& p : kAllowed)
        if (p.places & place) candidates.push_back(p.name);
    std::string list;
    for (std::string_view candidate : candidates)
        list += (list.empty() ? "" : ", ") + spelled_like(candidate, written);
    const std::string near = nearest(name, candidates);
    return Error::config(
        "HV00D", "unknown Kafka property " + quoted(written),
        "A " + std::string(place_name(place)) + " may have: " + list + ".",
        near.empty() ? "" : "Perhaps you meant " + quoted(spelled_like(near, written)) + ".");
}

Error wrong_place(std::string_view written, const Allowed& property, unsigned place) {
    std::string hint;
    for (unsigned p : {kServer, kUserMapping, kTable})
        if (property.places & p)
            hint += (hint.empty() ? "It belongs to the options of the " : " or of the ") +
                    std::string(place_name(p));
    return Error::config(
        "HV00D",
        "Kafka property " + quoted(written) + " is not an option of a " + std::string(place_name(place)),
        property.secret ? "It holds a secret, and only a user mapping hides its options." : "", hint + ".");
}

Error superuser_needed(std::string message, std::string detail, std::string hint) {
    return Error::config("42501", std::move(message), std::move(detail), std::move(hint));
}

// librdkafka takes nearly any text here, and looks at it only when it connects.
Result<void> check_mechanism(std::string_view value, Trust trust) {
    if (value == "GSSAPI") {
        if (trust == Trust::Superuser) return {};
        return superuser_needed("only a superuser may choose the SASL mechanism GSSAPI",
                                "It logs in with the Kerberos ticket of the server's account.",
                                std::string(kMechanisms));
    }
    for (std::string_view known : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"})
        if (value == known) return {};
    return Error::config("22023", "unknown SASL mechanism " + quoted(value), "", std::string(kMechanisms));
}

std::string value_of(const std::map<std::string, std::string>& properties, const char* name) {
    const auto found = properties.find(name);
    return found == properties.end() ? std::string() : found->second;
}

// In lower case, as librdkafka takes any.
std::string protocol_of(const std::map<std::string, std::string>& properties) {
    std::string protocol = value_of(properties, "security.protocol");
    for (char& c : protocol) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return protocol;
}

}  // namespace

Result<CanonicalProperty> check_property(std::string_view written, PropertyScope scope) {
    const std::string name = normalized(written);
    const unsigned place = place_of(scope);
    if (const Allowed* p = find_allowed(name)) {
        if (!(p->places & place)) return wrong_place(written, *p, place);
        return CanonicalProperty{name, p->secret, p->superuser_only};
    }
    if (const Refused* r = find_refused(kOwned, name))
        return Error::config("HV00D", "Kafka property " + quoted(written) + " is set by sluice itself",
                             std::string(r->why), std::string(r->hint));
    if (const Refused* r = find_refused(kDenied, name))
        return Error::config("HV00D", "Kafka property " + quoted(written) + " is not allowed",
                             std::string(r->why), std::string(r->hint));
    return unknown(written, name, place);
}

Result<void> check_property_value(const CanonicalProperty& property, std::string_view value, Trust trust) {
    const std::string& name = property.name;
    if (value.find('\0') != std::string_view::npos)
        return Error::config("22023", "value of Kafka property " + quoted(name) + " holds a NUL byte");

    if (name == "sasl.mechanisms")
        if (auto checked = check_mechanism(value, trust); !checked) return checked;

    ConfHandle conf(rd_kafka_conf_new());
    char text[512] = "";
    switch (rd_kafka_conf_set(conf.get(), name.c_str(), std::string(value).c_str(), text, sizeof text)) {
        case RD_KAFKA_CONF_OK:
            break;
        case RD_KAFKA_CONF_UNKNOWN:
            return Error::config("HV00D",
                                 "the installed librdkafka does not know Kafka property " + quoted(name),
                                 std::string("Its version is ") + rd_kafka_version_str() + ".");
        case RD_KAFKA_CONF_INVALID:
            // librdkafka repeats the value in its text.
            return Error::config("22023", "invalid value for Kafka property " + quoted(name),
                                 property.secret ? "" : text);
    }
    if (trust == Trust::Superuser) return {};

    if (property.superuser_only) {
        const bool file = name.ends_with(".location");
        const std::string inline_form = name.substr(0, name.rfind('.')) + ".pem";
        return superuser_needed(
            "only a superuser may set Kafka property " + quoted(name),
            file ? "It names a file that is read as the server's account." : "",
            file && find_allowed(inline_form)
                ? "Use " + quoted(inline_form) + ", which takes the content instead of a file name."
                : "");
    }
    size_t size = sizeof text;
    std::string parsed =
        rd_kafka_conf_get(conf.get(), name.c_str(), text, &size) == RD_KAFKA_CONF_OK ? text : "";
    for (const Weakening& w : kWeakening)
        if (name == w.name && parsed == w.value)
            return superuser_needed(
                "only a superuser may set Kafka property " + quoted(name) + " to " + quoted(parsed),
                "It makes connections that an attacker can read or divert.", "");
    return {};
}

Result<void> check_server_properties(const std::map<std::string, std::string>& properties) {
    const std::string protocol = protocol_of(properties);
    // Without a mechanism librdkafka takes GSSAPI, which nobody means, and which runs a shell.
    if (protocol.starts_with("sasl") && value_of(properties, "sasl.mechanisms").empty())
        return Error::config(
            "22023", "security_protocol " + quoted(protocol) + " needs a SASL mechanism", "",
            "Set sasl_mechanisms in the server to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.");
    return {};
}

Result<void> check_property_combination(const std::map<std::string, std::string>& properties) {
    if (auto checked = check_server_properties(properties); !checked) return checked;
    const bool sasl = protocol_of(properties).starts_with("sasl");
    const std::string mechanism = value_of(properties, "sasl.mechanisms");
    if (!sasl && properties.count("sasl.password"))
        return Error::config("22023", "sasl_password is set, but security_protocol does not use SASL",
                             "The password would be ignored.",
                             "Set security_protocol in the server to sasl_ssl or sasl_plaintext.");
    const bool by_password = mechanism == "PLAIN" || mechanism.starts_with("SCRAM");
    if (sasl && by_password &&
        (value_of(properties, "sasl.username").empty() || !properties.count("sasl.password")))
        return Error::config("28000", "SASL mechanism " + mechanism + " needs a user name and a password", "",
                             "Set sasl_username and sasl_password in the user mapping of the server.");
    return {};
}

bool is_secret_property(std::string_view name) {
    const Allowed* p = find_allowed(name);
    return p && p->secret;
}

}  // namespace sluice
