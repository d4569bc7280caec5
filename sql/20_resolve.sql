\set SHOW_CONTEXT never
-- What create_job finds out about a job without asking a broker: names, expressions, keys, rights, and all problems
-- told together.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE ROLE resolve_etl LOGIN;
CREATE ROLE resolve_nologin;
CREATE SERVER resolve_srv FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'localhost:1');
GRANT USAGE ON FOREIGN SERVER resolve_srv TO resolve_etl;
CREATE SCHEMA resolve AUTHORIZATION resolve_etl;
SET ROLE resolve_etl;
SET search_path = resolve, public;
CREATE FOREIGN TABLE src (id bigint, version bigint, customer_id int, price numeric, ordered_at timestamptz, note text,
  doc json, order_key text OPTIONS (source 'key'), part int OPTIONS (metadata 'partition'))
  SERVER resolve_srv OPTIONS (topic 'orders', format 'csv', key_format 'text');
CREATE TABLE orders (id bigint PRIMARY KEY, version bigint, customer_id int, price numeric(10,2), note varchar(5),
  created timestamptz DEFAULT now());
RESET client_min_messages;

-- Defines a job, shows what it is stored as, and forgets it.
CREATE FUNCTION try(target text, mode text DEFAULT 'insert', match text[] DEFAULT NULL, upd text[] DEFAULT NULL,
  ord text[] DEFAULT NULL, mapping jsonb DEFAULT NULL, filter text DEFAULT NULL, deletes text DEFAULT NULL,
  options jsonb DEFAULT NULL, source text DEFAULT 'src') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  PERFORM sluice.create_job('try', source, target, mode, match_columns => match, update_columns => upd,
    order_columns => ord, mapping => mapping, filter => filter, delete_condition => deletes,
    options => COALESCE(options, '{}') || '{"start": "latest"}', check_broker => false);
  RETURN QUERY SELECT e->>'name' || ' <- ' || (e->>'qualified')
                 FROM sluice.jobs, jsonb_array_elements(definition->'mapping') e WHERE job_name = 'try';
  RETURN QUERY SELECT k || ': ' || (definition->k->>'qualified')
                 FROM sluice.jobs, unnest('{filter,delete_condition}'::text[]) k
                WHERE job_name = 'try' AND definition ? k;
  FOR line IN SELECT explain_job FROM sluice.explain_job('try') LOOP
    IF line ~ '^(Gear|Upsert)' THEN RETURN NEXT line; END IF;
  END LOOP;
  PERFORM sluice.drop_job('try');
END $$;

-- Names are resolved under the caller's path and stored with their schema.
SELECT sluice.create_job('named', 'src', 'orders', options => '{"start": "latest"}', check_broker => false) > 0 AS ok;
SELECT source, target, definition->>'source' AS stored_source FROM sluice.jobs WHERE job_name = 'named';
SELECT sluice.drop_job('named');

-- Expressions: the source under either name, qualified operators and functions, sub-selects, the whole row.
CREATE OPERATOR === (leftarg = text, rightarg = text, function = texteq);
CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
SELECT * FROM try('orders', mapping => $${"id": "src.id", "note": "upper(s.note) -- as it came",
  "customer_id": "twice(customer_id)", "price": "'7'", "version": "(SELECT max(s.id) FROM orders s WHERE s.id = src.id)"}$$,
  filter => $$note === 'x' AND id > 0$$);
SELECT * FROM try('orders', mapping => '{"id": "id", "note": "to_jsonb(s) ->> ''note''"}');

-- Wrong expressions: all of them, each with its place.
SELECT * FROM try('orders', 'merge', mapping => $${"id": "idd + 1", "version": "vers(", "price": "note", "note": "a, b",
  "customer_id": "max(customer_id)", "nope": "1", "created": "$1"}$$, ord => '{verzion}', filter => 'customer_id',
  deletes => 'ctid IS NULL');
SELECT * FROM try('orders', 'merge', mapping => $${"id": "'x'", "version": "DEFAULT", "price": "*", "note": "/* */",
  "customer_id": "row_number() OVER ()", "created": "CASE WHEN true THEN o.id END"}$$, filter => 'true FROM src',
  deletes => '(SELECT true FROM src LIMIT 1)');
