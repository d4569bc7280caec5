-- A job as one YAML document: what it makes, what it takes along, what is wrong with documents, and the way back.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE ROLE yaml_etl LOGIN;
CREATE ROLE yaml_heir LOGIN;
CREATE ROLE yaml_boss LOGIN;
GRANT yaml_etl TO yaml_boss;
CREATE SCHEMA yaml_shop;
CREATE SCHEMA yaml_meta;
GRANT USAGE ON SCHEMA yaml_shop, yaml_meta TO PUBLIC;
CREATE TYPE yaml_shop.mood AS ENUM ('sad', 'happy');
CREATE TABLE yaml_shop.orders (id bigint PRIMARY KEY, version bigint, price numeric(10,2), note text);
CREATE TABLE yaml_shop."Feelings" ("Key" text PRIMARY KEY, feeling yaml_shop.mood, meta jsonb, at timestamptz);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA yaml_shop TO yaml_etl, yaml_heir;
SELECT current_database() AS database \gset
RESET client_min_messages;

-- The documented form. Nothing of it asks a broker here.
\set orders 'DATABASE: ' :database '\nUSER: yaml_etl\nPASSWORD: unheard\nHOST: db1\nPORT: 5432\nVERSION: 2\nKAFKA:\n  INPUT:\n    SOURCE:\n      BROKERS: b1:9092,b2:9092\n      TOPIC: orders\n      PARTITIONS: (0,1,2)\n      FALLBACK_OFFSET: earliest\n    VALUE:\n      COLUMNS: [{NAME: id, TYPE: bigint}, {NAME: version, TYPE: bigint}, {NAME: price, TYPE: "numeric(10,2)"}, {NAME: note, TYPE: text}]\n      FORMAT: csv\n      CSV_OPTION: {DELIMITER: ",", QUOTE: ''"'', NULL_STRING: "", ESCAPE: ''"''}\n    META: {COLUMNS: [{NAME: meta, TYPE: jsonb}], FORMAT: json}\n    ERROR_LIMIT: 20\n  OUTPUT:\n    SCHEMA: yaml_shop\n    TABLE: orders\n    MODE: MERGE\n    MATCH_COLUMNS: [id]\n    ORDER_COLUMNS: [version]\n    UPDATE_COLUMNS: [price, note]\n    MAPPING:\n      - {NAME: id, EXPRESSION: id}\n      - {NAME: version, EXPRESSION: version}\n      - {NAME: price, EXPRESSION: price}\n      - {NAME: note, EXPRESSION: upper(note)}\n  METADATA: {SCHEMA: yaml_meta}\n  COMMIT: {MAX_ROW: 500, MINIMAL_INTERVAL: 1000, CONSISTENCY: strong}\n  POLL: {BATCHSIZE: 64, TIMEOUT: 5000}\n  PROPERTIES: {group.id: g1, auto.offset.reset: earliest, isolation.level: read_committed}\n  SCHEDULE: {RETRY_INTERVAL: 1000, MAX_RETRIES: -1}\n  OPTIONS: {workers: 2, synchronous_commit: off}\n'
\echo :orders
-- What the role lacks is told together.
SET ROLE yaml_boss;
SELECT sluice.create_job_from_yaml('orders', :'orders', check_broker => false);
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER sluice_fdw TO yaml_etl;
GRANT CREATE ON SCHEMA yaml_meta TO yaml_etl;
SET ROLE yaml_boss;
SELECT sluice.create_job_from_yaml('orders', :'orders', 'the shop''s orders', check_broker => false) AS id \gset
SELECT job_name, owner, description, target, mode, topics, wanted FROM sluice.jobs;
SELECT source = ('yaml_meta.sluice_ext_' || job_id)::regclass AS named_after_the_job FROM sluice.jobs;
SELECT definition->'options' AS options, definition->'hints' AS hints FROM sluice.jobs;
SELECT srvname = 'sluice_server_' || :id AS named, srvowner::regrole, srvoptions FROM pg_foreign_server;
SELECT relowner::regrole, ftoptions FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid;
SELECT attname, format_type(atttypid, atttypmod), attfdwoptions FROM pg_attribute, sluice.jobs
 WHERE attrelid = source AND attnum > 0 ORDER BY attnum;
