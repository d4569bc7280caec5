-- set_offsets and skip_offset: where a job goes on is checked with the brokers, and recorded.
\getenv mock SLUICE_MOCK
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE ROLE offsets_owner LOGIN;
CREATE ROLE offsets_other LOGIN;
CREATE SCHEMA offsets AUTHORIZATION offsets_owner;
CREATE SERVER offsets_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'mock');
CREATE SERVER offsets_nowhere FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '127.0.0.1:1');
GRANT USAGE ON FOREIGN SERVER offsets_kafka, offsets_nowhere TO offsets_owner;
SET ROLE offsets_owner;
CREATE TABLE offsets.t (id bigint PRIMARY KEY);
CREATE FOREIGN TABLE offsets.s (id bigint) SERVER offsets_kafka OPTIONS (topic 'offsets_numbers', format 'csv');
CREATE FOREIGN TABLE offsets.part (id bigint) SERVER offsets_kafka
  OPTIONS (topic 'offsets_numbers', partitions '1,3', format 'csv');
CREATE FOREIGN TABLE offsets.nowhere (id bigint) SERVER offsets_nowhere OPTIONS (topic 'offsets_numbers', format 'csv');
SELECT sluice.create_job('j', 'offsets.s', 'offsets.t') > 0 AS created;
SELECT sluice.create_job('part', 'offsets.part', 'offsets.t') > 0 AS created;
SELECT sluice.create_job('nowhere', 'offsets.nowhere', 'offsets.t', check_broker => false) > 0 AS created;
RESET client_min_messages;

SELECT sluice.set_offsets('j', 'earliest');
SELECT topic, partition, low_watermark, high_watermark, next_offset, lag FROM sluice.lag WHERE job_name = 'j';
SELECT sluice.set_offsets('j', 'latest');
SELECT sluice.set_offsets('j', '2026-01-01 00:00:00Z');
SELECT sluice.set_offsets('j', '2026-01-01 00:00:00Z'::timestamptz);
SELECT sluice.set_offsets('j', '{"0": 0, "2": 0}', 'offsets_numbers');
SELECT sluice.set_offsets('j', '{"0": 0}'::jsonb);
SELECT event, level, message, actor FROM sluice.events WHERE job_name = 'j' ORDER BY event_time;
-- The job's partitions are meant by "all".
SELECT sluice.set_offsets('part', 'earliest');
SELECT partition, next_offset FROM sluice.progress WHERE job_name = 'part';

SELECT sluice.set_offsets('j', '{"0": 5}'::jsonb);
SELECT sluice.set_offsets('j', '{"0": -1}'::jsonb);
SELECT sluice.set_offsets('j', '{"9": 0}'::jsonb);
SELECT sluice.set_offsets('part', '{"0": 0}'::jsonb);
SELECT sluice.set_offsets('j', '{}'::jsonb);
SELECT sluice.set_offsets('j', '[1]'::jsonb);
SELECT sluice.set_offsets('j', 'yesterday');
SELECT sluice.set_offsets('j', 'infinity'::timestamptz);
SELECT sluice.set_offsets('j', NULL::text);
SELECT sluice.set_offsets('j', NULL::jsonb);
SELECT sluice.set_offsets('j', NULL::timestamptz);
SELECT sluice.set_offsets('j', 'earliest', 'letters');
SELECT sluice.set_offsets('k', 'earliest');
\set VERBOSITY terse
SELECT sluice.set_offsets('nowhere', 'earliest');
\set VERBOSITY default

-- skip_offset: exactly the next one, if there is a message or a reject that blocks.
SELECT sluice.skip_offset('j', 0, 0);
SELECT sluice.skip_offset('j', 0, 1);
SELECT sluice.skip_offset('j', 9, 0);
SELECT sluice.skip_offset('j', 0, 0, 'letters');
SELECT sluice.skip_offset('j', NULL, 0);
RESET ROLE;
INSERT INTO sluice.reject (job_id, job_name, owner, kafka_topic, kafka_partition, kafka_offset, stage, sqlstate,
    error_message, status)
  SELECT job_id, job_name, owner, 'offsets_numbers', 0, 0, 'decode', '22P02', 'wrong', 'blocking' FROM sluice.job
   WHERE job_name = 'j';
SET ROLE offsets_owner;
SELECT sluice.skip_offset('j', 0, 0);
SELECT partition, next_offset FROM sluice.progress WHERE job_name = 'j' ORDER BY 1;
SELECT kafka_partition, kafka_offset, status FROM sluice.errors;
SELECT event, message FROM sluice.events WHERE job_name = 'j' ORDER BY event_time DESC LIMIT 1;
-- An offset that is set beyond a blocking reject unblocks, too.
RESET ROLE;
UPDATE sluice.reject SET status = 'blocking', kafka_offset = -1;
SET ROLE offsets_owner;
SELECT sluice.set_offsets('j', '{"0": 0}'::jsonb);
SELECT kafka_partition, kafka_offset, status FROM sluice.errors;
SET ROLE offsets_other;
SELECT sluice.set_offsets('j', 'earliest');
SELECT sluice.skip_offset('j', 0, 0);
RESET ROLE;
SELECT job_name, generation, started FROM sluice.job ORDER BY 1;
DROP FOREIGN TABLE offsets.part;
SELECT sluice.set_offsets('part', 'earliest');

SET client_min_messages = warning;
SELECT sluice.drop_job(job_name) FROM sluice.jobs;
DROP SCHEMA offsets CASCADE;
DROP SERVER offsets_kafka;
DROP SERVER offsets_nowhere;
DROP ROLE offsets_owner, offsets_other;