SELECT * FROM try('orders', mapping => '{"id": "generate_series(1, 2)"}');

-- Targets that are none.
CREATE VIEW a_view AS SELECT * FROM orders;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM orders;
CREATE SEQUENCE a_sequence;
CREATE TEMP TABLE fleeting (id bigint);
SELECT * FROM try('a_view');
SELECT * FROM try('a_matview');
SELECT * FROM try('a_sequence');
SELECT * FROM try('src');
SELECT * FROM try('pg_class');
SELECT * FROM try('sluice.job');
SELECT * FROM try('fleeting');
SELECT * FROM try('ordrs', source => 'orders');
SELECT * FROM try('resolve."orders');
SELECT * FROM try('orders', mapping => '{"id": "(SELECT max(id) FROM fleeting)"}');

-- Keys: the primary key by default, other unique indexes, and those that cannot decide.
SELECT * FROM try('orders', 'merge');
CREATE TABLE keyless (id bigint, version bigint, note text);
SELECT * FROM try('keyless', 'merge');
SELECT * FROM try('keyless', 'merge', '{id}');
SELECT * FROM try('keyless', 'merge', '{id}', options => '{"workers": 2}');
CREATE UNIQUE INDEX keyless_partial ON keyless (id) WHERE version > 0;
CREATE UNIQUE INDEX keyless_expression ON keyless ((id + 1));
ALTER TABLE keyless ADD CONSTRAINT keyless_late UNIQUE (id) DEFERRABLE;
SELECT * FROM try('keyless', 'merge', '{id}');
SELECT * FROM try('keyless', options => '{"on_conflict": "ignore"}');
CREATE UNIQUE INDEX keyless_both ON keyless (version, id);
SELECT * FROM try('keyless', 'merge', '{id,version}');
CREATE TABLE docs (id bigint PRIMARY KEY, doc json);
SELECT * FROM try('docs', 'merge', '{doc}');
CREATE TABLE parent (id bigint PRIMARY KEY, note text);
CREATE TABLE child () INHERITS (parent);
SELECT * FROM try('parent', 'merge');
CREATE TABLE parted (id bigint PRIMARY KEY, note text) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT * FROM try('parted', 'merge');
SELECT * FROM try('parted');

-- Match, update and order columns.
SELECT * FROM try('orders', 'merge', upd => '{price}', ord => '{version}');
SELECT * FROM try('orders', 'merge', ord => '{version,part}');
SELECT * FROM try('orders', 'merge', mapping => '{"id": "id", "note": "note"}', ord => '{version}');
SELECT * FROM try('orders', 'merge', match => '{idd}', upd => '{created,prise}', ord => '{id,vrsion}');
SELECT * FROM try('orders', 'merge', mapping => '{"note": "note"}');
SELECT * FROM try('orders', 'update', mapping => '{"id": "id"}');
SELECT * FROM try('orders', 'insert', match => '{id}', ord => '{version}', deletes => 'true');

-- What ON CONFLICT would check too early.
CREATE TABLE checked (id bigint PRIMARY KEY, note text, customer_id int, CHECK (note <> ''), CHECK (customer_id > 0));
SELECT * FROM try('checked', 'merge');
SELECT * FROM try('checked', 'merge', upd => '{note}');
CREATE TABLE strict (id bigint PRIMARY KEY, note text, must text NOT NULL);
SELECT * FROM try('strict', 'merge');
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE watched (id bigint PRIMARY KEY, note text);
CREATE TRIGGER before_row BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION pass();
SELECT * FROM try('watched');
SELECT * FROM try('watched', 'merge');
SELECT * FROM try('watched', 'merge', options => '{"upsert": "on_conflict"}');

-- Generated and identity columns, sequences, volatile defaults, unlogged tables.
CREATE TABLE counted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text,
  loud text GENERATED ALWAYS AS (upper(note)) STORED, serial_no serial);
SELECT * FROM try('counted', 'merge');
SELECT * FROM try('counted', mapping => '{"loud": "note"}');
SELECT * FROM try('counted', 'merge', match => '{note}', upd => '{id}');
CREATE UNLOGGED TABLE unlogged (id bigint PRIMARY KEY, token uuid DEFAULT gen_random_uuid());
SELECT * FROM try('unlogged');

