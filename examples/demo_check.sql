-- Compares the tables of `make demo` with what was produced. Fails when they differ.
--   psql -v orders=FILE -v events=FILE -f examples/demo_check.sql      the files that test/tools/ordersd writes
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
CREATE TEMP TABLE produced_orders (LIKE shop.orders);
CREATE TEMP TABLE produced_events (partition int, messages bigint, ids numeric, versions numeric, prices numeric);
-- \copy knows no variables.
SELECT format('\copy produced_orders FROM %L (FORMAT csv)', :'orders') AS copy_orders,
       format('\copy produced_events FROM %L (FORMAT csv)', :'events') AS copy_events \gset
:copy_orders
:copy_events

\echo 'shop.orders: the last state of every order'
CREATE TEMP TABLE orders_compared AS
  SELECT p.*, t.*, (p.rows_produced, p.md5_produced) = (t.rows_found, t.md5_found) AS same
    FROM (SELECT count(*), md5(string_agg(o::text, E'\n' ORDER BY id)) FROM produced_orders o)
           p(rows_produced, md5_produced),
         (SELECT count(*), md5(string_agg(o::text, E'\n' ORDER BY id)) FROM shop.orders o) t(rows_found, md5_found);
TABLE orders_compared;

\echo 'shop.order_events: every message once; count, last offset and sums of each partition'
CREATE TEMP TABLE events_compared AS
  SELECT p.*, t.messages_found, t.offsets, t.last_offset,
         (p.messages, p.messages, p.messages - 1, p.ids, p.versions, p.prices)
           IS NOT DISTINCT FROM (t.messages_found, t.offsets, t.last_offset, t.ids, t.versions, t.prices) AS same
    FROM produced_events p LEFT JOIN
         (SELECT kafka_partition AS partition, count(*) AS messages_found, count(DISTINCT kafka_offset) AS offsets,
                 max(kafka_offset) AS last_offset, sum(id) AS ids, sum(version) AS versions, sum(price) AS prices
            FROM shop.order_events GROUP BY 1) t USING (partition)
   ORDER BY partition;
TABLE events_compared;

SELECT bool_and(same) AS same FROM (SELECT same FROM orders_compared UNION ALL SELECT same FROM events_compared) x \gset
\if :same
\else
  \echo 'Orders that differ, the first ten:'
  SELECT COALESCE(p.id, t.id) AS id, p AS produced, t AS found
    FROM produced_orders p FULL JOIN shop.orders t USING (id) WHERE p::text IS DISTINCT FROM t::text
   ORDER BY 1 LIMIT 10;
  DO $$ BEGIN RAISE EXCEPTION 'the tables differ from what was produced'; END $$;
\endif
