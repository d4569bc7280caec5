-- Format json: what becomes of each value, and what each error says.
\getenv mock SLUICE_MOCK
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE SCHEMA js;
SET search_path = js;
CREATE SERVER json_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'mock');
CREATE TYPE part AS (sku text, qty int);
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE DOMAIN seen_at AS timestamp;
CREATE TYPE color AS ENUM ('red', 'green');
CREATE FOREIGN TABLE src (
  i2 smallint, i4 int, i8 bigint, n numeric, n2 numeric(6,2), f float8, b boolean, t text, v varchar(3), c char(3),
  u uuid, d date, ts timestamp(3), tz timestamptz, dom small, seen seen_at, e color, raw bytea,
  j json, jb jsonb, ints int[], grid int[][], parts part[], one part, texts text[],
  sku text OPTIONS (field 'details.items[1].sku'), dotted text OPTIONS (field '"a.b"."c[0]"'),
  doc jsonb OPTIONS (field '$'), k int OPTIONS (source 'key', field 'id')
) SERVER json_kafka OPTIONS (topic 'json', format 'json', timestamp_unit 'ms', key_format 'json', key_missing_field 'error');
CREATE TABLE rows (LIKE src);
SELECT sluice.create_job('json', 'src', 'rows', 'insert') > 0 AS created;
RESET client_min_messages;
\pset format unaligned
\pset footer off
-- The row, without what is NULL.
CREATE FUNCTION pg_temp.try(sample text, key text DEFAULT '{"id": 1}') RETURNS TABLE (outcome text, "row" jsonb, sqlstate text,
  error_message text, error_detail text, error_hint text, column_name text) LANGUAGE sql AS $$
  SELECT outcome, jsonb_strip_nulls("row") - '{k,doc}'::text[], sqlstate, error_message, error_detail, error_hint, column_name
    FROM sluice.test_job('json', convert_to(sample, 'UTF8'), convert_to(key, 'UTF8')) $$;
SELECT outcome, jsonb_pretty("row" - 'doc') FROM sluice.test_job('json', convert_to($${
  "i2": -32768, "i4": 2147483647, "i8": -9223372036854775808, "n": 12345678901234567890.098765432109876543210, "n2": 1.005,
  "f": 1e-7, "b": true, "t": "a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00", "v": "abc", "c": "a",
  "u": "0190163d-8694-739b-aea5-966c26f8ad91", "d": "2024-02-29", "ts": "2024-02-29T12:34:56.789",
  "tz": "2024-02-29T12:34:56.789+02:00", "dom": 99, "seen": "2024-02-29 12:34", "e": "green", "raw": "AP8=",
  "j": {"b" : 1, "a":[ ], "b":2}, "jb": {"b" : 1, "a":[ ], "b":2},
  "ints": [1, null, 3], "grid": [[1, 2], [3, 4]], "parts": [{"sku": "x", "qty": 2}, null], "one": {"qty": 7, "sku": "y", "more": 0},
  "texts": ["a", {"b": 1}, null, 2], "details": {"items": [{}, {"sku": "inner"}]}, "a.b": {"c[0]": "dotted"}}$$, 'UTF8'), '{"id": 1}');
