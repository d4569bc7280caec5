#include "flow/positions.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

MessageView message(int partition, int64_t offset, std::string_view topic = "orders") {
    MessageView m;
    m.topic = topic;
    m.partition = Partition{partition};
    m.offset = Offset{offset};
    m.timestamp_ms = 1'000 + offset;
    m.leader_epoch = 3;
    m.key = Bytes::of("key");
    m.value = Bytes::of("value");
    return m;
}

TopicPartition at(int partition, std::string topic = "orders") {
    return {std::move(topic), Partition{partition}};
}

std::string show(const std::vector<PartitionRange>& ranges) {
    std::string text;
    for (const PartitionRange& r : ranges) {
        text += r.at.topic + "/" + std::to_string(r.at.partition.value) + " " +
                std::to_string(r.start.value) + "-" + std::to_string(r.end.value) + " (" +
                std::to_string(r.messages) + ") ";
    }
    return text;
}

struct Stream {
    Positions positions;
    std::vector<MessageView> batch;

    void poll(std::vector<MessageView> polled) { positions.admit(polled, batch); }
    std::vector<PartitionRange> ranges(size_t first, size_t count) const {
        return positions.ranges_of(std::span(batch).subspan(first, count));
    }
    std::string commit(size_t first, size_t count) {
        const auto r = ranges(first, count);
        positions.committed(r);
        return show(r);
    }
    int64_t next(int partition) const { return positions.next_to_read(at(partition))->value; }
};

TEST(Positions, EachPartitionOfASliceGoesFromItsStoredToItsNextOffset) {
    Stream s;
    s.positions.assign(at(0), NextOffset{5}, std::nullopt);
    s.positions.assign(at(1), NextOffset{0}, std::nullopt);
    s.positions.assign(at(2), NextOffset{9}, std::nullopt);
    s.poll({message(1, 0), message(1, 1), message(0, 5), message(0, 8), message(1, 2)});
    ASSERT_EQ(s.batch.size(), 5U);

    EXPECT_EQ(s.commit(0, 3), "orders/0 5-6 (1) orders/1 0-2 (2) ");
    EXPECT_EQ(s.commit(3, 2), "orders/0 6-9 (1) orders/1 2-3 (1) ");
    EXPECT_EQ(s.commit(5, 0), "");
}

TEST(Positions, ARangeCarriesWhatTheOffsetsRowShows) {
    Stream s;
    s.positions.assign(at(0), NextOffset{0}, std::nullopt);
    s.poll({message(0, 0), message(0, 7)});
    const auto ranges = s.ranges(0, 2);
    ASSERT_EQ(ranges.size(), 1U);
    EXPECT_EQ(ranges[0].bytes, 16);
    EXPECT_EQ(ranges[0].last_timestamp_ms, 1'007);
    EXPECT_EQ(ranges[0].leader_epoch, 3);
}

TEST(Positions, RangesComeInOrderOfTopicAndPartition) {
    Stream s;
    s.positions.assign(at(0, "b"), NextOffset{0}, std::nullopt);
    s.positions.assign(at(10, "a"), NextOffset{0}, std::nullopt);
    s.positions.assign(at(2, "a"), NextOffset{0}, std::nullopt);
    s.poll({message(0, 0, "b"), message(10, 0, "a"), message(2, 0, "a")});
    EXPECT_EQ(s.commit(0, 3), "a/2 0-1 (1) a/10 0-1 (1) b/0 0-1 (1) ");
}

TEST(Positions, WhatIsStoredOrTakenAlreadyIsDropped) {
    Stream s;
    s.positions.assign(at(0), NextOffset{5}, std::nullopt);
    s.poll({message(0, 3), message(0, 4), message(0, 5), message(0, 5), message(0, 6)});
    EXPECT_EQ(s.batch.size(), 2U);
    s.poll({message(0, 5), message(0, 6), message(0, 7)});
    EXPECT_EQ(s.batch.size(), 3U);
    EXPECT_EQ(s.commit(0, 3), "orders/0 5-8 (3) ");
    s.batch.clear();
    s.poll({message(0, 7), message(0, 8)});
    ASSERT_EQ(s.batch.size(), 1U);
    EXPECT_EQ(s.batch[0].offset, Offset{8});
}

TEST(Positions, WhatIsNotAssignedIsDropped) {
    Stream s;
    s.positions.assign(at(0), NextOffset{0}, std::nullopt);
    s.poll({message(1, 0), message(0, 0), message(0, 0, "other")});
    EXPECT_EQ(s.batch.size(), 1U);
    s.positions.unassign(at(0));
    EXPECT_EQ(s.commit(0, 1), "");
    EXPECT_FALSE(s.positions.next_to_read(at(0)).has_value());
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{10});
    EXPECT_FALSE(s.positions.position_to_store());
}