-- Tombstones delete when the key gives the match columns.
SELECT * FROM try('orders', 'merge', options => '{"tombstone": "delete"}');
SELECT * FROM try('orders', 'merge', mapping => '{"id": "order_key::bigint", "note": "note"}',
  options => '{"tombstone": "delete"}');

-- Lengths: the map query raises where an assignment would.
CREATE TABLE lengths (k char(3) PRIMARY KEY, v varchar(4)[]);
SELECT * FROM try('lengths', 'merge', match => '{v}', mapping => '{"k": "note", "v": "ARRAY[note]"}');

SELECT sluice.create_job('lengths', 'src', 'orders', 'merge', mapping => '{"id": "id", "note": "note", "price": "price"}',
  options => '{"start": "latest"}', check_broker => false) > 0 AS ok;
SELECT outcome, "row", sqlstate, error_message FROM sluice.test_job('lengths', '1,,,1.005,,abcde   ,'::bytea);
SELECT outcome, "row", sqlstate, error_message FROM sluice.test_job('lengths', '1,,,1.005,,abcdef,'::bytea);
SELECT outcome, "row", sqlstate, error_message FROM sluice.test_job('lengths', '1,,,123456789.1,,abc,'::bytea);
SELECT sluice.drop_job('lengths');

-- The index decides what is equal: of two unique indexes the one that is chosen is named, with its collation.
CREATE TABLE words ("Word" text COLLATE "C", "no""te" text);
CREATE UNIQUE INDEX words_c ON words ("Word");
CREATE UNIQUE INDEX words_posix ON words ("Word" COLLATE "POSIX" text_pattern_ops);
SELECT sluice.create_job('words', 'src', 'words', 'merge', match_columns => '{Word}',
  mapping => '{"Word": "s.note", "no\"te": "order_key"}', options => '{"start": "latest"}', check_broker => false) > 0 AS ok;
SELECT substring(line, 'ON CONFLICT \(.*?\)') AS line FROM sluice.explain_job('words') line WHERE line ~ 'ON CONFLICT \(';
SELECT sluice.drop_job('words');

-- Rights, each with the statement that grants it.
RESET ROLE;
CREATE TABLE foreign_orders (id bigint PRIMARY KEY, serial_no serial, note text);
CREATE TABLE hidden (id bigint PRIMARY KEY, note text);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
GRANT ALL ON hidden TO resolve_etl;
CREATE TABLE some_columns (id bigint PRIMARY KEY, note text, other int);
GRANT INSERT (id, note), UPDATE (note), SELECT (id) ON some_columns TO resolve_etl;
SET ROLE resolve_etl;
SELECT * FROM try('some_columns', mapping => '{"id": "id", "note": "note"}');
SELECT * FROM try('some_columns', 'merge', mapping => '{"id": "id", "note": "note"}');
SELECT * FROM try('some_columns', 'merge', '{note}', mapping => '{"id": "id", "note": "note"}');
SELECT * FROM try('foreign_orders', 'merge', deletes => 'false');
SELECT * FROM try('hidden', 'merge');
SELECT * FROM try('hidden');
SELECT * FROM try('orders', mapping => '{"id": "(SELECT oid::bigint FROM pg_authid LIMIT 1)"}');
RESET ROLE;
SELECT * FROM try('orders');
SET ROLE resolve_nologin;
SELECT sluice.create_job('try', 'resolve.src', 'resolve.orders', check_broker => false);
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER resolve_srv FROM resolve_etl;
SET ROLE resolve_etl;
SELECT * FROM try('orders');
RESET ROLE;

-- Nothing is left of any of them.
SELECT count(*) FROM sluice.jobs WHERE job_name = 'try';
DROP TABLE pg_temp.fleeting;
SET client_min_messages = warning;
DROP SCHEMA resolve CASCADE;
DROP SERVER resolve_srv CASCADE;
DROP OWNED BY resolve_etl;
DROP ROLE resolve_etl, resolve_nologin;
