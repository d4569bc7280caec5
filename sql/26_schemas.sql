-- Schemas kept in the database: who may make, use and drop them, what refers to what, and what is told.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
RESET client_min_messages;
CREATE ROLE schemas_alice;
CREATE ROLE schemas_bob;
CREATE ROLE schemas_team ROLE schemas_alice;
\set SHOW_CONTEXT never
\pset format unaligned
\pset footer off
SET ROLE schemas_alice;
SELECT sluice.create_schema('customer', 'avro', '{"type": "record", "name": "shop.Customer", "fields": []}');
SELECT sluice.create_schema('order', 'AVRO', '{"type": "record", "name": "shop.Order", "fields": [{"name": "buyer", "type": "shop.Customer"}]}',
  schema_references => '{"shop.Customer": "customer"}');
SELECT sluice.create_schema('common', 'protobuf', 'message Money { optional int64 cents = 1; }');
SELECT sluice.create_schema('set', 'protobuf', '\x0a00'::bytea);
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

-- Options that name schemas belong to formats that have them.
CREATE SERVER schemas_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '127.0.0.1:1');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'csv', schema 'order');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'csv', key_framing 'confluent');
CREATE FOREIGN TABLE src (a int) SERVER schemas_kafka OPTIONS (topic 'orders', format 'json', framing 'avro');
DROP SERVER schemas_kafka;
DROP ROLE schemas_alice, schemas_bob, schemas_team;
