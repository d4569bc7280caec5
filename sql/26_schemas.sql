-- Schemas kept in the database: who may make, use and drop them, what refers to what, and what is told.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
RESET client_min_messages;
CREATE ROLE schemas_alice;
CREATE ROLE schemas_bob LOGIN;
CREATE ROLE schemas_team ROLE schemas_alice;
\set SHOW_CONTEXT never
\pset format unaligned
\pset footer off
SET ROLE schemas_alice;
SELECT sluice.create_schema('customer', 'avro', '{"type": "record", "name": "shop.Customer", "fields": []}');
SELECT sluice.create_schema('order', 'AVRO', '{"type": "record", "name": "shop.Order", "fields": [{"name": "buyer", "type": "shop.Customer"}]}',
  schema_references => '{"shop.Customer": "customer"}');
SELECT sluice.create_schema('common', 'protobuf', 'message Money { optional int64 cents = 1; }');
SELECT sluice.create_schema('set', 'protobuf', '\x0a030a0161'::bytea);
SELECT sluice.create_schema('any', 'json-schema', 'true');
-- Everybody sees them.
SET ROLE schemas_bob;
SELECT name, kind, owner, created_at <= now() AS created, schema_references, body FROM sluice.schemas ORDER BY name;
SELECT * FROM sluice.schema;
DELETE FROM sluice.schemas;

-- Transactional.
BEGIN;
SELECT sluice.create_schema('bobs', 'avro', '"string"');
SELECT count(*) FROM sluice.schemas WHERE name = 'bobs';
ROLLBACK;
SELECT count(*) FROM sluice.schemas WHERE name = 'bobs';

-- Wrong arguments.
SELECT sluice.create_schema('customer', 'avro', '"string"');
SELECT sluice.create_schema('', 'avro', '"string"');
SELECT sluice.create_schema(NULL, 'avro', '"string"');
SELECT sluice.create_schema('x', 'avr', '"string"');
SELECT sluice.create_schema('x', 'avro', NULL::text);
SELECT sluice.create_schema('x', 'avro', '{"type": ');
SELECT sluice.create_schema('x', 'avro', '7');
SELECT sluice.create_schema('x', 'json-schema', '[]');
SELECT sluice.create_schema('x', 'protobuf', '');
SELECT sluice.create_schema('x', 'avro', '\x00'::bytea);
SELECT sluice.create_schema('x', 'avro', repeat(' ', 1048577));
SELECT sluice.create_schema('x', 'avro', '"a"', '{"a": "custommer"}');
SELECT sluice.create_schema('x', 'avro', '"a"', '{"a": "common"}');
SELECT sluice.create_schema('x', 'avro', '"a"', '["customer"]');
SELECT sluice.create_schema('x', 'avro', '"a"', '{"a": 1}');
SELECT sluice.create_schema('x', 'avro', '"a"', '{"a": "order", "shop.Customer": "order"}');

-- Only the owner drops, and nothing that is used.
SELECT sluice.drop_schema('any');
SELECT sluice.drop_schema('an');
SELECT sluice.drop_schema('entirely different');
SET ROLE schemas_alice;
SELECT sluice.drop_schema('customer');
SELECT sluice.drop_schema('order');
SELECT sluice.drop_schema('customer');
-- Members of the owner may.
SET ROLE schemas_team;
SELECT sluice.create_schema('teams', 'json-schema', '{}');
SET ROLE schemas_alice;
SELECT sluice.drop_schema('teams');
SELECT sluice.drop_schema('common'), sluice.drop_schema('set'), sluice.drop_schema('any');
RESET ROLE;
SELECT count(*) FROM sluice.schemas;

-- Foreign tables use schemas by their options, and find out whether they are there when they are read.
CREATE SERVER schemas_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '127.0.0.1:1');
GRANT USAGE ON FOREIGN SERVER schemas_kafka TO schemas_bob;
CREATE SCHEMA schemas AUTHORIZATION schemas_bob;
SET ROLE schemas_alice;
SELECT sluice.create_schema('Order v1', 'avro', '{"type": "record", "name": "O", "fields": [{"name": "a", "type": "int"}]}');
SELECT sluice.create_schema('text', 'protobuf', 'message A {}');
SET ROLE schemas_bob;
SET search_path = schemas;
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'avro', schema '"Order v1"');
CREATE FOREIGN TABLE keys (a int) SERVER schemas_kafka
  OPTIONS (topic 'orders', key_format 'avro', key_schema 'missing', key_reader_schema '"Order v1"');
CREATE TABLE target (a int);
SELECT sluice.create_job('orders', 'src', 'target', check_broker => false) > 0 AS created;
SELECT outcome, "row" FROM sluice.test_job('orders', sample => '\x0e'::bytea);
SELECT sluice.create_job('keys', 'keys', 'target', check_broker => false);
SELECT * FROM keys;
ALTER FOREIGN TABLE keys OPTIONS (SET key_schema 'text');
SELECT * FROM keys;
SET ROLE schemas_alice;
SELECT sluice.drop_schema('Order v1');
SET ROLE schemas_bob;
SELECT sluice.drop_job('orders');
DROP FOREIGN TABLE src, keys;
SET ROLE schemas_alice;
SELECT sluice.drop_schema('Order v1'), sluice.drop_schema('text');
RESET ROLE;

-- Options that name schemas belong to formats that have them; framing that names them needs a registry.
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'csv', schema 'order');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'csv', key_framing 'confluent');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'json', framing 'avro');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'avro');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'avro', framing 'confluent');
ALTER FOREIGN TABLE src OWNER TO schemas_bob;
SET ROLE schemas_bob;
SELECT * FROM src;
SELECT sluice.create_job('orders', 'src', 'target', check_broker => false);
RESET ROLE;
ALTER SERVER schemas_kafka OPTIONS (ADD registry_url 'http://etl:secret@127.0.0.1:1');
ALTER SERVER schemas_kafka OPTIONS (ADD registry_url 'http://127.0.0.1:1');
SET ROLE schemas_bob;
SELECT sluice.create_job('orders', 'src', 'target', check_broker => false) > 0 AS created;
SELECT outcome, "row", sqlstate, error_message FROM sluice.test_job('orders', sample => '\x7b7d'::bytea);
SELECT outcome, "row", sqlstate, error_message FROM sluice.test_job('orders', sample => '\x00ffffffff02'::bytea);
\set VERBOSITY terse
SELECT * FROM sluice.test_job('orders', sample => '\x000000000702'::bytea);
\set VERBOSITY default
RESET ROLE;
-- The log-in is in the user mapping, and neither errors nor YAML give it away.
CREATE USER MAPPING FOR PUBLIC SERVER schemas_kafka OPTIONS (registry_password 'secret');
CREATE USER MAPPING FOR PUBLIC SERVER schemas_kafka OPTIONS (registry_username 'etl', registry_password 'secret', registry_key_pem 'secret');
CREATE USER MAPPING FOR PUBLIC SERVER schemas_kafka OPTIONS (registry_username 'etl', registry_password 'secret');
\set VERBOSITY terse
SELECT * FROM sluice.test_job('orders', sample => '\x000000000702'::bytea);
\set VERBOSITY default
SELECT sluice.job_to_yaml('orders') ~ 'secret|etl' AS tells;
SELECT * FROM sluice.registry_schemas;
SELECT sluice.drop_job('orders');
RESET search_path;
SET client_min_messages = warning;
DROP SERVER schemas_kafka CASCADE;
DROP SCHEMA schemas CASCADE;
DROP ROLE schemas_alice, schemas_bob, schemas_team;
