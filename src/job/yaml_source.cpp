#include "job/yaml.hpp"

#include <tuple>

namespace sluice {

SourceOptions source_options_of(const YamlJob& job) {
    SourceSpec source;
    source.brokers = job.brokers;
    source.properties = job.properties;
    if (!job.registry_url.empty()) source.registry["url"] = job.registry_url;
    source.topic = job.topic;
    source.partitions = job.partitions;
    for (const auto& [payload, format, origin] : {std::tuple{&job.value, &source.record.value, Origin::Value},
                                                  {&job.key, &source.record.key, Origin::Key}}) {
        if (!*payload) continue;
        *format = (*payload)->format;
        for (const YamlColumn& column : (*payload)->columns)
            source.record.columns.push_back({.name = column.name, .origin = origin, .field = column.field});
    }
    for (const YamlMetaColumn& meta : job.meta)
        source.record.columns.push_back({.name = meta.column.name,
                                         .origin = Origin::Metadata,
                                         .metadata = meta.metadata,
                                         .field = meta.column.field});
    SourceOptions options = options_of(source);
    // With an existing server the document need not name brokers.
    if (job.brokers.empty())
        std::erase_if(options.server, [](const auto& option) { return option.first == "brokers"; });
    options.user_mapping = property_options(job.secrets);
    return options;
}

std::vector<std::string> column_types_of(const YamlJob& job) {
    std::vector<std::string> types;
    for (const auto* payload : {&job.value, &job.key})
        if (*payload)
            for (const YamlColumn& column : (*payload)->columns) types.push_back(column.type);
    for (const YamlMetaColumn& meta : job.meta) types.push_back(meta.column.type);
    return types;
}

YamlJob yaml_job_of(const JobSpec& job, const SourceSpec& source, std::span<const std::string> types) {
    YamlJob result;
    result.job = job;
    result.brokers = source.brokers;
    result.properties = source.properties;
    if (const auto url = source.registry.find("url"); url != source.registry.end())
        result.registry_url = url->second;
    result.topic = source.topic;
    result.partitions = source.partitions;
    if (source.record.value) result.value = YamlPayload{*source.record.value, {}};
    if (source.record.key) result.key = YamlPayload{*source.record.key, {}};
    for (size_t i = 0; i < source.record.columns.size() && i < types.size(); ++i) {
        const SourceColumn& column = source.record.columns[i];
        YamlColumn written{column.name, types[i], column.field};
        if (column.origin == Origin::Metadata)
            result.meta.push_back({std::move(written), column.metadata});
        else if (auto& payload = column.origin == Origin::Key ? result.key : result.value)
            payload->columns.push_back(std::move(written));
    }
    return result;
}

}  // namespace sluice
