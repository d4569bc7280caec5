// The texts of the statements, word for word: what they mean is tested against a server.
#include "job/statement.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

MapShape orders_map() {
    MapShape shape;
    shape.source = "shop.orders_src";
    shape.columns = {
        {"id", "s.id", true}, {"version", "s.version", true}, {"\"Note\"", "upper(s.note)", false}};
    return shape;
}

ComparedColumn compared(std::string name) {
    return {std::move(name), "OPERATOR(pg_catalog.=)", "OPERATOR(pg_catalog.<)", "OPERATOR(pg_catalog.>)",
            ""};
}

ApplyShape orders() {
    ApplyShape shape;
    shape.target = "shop.orders";
    shape.columns = {{"id", false}, {"version", true}, {"\"Note\"", true}, {"created", false}};
    shape.match = {compared("id")};
    shape.order = {compared("version")};
    shape.conflict_target = "(id)";
    return shape;
}

ApplyShape without_order() {
    ApplyShape shape = orders();
    shape.order.clear();
    return shape;
}

constexpr const char* kNotOlder =
    "(t.version IS NULL OR b.version OPERATOR(pg_catalog.>) t.version OR"
    " b.version OPERATOR(pg_catalog.=) t.version)";

TEST(MapRows, SelectsColumnsByName) {
    EXPECT_EQ(map_rows(orders_map()),
              "SELECT s.ctid AS sluice_position,\n"
              "       s.id AS id,\n"
              "       s.version AS version,\n"
              "       upper(s.note) AS \"Note\"\n"
              "  FROM shop.orders_src s");
}

TEST(MapRows, Filters) {
    MapShape shape = orders_map();
    shape.filter = "s.id > 4";
    EXPECT_TRUE(map_rows(shape).ends_with("\n WHERE s.id > 4"));
}

TEST(MapEvents, WithoutDeletesEvaluatesNoCondition) {
    EXPECT_EQ(map_events(orders_map()),
              "SELECT s.ctid AS sluice_position,\n"
              "       false AS sluice_delete,\n"
              "       false AS sluice_unguarded,\n"
              "       true AS sluice_update,\n"
              "       s.id AS id,\n"
              "       s.version AS version,\n"
              "       upper(s.note) AS \"Note\"\n"
              "  FROM shop.orders_src s");
}

TEST(MapEvents, OfADeleteEvaluatesOnlyMatchAndOrderColumns) {
    MapShape shape = orders_map();
    shape.delete_condition = "s.op = 'd'";
    shape.update_condition = "s.id > 4";
    shape.filter = "s.id < 9";
    EXPECT_EQ(
        map_events(shape),
        "SELECT s.ctid AS sluice_position,\n"
        "       sluice_event.is_delete AS sluice_delete,\n"
        "       false AS sluice_unguarded,\n"
        "       CASE WHEN sluice_event.is_delete THEN false ELSE (s.id > 4) IS TRUE END AS sluice_update,\n"
        "       s.id AS id,\n"
        "       s.version AS version,\n"
        "       CASE WHEN sluice_event.is_delete THEN NULL ELSE upper(s.note) END AS \"Note\"\n"
        "  FROM shop.orders_src s,\n"
        "       LATERAL (SELECT (s.op = 'd') IS TRUE AS is_delete OFFSET 0) sluice_event\n"
        " WHERE s.id < 9");
}

TEST(MapEvents, TombstonesSkipTheFilterAndAreNewerThanEveryRow) {
    MapShape shape = orders_map();
    shape.tombstone_deletes = true;
    shape.filter = "s.id < 9";
    const std::string text = map_events(shape);
    EXPECT_NE(text.find("sluice.is_tombstone(s.ctid) AS sluice_unguarded"), std::string::npos);
    EXPECT_NE(text.find("LATERAL (SELECT sluice.is_tombstone(s.ctid) AS is_delete OFFSET 0)"),
              std::string::npos);
    EXPECT_TRUE(text.ends_with("\n WHERE CASE WHEN sluice.is_tombstone(s.ctid) THEN true ELSE s.id < 9 END"));

    shape.delete_condition = "s.op = 'd'";
    EXPECT_NE(
        map_events(shape).find("(SELECT sluice.is_tombstone(s.ctid) OR (s.op = 'd') IS TRUE AS is_delete"),
        std::string::npos);
}