SELECT count(*) AS user_mappings FROM pg_user_mappings;
SELECT sluice.job_to_yaml('orders');
SELECT sluice.job_to_yaml('orders') AS again \gset
SELECT sluice.drop_job('orders');
SELECT (SELECT count(*) FROM pg_foreign_server) AS servers, (SELECT count(*) FROM pg_foreign_table) AS tables;
-- The way back and forth.
SELECT sluice.create_job_from_yaml('again', :'again', check_broker => false) IS NOT NULL AS created;
SELECT sluice.job_to_yaml('again') = :'again' AS same;
-- In the caller's transaction.
BEGIN;
SELECT sluice.create_job_from_yaml('ghost', :'again', check_broker => false) IS NOT NULL AS created;
ROLLBACK;
SELECT job_name FROM sluice.jobs;
SELECT count(*) AS servers FROM pg_foreign_server;
RESET ROLE;

-- The other form, with secrets, quoted names, a key, metadata by column, types of one's own, no mode.
\set feelings 'INPUT:\n  SOURCE: {BROKERS: [b1, b2], TOPIC: feelings}\n  KEY: {COLUMNS: [{NAME: ''"Key"'', TYPE: text}], FORMAT: text}\n  VALUE: {COLUMNS: {feeling: mood}, FORMAT: delimited, DELIMITED_OPTION: {DELIMITER: "||"}}\n  META: {COLUMNS: [{NAME: meta, TYPE: jsonb}, {NAME: at, TYPE: timestamptz, METADATA: timestamp}]}\nOUTPUT: {TABLE: ''"Feelings"'', MODE: merge}\nPROPERTIES: {security_protocol: sasl_plaintext, sasl.mechanisms: PLAIN, sasl.username: etl, sasl.password: geheim}\nOPTIONS: {start: latest}\n'
SELECT replace(replace(:'feelings', 'TABLE:', 'SCHEMA: yaml_shop, TABLE:'), ': mood', ': yaml_shop.mood') AS feelings_of_yaml_shop \gset
SET search_path = yaml_shop;
SELECT sluice.create_job_from_yaml('feelings', :'feelings', check_broker => false) IS NOT NULL AS created;
SELECT source::text ~ '^sluice_ext_' AS beside_the_target, target, owner = current_user::regrole AS mine FROM sluice.jobs
 WHERE job_name = 'feelings';
SELECT attname, format_type(atttypid, atttypmod), attfdwoptions FROM pg_attribute, sluice.jobs
 WHERE job_name = 'feelings' AND attrelid = source AND attnum > 0 ORDER BY attnum;
SELECT umoptions FROM pg_user_mapping;
SELECT sluice.job_to_yaml('feelings') ~ 'geheim' AS secrets_told;
SELECT replace(sluice.job_to_yaml('feelings'), 'USER: ' || current_user || E'\n', '') AS document;
RESET search_path;

-- A job by SQL as a document, and back: the server is named.
CREATE SERVER yaml_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers 'b1:9092', client_id 'me');
CREATE FOREIGN TABLE yaml_meta.src (id bigint, note text, at timestamptz OPTIONS (metadata 'timestamp'))
  SERVER yaml_kafka OPTIONS (topic 'orders', format 'csv', delimiter ';');
SELECT sluice.create_job('sql', 'yaml_meta.src', 'yaml_shop.orders', mapping => '{"id": "id", "note": "note || at"}',
  filter => 'id > 0', options => '{"start": {"0": 5}, "stop": "latest"}', check_broker => false) IS NOT NULL AS created;
SELECT replace(sluice.job_to_yaml('sql'), 'USER: ' || current_user || E'\n', '') AS again \gset
\echo :again
SELECT sluice.create_job_from_yaml('sql 2', :'again', check_broker => false) IS NOT NULL AS created;
SELECT replace(sluice.job_to_yaml('sql 2'), 'USER: ' || current_user || E'\n', '') = :'again' AS same;
SELECT ftserver = (SELECT oid FROM pg_foreign_server WHERE srvname = 'yaml_kafka') AS same_server FROM pg_foreign_table,
  sluice.jobs WHERE ftrelid = source AND job_name = 'sql 2';
SELECT sluice.drop_job('sql 2');
SELECT count(*) FROM pg_foreign_server WHERE srvname = 'yaml_kafka';

