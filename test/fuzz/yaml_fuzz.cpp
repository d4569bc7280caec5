// Any bytes as a YAML job: an error or a job, and a job that is written reads back as the same document.
#include "job/yaml.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

// Accepts every property, secrets by their name, so that the fuzzer is not held up by a list.
sluice::Result<std::string> any_property(std::string_view name, sluice::Scope scope) {
    const bool secret = name.find("password") != std::string_view::npos;
    if (secret == (scope == sluice::Scope::UserMapping)) return std::string(name);
    return sluice::Error::config("HV00D", "not here");
}

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view document(reinterpret_cast<const char*>(data), size);
    const auto job = sluice::parse_yaml_job(document, any_property);
    if (!job) {
        require(!job.error().message.empty() && job.error().kind == sluice::ErrorKind::Config);
        return 0;
    }
    const auto written = sluice::to_yaml(job.value());
    require(static_cast<bool>(written));
    const auto again = sluice::parse_yaml_job(written.value(), any_property);
    require(static_cast<bool>(again));
    sluice::YamlJob without_secrets = job.value();
    without_secrets.secrets.clear();
    require(sluice::to_yaml(again.value()).value() == sluice::to_yaml(without_secrets).value());
    return 0;
}