TEST(MapEvents, TombstonesWithAnOrderCanBeStale) {
    MapShape shape = orders_map();
    shape.tombstone_deletes = true;
    shape.tombstone_has_order = true;
    EXPECT_NE(map_events(shape).find("false AS sluice_unguarded"), std::string::npos);
}

TEST(MapEvents, OfAnAbsentColumnEvaluatesNothing) {
    MapShape shape = orders_map();
    shape.columns[2].absent_number = 3;
    EXPECT_NE(
        map_events(shape).find(
            "       CASE WHEN sluice.is_absent(s.ctid, 3) THEN NULL ELSE upper(s.note) END AS \"Note\"\n"),
        std::string::npos);
    shape.delete_condition = "s.op = 'd'";
    EXPECT_NE(map_events(shape).find("CASE WHEN sluice_event.is_delete THEN NULL ELSE CASE WHEN "
                                     "sluice.is_absent(s.ctid, 3) THEN NULL ELSE upper(s.note) END END AS"),
              std::string::npos);
}

TEST(Insert, FromTheSourceAssignsExpressions) {
    EXPECT_EQ(insert_from_source(orders(), orders_map()),
              "INSERT INTO shop.orders AS t (id, version, \"Note\", created)\n"
              "SELECT s.id,\n"
              "       s.version,\n"
              "       upper(s.note)\n"
              "  FROM shop.orders_src s");
}

TEST(Insert, FromTheBatch) {
    ApplyShape shape = orders();
    shape.overriding_system_value = true;
    EXPECT_EQ(insert_rows(shape, Conflict::Raise),
              "INSERT INTO shop.orders AS t (id, version, \"Note\", created) OVERRIDING SYSTEM VALUE\n"
              "SELECT b.id, b.version, b.\"Note\", b.created\n"
              "  FROM sluice_batch b\n"
              "RETURNING true");
    EXPECT_TRUE(insert_rows(shape, Conflict::Ignore).ends_with("\nON CONFLICT DO NOTHING\nRETURNING true"));
}

TEST(Upsert, OnConflictComparesTheOrder) {
    ApplyShape shape = orders();
    shape.tell_inserted = true;
    EXPECT_EQ(upsert_on_conflict(shape),
              "INSERT INTO shop.orders AS t (id, version, \"Note\", created)\n"
              "SELECT b.id, b.version, b.\"Note\", b.created\n"
              "  FROM sluice_batch b\n"
              " WHERE b.sluice_update AND NOT b.sluice_delete\n"
              "ON CONFLICT (id) DO UPDATE SET version = excluded.version, \"Note\" = excluded.\"Note\"\n"
              " WHERE (t.version IS NULL OR excluded.version OPERATOR(pg_catalog.>) t.version OR"
              " excluded.version OPERATOR(pg_catalog.=) t.version)\n"
              "RETURNING t.xmax = 0");
}

TEST(Upsert, TiesCanBeStale) {
    ApplyShape shape = orders();
    shape.ties_are_stale = true;
    EXPECT_NE(upsert_on_conflict(shape).find("\n WHERE (excluded.version OPERATOR(pg_catalog.>) t.version OR"
                                             " (t.version IS NULL AND excluded.version IS NOT NULL))\n"),
              std::string::npos)
        << upsert_on_conflict(shape);
}

TEST(Upsert, WithoutOrderAlwaysUpdates) {
    EXPECT_TRUE(upsert_on_conflict(without_order())
                    .ends_with("\nON CONFLICT (id) DO UPDATE SET version = excluded.version,"
                               " \"Note\" = excluded.\"Note\"\nRETURNING NULL::pg_catalog.bool"));
}