-- Wrong documents: what only the catalog knows. The rest is told by the reader of documents.
CREATE FUNCTION pg_temp.wrong(was text, is_now text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE document text := E'KAFKA:\n  INPUT:\n    SOURCE:\n      BROKERS: b1\n      TOPIC: t\n    VALUE:\n      COLUMNS: [{NAME: id, TYPE: bigint}, {NAME: note, TYPE: text}]\n      FORMAT: csv\n  OUTPUT:\n    SCHEMA: yaml_shop\n    TABLE: orders\n  OPTIONS: {start: latest}\n';
  message text; detail text; hint text; state text;
BEGIN
  IF position(was IN document) = 0 THEN RAISE 'no %', was; END IF;
  PERFORM sluice.create_job_from_yaml('wrong', replace(document, was, is_now), check_broker => false);
  RAISE 'nothing is wrong';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, state = RETURNED_SQLSTATE;
  RETURN state || ' ' || message || CASE WHEN detail <> '' THEN E'\n  DETAIL: ' || detail ELSE '' END
         || CASE WHEN hint <> '' THEN E'\n  HINT: ' || hint ELSE '' END;
END $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.wrong('KAFKA:', E'DATABASE: elsewhere\nKAFKA:');
SELECT pg_temp.wrong('KAFKA:', E'USER: nobody_at_all\nKAFKA:');
SELECT pg_temp.wrong('KAFKA:', E'DATABASE: elsewhere\nUSER: nobody_at_all\nKAFKA:');
SELECT pg_temp.wrong('TYPE: bigint', 'TYPE: bigin');
SELECT pg_temp.wrong('TYPE: bigint', 'TYPE: "bigint) SERVER x; DROP TABLE yaml_shop.orders; --"');
SELECT pg_temp.wrong('TYPE: text', 'TYPE: text NOT NULL');
SELECT pg_temp.wrong('TYPE: text', 'TYPE: "varchar(0)"');
SELECT pg_temp.wrong('TYPE: text', 'TYPE: anyelement');
SELECT pg_temp.wrong('TYPE: text', 'TYPE: mood');
SELECT pg_temp.wrong('[{NAME: id, TYPE: bigint}, {NAME: note, TYPE: text}]', '{id: bigit, note: txt}');
SELECT pg_temp.wrong('TABLE: orders', 'TABLE: order');
SELECT pg_temp.wrong('SCHEMA: yaml_shop', 'SCHEMA: yaml_shp');
SELECT pg_temp.wrong('  OPTIONS:', E'  METADATA: {SCHEMA: nowhere}\n  OPTIONS:');
SELECT pg_temp.wrong('BROKERS: b1', 'SERVER: yaml_kafk');
SELECT pg_temp.wrong('BROKERS: b1', 'SERVER: other');
SELECT pg_temp.wrong('BROKERS: b1', E'SERVER: yaml_kafka\n      BROKERS: b2:9092');
SELECT pg_temp.wrong('BROKERS: b1', E'SERVER: yaml_kafka\n      BROKERS: b1:9092');
SELECT pg_temp.wrong(E'      BROKERS: b1\n      TOPIC: t\n    VALUE:', E'      {TOPIC: t}\n    VALUE:');
SELECT replace(pg_temp.wrong('  OPTIONS:', E'  SERVER: yaml_kafka\n  PROPERTIES: {sasl.password: x, client.id: you, security.protocol: ssl}\n  OPTIONS:'), ' FOR ' || current_user, ' FOR me');
SELECT pg_temp.wrong('  OPTIONS:', E'  PROPERTIES: {client.id: you, security.protocol: rot13}\n  OPTIONS:');
SELECT pg_temp.wrong('  OPTIONS:', E'  PROPERTIES: {plugin.library.paths: /tmp/x.so}\n  OPTIONS:');
SELECT pg_temp.wrong('FORMAT: csv', E'FORMAT: csv\n      FORMT: csv');
SELECT pg_temp.wrong('TABLE: orders', E'TABLE: orders\n    MODE: MERGE\n    MATCH_COLUMNS: [nope]\n    FILTER: id');
SET ROLE yaml_etl;
SELECT pg_temp.wrong('KAFKA:', E'USER: yaml_boss\nKAFKA:');
SELECT pg_temp.wrong('BROKERS: b1', 'SERVER: yaml_kafka');
RESET ROLE;
\pset tuples_only off
\pset format aligned
SELECT sluice.create_job_from_yaml('again', :'again', check_broker => false);
SELECT sluice.create_job_from_yaml(NULL, '');
SELECT sluice.create_job_from_yaml('x', NULL);
SELECT sluice.create_job_from_yaml('x', '');
SELECT sluice.create_job_from_yaml('x', E'\t');
SELECT sluice.job_to_yaml('agin');
SET ROLE yaml_heir;
SELECT sluice.job_to_yaml('again');
RESET ROLE;

-- What was made for a job follows it to a new owner, stays with a NOTICE when the job gets another source, and its
-- server stays when others use it.
SELECT sluice.alter_job('feelings', owner => 'yaml_heir', check_broker => false);
GRANT USAGE ON FOREIGN DATA WRAPPER sluice_fdw TO yaml_heir;
GRANT CREATE ON SCHEMA yaml_shop TO yaml_heir;
SELECT sluice.alter_job('feelings', owner => 'yaml_heir', check_broker => false);
SELECT source_owner.relowner::regrole, srvowner::regrole, usename, umoptions FROM sluice.jobs j
  JOIN pg_class source_owner ON source_owner.oid = j.source JOIN pg_foreign_table f ON f.ftrelid = j.source
  JOIN pg_foreign_server s ON s.oid = f.ftserver JOIN pg_user_mappings m ON m.srvid = s.oid WHERE job_name = 'feelings';
SELECT 'sluice_server_' || job_id AS server FROM sluice.jobs WHERE job_name = 'feelings' \gset
CREATE FOREIGN TABLE yaml_meta.guest (a text) SERVER :server OPTIONS (topic 'x', format 'text');
SET ROLE yaml_heir;
SET client_min_messages = warning;
SELECT sluice.drop_job('feelings');
RESET client_min_messages;
RESET ROLE;
SELECT regexp_replace(ftrelid::regclass::text, '\d+', 'N'), srvname = :'server' AS of_feelings FROM pg_foreign_table
  JOIN pg_foreign_server s ON s.oid = ftserver ORDER BY 1;
GRANT SELECT ON yaml_meta.src TO yaml_etl;
GRANT USAGE ON FOREIGN SERVER yaml_kafka TO yaml_etl;
SET client_min_messages = warning;
SELECT sluice.alter_job('again', source => 'yaml_meta.src', mapping => '{"id": "id", "version": "1"}', update_columns => '{version}', check_broker => false);
SELECT sluice.drop_job('again');
SELECT ftrelid::regclass::text ~ 'sluice_ext_' AS of_yaml FROM pg_foreign_table ORDER BY 1;

-- The rest goes even when a person has dropped a part of it, or renamed the server.
SELECT sluice.create_job_from_yaml('broken', :'feelings_of_yaml_shop', check_broker => false) AS id \gset
SELECT srvname AS server FROM pg_foreign_server WHERE srvname = 'sluice_server_' || :id \gset
ALTER SERVER :server RENAME TO yaml_renamed;
SELECT sluice.drop_job('broken');
SELECT count(*) FROM pg_foreign_server WHERE srvname = 'yaml_renamed';
SELECT sluice.create_job_from_yaml('broken', :'feelings_of_yaml_shop', check_broker => false) AS id \gset
SELECT source::text AS source FROM sluice.jobs WHERE job_name = 'broken' \gset
DROP FOREIGN TABLE :source;
SELECT sluice.job_to_yaml('broken');
SELECT sluice.drop_job('broken');
SELECT count(*) FROM pg_foreign_server WHERE srvname = 'sluice_server_' || :id;

SELECT sluice.drop_job(job_name) FROM sluice.jobs;
DROP FUNCTION pg_temp.wrong;
DROP SCHEMA yaml_shop CASCADE;
DROP SCHEMA yaml_meta CASCADE;
DO $$ DECLARE s name; BEGIN FOR s IN SELECT srvname FROM pg_foreign_server LOOP EXECUTE format('DROP SERVER %I CASCADE', s); END LOOP; END $$;
DROP OWNED BY yaml_etl, yaml_heir, yaml_boss;
DROP ROLE yaml_boss, yaml_etl, yaml_heir;
