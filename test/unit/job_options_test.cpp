#include "job/options.hpp"

#include "job/check.hpp"
#include "job_helpers.hpp"

namespace sluice {
namespace {

std::string refusal(std::string_view name, std::string_view value) {
    JobOptions options;
    const auto set = set_option(options, name, value);
    EXPECT_EQ(options, JobOptions{}) << "a refused value must change nothing";
    if (set) return "accepted";
    EXPECT_EQ(set.error().kind, ErrorKind::Config);
    return told(set.error());
}

std::string read_back(std::string_view name, std::string_view value) {
    JobOptions options;
    const auto set = set_option(options, name, value);
    if (!set) return told(set.error());
    const std::string text = option_text(options, name);
    JobOptions again;
    EXPECT_TRUE(set_option(again, name, text)) << name << " " << text;
    EXPECT_EQ(again, options) << name << " " << text;
    return text;
}

TEST(JobOptions, TheTableTellsTheTruth) {
    std::set<std::string_view> names;
    for (const OptionInfo& info : job_options()) {
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
        EXPECT_FALSE(info.what.empty()) << info.name;
        EXPECT_FALSE(info.range.empty()) << info.name;
        JobOptions options;
        ASSERT_TRUE(set_option(options, info.name, info.default_value)) << info.name;
        EXPECT_EQ(options, JobOptions{}) << info.name << " has another default than the table says";
    }
    EXPECT_EQ(names.size(), 20u);
}

TEST(JobOptions, EveryWordOfARangeIsAccepted) {
    for (const auto& [name, words] : std::map<std::string, std::vector<std::string>>{
             {"start", {"earliest", "latest", "group"}},
             {"stop", {"never", "latest"}},
             {"fallback_offset", {"error", "earliest", "latest"}},
             {"on_conflict", {"error", "ignore"}},
             {"consistency", {"exactly", "strong", "at-least", "at-most", "none", "atleast", "atmost"}},
             {"tombstone", {"auto", "delete", "ignore", "error"}},
             {"synchronous_commit", {"on", "off", "local", "remote_write", "remote_apply"}},
             {"upsert", {"auto", "on_conflict"}}}) {
        const auto info = std::find_if(job_options().begin(), job_options().end(),
                                       [&name = name](const OptionInfo& row) { return row.name == name; });
        ASSERT_NE(info, job_options().end());
        for (const std::string& word : words) {
            EXPECT_EQ(read_back(name, word), word) << name;
            EXPECT_NE(info->range.find(word), std::string::npos) << name << " does not tell of " << word;
        }
    }
}

TEST(JobOptions, ValuesReadBack) {
    EXPECT_EQ(read_back("max_count", "500"), "500");
    EXPECT_EQ(read_back("MAX_COUNT", "AUTO"), "auto");
    EXPECT_EQ(read_back("max_bytes", "1MB"), "1MB");
    EXPECT_EQ(read_back("interval_ms", "0"), "0");
    EXPECT_EQ(read_back("workers", "64"), "64");
    EXPECT_EQ(read_back("memory", "0.5GB"), "512MB");
    EXPECT_EQ(read_back("memory", "67108865"), "67108865B");
    EXPECT_EQ(read_back("retry_interval", "500"), "500ms");
    EXPECT_EQ(read_back("retry_interval", "60s"), "1min");
    EXPECT_EQ(read_back("lag_threshold", "90 min"), "90min");
    EXPECT_EQ(read_back("max_retries", "-1"), "-1");
    EXPECT_EQ(read_back("error_limit", "20"), "20");
    EXPECT_EQ(read_back("error_limit", "5%"), "5%");
    EXPECT_EQ(read_back("error_limit", "0.25%"), "0.25%");
    EXPECT_EQ(read_back("error_limit", "Unlimited"), "unlimited");
    EXPECT_EQ(read_back("consistency", "ATLEAST"), "ATLEAST");
    EXPECT_EQ(read_back("synchronous_commit", "FALSE"), "off");
    EXPECT_EQ(read_back("synchronous_commit", "yes"), "on");
    EXPECT_EQ(read_back("group_id", "g 1"), "g 1");
    EXPECT_EQ(read_back("start", "Latest"), "latest");
    EXPECT_EQ(read_back("start", "2026-01-31 14:45:00+01"), "2026-01-31T13:45:00Z");
    EXPECT_EQ(read_back("start", "1769867100250"), "2026-01-31T13:45:00.250Z");
    EXPECT_EQ(read_back("start", R"({"1": 456, "0":123})"), R"({"0": 123, "1": 456})");
    EXPECT_EQ(read_back("stop", R"({"2147483647": 9223372036854775807})"),
              R"({"2147483647": 9223372036854775807})");
}

TEST(JobOptions, ResetTakesTheDefault) {
    JobOptions options;
    for (const auto& [name, value] : {std::pair{"max_count", "5"}, {"start", "latest"}, {"group_id", "g"}}) {
        ASSERT_TRUE(set_option(options, name, value));
        ASSERT_NE(options, JobOptions{});
        ASSERT_TRUE(reset_option(options, name));
        EXPECT_EQ(options, JobOptions{});
    }
    EXPECT_FALSE(reset_option(options, "max_cuont"));
}

TEST(JobOptions, ChangedOptionsAreThoseThatDiffer) {
    JobOptions options;
    EXPECT_TRUE(changed_options(options).empty());
    options.workers = 3;
    options.lag_threshold_ms = 60'000;
    const std::vector<std::pair<std::string, std::string>> expected = {{"workers", "3"},
                                                                       {"lag_threshold", "1min"}};
    EXPECT_EQ(changed_options(options), expected);
}

TEST(JobOptions, UnknownNamesGetTheNearest) {
    EXPECT_EQ(
        refusal("max_cuont", "1"),
        "22023 unknown job option \"max_cuont\"\n"
        "DETAIL: Job options: max_count, max_bytes, interval_ms, workers, start, stop, fallback_offset, "
        "error_limit, error_window, on_conflict, consistency, tombstone, synchronous_commit, max_rate, "
        "group_id, "
        "memory, retry_interval, max_retries, lag_threshold, upsert.\n"
        "HINT: Perhaps you meant \"max_count\".");
    // Planned for a later release, so absent.
    for (const char* name : {"prepare_statement", "batch_statement", "teardown_statement", "dead_letter"})
        EXPECT_NE(refusal(name, "x").find("unknown job option"), std::string::npos) << name;
}

TEST(JobOptions, RangeErrorsNameTheRange) {
    const std::pair<std::pair<const char*, const char*>, const char*> table[] = {
        {{"max_count", "0"}, "must be between 1 and 10000000, not \"0\""},
        {{"max_bytes", "1"}, "must be between 1kB and 64GB, not \"1\""},
        {{"interval_ms", "-1"}, "must be between 0 and 3600000, not \"-1\""},
        {{"workers", "65"}, "must be between 1 and 64, not \"65\""},
        {{"error_window", "0"}, "must be between 1 and 1000000000, not \"0\""},
        {{"max_rate", "99999999999999999999"},
         "must be between 0 and 1000000000, not \"99999999999999999999\""},
        {{"memory", "1kB"}, "must be between 1MB and 64GB, not \"1kB\""},
        {{"retry_interval", "0"}, "must be between 1ms and 1h, not \"0\""},
        {{"max_retries", "-2"}, "must be between -1 and 1000000000, not \"-2\""},
        {{"lag_threshold", "366d"}, "must be between 1ms and 365d, not \"366d\""},
        {{"error_limit", "101%"}, "must be between 0% and 100%, not \"101%\""},
    };
    for (const auto& [option, message] : table)
        EXPECT_EQ(refusal(option.first, option.second),
                  "22023 job option \"" + std::string(option.first) + "\" " + message);
}

TEST(JobOptions, WrongFormsAreExplained) {
    EXPECT_EQ(
        refusal("workers", "two"),
        "22023 job option \"workers\" must be a whole number, not \"two\"\nDETAIL: The range is 1 to 64.");
    EXPECT_EQ(refusal("max_count", "many"),
              "22023 job option \"max_count\" must be a whole number or auto, not \"many\"\n"
              "DETAIL: The range is 1 to 10000000.");
    EXPECT_EQ(refusal("memory", "64mb"),
              "22023 job option \"memory\" must be a size such as 64MB, not \"64mb\"\n"
              "DETAIL: The range is 1MB to 64GB.");
    EXPECT_EQ(refusal("retry_interval", "soon"),
              "22023 job option \"retry_interval\" must be a time such as 500ms or 5min, not \"soon\"\n"
              "DETAIL: The range is 1ms to 1h.");
    EXPECT_EQ(refusal("on_conflict", "ignor"),
              "22023 job option \"on_conflict\" must be error or ignore, not \"ignor\"\n"
              "HINT: Perhaps you meant \"ignore\".");
    EXPECT_EQ(refusal("tombstone", "drop"),
              "22023 job option \"tombstone\" must be auto, delete, ignore or error, not \"drop\"");
    EXPECT_EQ(
        refusal("error_limit", "-5"),
        "22023 job option \"error_limit\" must be a count from 0 to 1000000000, a percentage such as 5%, or "
        "unlimited, not \"-5\"");
    EXPECT_EQ(
        refusal("group_id", "a\nb"),
        "22023 job option \"group_id\" must be at most 255 bytes without control characters, not \"a\nb\"");
    for (const char* limit : {"", "%", "5 %", "nan%", "1e1%", "-0.1%"})
        EXPECT_NE(refusal("error_limit", limit), "");
}

TEST(JobOptions, WrongPositionsAreExplained) {
    EXPECT_EQ(
        refusal("start", "earlist"),
        "22023 job option \"start\" must be earliest, latest, group, a time with time zone, or offsets as "
        "{\"0\": 123}, not \"earlist\"\nHINT: Perhaps you meant \"earliest\".");
    EXPECT_EQ(refusal("stop", "2026-01-31"),
              "22023 job option \"stop\" must be never, latest, a time with time zone, or offsets as {\"0\": "
              "123}, not "
              "\"2026-01-31\"\nHINT: Write a time as 2026-01-31T13:45:00Z or 2026-01-31 14:45:00+01, or as "
              "milliseconds since 1970-01-01 UTC.");
    const std::string hint =
        "\nHINT: Write the next offset of each partition, as in {\"0\": 123, \"1\": 456}.";
    const std::string wrong = "22023 job option \"start\" has wrong offsets\nDETAIL: ";
    EXPECT_EQ(refusal("start", "{\"0\": -1}"),
              wrong + "The offset of partition 0 is not a whole number from 0." + hint);
    EXPECT_EQ(refusal("start", "{\"x\": 1}"), wrong + "\"x\" is not the number of a partition." + hint);
    EXPECT_EQ(refusal("start", "{\"01\": 1}"), wrong + "\"01\" is not the number of a partition." + hint);
    EXPECT_EQ(refusal("start", "{\"0\": 1, \"0\": 2}"), wrong + "Partition 0 is named twice." + hint);
    EXPECT_EQ(refusal("start", "{}"), wrong + "No partition is named." + hint);
    EXPECT_EQ(refusal("start", "{\"0\""), wrong + "The text is not a JSON object." + hint);
    for (const char* start : {"never", "-1", ""}) EXPECT_NE(refusal("start", start), "accepted");
    for (const char* stop : {"earliest", "group"}) EXPECT_NE(refusal("stop", stop), "accepted");
}

std::string problems(const JobSpec& job) {
    std::string text;
    for (const Problem& problem : check_job(job))
        text += std::string(problem.field) + ": " + told(problem.error) + "\n";
    return text;
}

TEST(CheckJob, AGoodJobHasNoProblems) {
    JobSpec job;
    EXPECT_EQ(problems(job), "");
    job.mode = Mode::Merge;
    job.match_columns = {"id"};
    job.update_columns = {"note"};
    job.order_columns = {"version"};
    job.mapping = {{"id", {"id", ""}}, {"note", {"note", ""}}};
    job.delete_condition = {"gone", ""};
    job.options.tombstone = Tombstone::Delete;
    job.options.start.kind = Position::Kind::Group;
    job.options.group_id = "g";
    EXPECT_EQ(problems(job), "");
}

TEST(CheckJob, AllProblemsAreFound) {
    JobSpec job;
    job.match_columns = {"id", "id"};
    job.delete_condition = {"gone", ""};
    job.options.start.kind = Position::Kind::Group;
    job.options.max_bytes = job.options.memory + 1;
    EXPECT_EQ(problems(job),
              "match_columns: 22023 a list of match columns in insert mode would have no effect\n"
              "HINT: Leave it out, or choose update or merge mode.\n"
              "delete_condition: 22023 a delete condition in insert mode would have no effect\n"
              "HINT: Leave it out, or choose merge mode.\n"
              "match_columns: 42701 column \"id\" is named twice\n"
              "start: 22023 job option \"start\" is group, but no consumer group is named\n"
              "HINT: Set job option \"group_id\" (in YAML also group.id in PROPERTIES).\n"
              "max_bytes: 22023 job option \"max_bytes\" is greater than job option \"memory\"\n"
              "HINT: A batch must fit into the job's memory.\n");
}

TEST(CheckJob, MappingMustNameMatchAndUpdateColumns) {
    JobSpec job;
    job.mode = Mode::Merge;
    job.match_columns = {"id"};
    job.update_columns = {"id", "note"};
    job.mapping = {{"total", {"1", ""}}, {"total", {"2", ""}}};
    job.options.on_conflict = OnConflict::Ignore;
    EXPECT_EQ(problems(job),
              "on_conflict: 22023 job option \"on_conflict\" in merge mode would have no effect\n"
              "HINT: Leave it out, or choose insert mode.\n"
              "update_columns: 42701 column \"id\" is both a match and an update column\n"
              "HINT: A matched row has that value already; leave it out of the update columns.\n"
              "mapping: 42701 column \"total\" is mapped twice\n"
              "match_columns: 42703 match column \"id\" is not in the mapping\n"
              "HINT: A mapping, when given, is the whole mapping: add the column to it.\n"
              "update_columns: 42703 update column \"id\" is not in the mapping\n"
              "HINT: A mapping, when given, is the whole mapping: add the column to it.\n"
              "update_columns: 42703 update column \"note\" is not in the mapping\n"
              "HINT: A mapping, when given, is the whole mapping: add the column to it.\n");
    job.mapping->clear();
    EXPECT_NE(problems(job).find("the mapping names no column"), std::string::npos);
    job = {};
    job.mode = Mode::Update;
    job.options.tombstone = Tombstone::Delete;
    job.options.upsert = "on_conflict";
    EXPECT_EQ(problems(job),
              "tombstone: 22023 job option \"tombstone\" set to delete in update mode would have no effect\n"
              "HINT: Leave it out, or choose merge mode.\n"
              "upsert: 22023 job option \"upsert\" in update mode would have no effect\n"
              "HINT: Leave it out, or choose merge mode.\n");
}

}  // namespace
}  // namespace sluice
