-- start, stop, pause, resume, restart: wishes with a reason. Workers are kept away, so that states stand still.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS sluice;
CREATE ROLE control_owner LOGIN;
CREATE ROLE control_other LOGIN;
CREATE SCHEMA control AUTHORIZATION control_owner;
CREATE SERVER control_kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '127.0.0.1:1');
GRANT USAGE ON FOREIGN SERVER control_kafka TO control_owner;
SET ROLE control_owner;
CREATE TABLE control.t (id bigint PRIMARY KEY);
CREATE FOREIGN TABLE control.s (id bigint) SERVER control_kafka OPTIONS (topic 'numbers', format 'csv');
SELECT sluice.create_job(name, 'control.s', 'control.t', check_broker => false) > 0 AS created
  FROM unnest('{one,two}'::text[]) name;
RESET ROLE;
ALTER SYSTEM SET sluice.enabled = off;
SELECT pg_reload_conf();
SELECT pg_sleep(0.5);
\c -
SET client_min_messages = notice;
CREATE VIEW pg_temp.states AS
  SELECT s.job_name, s.state, s.state_reason, j.wanted, s.retry_count FROM sluice.job_status s JOIN sluice.jobs j USING (job_name)
   ORDER BY 1;
GRANT SELECT ON states TO PUBLIC;

SET ROLE control_owner;
SELECT sluice.start_job('one');
TABLE states;
SELECT sluice.start_job('one');
SELECT sluice.pause_job('one');
SELECT sluice.pause_job('one');
TABLE states;
SELECT sluice.resume_job('one');
SELECT sluice.stop_job('one');
SELECT sluice.stop_job('one');
TABLE states;
SELECT sluice.pause_job('one');
SELECT sluice.restart_job('one');
TABLE states;
SELECT event, message, actor FROM sluice.events WHERE job_name = 'one' ORDER BY event_time;
RESET ROLE;
SELECT job_name, generation FROM sluice.job ORDER BY 1;

-- What a start clears, and what stays for a person to read.
UPDATE sluice.job_state SET failed = true, reason = 'by a test', last_error = 'E', retry_count = 3, next_retry_at = now(),
  stop_position = '{"until": "latest"}' WHERE job_id = (SELECT job_id FROM sluice.job WHERE job_name = 'one');
INSERT INTO sluice.offsets (job_id, topic, partition, next_offset, generation, stop_offset)
  SELECT job_id, 'numbers', 0, 1, 1, 5 FROM sluice.job WHERE job_name = 'one';
TABLE states;
SELECT sluice.resume_job('one');
TABLE states;
SELECT last_error FROM sluice.job_status WHERE job_name = 'one';
SELECT stop_position FROM sluice.job_state JOIN sluice.job USING (job_id) WHERE job_name = 'one';
SELECT next_offset, stop_offset FROM sluice.offsets;
UPDATE sluice.job_state SET finished = true, reason = 'the stop position is reached';
TABLE states;
SELECT sluice.start_job('one');
TABLE states;
SELECT sluice.stop_job('two');
TABLE states;

-- A wish that is rolled back was never made.
BEGIN;
SELECT sluice.stop_job('one');
ROLLBACK;
TABLE states;

-- Who may.
SET ROLE control_other;
SELECT sluice.start_job('one');
SELECT sluice.stop_job('one');
SELECT sluice.pause_job('one');
SELECT sluice.restart_job('one');
SELECT sluice.start_job('onee');
SELECT sluice.stop_all_jobs();
CALL sluice.wait_for_state('one', 'running');
CALL sluice.run_job('one');
RESET ROLE;
SELECT sluice.start_job('onee');
SELECT sluice.start_job(NULL);
ALTER ROLE control_owner NOLOGIN;
SELECT sluice.start_job('two');
SELECT sluice.restart_job('one');
ALTER ROLE control_owner LOGIN;

-- Procedures that wait: only as statements of their own, with known words.
BEGIN;
CALL sluice.run_job('one');
ROLLBACK;
BEGIN;
CALL sluice.wait_for_state('one', 'stopped');
ROLLBACK;
SET default_transaction_isolation = 'repeatable read';
CALL sluice.wait_for_offset('one', 0, 0);
RESET default_transaction_isolation;
-- A DO block is no transaction block; a function is always inside of one.
DO $$ BEGIN CALL sluice.wait_for_state('one', 'STARTING'); END $$;
CREATE FUNCTION nested() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL sluice.wait_for_state('one', 'STARTING'); END $$;
SELECT nested();
DROP FUNCTION nested();
CALL sluice.wait_for_state('one', 'starting');
CALL sluice.wait_for_state('one', 'sleeping');
CALL sluice.wait_for_state('one', NULL);
CALL sluice.wait_for_state('one', 'paused', '0.1 s');
CALL sluice.wait_for_offset('one', 0, 0, 'numbers', '0 s');
CALL sluice.wait_for_offset('one', 0, 1, timeout => '0.1 s');
CALL sluice.wait_for_offset('one', 0, 0, 'letters', timeout => '0.1 s');
CALL sluice.wait_for_offset('one', NULL, 0);
CALL sluice.run_job('one');
SELECT sluice.stop_job('one');
CALL sluice.run_job('one', 'tomorrow');
CALL sluice.run_job('one', 'never');
CALL sluice.run_job('one', max_messages => 0);
CALL sluice.run_job('one', timeout => '0.1 s');
TABLE states;
SELECT event, message FROM sluice.events WHERE job_name = 'one' ORDER BY event_time DESC LIMIT 1;
-- A canceled run is stopped.
SET statement_timeout = '300ms';
CALL sluice.run_job('one');
RESET statement_timeout;
TABLE states;
SELECT stop_position FROM sluice.job_state JOIN sluice.job USING (job_id) WHERE job_name = 'one';

SELECT sluice.start_job('two');
SELECT sluice.stop_all_jobs();
TABLE states;
SELECT sluice.stop_all_jobs();

ALTER SYSTEM RESET sluice.enabled;
SELECT pg_reload_conf();
SET client_min_messages = warning;
SELECT sluice.drop_job(job_name) FROM sluice.jobs;
DROP SCHEMA control CASCADE;
DROP SERVER control_kafka;
DROP ROLE control_owner, control_other;
