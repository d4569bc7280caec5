-- test_job and explain_job: the real way of a message, of which nothing remains.
\getenv mock SLUICE_MOCK
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE ROLE rehearse_owner LOGIN;
CREATE ROLE rehearse_other LOGIN;
CREATE SCHEMA rehearse AUTHORIZATION rehearse_owner;
CREATE SERVER rehearse_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'mock');
GRANT USAGE ON FOREIGN SERVER rehearse_kafka TO rehearse_owner;
SET ROLE rehearse_owner;
SET search_path = rehearse;
CREATE TABLE orders (id bigint PRIMARY KEY, version bigint, price numeric(10,2) CHECK (price < 1000), at timestamptz,
  note text, customer int);
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE log (what text);
CREATE FOREIGN TABLE src (id bigint OPTIONS (source 'key'), version bigint, price numeric, at timestamptz, note text,
  customer int, topic text OPTIONS (metadata 'topic')) SERVER rehearse_kafka
  OPTIONS (topic 'rehearse', format 'csv', key_format 'text');
INSERT INTO orders VALUES (1, 5, 10, now(), 'stored', NULL);
INSERT INTO customers VALUES (7);
ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers DEFERRABLE INITIALLY DEFERRED;
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.note LIKE 'refused%' THEN
    RAISE EXCEPTION 'no % here', NEW.note USING ERRCODE = 'P0042', DETAIL = 'by a trigger', HINT = 'say something else';
  END IF;
  INSERT INTO rehearse.log VALUES (current_user); RETURN NEW; END $$;
CREATE TRIGGER log_row BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION log_row();
SELECT sluice.create_job('j', 'src', 'orders', 'merge', order_columns => '{version}',
  mapping => '{"id": "id", "version": "version", "price": "price", "at": "at", "note": "note || '' of '' || topic", "customer": "customer"}',
  filter => 'note IS DISTINCT FROM ''filtered''', delete_condition => 'note = ''deleted''', options => '{"start": "earliest"}')
  > 0 AS created;
RESET client_min_messages;

-- A sample: value and key.
\pset null '(null)'
CREATE FUNCTION pg_temp.try(sample text, key text DEFAULT '1') RETURNS TABLE (outcome text, "row" jsonb, stage text,
  sqlstate text, error_message text, error_detail text, error_hint text, column_name text) LANGUAGE sql AS $$
  SELECT outcome, "row", stage, sqlstate, error_message, error_detail, error_hint, column_name
    FROM sluice.test_job('j', convert_to(sample, 'UTF8'), convert_to(key, 'UTF8')) $$;
SELECT * FROM sluice.test_job('j', '5,9.50,2026-01-02 03:04:05+00,hello,7'::bytea, '2'::bytea);
SELECT * FROM pg_temp.try('5,9.50,2026-01-02 03:04:05+00,hello,7');
SELECT * FROM pg_temp.try('4,9.50,2026-01-02 03:04:05+00,hello,7');
SELECT * FROM pg_temp.try('6,,,deleted,');
SELECT * FROM pg_temp.try('4,,,deleted,');
SELECT * FROM pg_temp.try('4,1,,filtered,');
SELECT * FROM pg_temp.try(NULL);
SELECT * FROM pg_temp.try(NULL, '99');
SELECT * FROM pg_temp.try('6,2000,,big,');
SELECT * FROM pg_temp.try('6,123456789012,,bigger,');
SELECT * FROM pg_temp.try('x,1,,not a number,');
SELECT * FROM pg_temp.try('6,1,,too few');
SELECT * FROM pg_temp.try('6,1,,"open');
SELECT * FROM pg_temp.try('6,1,,no such customer,8');
SELECT * FROM pg_temp.try('6,1,,refused,');
SELECT * FROM pg_temp.try('6,1,,no key,', NULL);
SELECT * FROM sluice.test_job('j', '\x2c00'::bytea, '1'::bytea);
-- The settings of the definition count, not those of the session.
SET TimeZone = 'Asia/Tokyo';
SELECT "row"->>'at' AS at, current_setting('TimeZone') FROM pg_temp.try('5,1,2026-01-02 03:04:05,hello,7');
RESET TimeZone;
-- Nothing remains; not even of a trigger.
SELECT * FROM orders ORDER BY id \gset left_
SELECT :'left_id' AS id, :'left_version' AS version, :'left_note' AS note;
SELECT count(*) FROM orders;
SELECT count(*) FROM log;

-- Messages of the topic: there are none yet.
SELECT * FROM sluice.test_job('j', 3);
SELECT * FROM sluice.test_job('j', 0);
SELECT * FROM sluice.test_job('j', 1000000);
SELECT * FROM sluice.test_job('k');

-- The statements and their plans.
SET plan_cache_mode = auto;
SELECT line FROM sluice.explain_job('j') line;
SELECT sluice.alter_job('j', mode => 'insert', order_columns => '{}', delete_condition => '', filter => '');
SELECT line FROM sluice.explain_job('j') line;
SELECT sluice.explain_job('k');

RESET ROLE;
SET ROLE rehearse_other;
SELECT * FROM sluice.test_job('j', 3);
SELECT * FROM sluice.test_job('j', '1'::bytea);
SELECT * FROM sluice.explain_job('j');
RESET ROLE;
-- As somebody who may do everything, it still runs as the owner.
UPDATE rehearse.orders SET customer = NULL;
TRUNCATE rehearse.log;
ALTER TABLE rehearse.orders OWNER TO rehearse_other;
SELECT outcome, sqlstate, error_message FROM sluice.test_job('j', '5,9.50,,hello,7'::bytea, '2'::bytea);
ALTER TABLE rehearse.orders OWNER TO rehearse_owner;
DROP TABLE rehearse.orders;
SELECT sluice.explain_job('j');
SELECT * FROM sluice.test_job('j', '1'::bytea);

SET client_min_messages = warning;
SELECT sluice.drop_job('j');
DROP FUNCTION pg_temp.try;
DROP SCHEMA rehearse CASCADE;
DROP SERVER rehearse_kafka;
DROP ROLE rehearse_owner, rehearse_other;