-- Whole numbers in other notations; numbers as times; strings in place of numbers and the other way round.
SELECT * FROM pg_temp.try('{"i2": 1e2, "i4": 100.0, "i8": 12.5e1, "n": 1e2, "f": 100, "t": 1.50, "b": "yes", "dom": "7"}');
SELECT * FROM pg_temp.try('{"d": 86399999, "ts": 1709210096789, "tz": 1709210096789.5, "seen": -1}');
SELECT * FROM pg_temp.try('{"i4": "12", "n": "1.5", "t": true, "ints": "{1,2}", "one": "(x,1)", "raw": "\\x00ff"}');
SELECT * FROM pg_temp.try('{"t": {"a": [1, "\u00e4"]}, "jb": "text", "j": 1.50}');
SELECT * FROM pg_temp.try('{"t": "a", "t": "b", "j": null, "jb": null, "x": {"y": 1}}');
SELECT * FROM pg_temp.try(' {} ');
-- Values that do not fit.
SELECT * FROM pg_temp.try('{"i4": 2147483648}');
SELECT * FROM pg_temp.try('{"i4": 1.5}');
SELECT * FROM pg_temp.try('{"i8": 1e19}');
SELECT * FROM pg_temp.try('{"i4": true}');
SELECT * FROM pg_temp.try('{"f": 1e400}');
SELECT * FROM pg_temp.try('{"v": "abcd"}');
SELECT * FROM pg_temp.try('{"dom": 100}');
SELECT * FROM pg_temp.try('{"e": "blue"}');
SELECT * FROM pg_temp.try('{"raw": "a"}');
SELECT * FROM pg_temp.try('{"tz": 1e30}');
SELECT * FROM pg_temp.try('{"tz": 1e17}');
SELECT * FROM pg_temp.try('{"ints": [1, "x"]}');
SELECT * FROM pg_temp.try('{"ints": {"a": 1}}');
SELECT * FROM pg_temp.try('{"ints": 1}');
SELECT * FROM pg_temp.try('{"one": [1]}');
SELECT * FROM pg_temp.try('{"one": {"qty": "x"}}');
SELECT * FROM pg_temp.try('{"t": "\u0000"}');
SELECT * FROM pg_temp.try('{"t": "\ud83d"}');
SELECT * FROM pg_temp.try('{"jb": "\u0000"}');
SELECT * FROM pg_temp.try('{"jb": "\ud83d"}');
-- Messages that are no JSON, or not the right one.
SELECT * FROM pg_temp.try('');
SELECT * FROM pg_temp.try('{"t": "x"');
SELECT * FROM pg_temp.try('{"t": "x}');
SELECT * FROM pg_temp.try('{"x": {"y": [1, 2,, 3]}}');
SELECT * FROM pg_temp.try('{"t": nul}');
SELECT * FROM pg_temp.try('[{"t": "x"}]');
SELECT sqlstate, error_message, error_hint FROM pg_temp.try(repeat('[', 1001));
SELECT * FROM pg_temp.try('{}', '{}');
SELECT * FROM pg_temp.try('{}', '{"id": 1');
SELECT outcome, sqlstate, error_message, error_hint FROM sluice.test_job('json', '\x7b2274223a22ff227d', '{"id": 1}');
SELECT outcome, sqlstate, error_message, error_hint FROM sluice.test_job('json', '\x7b2274223a2200227d', '{"id": 1}');
-- Each column alone: what a job does not use is not converted, but the message must be JSON.
SELECT sluice.drop_job('json');
SET client_min_messages = warning;
SELECT sluice.create_job('json', 'src', 'rows', 'insert', mapping => '{"t": "t"}') > 0 AS created;
RESET client_min_messages;
SELECT outcome, sqlstate, error_message FROM pg_temp.try('{"t": "x", "i4": "no number", "raw": "no base64"}', 'no json');
SELECT outcome, sqlstate, error_message FROM pg_temp.try('{"t": "x", "i4": no json}');
-- Without a unit a number is no time; names in another case.
SELECT sluice.drop_job('json');
ALTER FOREIGN TABLE src OPTIONS (DROP timestamp_unit, ADD ignore_case 'true');
SET client_min_messages = warning;
SELECT sluice.create_job('json', 'src', 'rows', 'insert') > 0 AS created;
RESET client_min_messages;
SELECT * FROM pg_temp.try('{"T": "x", "Details": {"ITEMS": [1, {"Sku": "y"}]}}', '{"id": 1}');
SELECT * FROM pg_temp.try('{"tz": 1709210096789}');

-- The round trip through YAML keeps fields and options.
SELECT substring(yaml FROM 'VALUE:.*OUTPUT') FROM sluice.job_to_yaml('json') yaml;

-- The example of the manual.
CREATE FOREIGN TABLE events_src (
  id      bigint,
  price   numeric(10,2),
  tags    text[],
  sku     text  OPTIONS (field 'details.items[0].sku'),
  version text  OPTIONS (field '"app.version"'),
  at      timestamptz,
  doc     jsonb OPTIONS (field '$'),
  user_id int   OPTIONS (source 'key', field 'user')
) SERVER json_kafka OPTIONS (topic 'events', format 'json', timestamp_unit 'ms', key_format 'json');
CREATE TABLE events (LIKE events_src);
SET client_min_messages = warning;
SELECT sluice.create_job('events', 'events_src', 'events', 'insert') > 0 AS created;
RESET client_min_messages;
SELECT outcome, "row" - 'doc' AS "row" FROM sluice.test_job('events',
  '{"id": 7, "price": 9.50, "tags": ["a", "b"], "details": {"items": [{"sku": "x1"}]}, "app.version": "2", "at": 1709210096789}', '{"user": 3}');
SELECT sluice.drop_job('events');

SELECT sluice.drop_job('json');
SET client_min_messages = warning;
DROP SCHEMA js CASCADE;
DROP SERVER json_kafka CASCADE;