TEST(Positions, ControlRecordsAtTheEndAreStoredWithTheLastMessage) {
    Stream s;
    s.positions.assign(at(0), NextOffset{0}, std::nullopt);
    s.poll({message(0, 0), message(0, 1)});
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{4});
    EXPECT_FALSE(s.positions.position_to_store()) << "messages are pending: they take it along";
    EXPECT_EQ(s.commit(0, 1), "orders/0 0-1 (1) ") << "not before the last message";
    EXPECT_EQ(s.commit(1, 1), "orders/0 1-4 (1) ");
    EXPECT_FALSE(s.positions.position_to_store());
    EXPECT_EQ(s.next(0), 4);
}

TEST(Positions, ControlRecordsAloneAreStoredByAnEmptySlice) {
    Stream s;
    s.positions.assign(at(0), NextOffset{7}, std::nullopt);
    s.positions.assign(at(1), NextOffset{7}, std::nullopt);
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{7});
    EXPECT_FALSE(s.positions.position_to_store());
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{9});
    EXPECT_TRUE(s.positions.position_to_store());
    s.poll({message(1, 7)});
    EXPECT_EQ(s.commit(0, 1), "orders/0 7-9 (0) orders/1 7-8 (1) ");
    EXPECT_FALSE(s.positions.position_to_store());
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{8});
    EXPECT_FALSE(s.positions.position_to_store()) << "never backwards";
}

TEST(Positions, AnEndThatMessagesHavePassedMeansNothing) {
    Stream s;
    s.positions.assign(at(0), NextOffset{0}, std::nullopt);
    s.poll({message(0, 0)});
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{2});
    s.poll({message(0, 5)});
    EXPECT_EQ(s.commit(0, 1), "orders/0 0-1 (1) ");
    EXPECT_EQ(s.commit(1, 1), "orders/0 1-6 (1) ");
}

TEST(Positions, StopsBeforeTheStopOffset) {
    Stream s;
    s.positions.assign(at(0), NextOffset{0}, NextOffset{3});
    s.poll({message(0, 0), message(0, 1)});
    EXPECT_FALSE(s.positions.stop_reached());
    s.poll({message(0, 2), message(0, 3), message(0, 4)});
    EXPECT_TRUE(s.positions.stop_reached());
    EXPECT_EQ(s.batch.size(), 3U);
    EXPECT_EQ(s.commit(0, 3), "orders/0 0-3 (3) ");
}

TEST(Positions, AStopOffsetInAHoleIsReachedByWhatComesAfterIt) {
    Stream by_message;
    by_message.positions.assign(at(0), NextOffset{0}, NextOffset{5});
    by_message.poll({message(0, 1), message(0, 9)});
    EXPECT_TRUE(by_message.positions.stop_reached());
    EXPECT_EQ(by_message.commit(0, 1), "orders/0 0-5 (1) ");

    Stream by_end;
    by_end.positions.assign(at(0), NextOffset{0}, NextOffset{5});
    by_end.poll({message(0, 1)});
    by_end.positions.end_of_partition("orders", Partition{0}, NextOffset{8});
    EXPECT_TRUE(by_end.positions.stop_reached());
    EXPECT_EQ(by_end.commit(0, 1), "orders/0 0-5 (1) ") << "exactly the stop offset";
}

TEST(Positions, AllPartitionsMustStop) {
    Positions positions;
    EXPECT_FALSE(positions.stop_reached()) << "nothing is assigned";
    positions.assign(at(0), NextOffset{4}, NextOffset{4});
    EXPECT_TRUE(positions.stop_reached()) << "was there already";
    positions.assign(at(1), NextOffset{0}, NextOffset{2});
    EXPECT_FALSE(positions.stop_reached());
    positions.end_of_partition("orders", Partition{1}, NextOffset{2});
    EXPECT_TRUE(positions.stop_reached());
    positions.assign(at(2), NextOffset{0}, std::nullopt);
    EXPECT_FALSE(positions.stop_reached()) << "this one never stops";
}

