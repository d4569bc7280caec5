-- Servers, user mappings and foreign tables: which options there are, who may set them, and what cannot work.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
RESET client_min_messages;
\getenv mock SLUICE_MOCK

-- The wrapper itself has no options.
ALTER FOREIGN DATA WRAPPER sluice_fdw OPTIONS (ADD brokers 'b:9092');

-- Servers
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'kafka://b:9092');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (broker 'b:9092');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', topic 'orders');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', security_protocl 'ssl');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', security_protocol 'tls');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', sasl_password 'secret');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', bootstrap_servers 'b');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', "group.id" 'g');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', plugin_library_paths 'x.so');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', sasl_kerberos_kinit_cmd 'rm');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', "client.id" 'x', client_id 'y');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', socket_timeout_ms 'soon');
CREATE SERVER s FOREIGN DATA WRAPPER sluice_fdw
  OPTIONS (brokers 'b1:9092, b2, [::1]:9092', "security.protocol" 'sasl_ssl', sasl_mechanisms 'PLAIN', ssl_ca_location '/etc/ca.pem');

CREATE SERVER t FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', "security.protocol" 'SASL_PLAINTEXT');
ALTER SERVER s OPTIONS (DROP sasl_mechanisms);
-- What only a superuser may write, others may not write, nor keep when they alter the rest.
CREATE ROLE regress_sluice_user;
GRANT USAGE ON FOREIGN DATA WRAPPER sluice_fdw TO regress_sluice_user;
ALTER SERVER s OWNER TO regress_sluice_user;
SET ROLE regress_sluice_user;
CREATE SERVER t FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', ssl_ca_location '/etc/ca.pem');
CREATE SERVER t FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', enable_ssl_certificate_verification 'false');
CREATE SERVER t FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b', sasl_mechanisms 'GSSAPI');
ALTER SERVER s OPTIONS (SET brokers 'elsewhere');
ALTER SERVER s OPTIONS (DROP ssl_ca_location);
ALTER SERVER s OPTIONS (SET brokers 'elsewhere', ADD client_id 'me');
RESET ROLE;

-- User mappings
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (sasl_username 'u', sasl_password 'p', password 'p');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (brokers 'b');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (security_protocol 'ssl');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS ("sasl.username" 'u', sasl_password 'p');

-- Foreign tables
CREATE FOREIGN TABLE f (v text) SERVER s;
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'or ders', format 'csv');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'a,b', format 'csv');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'cvs');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', formt 'csv');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', brokers 'b', format 'csv');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', delimiter '||');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', quote ',');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'text', quote '"');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', key_quote '"');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', missing_field 'error');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'json', missing_field 'drop');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'json', timestamp_unit 'ns');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'json', ignore_case 'maybe');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'json', key_ignore_case 'true');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'json', delimiter ',');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', partitions '0,x');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', partitions '1,1');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', isolation_level 'none');
CREATE FOREIGN TABLE f (v text) SERVER s OPTIONS (topic 'orders', format 'csv', socket_timeout_ms '1');

-- Columns
CREATE FOREIGN TABLE f (v text OPTIONS (meta 'key')) SERVER s OPTIONS (topic 'orders', format 'csv');
CREATE FOREIGN TABLE f (v text OPTIONS (metadata 'ofset')) SERVER s OPTIONS (topic 'orders', format 'csv');
CREATE FOREIGN TABLE f (v text OPTIONS (source 'header')) SERVER s OPTIONS (topic 'orders', format 'csv');
CREATE FOREIGN TABLE f (v text OPTIONS (field 'a[b]')) SERVER s OPTIONS (topic 'orders', format 'json');
CREATE FOREIGN TABLE f (v text OPTIONS (field 'a', metadata 'key')) SERVER s OPTIONS (topic 'orders', format 'json');
CREATE FOREIGN TABLE f (v text OPTIONS (source 'key', metadata 'key')) SERVER s OPTIONS (topic 'orders', format 'csv');

-- What only all options together can tell is told when the table is read; still no broker is asked.
CREATE FOREIGN TABLE two (a text, b text) SERVER s OPTIONS (topic 'orders', format 'text');
SELECT * FROM two;
CREATE FOREIGN TABLE no_key (a text, k text OPTIONS (source 'key')) SERVER s OPTIONS (topic 'orders', format 'text');
SELECT * FROM no_key;
CREATE FOREIGN TABLE fields (a text OPTIONS (field 'x.y')) SERVER s OPTIONS (topic 'orders', format 'csv');
SELECT * FROM fields;
CREATE FOREIGN TABLE forced (a text, b text) SERVER s OPTIONS (topic 'orders', format 'csv', force_null 'a, c');
SELECT * FROM forced;
CREATE FOREIGN TABLE generated (a int, b int GENERATED ALWAYS AS (a + 1) STORED) SERVER s OPTIONS (topic 'orders', format 'csv');
SELECT * FROM generated;
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP sasl_password);
SELECT * FROM generated;
ALTER FOREIGN TABLE generated DROP COLUMN b;
SELECT * FROM generated;

-- Plans are made without a broker.
EXPLAIN (COSTS OFF) SELECT a FROM two WHERE b = 'x' ORDER BY a LIMIT 1;
EXPLAIN SELECT * FROM two;

-- Against a broker whose topics are empty and spring into being with four partitions
CREATE SERVER mock FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'mock');
CREATE FOREIGN TABLE empty (id bigint, at timestamptz OPTIONS (metadata 'timestamp')) SERVER mock OPTIONS (topic 'empty', format 'csv');
SELECT * FROM empty;
-- Servers from 18 on count rows with decimals.
CREATE FUNCTION pg_temp.explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    RETURN NEXT replace(line, '.00 loops', ' loops');
  END LOOP;
END $$;
SELECT pg_temp.explained('SELECT * FROM empty');
SELECT * FROM sluice.topic_partitions('mock', 'empty');
SELECT * FROM sluice.topic_partitions('mock', 'no topic');
SELECT * FROM sluice.topic_partitions('none', 'empty');
CREATE FOREIGN DATA WRAPPER other;
CREATE SERVER other FOREIGN DATA WRAPPER other;
SELECT * FROM sluice.topic_partitions('other', 'empty');
SET ROLE regress_sluice_user;
SELECT * FROM sluice.topic_partitions('mock', 'empty');
SELECT * FROM empty;
RESET ROLE;

-- It can only be read.
INSERT INTO empty (id) VALUES (1);
UPDATE empty SET id = 1;
DELETE FROM empty;
TRUNCATE empty;
ANALYZE empty;
IMPORT FOREIGN SCHEMA public FROM SERVER mock INTO public;

SELECT item FROM sluice.library_info();
SELECT value ~ '^\d+\.\d+\.\d+' AS has_version FROM sluice.library_info() WHERE item = 'librdkafka, in use';

DROP SERVER other;
DROP FOREIGN DATA WRAPPER other;
DROP FOREIGN TABLE two, no_key, fields, forced, generated, empty;
DROP USER MAPPING FOR PUBLIC SERVER s;
DROP SERVER s, mock;
DROP OWNED BY regress_sluice_user;
DROP ROLE regress_sluice_user;