TEST(Upsert, OrderColumnsAreComparedOneByOneWithNullLowest) {
    ApplyShape shape = orders();
    shape.order = {compared("epoch"), compared("version")};
    shape.order[0].collate = " COLLATE pg_catalog.\"C\"";
    EXPECT_TRUE(
        update_rows(shape).find("\n   AND (b.epoch COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.>) t.epoch"
                                " OR (t.epoch IS NULL AND b.epoch IS NOT NULL)"
                                " OR ((b.epoch COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=) t.epoch"
                                " OR (t.epoch IS NULL AND b.epoch IS NULL)) AND " +
                                std::string(kNotOlder) + "))") != std::string::npos)
        << update_rows(shape);
}

TEST(Apply, UpdatesAndDeletesReturnPositions) {
    EXPECT_EQ(update_rows(orders()),
              "UPDATE shop.orders t\n"
              "   SET version = b.version, \"Note\" = b.\"Note\"\n"
              "  FROM sluice_batch b\n"
              " WHERE b.sluice_update AND NOT b.sluice_delete AND t.id OPERATOR(pg_catalog.=) b.id\n"
              "   AND " +
                  std::string(kNotOlder) +
                  "\n"
                  "RETURNING b.sluice_position");
    EXPECT_EQ(delete_rows(orders()),
              "DELETE FROM shop.orders t\n"
              " USING sluice_batch b\n"
              " WHERE b.sluice_delete AND t.id OPERATOR(pg_catalog.=) b.id\n"
              "   AND (b.sluice_unguarded OR " +
                  std::string(kNotOlder) +
                  ")\n"
                  "RETURNING b.sluice_position");
    EXPECT_EQ(delete_rows(without_order()),
              "DELETE FROM shop.orders t\n"
              " USING sluice_batch b\n"
              " WHERE b.sluice_delete AND t.id OPERATOR(pg_catalog.=) b.id\n"
              "RETURNING b.sluice_position");
}

TEST(Apply, InsertsWhatIsAbsent) {
    EXPECT_EQ(insert_on_conflict(orders(), Operations::Inserts),
              "INSERT INTO shop.orders AS t (id, version, \"Note\", created)\n"
              "SELECT b.id, b.version, b.\"Note\", b.created\n"
              "  FROM sluice_batch b\n"
              " WHERE NOT b.sluice_update AND NOT b.sluice_delete\n"
              "ON CONFLICT (id) DO NOTHING\n"
              "RETURNING true");
}

TEST(Apply, LocksInKeyOrder) {
    ApplyShape shape = orders();
    shape.match.push_back(compared("\"Note\""));
    shape.match[1].collate = " COLLATE pg_catalog.\"C\"";
    EXPECT_EQ(lock_rows(shape),
              "SELECT\n"
              "  FROM sluice_batch b, shop.orders t\n"
              " WHERE t.id OPERATOR(pg_catalog.=) b.id"
              " AND t.\"Note\" OPERATOR(pg_catalog.=) b.\"Note\" COLLATE pg_catalog.\"C\"\n"
              " ORDER BY b.id USING OPERATOR(pg_catalog.<),"
              " b.\"Note\" COLLATE pg_catalog.\"C\" USING OPERATOR(pg_catalog.<)\n"
              "   FOR NO KEY UPDATE OF t");
}

TEST(Apply, FindsStoredRows) {
    EXPECT_EQ(find_rows(orders(), Operations::Deletes),
              "SELECT b.sluice_position\n"
              "  FROM sluice_batch b\n"
              " WHERE b.sluice_delete\n"
              "   AND EXISTS (SELECT FROM shop.orders t WHERE t.id OPERATOR(pg_catalog.=) b.id)");
}

TEST(Apply, FindsStoredRowsOfAllButDeletes) {
    EXPECT_NE(find_rows(orders(), Operations::AllButDeletes).find("\n WHERE NOT b.sluice_delete\n"),
              std::string::npos);
}

TEST(ApplyShape, KnowsWhetherAnythingIsUpdated) {
    EXPECT_TRUE(orders().updates());
    ApplyShape shape = orders();
    shape.columns.resize(1);
    EXPECT_FALSE(shape.updates());
}

}  // namespace
}  // namespace sluice
