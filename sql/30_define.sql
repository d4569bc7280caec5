-- Jobs by SQL: create, alter, rename, drop; who may; what is told about wrong ones.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
RESET client_min_messages;
CREATE ROLE jobs_alice LOGIN;
CREATE ROLE jobs_bob LOGIN;
CREATE ROLE jobs_team NOLOGIN ROLE jobs_alice;
CREATE ROLE jobs_watcher LOGIN IN ROLE pg_monitor;
CREATE SCHEMA jobs AUTHORIZATION jobs_alice;
GRANT USAGE ON SCHEMA jobs TO PUBLIC;
CREATE SERVER jobs_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '127.0.0.1:1');
GRANT USAGE ON FOREIGN SERVER jobs_kafka TO jobs_alice;
SET ROLE jobs_alice;
SET search_path = jobs;
CREATE TABLE orders (id bigint PRIMARY KEY, version bigint, price numeric(10,2), note text);
CREATE TABLE "Mixed Case" ("Id" int PRIMARY KEY, "select" text);
CREATE FOREIGN TABLE orders_src (id bigint, version bigint, price numeric(10,2), note text)
  SERVER jobs_kafka OPTIONS (topic 'orders', format 'csv');
CREATE FOREIGN TABLE other_src (id bigint, version bigint, price numeric(10,2), note text)
  SERVER jobs_kafka OPTIONS (topic 'other', format 'csv');
CREATE FOREIGN TABLE "Mixed Source" ("Id" int, "select" text) SERVER jobs_kafka OPTIONS (topic 'mixed', format 'csv');

-- A job in two lines; then all of it.
SELECT sluice.create_job('orders', 'orders_src', 'orders', check_broker => false) > 0 AS created;
SELECT job_name, owner, description, source, target, mode, topics, wanted, definition - 'settings' AS definition
  FROM sluice.jobs;
SELECT job_name, state, state_reason, lagging, worker_count, retry_count FROM sluice.job_status;
SELECT job_name, level, event, message, actor FROM sluice.events;
SELECT sluice.create_job('full', 'jobs.orders_src', 'jobs.orders', 'MERGE', match_columns => '{id}',
  update_columns => '{price}', order_columns => '{version}',
  mapping => '{"id": "id", "version": "version", "price": "price * 2", "note": "coalesce(note, ''none'')"}',
  filter => 'id > 0', update_condition => 'price > 0', delete_condition => 'note = ''gone''', description => 'all of it',
  options => '{"start": "latest", "error_limit": "5%", "max_count": 1000, "memory": "32MB", "lag_threshold": "1 min"}',
  owner => 'jobs_alice', check_broker => false) > 0 AS created;
SELECT definition - 'settings' AS definition, description FROM sluice.jobs WHERE job_name = 'full';
SELECT sluice.create_job('Mixed "Job"', '"Mixed Source"', '"Mixed Case"', 'merge', options => '{"start": "latest"}',
  check_broker => false) > 0 AS created;
SELECT job_name, source, target FROM sluice.jobs WHERE job_name LIKE 'Mixed%';

-- Wrong arguments.
SELECT sluice.create_job(NULL, 'orders_src', 'orders');
SELECT sluice.create_job('j', NULL, 'orders');
SELECT sluice.create_job('j', 'orders_src', NULL);
SELECT sluice.create_job('', 'orders_src', 'orders');
SELECT sluice.create_job(repeat('j', 64), 'orders_src', 'orders');
SELECT sluice.create_job('orders', 'orders_src', 'orders');
SELECT sluice.create_job('j', 'orders_src', 'orders', 'upsert');
SELECT sluice.create_job('j', 'orders_src', 'orders', 'merge', match_columns => '{id,NULL}');
SELECT sluice.create_job('j', 'orders_src', 'orders', mapping => '[1]');
SELECT sluice.create_job('j', 'orders_src', 'orders', options => '{"max_cout": 5}');
SELECT sluice.create_job('j', 'orders_src', 'orders', options => '{"workers": 1000}');
SELECT sluice.create_job('j', 'orders_src', 'orders', options => '["workers"]');
SELECT sluice.create_job('j', 'orders_src', 'orders', owner => 'jobs_nobody');
SELECT sluice.create_job('j', 'orders_src', 'orders', owner => 'jobs_bob');
-- All problems of a definition come together.
SELECT sluice.create_job('j', 'orders_sr', 'order', check_broker => false);
SELECT sluice.create_job('j', 'orders_src', 'orders', 'merge', match_columns => '{idd}', order_columns => '{versoin}',
  mapping => '{"id": "id + ", "price": "note", "nte": "note"}', filter => 'id', check_broker => false);