TEST(Positions, ABatchThatIsGivenUpIsReadAgain) {
    Stream s;
    s.positions.assign(at(0), NextOffset{0}, NextOffset{3});
    s.poll({message(0, 0), message(0, 1), message(0, 2)});
    EXPECT_EQ(s.commit(0, 1), "orders/0 0-1 (1) ");
    s.positions.end_of_partition("orders", Partition{0}, NextOffset{3});
    s.positions.rewind();
    EXPECT_EQ(s.next(0), 1);
    EXPECT_FALSE(s.positions.stop_reached());
    EXPECT_FALSE(s.positions.position_to_store()) << "the end was behind messages that are gone again";
    s.batch.clear();
    s.poll({message(0, 0), message(0, 1), message(0, 2)});
    EXPECT_EQ(s.commit(0, 2), "orders/0 1-3 (2) ");
}

TEST(Positions, AssigningAnewBeginsAnew) {
    Stream s;
    s.positions.assign(at(0), NextOffset{50}, std::nullopt);
    s.positions.assign(at(0), NextOffset{10}, std::nullopt);
    s.poll({message(0, 10)});
    EXPECT_EQ(s.commit(0, 1), "orders/0 10-11 (1) ");
}

// However the stream arrives and is cut: every message once, ranges without a seam, the end at the end.
TEST(Positions, RandomCutsMeetSeamlessly) {
    for (uint32_t seed = 0; seed < 500; ++seed) {
        std::mt19937 random(seed);
        constexpr int kPartitions = 3;
        struct Log {
            std::vector<int64_t> offsets;
            int64_t end = 0;
            size_t sent = 0;
            int64_t stored = 0;
            int64_t messages = 0;
        } logs[kPartitions];
        Positions positions;
        for (int p = 0; p < kPartitions; ++p) {
            for (size_t i = random() % 40; i > 0; --i) {
                logs[p].end += random() % 4 == 0 ? static_cast<int64_t>(random() % 5) : 0;
                logs[p].offsets.push_back(logs[p].end++);
            }
            logs[p].end += static_cast<int64_t>(random() % 3);
            positions.assign(at(p), NextOffset{0}, NextOffset{logs[p].end});
        }
        for (int rounds = 0; !positions.stop_reached() || positions.position_to_store(); ++rounds) {
            ASSERT_LT(rounds, 1'000);
            std::vector<MessageView> batch;
            for (size_t polls = 1 + random() % 4; polls > 0; --polls) {
                const int p = static_cast<int>(random() % kPartitions);
                Log& log = logs[p];
                if (random() % 5 == 0)
                    log.sent -= std::min<size_t>(log.sent, random() % 4);  // delivered again
                std::vector<MessageView> polled;
                for (size_t n = random() % 10; n > 0 && log.sent < log.offsets.size(); --n) {
                    polled.push_back(message(p, log.offsets[log.sent++]));
                }
                positions.admit(polled, batch);
                if (log.sent == log.offsets.size()) {
                    positions.end_of_partition("orders", Partition{p}, NextOffset{log.end});
                }
            }
            for (size_t first = 0; first < batch.size() || positions.position_to_store();) {
                const size_t count =
                    batch.empty() ? 0 : std::min<size_t>(1 + random() % 8, batch.size() - first);
                const auto ranges = positions.ranges_of(std::span(batch).subspan(first, count));
                for (const PartitionRange& r : ranges) {
                    Log& log = logs[r.at.partition.value];
                    ASSERT_EQ(r.start.value, log.stored) << seed;
                    ASSERT_GT(r.end.value, r.start.value) << seed;
                    log.stored = r.end.value;
                    log.messages += r.messages;
                }
                positions.committed(ranges);
                first += count;
            }
        }
        for (const Log& log : logs) {
            ASSERT_EQ(log.stored, log.end) << seed;
            ASSERT_EQ(log.messages, static_cast<int64_t>(log.offsets.size())) << seed;
        }
    }
}

}  // namespace
}  // namespace sluice
