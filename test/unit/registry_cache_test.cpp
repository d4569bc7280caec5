#include "flow_clock.hpp"
#include "format_helpers.hpp"
#include "registry/schema_cache.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;

std::string framed(int32_t id) {
    std::string text(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8)
        text += static_cast<char>(static_cast<uint32_t>(id) >> shift);
    return text + "rest";
}

RecordSpec source(std::optional<Framing> value, std::optional<Framing> key) {
    RecordSpec spec;
    const auto format = [](Framing framing) {
        FormatSpec format{.format = Format::Avro};
        format.schema.framing = framing;
        return format;
    };
    if (value) spec.value = format(*value);
    if (key) spec.key = format(*key);
    spec.columns = {value_column("a"), key_column("k")};
    return spec;
}

struct Messages {
    std::vector<std::string> texts;
    std::vector<MessageView> views;

    explicit Messages(const std::vector<int32_t>& ids) {
        for (const int32_t id : ids) texts.push_back(framed(id));
        for (const std::string& text : texts) views.push_back(message_of(Bytes::of(text), Bytes::of(text)));
    }
};

using Ids = std::vector<int32_t>;

TEST(SchemaCache, AsksForWhatMessagesName) {
    FakeClock clock;
    SchemaCache cache(source(Framing::Confluent, std::nullopt), clock);
    EXPECT_EQ(cache.missing(Messages({7, 3, 3, 7, -1}).views), (Ids{-1, 3, 7}));
    const auto schema = std::make_shared<SchemaText>();
    cache.keep(7, schema);
    EXPECT_EQ(cache.missing(Messages({7, 3}).views), (Ids{3}));
    EXPECT_EQ(cache.find(7).value(), schema);
    const auto unasked = cache.find(3);
    ASSERT_FALSE(unasked);
    EXPECT_EQ(unasked.error().kind, ErrorKind::Transient);
    // Tombstones and what has no frame name nothing.
    const std::string text = "bare";
    const std::vector<MessageView> nameless = {message_of({}), message_of(Bytes::of(text)),
                                               message_of(Bytes::of(""))};
    EXPECT_EQ(cache.missing(nameless), Ids());
}

TEST(SchemaCache, AnIdThatIsNoneStaysSoForAWhile) {
    FakeClock clock;
    SchemaCache cache(source(Framing::Confluent, std::nullopt), clock);
    const Messages messages({7});
    EXPECT_EQ(cache.missing(messages.views), (Ids{7}));
    cache.keep_unknown(7, Error::data("22P03", "none"));
    clock.advance(29s);
    EXPECT_EQ(cache.missing(messages.views), Ids());
    EXPECT_EQ(cache.find(7).error().message, "none");
    clock.advance(1s);
    EXPECT_EQ(cache.missing(messages.views), (Ids{7}));
}

TEST(SchemaCache, OnlyPartsThatAreReadAndNameSchemas) {
    FakeClock clock;
    const Messages messages({7});
    EXPECT_EQ(SchemaCache(source(Framing::None, Framing::Confluent), clock).missing(messages.views),
              (Ids{7}));
    EXPECT_EQ(SchemaCache(source(Framing::None, Framing::None), clock).missing(messages.views), Ids());
    EXPECT_EQ(SchemaCache(source(std::nullopt, std::nullopt), clock).missing(messages.views), Ids());
    RecordSpec unread = source(Framing::Confluent, Framing::Confluent);
    for (SourceColumn& column : unread.columns) column.wanted = false;
    EXPECT_EQ(SchemaCache(unread, clock).missing(messages.views), Ids());
    RecordSpec json = source(Framing::Confluent, std::nullopt);
    json.value->format = Format::Json;
    EXPECT_EQ(SchemaCache(json, clock).missing(messages.views), Ids()) << "JSON needs no schema";
    RecordSpec change = source(Framing::Confluent, std::nullopt);
    change.value->format = Format::DebeziumAvro;
    change.columns = {
        {.name = "op", .origin = Origin::Metadata, .metadata = Metadata::Change, .field = "op"}};
    EXPECT_EQ(SchemaCache(change, clock).missing(messages.views), (Ids{7}));
}

TEST(SchemaCache, ForgetsWhatNobodyNames) {
    FakeClock clock;
    SchemaCache cache(source(Framing::Confluent, std::nullopt), clock);
    Ids many;
    for (int32_t id = 1; id <= 1'001; ++id) many.push_back(id);
    const Messages all(many);
    EXPECT_EQ(cache.missing(all.views), many);
    for (const int32_t id : many) cache.keep(id, std::make_shared<SchemaText>());
    EXPECT_EQ(cache.missing(all.views), Ids()) << "what a batch names stays, however many";
    EXPECT_EQ(cache.missing(Messages({5}).views), Ids());
    EXPECT_TRUE(cache.find(5));
    EXPECT_FALSE(cache.find(6));
    const auto long_one = std::make_shared<SchemaText>();
    long_one->body.assign(9 << 20, ' ');
    cache.keep(6, long_one);
    EXPECT_EQ(cache.missing(Messages({5}).views), Ids());
    EXPECT_TRUE(cache.find(6));
    cache.keep(7, long_one);
    EXPECT_EQ(cache.missing(Messages({7}).views), Ids());
    EXPECT_FALSE(cache.find(6)) << "there are bounds in bytes, too";
    EXPECT_TRUE(cache.find(7));
    many.clear();
    for (int32_t id = 2'000; id <= 12'000; ++id) many.push_back(id);
    for (const int32_t id : many) cache.keep_unknown(id, Error::data("22P03", "none"));
    EXPECT_EQ(cache.missing(Messages({2'000}).views), Ids());
    EXPECT_EQ(cache.missing(Messages({2'001}).views), (Ids{2'001}));
}

}  // namespace
}  // namespace sluice