-- The broker is asked unless it is left out; an unreachable one is one of the problems.
\set VERBOSITY terse
SELECT sluice.create_job('j', 'orders_src', 'orders', filter => 'id', options => '{"start": "latest"}');
\set VERBOSITY default
-- The role that the job runs as must be able to.
SELECT sluice.create_job('j', 'orders_src', 'orders', owner => 'jobs_team', check_broker => false);

-- Definitions are transactional.
BEGIN;
SELECT sluice.create_job('ghost', 'orders_src', 'orders', options => '{"start": "latest"}', check_broker => false) > 0;
SELECT count(*) FROM sluice.jobs WHERE job_name = 'ghost';
ROLLBACK;
SELECT count(*) FROM sluice.jobs WHERE job_name = 'ghost';

-- Alter: NULL leaves, an empty text or array takes away, options are merged, null sets one back.
SELECT sluice.alter_job('full', filter => '', update_columns => '{}', description => '',
  options => '{"error_limit": null, "workers": 1, "max_count": 2000}', check_broker => false);
SELECT definition - 'settings' AS definition, description FROM sluice.jobs WHERE job_name = 'full';
SELECT sluice.alter_job('full', mapping => '{}', order_columns => '{}', update_condition => '', delete_condition => '',
  mode => 'insert', match_columns => '{}', check_broker => false);
SELECT definition - 'settings' AS definition FROM sluice.jobs WHERE job_name = 'full';
SELECT sluice.alter_job('full', mode => 'delete');
SELECT sluice.alter_job('full', filter => 'nte IS NULL', check_broker => false);
SELECT sluice.alter_job('ful', filter => '');
SELECT sluice.alter_job(NULL);
RESET ROLE;
SELECT generation FROM sluice.job WHERE job_name IN ('orders', 'full') ORDER BY job_name;
-- A job that has run goes on where it was; another topic has other offsets.
UPDATE sluice.job SET started = true WHERE job_name = 'full';
INSERT INTO sluice.offsets (job_id, topic, partition, next_offset, generation)
  SELECT job_id, 'orders', 0, 17, 1 FROM sluice.job WHERE job_name = 'full';
SET ROLE jobs_alice;
SELECT sluice.alter_job('full', description => 'the same topic');
SELECT sluice.alter_job('full', source => 'other_src', check_broker => false);
SELECT job_name, source, topics FROM sluice.jobs WHERE job_name = 'full';
SELECT topic, partition, next_offset, lag FROM sluice.lag WHERE job_name = 'full';

-- Names follow renames.
ALTER TABLE orders RENAME TO orders_2;
SELECT source, target FROM sluice.jobs WHERE job_name = 'orders';
SELECT sluice.alter_job('orders', filter => 'id > 1', check_broker => false);
ALTER TABLE orders_2 RENAME TO orders;
SELECT sluice.rename_job('full', 'whole');
SELECT sluice.rename_job('whole', 'orders');
SELECT sluice.rename_job('whole', repeat('n', 64));
SELECT sluice.rename_job('full', 'x');
SELECT DISTINCT job_name FROM sluice.events ORDER BY 1;
SELECT event, message FROM sluice.events WHERE job_name = 'whole' ORDER BY event_time;

