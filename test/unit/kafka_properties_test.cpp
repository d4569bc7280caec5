#include "kafka/client.hpp"
#include "kafka/properties.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace sluice {
namespace {

using Scope = PropertyScope;

TEST(KafkaProperties, AreAllowedByPlaceAndHaveOneName) {
    struct Case {
        const char* written;
        Scope scope;
        const char* name;
        bool secret = false;
        bool superuser_only = false;
    };
    const Case cases[] = {
        {"security.protocol", Scope::Server, "security.protocol"},
        {"security_protocol", Scope::Server, "security.protocol"},
        {"Security_Protocol", Scope::Server, "security.protocol"},
        {"SASL.MECHANISM", Scope::Server, "sasl.mechanisms"},
        {"sasl_mechanisms", Scope::Server, "sasl.mechanisms"},
        {"sasl_username", Scope::UserMapping, "sasl.username", true},
        {"sasl_password", Scope::UserMapping, "sasl.password", true},
        {"sasl_oauthbearer_client_secret", Scope::UserMapping, "sasl.oauthbearer.client.secret", true},
        {"ssl_key_pem", Scope::UserMapping, "ssl.key.pem", true},
        {"ssl_key_password", Scope::UserMapping, "ssl.key.password", true},
        {"ssl_keystore_password", Scope::UserMapping, "ssl.keystore.password", true},
        {"ssl_certificate_pem", Scope::UserMapping, "ssl.certificate.pem"},
        {"ssl_ca_pem", Scope::Server, "ssl.ca.pem"},
        {"ssl_ca_location", Scope::Server, "ssl.ca.location", false, true},
        {"ssl_crl_location", Scope::Server, "ssl.crl.location", false, true},
        {"ssl_certificate_location", Scope::UserMapping, "ssl.certificate.location", false, true},
        {"ssl_key_location", Scope::UserMapping, "ssl.key.location", false, true},
        {"ssl_keystore_location", Scope::Server, "ssl.keystore.location", false, true},
        {"sasl_oauthbearer_token_endpoint_url", Scope::Server, "sasl.oauthbearer.token.endpoint.url", false,
         true},
        {"socket_timeout_ms", Scope::Server, "socket.timeout.ms"},
        {"isolation_level", Scope::Table, "isolation.level"},
        {"fetch.wait.max.ms", Scope::Table, "fetch.wait.max.ms"},
    };
    for (const Case& c : cases) {
        const auto checked = check_property(c.written, c.scope);
        ASSERT_TRUE(checked) << c.written << ": " << checked.error().message;
        EXPECT_EQ(checked.value().name, c.name);
        EXPECT_EQ(checked.value().secret, c.secret) << c.written;
        EXPECT_EQ(checked.value().superuser_only, c.superuser_only) << c.written;
        EXPECT_EQ(is_secret_property(c.name), c.secret);
    }
}

TEST(KafkaProperties, AreRefusedWithAReason) {
    struct Case {
        const char* written;
        Scope scope;
        const char* message;
        const char* detail;
        const char* hint;
    };
    const Case cases[] = {
        {"sasl_password", Scope::Server, "Kafka property \"sasl_password\" is not an option of a server",
         "It holds a secret, and only a user mapping hides its options.",
         "It belongs to the options of the user mapping."},
        {"security_protocol", Scope::Table,
         "Kafka property \"security_protocol\" is not an option of a foreign table", "",
         "It belongs to the options of the server."},
        {"isolation_level", Scope::UserMapping,
         "Kafka property \"isolation_level\" is not an option of a user mapping", "",
         "It belongs to the options of the server or of the foreign table."},
        {"plugin.library.paths", Scope::Server, "Kafka property \"plugin.library.paths\" is not allowed",
         "It runs code inside the database server.", ""},
        {"ssl_engine_location", Scope::Server, "Kafka property \"ssl_engine_location\" is not allowed",
         "It runs code inside the database server.", ""},
        {"ssl.providers", Scope::Server, "Kafka property \"ssl.providers\" is not allowed",
         "It runs code inside the database server.", ""},
        {"sasl.kerberos.kinit.cmd", Scope::Server,
         "Kafka property \"sasl.kerberos.kinit.cmd\" is not allowed",
         "It is part of a shell command that librdkafka runs as the server's account.", ""},
        {"sasl_kerberos_keytab", Scope::Server, "Kafka property \"sasl_kerberos_keytab\" is not allowed",
         "It is part of a shell command that librdkafka runs as the server's account.", ""},
        {"sasl_kerberos_principal", Scope::Server,
         "Kafka property \"sasl_kerberos_principal\" is not allowed",
         "It is part of a shell command that librdkafka runs as the server's account.", ""},
        {"internal.termination.signal", Scope::Server,
         "Kafka property \"internal.termination.signal\" is not allowed",
         "It changes how signals reach the database server.", ""},
        {"debug", Scope::Server, "Kafka property \"debug\" is not allowed",
         "It can bring secrets into the server's log.", ""},
        {"log_level", Scope::Server, "Kafka property \"log_level\" is not allowed",
         "It can bring secrets into the server's log.", ""},
        {"test.mock.num.brokers", Scope::Server, "Kafka property \"test.mock.num.brokers\" is not allowed",
         "It replaces the brokers by a simulation.", ""},
        {"statistics.interval.ms", Scope::Server, "Kafka property \"statistics.interval.ms\" is not allowed",
         "It only costs time; sluice shows its own numbers.", ""},
        {"bootstrap.servers", Scope::Server, "Kafka property \"bootstrap.servers\" is set by sluice itself",
         "The brokers are an option of their own.", "Use the server option \"brokers\"."},
        {"metadata_broker_list", Scope::Server,
         "Kafka property \"metadata_broker_list\" is set by sluice itself",
         "The brokers are an option of their own.", "Use the server option \"brokers\"."},
        {"enable.auto.commit", Scope::Server, "Kafka property \"enable.auto.commit\" is set by sluice itself",
         "sluice keeps the offsets in the same transaction as the rows.", ""},
        {"auto_offset_reset", Scope::Table, "Kafka property \"auto_offset_reset\" is set by sluice itself",
         "A position is never reset silently.", "Use the job options \"start\" and \"fallback_offset\"."},
        {"queued.max.messages.kbytes", Scope::Server,
         "Kafka property \"queued.max.messages.kbytes\" is set by sluice itself",
         "sluice derives it from the memory of the job.", "Use the job option \"memory\"."},
        {"max.partition.fetch.bytes", Scope::Table,
         "Kafka property \"max.partition.fetch.bytes\" is set by sluice itself",
         "sluice derives it from the memory of the job.", "Use the job option \"memory\"."},
        {"group_id", Scope::Server, "Kafka property \"group_id\" is set by sluice itself",
         "sluice divides the partitions itself and takes no part in a consumer group.",
         "Use the job option \"group_id\" to start where a group has committed."},
        {"group.instance.id", Scope::Server, "Kafka property \"group.instance.id\" is set by sluice itself",
         "sluice divides the partitions itself and takes no part in a consumer group.", ""},
        {"transactional.id", Scope::Server, "Kafka property \"transactional.id\" is not allowed",
         "It is a property of producers; sluice only reads.", ""},
        {"sasl_pasword", Scope::UserMapping, "unknown Kafka property \"sasl_pasword\"",
         "A user mapping may have: sasl_username, sasl_password, sasl_oauthbearer_config, "
         "sasl_oauthbearer_client_id, "
         "sasl_oauthbearer_client_secret, sasl_oauthbearer_scope, sasl_oauthbearer_extensions, "
         "ssl_certificate_pem, "
         "ssl_key_pem, ssl_key_password, ssl_keystore_password, ssl_certificate_location, ssl_key_location, "
         "ssl_keystore_location.",
         "Perhaps you meant \"sasl_password\"."},
        {"fetch.min.byte", Scope::Table, "unknown Kafka property \"fetch.min.byte\"",
         "A foreign table may have: isolation.level, fetch.wait.max.ms, fetch.min.bytes, "
         "fetch.error.backoff.ms.",
         "Perhaps you meant \"fetch.min.bytes\"."},
        {"interceptors", Scope::Table, "unknown Kafka property \"interceptors\"",
         "A foreign table may have: isolation_level, fetch_wait_max_ms, fetch_min_bytes, "
         "fetch_error_backoff_ms.",
         ""},
        {"", Scope::Table, "unknown Kafka property \"\"",
         "A foreign table may have: isolation_level, fetch_wait_max_ms, fetch_min_bytes, "
         "fetch_error_backoff_ms.",
         ""},
    };
    for (const Case& c : cases) {
        const auto checked = check_property(c.written, c.scope);
        ASSERT_FALSE(checked) << c.written;
        EXPECT_EQ(checked.error().message, c.message);
        EXPECT_EQ(checked.error().detail, c.detail);
        EXPECT_EQ(checked.error().hint, c.hint);
        EXPECT_EQ(checked.error().sqlstate, "HV00D");
        EXPECT_EQ(checked.error().kind, ErrorKind::Config);
    }
}

CanonicalProperty property(const char* name, Scope scope) {
    auto checked = check_property(name, scope);
    return checked ? checked.value() : CanonicalProperty{};
}

TEST(KafkaProperties, HaveCheckedValues) {
    struct Case {
        const char* name;
        Scope scope;
        std::string value;
        Trust trust;
        const char* sqlstate;  // empty: accepted
        const char* message;
    };
    const Case cases[] = {
        {"security.protocol", Scope::Server, "sasl_ssl", Trust::User, "", ""},
        {"security.protocol", Scope::Server, "SASL_SSL", Trust::User, "", ""},
        {"security.protocol", Scope::Server, "tls", Trust::User, "22023",
         "invalid value for Kafka property \"security.protocol\""},
        {"socket.timeout.ms", Scope::Server, "2000", Trust::User, "", ""},
        {"socket.timeout.ms", Scope::Server, "soon", Trust::User, "22023",
         "invalid value for Kafka property \"socket.timeout.ms\""},
        {"socket.timeout.ms", Scope::Server, "1", Trust::User, "22023",
         "invalid value for Kafka property \"socket.timeout.ms\""},
        {"isolation.level", Scope::Table, "read_uncommitted", Trust::User, "", ""},
        {"client.id", Scope::Server, std::string("a\0b", 3), Trust::User, "22023",
         "value of Kafka property \"client.id\" holds a NUL byte"},
        {"ssl.ca.location", Scope::Server, "/etc/passwd", Trust::User, "42501",
         "only a superuser may set Kafka property \"ssl.ca.location\""},
        {"ssl.ca.location", Scope::Server, "/etc/ca.pem", Trust::Superuser, "", ""},
        {"enable.ssl.certificate.verification", Scope::Server, "true", Trust::User, "", ""},
        {"enable.ssl.certificate.verification", Scope::Server, "false", Trust::User, "42501",
         "only a superuser may set Kafka property \"enable.ssl.certificate.verification\" to \"false\""},
        {"enable.ssl.certificate.verification", Scope::Server, "F", Trust::User, "42501",
         "only a superuser may set Kafka property \"enable.ssl.certificate.verification\" to \"false\""},
        {"enable.ssl.certificate.verification", Scope::Server, "0", Trust::Superuser, "", ""},
        {"ssl.endpoint.identification.algorithm", Scope::Server, "NONE", Trust::User, "42501",
         "only a superuser may set Kafka property \"ssl.endpoint.identification.algorithm\" to \"none\""},
        {"enable.sasl.oauthbearer.unsecure.jwt", Scope::Server, "true", Trust::User, "42501",
         "only a superuser may set Kafka property \"enable.sasl.oauthbearer.unsecure.jwt\" to \"true\""},
        {"sasl.mechanisms", Scope::Server, "GSSAPI", Trust::User, "42501",
         "only a superuser may choose the SASL mechanism GSSAPI"},
        {"sasl.mechanisms", Scope::Server, "gssapi", Trust::Superuser, "22023",
         "unknown SASL mechanism \"gssapi\""},
        {"sasl.mechanisms", Scope::Server, "GSSAPI", Trust::Superuser, "", ""},
        {"sasl.mechanisms", Scope::Server, "PLAIN", Trust::User, "", ""},
        {"sasl.mechanisms", Scope::Server, "PLAIN,GSSAPI", Trust::Superuser, "22023",
         "unknown SASL mechanism \"PLAIN,GSSAPI\""},
        {"sasl.mechanisms", Scope::Server, "", Trust::User, "22023", "unknown SASL mechanism \"\""},
    };
    for (const Case& c : cases) {
        const auto checked = check_property_value(property(c.name, c.scope), c.value, c.trust);
        ASSERT_EQ(static_cast<bool>(checked), *c.sqlstate == '\0') << c.name << " = " << c.value;
        if (checked) continue;
        EXPECT_EQ(checked.error().sqlstate, c.sqlstate);
        EXPECT_EQ(checked.error().message, c.message);
    }
    const auto file = check_property_value(property("ssl.ca.location", Scope::Server), "/x", Trust::User);
    EXPECT_EQ(file.error().hint, "Use \"ssl.ca.pem\", which takes the content instead of a file name.");
}

TEST(KafkaProperties, NamesAPropertyThatTheLibraryLacks) {
    if (library_info().fetch_backoff) GTEST_SKIP() << "this librdkafka knows them all";
    const auto checked =
        check_property_value(property("retry.backoff.max.ms", Scope::Server), "100", Trust::User);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message,
              "the installed librdkafka does not know Kafka property \"retry.backoff.max.ms\"");
}

