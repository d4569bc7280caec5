-- Format json with many rows in a message: options, what test_job shows, and what each error says.
\getenv mock SLUICE_MOCK
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE SCHEMA jr;
SET search_path = jr;
CREATE SERVER rows_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'mock');
RESET client_min_messages;
\pset format unaligned
\pset footer off
-- Options.
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'json', rows_path 'a[b]');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'json', rows_path '');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'json', newline_delimited 'yes please');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'csv', rows_path 'a');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'debezium-json', rows_path 'a');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'connect-json', newline_delimited 'true');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', key_format 'json', rows_path 'a');
CREATE FOREIGN TABLE f (v text) SERVER rows_kafka OPTIONS (topic 'orders', format 'json', key_format 'json', key_rows_path 'a');
SELECT sluice.create_job_from_yaml('keyed', $$
KAFKA:
  INPUT:
    SOURCE: {BROKERS: 'localhost:9', TOPIC: t}
    KEY: {COLUMNS: [{NAME: k, TYPE: int}], FORMAT: json, JSON_OPTION: {ROWS_PATH: a}}
  OUTPUT: {TABLE: none}
$$, check_broker => false);

-- The examples of the manual.
CREATE FOREIGN TABLE order_lines_src (
  order_id bigint  OPTIONS (field '$.order.id'),
  customer text    OPTIONS (field '$.customer'),
  sku      text,
  qty      int,
  price    numeric OPTIONS (field 'price.amount'),
  line     jsonb   OPTIONS (field '@'),
  k        int     OPTIONS (source 'key', field 'shop')
) SERVER rows_kafka OPTIONS (topic 'orders', format 'json', rows_path 'order.lines', key_format 'json');
CREATE TABLE order_lines (order_id bigint, sku text, qty int CHECK (qty > 0), price numeric, customer text, line jsonb, k int, PRIMARY KEY (order_id, sku));
SELECT sluice.create_job('lines', 'order_lines_src', 'order_lines', 'insert', check_broker => false) > 0 AS created;
CREATE FUNCTION pg_temp.try(sample text, job text DEFAULT 'lines') RETURNS TABLE (outcome text, "row" jsonb, sqlstate text,
  error_message text, error_detail text, error_hint text, column_name text) LANGUAGE sql AS $$
  SELECT outcome, "row", sqlstate, error_message, error_detail, error_hint, column_name
    FROM sluice.test_job(job, convert_to(sample, 'UTF8'), '{"shop": 3}') $$;
SELECT outcome, jsonb_pretty("row") FROM pg_temp.try('{"order": {"id": 7, "lines": [
  {"sku": "x1", "qty": 2, "price": {"amount": 9.50}},
  {"sku": "x2", "qty": 1}]}, "customer": "Ann"}');
SELECT outcome, "row" FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1", "qty": 2}]}}');
SELECT outcome, "row" FROM pg_temp.try('{"order": {"id": 7, "lines": []}}');
SELECT outcome, "row" FROM pg_temp.try('{"order": {"id": 7, "lines": null}}');
SELECT outcome, "row" FROM pg_temp.try('{}');
-- One bad row, and nothing of the message.
SELECT * FROM pg_temp.try('{"order": {"id": 7, "lines": {"sku": "x1"}}}');
SELECT * FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1"}, {"sku": "\u0000"}]}}');
SELECT * FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1"}, {"sku": "x2",}]}}');
SELECT outcome, "row", sqlstate, error_message, column_name FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1"}, {"sku": "x2", "qty": "many"}]}}');
SELECT outcome, "row" IS NOT NULL, sqlstate, error_message FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1"}, {"sku": "x2", "qty": 0}]}}');
SELECT outcome, sqlstate, error_message FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1"}, {"sku": "x1"}]}}');
SELECT outcome, sqlstate, error_message, error_detail, error_hint FROM pg_temp.try('{"order": {"lines": [1' || repeat(',1', 150000) || ']}}');
SELECT substring(yaml FROM 'VALUE:.*OUTPUT') FROM sluice.job_to_yaml('lines') yaml;
SELECT sluice.drop_job('lines');

-- In merge mode rows of one message come one after the other, as rows of several do.
SELECT sluice.create_job('lines', 'order_lines_src', 'order_lines', 'merge', check_broker => false) > 0 AS created;
SELECT outcome FROM pg_temp.try('{"order": {"id": 7, "lines": [{"sku": "x1", "qty": 2}, {"sku": "x2", "qty": 1}, {"sku": "x1", "qty": 5}]}}');
SELECT sluice.drop_job('lines');

-- What is missing may be an error.
ALTER FOREIGN TABLE order_lines_src OPTIONS (ADD missing_field 'error');
SELECT sluice.create_job('lines', 'order_lines_src', 'order_lines', 'insert', check_broker => false) > 0 AS created;
SELECT outcome, sqlstate, error_message, error_detail, error_hint FROM pg_temp.try('{"customer": "Ann", "order": {"id": 7}}');
SELECT outcome, sqlstate, error_message, error_detail, error_hint FROM pg_temp.try('{"customer": "Ann", "order": {"id": 7, "lines": null}}');
SELECT outcome, sqlstate, error_message, error_detail, error_hint, column_name FROM pg_temp.try('{"customer": "Ann", "order": {"id": 7, "lines": [{"sku": "x1"}]}}');
SELECT sluice.drop_job('lines');

-- The value itself is the array.
CREATE FOREIGN TABLE readings_src (sensor text, value float8) SERVER rows_kafka OPTIONS (topic 'readings', format 'json', rows_path '$');
CREATE TABLE readings (sensor text, value float8);
SELECT sluice.create_job('readings', 'readings_src', 'readings', 'insert', check_broker => false) > 0 AS created;
SELECT outcome, "row" FROM pg_temp.try('[{"sensor": "a", "value": 20.5}, {"sensor": "b", "value": 21}]', 'readings');
SELECT outcome, sqlstate, error_message, error_hint FROM pg_temp.try('{"sensor": "a"}', 'readings');
SELECT sluice.drop_job('readings');

-- Lines, and arrays in lines.
ALTER FOREIGN TABLE readings_src OPTIONS (DROP rows_path, ADD newline_delimited 'true');
SELECT sluice.create_job('readings', 'readings_src', 'readings', 'insert', check_broker => false) > 0 AS created;
SELECT outcome, "row" FROM pg_temp.try(E'{"sensor": "a", "value": 20.5}\n\n{"sensor": "b", "value": 21}\n', 'readings');
SELECT outcome, sqlstate, error_message, error_hint FROM pg_temp.try(E'{"sensor": "a", "value": 20.5}\n{"sensor": "b", "value": 21', 'readings');
SELECT outcome, "row" FROM pg_temp.try('', 'readings');
SELECT sluice.drop_job('readings');
ALTER FOREIGN TABLE readings_src OPTIONS (ADD rows_path '$');
SELECT sluice.create_job('readings', 'readings_src', 'readings', 'insert', check_broker => false) > 0 AS created;
SELECT outcome, "row" FROM pg_temp.try(E'[{"sensor": "a"}, {"sensor": "b"}]\n[]\n[{"sensor": "c"}]', 'readings');
SELECT outcome, sqlstate, error_message, error_detail FROM pg_temp.try(E'[{"sensor": "a"}]\n[{"sensor": "a"}, {"sensor": x}]', 'readings');
SELECT substring(yaml FROM 'VALUE:.*OUTPUT') FROM sluice.job_to_yaml('readings') yaml;
SELECT sluice.drop_job('readings');
SET client_min_messages = warning;
DROP SCHEMA jr CASCADE;
DROP SERVER rows_kafka CASCADE;