-- Others: nobody sees or does anything, a monitor looks.
SET ROLE jobs_bob;
SELECT count(*) FROM sluice.jobs;
SELECT count(*) FROM sluice.events;
SELECT sluice.alter_job('orders', filter => '');
SELECT sluice.rename_job('orders', 'mine');
SELECT sluice.drop_job('orders');
SELECT sluice.drop_job('order');
SELECT * FROM sluice.job;
UPDATE sluice.offsets SET next_offset = 0;
SET ROLE jobs_watcher;
SELECT job_name, owner FROM sluice.jobs ORDER BY 1;
SELECT sluice.drop_job('order');
SELECT sluice.drop_job('orders');
-- A job changes hands when both roles are the caller's, and the new owner may do what the job does.
SET ROLE jobs_alice;
SELECT sluice.alter_job('orders', owner => 'jobs_bob', check_broker => false);
RESET ROLE;
SELECT sluice.alter_job('orders', owner => 'jobs_bob', check_broker => false);
GRANT USAGE ON FOREIGN SERVER jobs_kafka TO jobs_bob;
GRANT SELECT ON jobs.orders_src TO jobs_bob;
GRANT INSERT ON jobs.orders TO jobs_bob;
SELECT sluice.alter_job('orders', owner => 'jobs_bob', check_broker => false);
SELECT job_name, owner FROM sluice.jobs ORDER BY 1;
SELECT DISTINCT owner FROM sluice.event WHERE job_name = 'orders';
SET ROLE jobs_alice;
SELECT sluice.drop_job('orders');
RESET ROLE;

-- Rejects: bytes and messages are the owner's.
INSERT INTO sluice.reject (job_id, job_name, owner, kafka_topic, kafka_partition, kafka_offset, kafka_key, raw_message,
    stage, sqlstate, error_message, error_detail, status)
  SELECT job_id, job_name, owner, 'orders', 0, n, 'key', 'secret', 'decode', '22P02', 'wrong', 'because',
         CASE n WHEN 1 THEN 'open' WHEN 2 THEN 'blocking' ELSE 'discarded' END
    FROM sluice.job, generate_series(1, 3) n WHERE job_name IN ('orders', 'whole');
SET ROLE jobs_watcher;
SELECT job_name, kafka_offset, kafka_key, raw_message, sqlstate, error_message, error_detail, status
  FROM sluice.errors ORDER BY job_name, kafka_offset;
SET ROLE jobs_bob;
SELECT job_name, kafka_offset, kafka_key, raw_message, sqlstate, error_message, error_detail, status
  FROM sluice.errors ORDER BY job_name, kafka_offset;

-- Drop.
SELECT sluice.drop_job('orders', keep_errors => true);
SELECT job_name, kafka_offset, status FROM sluice.errors ORDER BY kafka_offset;
SELECT job_name, event FROM sluice.events ORDER BY event_time;
SELECT sluice.drop_job('orders');
SET ROLE jobs_alice;
SELECT sluice.drop_job('whole');
SELECT sluice.drop_job('Mixed "Job"');
SELECT count(*) FROM sluice.errors;
RESET ROLE;
SELECT count(*) FROM sluice.job;
SELECT count(*) FROM sluice.job_state;
SELECT count(*) FROM sluice.offsets;
SELECT job_name, kafka_offset FROM sluice.reject;

-- A dropped source or target is told at once, and nothing else is in the way of a DROP.
SELECT sluice.create_job('a', 'jobs.orders_src', 'jobs.orders', options => '{"start": "latest"}', owner => 'jobs_alice',
  check_broker => false) > 0 AS created;
SELECT sluice.create_job('b', 'jobs.other_src', 'jobs.orders', options => '{"start": "latest"}', owner => 'jobs_alice',
  check_broker => false) > 0 AS created;
CREATE TABLE bystander (a int);
DROP TABLE bystander;
BEGIN;
DROP TABLE jobs.orders;
SELECT job_name, state, state_reason FROM sluice.job_status ORDER BY 1;
ROLLBACK;
SELECT job_name, state, state_reason FROM sluice.job_status ORDER BY 1;
SET ROLE jobs_alice;
DROP FOREIGN TABLE jobs.other_src;
RESET ROLE;
SELECT job_name, state, state_reason, last_error FROM sluice.job_status ORDER BY 1;
SELECT job_name, level, event, message, actor FROM sluice.events WHERE level = 'error';
SELECT sluice.alter_job('b', description => 'without a source', check_broker => false);
SELECT sluice.alter_job('b', source => 'jobs.orders_src', check_broker => false);
SET client_min_messages = warning;
DROP SERVER jobs_kafka CASCADE;
RESET client_min_messages;
SELECT job_name, state, state_reason FROM sluice.job_status ORDER BY 1;
SELECT sluice.drop_job('a');
SELECT sluice.drop_job('b');
DELETE FROM sluice.reject;
DELETE FROM sluice.event;

SET client_min_messages = warning;
DROP SCHEMA jobs CASCADE;
DROP ROLE jobs_alice, jobs_bob, jobs_team, jobs_watcher;