TEST(KafkaProperties, NeverRepeatASecret) {
    for (const char* name : {"sasl.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"}) {
        const auto checked = check_property_value(property(name, Scope::UserMapping),
                                                  std::string("hunter2\0", 8), Trust::User);
        ASSERT_FALSE(checked);
        EXPECT_EQ((checked.error().message + checked.error().detail).find("hunter2"), std::string::npos);
    }
}

TEST(KafkaProperties, AreCheckedTogether) {
    struct Case {
        std::map<std::string, std::string> properties;
        const char* message;  // empty: accepted
    };
    const Case cases[] = {
        {{}, ""},
        {{{"security.protocol", "ssl"}}, ""},
        {{{"security.protocol", "sasl_plaintext"}},
         "security_protocol \"sasl_plaintext\" needs a SASL mechanism"},
        {{{"security.protocol", "SASL_SSL"}}, "security_protocol \"sasl_ssl\" needs a SASL mechanism"},
        {{{"security.protocol", "sasl_ssl"}, {"sasl.mechanisms", "PLAIN"}},
         "SASL mechanism PLAIN needs a user name and a password"},
        {{{"security.protocol", "sasl_ssl"}, {"sasl.mechanisms", "SCRAM-SHA-256"}, {"sasl.username", "u"}},
         "SASL mechanism SCRAM-SHA-256 needs a user name and a password"},
        {{{"security.protocol", "sasl_ssl"},
          {"sasl.mechanisms", "PLAIN"},
          {"sasl.username", "u"},
          {"sasl.password", ""}},
         ""},
        {{{"sasl.username", "u"}, {"sasl.password", "p"}},
         "sasl_password is set, but security_protocol does not use SASL"},
    };
    for (const Case& c : cases) {
        const auto checked = check_property_combination(c.properties);
        EXPECT_EQ(checked ? "" : checked.error().message, c.message);
        EXPECT_TRUE(checked || !checked.error().hint.empty());
    }
}

}  // namespace
}  // namespace sluice
