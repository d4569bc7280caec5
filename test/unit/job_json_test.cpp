#include "job/json.hpp"

#include "job/options.hpp"
#include "job_helpers.hpp"

namespace sluice {
namespace {

JobSpec full_job() {
    JobSpec job;
    job.name = "orders \"quoted\" \\ \n\x01 é";
    job.description = "all of it";
    job.source = "public.orders_src";
    job.target = "shop.\"Orders\"";
    job.mode = Mode::Merge;
    job.match_columns = {"id", "Region"};
    job.update_columns = {"note"};
    job.order_columns = {"version"};
    job.mapping = {
        {"id", {"id", "orders_src.id"}}, {"Region", {"'EU'", ""}}, {"note", {"NULL", "NULL::text"}}};
    job.filter = {"id > 0", "(orders_src.id > 0)"};
    job.update_condition = {"true", ""};
    job.delete_condition = {"op = 'd'", ""};
    job.hints = {{"host", "h"}, {"poll_timeout", "5000"}};
    job.settings = {{"TimeZone", "Europe/Berlin"}};
    for (const auto& [name, value] : std::map<std::string, std::string>{{"max_count", "500"},
                                                                        {"max_bytes", "1MB"},
                                                                        {"start", R"({"0": 5, "7": 9})"},
                                                                        {"stop", "2026-01-31T13:45:00.250Z"},
                                                                        {"error_limit", "5%"},
                                                                        {"group_id", "007"},
                                                                        {"memory", "128MB"},
                                                                        {"tombstone", "delete"},
                                                                        {"synchronous_commit", "off"},
                                                                        {"upsert", "on_conflict"}})
        EXPECT_TRUE(set_option(job.options, name, value)) << name;
    return job;
}

TEST(JobJson, RoundTrip) {
    for (const JobSpec& job : {JobSpec{}, full_job()}) {
        const std::string json = to_json(job);
        const auto read = job_from_json(json);
        ASSERT_TRUE(read) << told(read.error()) << "\n" << json;
        EXPECT_EQ(read.value(), job) << json;
    }
}

TEST(JobJson, OnlyWhatDiffersIsWritten) {
    JobSpec job;
    job.name = "orders";
    job.source = "orders_src";
    job.target = "orders";
    EXPECT_EQ(
        to_json(job),
        R"({"spec_version": 1, "name": "orders", "source": "orders_src", "target": "orders", "mode": "insert", )"
        R"("options": {}})");
    job.options.workers = 2;
    job.options.start = {Position::Kind::Offsets, 0, {{0, 123}}};
    job.options.memory = 1 << 20;
    EXPECT_NE(to_json(job).find(R"("options": {"workers": 2, "start": {"0": 123}, "memory": "1MB"})"),
              std::string::npos)
        << to_json(job);
}

TEST(JobJson, TheOrderOfTheKeysDoesNotMatter) {
    const auto read = job_from_json(
        R"({"mode":"update","options":{"start":"latest","workers":"3"},"mapping":[{"qualified":"","expression":"1",)"
        R"("name":"a"}],"target":"t","source":"s","name":"n","spec_version":1})");
    ASSERT_TRUE(read) << told(read.error());
    EXPECT_EQ(read.value().mode, Mode::Update);
    EXPECT_EQ(read.value().options.workers, 3);
    EXPECT_EQ(read.value().options.start.kind, Position::Kind::Latest);
    EXPECT_EQ(read.value().mapping->front().column, "a");
}

TEST(JobJson, WhatCannotBeReadIsRefused) {
    const auto refusal = [](std::string_view json) {
        const auto read = job_from_json(json);
        return read ? std::string("accepted") : read.error().sqlstate + " " + read.error().message;
    };
    EXPECT_EQ(refusal(""), "XX001 the job's definition is not a JSON object");
    EXPECT_EQ(refusal("[]"), "XX001 the job's definition is not a JSON object");
    EXPECT_EQ(refusal("{}"), "XX001 the job's definition has spec_version 0, and only 1 can be read");
    // A newer version has keys that this one does not know: the version speaks first.
    EXPECT_EQ(refusal(R"({"spec_version":2,"news":1})"),
              "XX001 the job's definition has spec_version 2, and only 1 can be read");
    EXPECT_EQ(refusal(R"({"spec_version":1,"news":1})"),
              "XX001 the job's definition cannot be read at \"news\"");
    for (const char* key :
         {"name", "description", "source", "target", "match_columns", "update_columns", "order_columns",
          "mapping", "filter", "update_condition", "delete_condition", "options", "hints", "settings"})
        EXPECT_EQ(refusal("{\"spec_version\":1,\"" + std::string(key) + "\":7}"),
                  "XX001 the job's definition cannot be read at \"" + std::string(key) + "\"");
    EXPECT_EQ(refusal(R"({"spec_version":1,"mode":"upsert"})"),
              "22023 mode must be insert, update or merge, not \"upsert\"");
    EXPECT_EQ(refusal(R"({"spec_version":1,"options":{"workers":0}})"),
              "22023 job option \"workers\" must be between 1 and 64, not \"0\"");
    EXPECT_EQ(refusal(R"({"spec_version":1,"mapping":[{"name":"a"}]})"),
              "XX001 the job's definition cannot be read at \"mapping\"");
}

TEST(MappingJson, BothFormsMeanTheSame) {
    const std::vector<MappedColumn> expected = {{"id", {"id", ""}}, {"Total", {"price * 2", ""}}};
    EXPECT_EQ(mapping_from_json(R"({"id": "id", "Total": "price * 2"})").value(), expected);
    EXPECT_EQ(mapping_from_json(
                  R"([{"name": "id", "expression": "id"}, {"EXPRESSION": "price * 2", "Name": "Total"}])")
                  .value(),
              expected);
}

TEST(MappingJson, WrongOnesAreExplained) {
    const auto refusal = [](std::string_view json) {
        const auto read = mapping_from_json(json);
        return read ? std::string("accepted") : told(read.error());
    };
    const std::string forms =
        "\nHINT: Write {\"column\": \"expression\"} or [{\"name\": \"column\", \"expression\": "
        "\"expression\"}].";
    EXPECT_EQ(refusal("7"), "22023 the mapping must be a JSON object or array" + forms);
    EXPECT_EQ(refusal("{}"),
              "22023 the mapping names no column\nHINT: Without a mapping, columns map by name.");
    EXPECT_EQ(refusal("[]"),
              "22023 the mapping names no column\nHINT: Without a mapping, columns map by name.");
    EXPECT_EQ(refusal(R"({"a": 1})"),
              "22023 the mapping of column \"a\" must be a JSON string\n"
              "HINT: Write an SQL expression as text: {\"total\": \"price * 2\"}.");
    EXPECT_EQ(refusal(R"({"a": " "})"), "22023 the mapping of column \"a\" is empty");
    EXPECT_EQ(refusal(R"({"": "1"})"), "22023 the mapping has a column without a name");
    EXPECT_EQ(refusal(R"([{"name":"a","expression":"1"},{"name":"a","expression":"2"}])"),
              "42701 column \"a\" is mapped twice");
    EXPECT_EQ(refusal("[1]"), "22023 an item of the mapping is not a JSON object" + forms);
    EXPECT_EQ(refusal(R"([{"name":"a"}])"),
              "22023 an item of the mapping lacks its name or its expression" + forms);
    EXPECT_EQ(refusal(R"([{"expression":"a"}])"),
              "22023 an item of the mapping lacks its name or its expression" + forms);
    EXPECT_EQ(refusal(R"([{"name":7,"expression":"a"}])"),
              "22023 the name of a mapped column must be a JSON string");
    EXPECT_EQ(refusal(R"([{"name":"a","expresion":"a"}])"),
              "22023 unknown key \"expresion\" in an item of the mapping" + forms);
    EXPECT_EQ(refusal("{\"a\": ").substr(0, 37), "22032 the mapping is not valid JSON: ");
}

TEST(OptionsJson, EveryKindOfValue) {
    JobOptions options;
    ASSERT_TRUE(
        options_from_json(options, R"({"workers": 2, "start": {"0": 7}, "memory": "1GB", "max_count": null,
                                               "synchronous_commit": false, "error_limit": "5%"})"));
    EXPECT_EQ(options.workers, 2);
    EXPECT_EQ(options.start.offsets.at(0), 7);
    EXPECT_EQ(options.memory, 1 << 30);
    EXPECT_EQ(options.synchronous_commit, "off");
    ASSERT_TRUE(options_from_json(options, R"({"workers": null, "start": null})"));
    EXPECT_EQ(options.workers, 1);
    EXPECT_EQ(options.start, Position{});
}

TEST(OptionsJson, WrongOnesAreExplained) {
    const auto refusal = [](std::string_view json) {
        JobOptions options;
        const auto read = options_from_json(options, json);
        return read ? std::string("accepted") : read.error().message;
    };
    EXPECT_EQ(refusal("[]"), "the job options must be a JSON object");
    EXPECT_EQ(refusal("{"), "the job options must be a JSON object");
    EXPECT_EQ(refusal(R"({"workers": [1]})"), "job option \"workers\" must not be a JSON array");
    EXPECT_EQ(refusal(R"({"workers": 1.5})"), "job option \"workers\" must be a whole number, not \"1.5\"");
    EXPECT_EQ(refusal(R"({"wrokers": 1})"), "unknown job option \"wrokers\"");
    EXPECT_EQ(refusal(R"({"wrokers": null})"), "unknown job option \"wrokers\"");
}

}  // namespace
}  // namespace sluice
