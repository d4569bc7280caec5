-- sluice 0.1: Kafka topics into tables, exactly once.
-- Order: tables, views, functions, foreign data wrapper, event trigger, what pg_dump takes along.
-- Nobody but the extension's owner may write these tables; the functions check who asks.
\echo Use "CREATE EXTENSION sluice" to load this file. \quit

GRANT USAGE ON SCHEMA sluice TO PUBLIC;

---------------------------------------------------------------- tables

-- A job's definition. regrole and regclass follow renames and are dumped by name.
CREATE TABLE sluice.job (
  job_id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_name       text NOT NULL UNIQUE,
  owner          regrole NOT NULL,
  source         regclass NOT NULL,
  target         regclass NOT NULL,
  description    text,
  definition     jsonb NOT NULL,
  spec_version   integer NOT NULL,
  generation     bigint NOT NULL DEFAULT 1,      -- raised by whatever a running worker must not survive
  started        boolean NOT NULL DEFAULT false, -- has run at least once: then it never starts without offsets
  lag_threshold  interval NOT NULL,
  owned_server   name,                           -- created for this job by YAML, dropped with it
  owned_source   boolean NOT NULL DEFAULT false,
  created_at     timestamptz NOT NULL DEFAULT now()
);

-- What is wanted of a job and what became of it. Not dumped: a restored job is STOPPED.
CREATE TABLE sluice.job_state (
  job_id         integer PRIMARY KEY,
  wanted         text NOT NULL DEFAULT 'stopped' CHECK (wanted IN ('stopped', 'paused', 'running')),
  reason         text,
  changed_at     timestamptz NOT NULL DEFAULT now(),
  failed         boolean NOT NULL DEFAULT false, -- ERROR: needs a person
  finished       boolean NOT NULL DEFAULT false, -- reached its stop position
  last_error_at  timestamptz,
  last_error     text,
  last_sqlstate  text,
  retry_count    integer NOT NULL DEFAULT 0,
  next_retry_at  timestamptz,
  unproven_starts integer NOT NULL DEFAULT 0,    -- workers since the last one that came to anything
  budget_since   timestamptz NOT NULL DEFAULT now(), -- rejects before it do not count against error_limit
  stop_position  jsonb                           -- of the run that run_job started: {"until", "messages"}, the latter
                                                 -- as the sum of sluice.offsets at which it ends
) WITH (fillfactor = 50);

-- Progress, one row per partition, written in the transaction that writes the rows. One index only, so that updates
-- stay heap-only.
CREATE TABLE sluice.offsets (
  job_id                 integer NOT NULL,
  topic                  text NOT NULL,
  partition              integer NOT NULL,
  next_offset            bigint NOT NULL,
  topic_id               text,
  leader_epoch           integer,
  generation             bigint NOT NULL,
  low_watermark          bigint,
  high_watermark         bigint,
  last_message_timestamp timestamptz,
  last_commit_at         timestamptz,
  stop_offset            bigint,
  messages               bigint NOT NULL DEFAULT 0,
  bytes                  bigint NOT NULL DEFAULT 0,
  rows_written           bigint NOT NULL DEFAULT 0,
  rows_inserted          bigint DEFAULT 0,
  rows_updated           bigint DEFAULT 0,
  rows_deleted           bigint NOT NULL DEFAULT 0,
  rows_superseded        bigint NOT NULL DEFAULT 0,
  rows_unchanged         bigint NOT NULL DEFAULT 0,
  rows_stale             bigint NOT NULL DEFAULT 0,
  rows_unmatched         bigint NOT NULL DEFAULT 0,
  rows_filtered          bigint NOT NULL DEFAULT 0,
  rows_rejected          bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, topic, partition)
) WITH (fillfactor = 40);

-- What could not be applied, with its bytes and PostgreSQL's whole error record. job_name counts when the job is gone.
CREATE TABLE sluice.reject (
  error_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id          integer NOT NULL,
  job_name        text NOT NULL,
  owner           regrole NOT NULL,
  event_time      timestamptz NOT NULL DEFAULT now(),
  kafka_topic     text NOT NULL,
  kafka_partition integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  kafka_timestamp timestamptz,
  kafka_key       bytea,
  kafka_headers   jsonb,
  raw_message     bytea,
  stage           text NOT NULL,
  sqlstate        text NOT NULL,
  error_message   text NOT NULL,
  error_detail    text,
  error_hint      text,
  error_context   text,
  schema_name     text,
  table_name      text,
  column_name     text,
  constraint_name text,
  data_type       text,
  status          text NOT NULL CHECK (status IN ('blocking', 'open', 'applied', 'replayed', 'discarded')),
  attempts        integer NOT NULL DEFAULT 1,
  resolved_at     timestamptz,
  resolved_by     text,
  UNIQUE (job_id, kafka_topic, kafka_partition, kafka_offset)
);

-- A row per worker, partition and second at most: batches of a second are merged.
CREATE TABLE sluice.batch_history (
  history_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id          integer NOT NULL,
  topic           text NOT NULL,
  partition       integer NOT NULL,
  start_offset    bigint NOT NULL,
  end_offset      bigint NOT NULL,
  end_reason      text NOT NULL,
  messages        bigint NOT NULL,
  bytes           bigint NOT NULL,
  rows_written    bigint NOT NULL,
  rows_inserted   bigint,
  rows_updated    bigint,
  rows_deleted    bigint NOT NULL,
  rows_superseded bigint NOT NULL,
  rows_unchanged  bigint NOT NULL,
  rows_stale      bigint NOT NULL,
  rows_unmatched  bigint NOT NULL,
  rows_filtered   bigint NOT NULL,
  rows_rejected   bigint NOT NULL,
  started_at      timestamptz NOT NULL,
  finished_at     timestamptz NOT NULL,
  fetch_ms        double precision,
  decode_ms       double precision,
  apply_ms        double precision,
  commit_ms       double precision
) WITH (fillfactor = 80);
-- started_at never changes after the insert, so the merging updates stay heap-only.
CREATE INDEX ON sluice.batch_history USING brin (started_at);

CREATE TABLE sluice.event (
  event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  job_id     integer,
  job_name   text,
  owner      regrole,
  level      text NOT NULL CHECK (level IN ('info', 'warning', 'error')),
  event      text NOT NULL,
  message    text NOT NULL,
  actor      text NOT NULL
);

-- What a live worker says of itself. A row whose worker does not hold its lock is a leftover and not shown.
CREATE TABLE sluice.worker_state (
  job_id       integer NOT NULL,
  worker_no    integer NOT NULL,
  pid          integer NOT NULL,
  partitions   integer[] NOT NULL,
  started_at   timestamptz NOT NULL,
  memory_bytes bigint NOT NULL,
  PRIMARY KEY (job_id, worker_no)
) WITH (fillfactor = 50);

-- Schemas that messages are written by. A schema never changes, so that nobody who uses it must be told.
CREATE TABLE sluice.schema (
  name              text PRIMARY KEY,
  kind              text NOT NULL CHECK (kind IN ('avro', 'protobuf', 'json-schema')),
  owner             regrole NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  schema_references jsonb NOT NULL DEFAULT '{}', -- what the body calls another schema, and that one's name
  body              text,
  binary_body       bytea,                       -- of kind protobuf: a FileDescriptorSet
  CHECK (num_nonnulls(body, binary_body) = 1)
);

-- What registries have told workers, so that a registry that is away does not stop a job that knows its schemas. An id
-- means one schema for ever, as long as the address is the same. Not dumped, and bounded for each server.
CREATE TABLE sluice.registry_schema (
  server            oid NOT NULL,
  id                integer NOT NULL,
  registry_url      text NOT NULL,                      -- the option as it was then
  kind              text NOT NULL,
  fetched_at        timestamptz NOT NULL DEFAULT now(),
  schema_references jsonb NOT NULL,                     -- [{"name", "body"}, ...], each after those that it needs
  body              text NOT NULL,
  PRIMARY KEY (server, id)
);

---------------------------------------------------------------- views

-- A worker holds an object lock on (sluice.job, job_id, 1 + worker_no) as long as it lives, so this is never stale.
CREATE VIEW sluice.live_worker AS
  SELECT l.objid::bigint::integer AS job_id, (l.objsubid - 1)::integer AS worker_no, l.pid
    FROM pg_catalog.pg_locks l
   WHERE l.locktype = 'object' AND l.classid = 'sluice.job'::regclass AND l.objsubid >= 1 AND l.objid <> 0
     AND l.granted AND l.mode = 'ExclusiveLock'
     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database());

CREATE VIEW sluice.jobs WITH (security_barrier) AS
  SELECT j.job_id, j.job_name, j.owner, j.description, j.source, j.target,
         j.definition ->> 'mode' AS mode,
         (SELECT pg_catalog.array_agg(pg_catalog.btrim(t.name) ORDER BY t.ord)
            FROM pg_catalog.pg_foreign_table f,
                 LATERAL pg_catalog.pg_options_to_table(f.ftoptions) o,
                 LATERAL pg_catalog.string_to_table(o.option_value, ',') WITH ORDINALITY t(name, ord)
           WHERE f.ftrelid = j.source AND o.option_name = 'topic') AS topics,
         COALESCE(s.wanted, 'stopped') AS wanted, j.created_at, j.definition
    FROM sluice.job j LEFT JOIN sluice.job_state s USING (job_id)
   WHERE pg_catalog.pg_has_role(j.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

-- NULL when jobs of this database may run on this server.
CREATE FUNCTION sluice.why_jobs_wait()
  RETURNS text LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'sluice_why_jobs_wait';

CREATE VIEW sluice.job_status WITH (security_barrier) AS
  WITH live AS (
    SELECT l.job_id, pg_catalog.count(*) AS workers, pg_catalog.count(w.partitions) AS reading
      FROM sluice.live_worker l LEFT JOIN sluice.worker_state w USING (job_id, worker_no, pid) GROUP BY l.job_id),
  lagging AS (
    SELECT o.job_id, pg_catalog.min(o.last_message_timestamp) FILTER (WHERE o.high_watermark > o.next_offset) AS behind
      FROM sluice.offsets o GROUP BY o.job_id)
  SELECT j.job_name,
         CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'STANDBY'
              WHEN s.wanted IS NULL THEN 'STOPPED'
              WHEN s.failed THEN 'ERROR'
              WHEN s.finished THEN 'FINISHED'
              WHEN s.wanted = 'stopped' THEN 'STOPPED'
              WHEN s.wanted = 'paused' THEN 'PAUSED'
              WHEN s.next_retry_at IS NOT NULL THEN 'RETRYING'
              WHEN live.reading > 0 THEN 'RUNNING'
              ELSE 'STARTING' END AS state,
         CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'this server is a standby; jobs run on the primary'
              WHEN s.wanted IS NULL THEN 'never started here'
              WHEN s.failed OR s.finished THEN s.reason
              WHEN s.wanted <> 'running' AND live.workers > 0 THEN s.reason || '; ending the batch at hand'
              WHEN s.wanted = 'running' AND live.workers IS NULL AND waiting.why IS NOT NULL THEN waiting.why
              WHEN s.wanted = 'running' AND COALESCE(live.reading, 0) = 0 AND s.reason = 'running' THEN 'a worker is about to start'
              ELSE s.reason END AS state_reason,
         COALESCE(s.changed_at, j.created_at) AS state_changed_at,
         COALESCE(lagging.behind < pg_catalog.now() - j.lag_threshold, false) AS lagging,
         COALESCE(live.workers, 0)::integer AS worker_count,
         s.last_error_at, s.last_error, COALESCE(s.retry_count, 0) AS retry_count, s.next_retry_at
    FROM sluice.job j LEFT JOIN sluice.job_state s USING (job_id)
    LEFT JOIN live USING (job_id) LEFT JOIN lagging USING (job_id) CROSS JOIN sluice.why_jobs_wait() waiting(why)
   WHERE pg_catalog.pg_has_role(j.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

CREATE VIEW sluice.progress WITH (security_barrier) AS
  SELECT j.job_name, o.topic, o.partition, w.pid AS worker_pid, o.next_offset, o.last_message_timestamp,
         o.last_commit_at, o.messages, o.bytes, o.rows_written, o.rows_inserted, o.rows_updated, o.rows_deleted,
         o.rows_superseded, o.rows_unchanged, o.rows_stale, o.rows_unmatched, o.rows_filtered, o.rows_rejected,
         o.rows_written + o.rows_deleted + o.rows_superseded + o.rows_unchanged + o.rows_stale + o.rows_unmatched
           + o.rows_filtered + o.rows_rejected AS rows_total
    FROM sluice.offsets o JOIN sluice.job j USING (job_id)
    LEFT JOIN (SELECT ws.job_id, lw.pid, p.partition
                 FROM sluice.worker_state ws JOIN sluice.live_worker lw USING (job_id, worker_no, pid),
                      LATERAL pg_catalog.unnest(ws.partitions) p(partition)) w
           ON w.job_id = o.job_id AND w.partition = o.partition
   WHERE pg_catalog.pg_has_role(j.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

CREATE VIEW sluice.lag WITH (security_barrier) AS
  SELECT j.job_name, o.topic, o.partition, o.low_watermark, o.high_watermark, o.next_offset,
         GREATEST(o.high_watermark - o.next_offset, 0) AS lag,
         CASE WHEN o.high_watermark > o.next_offset THEN pg_catalog.now() - o.last_message_timestamp
              WHEN o.high_watermark IS NOT NULL THEN interval '0' END AS time_lag
    FROM sluice.offsets o JOIN sluice.job j USING (job_id)
   WHERE pg_catalog.pg_has_role(j.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

CREATE VIEW sluice.history WITH (security_barrier) AS
  SELECT j.job_name, h.topic, h.partition, h.start_offset, h.end_offset, h.end_reason, h.messages, h.bytes,
         h.rows_written, h.rows_inserted, h.rows_updated, h.rows_deleted, h.rows_superseded, h.rows_unchanged,
         h.rows_stale, h.rows_unmatched, h.rows_filtered, h.rows_rejected, h.started_at, h.finished_at,
         h.fetch_ms, h.decode_ms, h.apply_ms, h.commit_ms
    FROM sluice.batch_history h JOIN sluice.job j USING (job_id)
   WHERE pg_catalog.pg_has_role(j.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

-- Payloads and messages may hold what only the owner may see.
CREATE VIEW sluice.errors WITH (security_barrier) AS
  SELECT e.error_id, COALESCE((SELECT j.job_name FROM sluice.job j WHERE j.job_id = e.job_id), e.job_name) AS job_name,
         e.event_time, e.kafka_topic, e.kafka_partition, e.kafka_offset, e.kafka_timestamp,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.kafka_key END AS kafka_key,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.kafka_headers END AS kafka_headers,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.raw_message END AS raw_message,
         e.stage, e.sqlstate,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.error_message END AS error_message,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.error_detail END AS error_detail,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.error_hint END AS error_hint,
         CASE WHEN pg_catalog.pg_has_role(e.owner, 'USAGE') THEN e.error_context END AS error_context,
         e.schema_name, e.table_name, e.column_name, e.constraint_name, e.data_type, e.status, e.attempts,
         e.resolved_at, e.resolved_by
    FROM sluice.reject e
   WHERE pg_catalog.pg_has_role(e.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

-- The owner of a job may mend a message before it is replayed: raw_message and kafka_key, and discard it by status.
CREATE FUNCTION sluice.edit_error() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'sluice_edit_error';
CREATE TRIGGER edit_error INSTEAD OF UPDATE ON sluice.errors FOR EACH ROW EXECUTE FUNCTION sluice.edit_error();

CREATE VIEW sluice.events WITH (security_barrier) AS
  SELECT e.event_time, COALESCE((SELECT j.job_name FROM sluice.job j WHERE j.job_id = e.job_id), e.job_name) AS job_name,
         e.level, e.event, e.message, e.actor
    FROM sluice.event e
   WHERE pg_catalog.pg_has_role(e.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

CREATE VIEW sluice.workers WITH (security_barrier) AS
  SELECT j.job_name, w.pid AS worker_pid, w.partitions, a.state, w.started_at, w.memory_bytes
    FROM sluice.worker_state w JOIN sluice.live_worker l USING (job_id, worker_no, pid)
    JOIN sluice.job j USING (job_id) LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
   WHERE pg_catalog.pg_has_role(j.owner, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');

-- Like a type, a schema may be seen and used by everybody.
CREATE VIEW sluice.schemas AS
  SELECT s.name, s.kind, s.owner, s.created_at, s.schema_references,
         COALESCE(s.body, pg_catalog.encode(s.binary_body, 'base64')) AS body
    FROM sluice.schema s;

CREATE VIEW sluice.registry_schemas WITH (security_barrier) AS
  SELECT f.srvname AS server, s.registry_url, s.id, s.kind, s.fetched_at, s.schema_references, s.body
    FROM sluice.registry_schema s JOIN pg_catalog.pg_foreign_server f ON f.oid = s.server
   WHERE pg_catalog.has_server_privilege(f.oid, 'USAGE');

GRANT SELECT ON sluice.jobs, sluice.job_status, sluice.progress, sluice.lag, sluice.history, sluice.errors,
                sluice.events, sluice.workers, sluice.schemas, sluice.registry_schemas TO PUBLIC;
GRANT UPDATE (raw_message, kafka_key, status) ON sluice.errors TO PUBLIC;

---------------------------------------------------------------- functions

CREATE FUNCTION sluice.create_job(name text, source text, target text, mode text DEFAULT 'insert',
    match_columns text[] DEFAULT NULL, update_columns text[] DEFAULT NULL, order_columns text[] DEFAULT NULL,
    mapping jsonb DEFAULT NULL, filter text DEFAULT NULL, update_condition text DEFAULT NULL,
    delete_condition text DEFAULT NULL, description text DEFAULT NULL, options jsonb DEFAULT NULL,
    owner name DEFAULT NULL, check_broker boolean DEFAULT true)
  RETURNS integer LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_create_job';

CREATE FUNCTION sluice.create_job_from_yaml(name text, yaml text, description text DEFAULT NULL,
    check_broker boolean DEFAULT true)
  RETURNS integer LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_create_job_from_yaml';

CREATE FUNCTION sluice.job_to_yaml(name text)
  RETURNS text LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'sluice_job_to_yaml';

CREATE FUNCTION sluice.alter_job(name text, source text DEFAULT NULL, target text DEFAULT NULL,
    mode text DEFAULT NULL, match_columns text[] DEFAULT NULL, update_columns text[] DEFAULT NULL,
    order_columns text[] DEFAULT NULL, mapping jsonb DEFAULT NULL, filter text DEFAULT NULL,
    update_condition text DEFAULT NULL, delete_condition text DEFAULT NULL, description text DEFAULT NULL,
    options jsonb DEFAULT NULL, owner name DEFAULT NULL, check_broker boolean DEFAULT true)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_alter_job';

CREATE FUNCTION sluice.rename_job(name text, new_name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_rename_job';
CREATE FUNCTION sluice.drop_job(name text, keep_errors boolean DEFAULT false)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_drop_job';

CREATE FUNCTION sluice.start_job(name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_start_job';
CREATE FUNCTION sluice.stop_job(name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_stop_job';
CREATE FUNCTION sluice.pause_job(name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_pause_job';
CREATE FUNCTION sluice.resume_job(name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_resume_job';
CREATE FUNCTION sluice.restart_job(name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_restart_job';
CREATE FUNCTION sluice.stop_all_jobs()
  RETURNS integer LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'sluice_stop_all_jobs';

CREATE FUNCTION sluice.set_offsets(name text, "position" text, topic text DEFAULT NULL)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_set_offsets_text';
CREATE FUNCTION sluice.set_offsets(name text, "position" timestamptz, topic text DEFAULT NULL)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_set_offsets_timestamp';
CREATE FUNCTION sluice.set_offsets(name text, "position" jsonb, topic text DEFAULT NULL)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_set_offsets_jsonb';
CREATE FUNCTION sluice.skip_offset(name text, partition integer, "offset" bigint, topic text DEFAULT NULL)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_skip_offset';

CREATE FUNCTION sluice.test_job(name text, messages integer DEFAULT 10,
    OUT kafka_partition integer, OUT kafka_offset bigint, OUT outcome text, OUT "row" jsonb, OUT stage text,
    OUT sqlstate text, OUT error_message text, OUT error_detail text, OUT error_hint text, OUT column_name text)
  RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_test_job_messages';
CREATE FUNCTION sluice.test_job(name text, sample bytea, key bytea DEFAULT NULL,
    OUT kafka_partition integer, OUT kafka_offset bigint, OUT outcome text, OUT "row" jsonb, OUT stage text,
    OUT sqlstate text, OUT error_message text, OUT error_detail text, OUT error_hint text, OUT column_name text)
  RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_test_job_sample';
CREATE FUNCTION sluice.explain_job(name text)
  RETURNS SETOF text LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_explain_job';

CREATE FUNCTION sluice.replay_errors(name text, filter text DEFAULT NULL, mapping jsonb DEFAULT NULL,
    OUT error_id bigint, OUT kafka_topic text, OUT kafka_partition integer, OUT kafka_offset bigint, OUT outcome text,
    OUT sqlstate text, OUT error_message text, OUT column_name text)
  RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_replay_errors';
CREATE FUNCTION sluice.purge_errors(name text, older_than interval)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_purge_errors';

-- Procedures wait for other transactions, so they commit; SET or SECURITY DEFINER would forbid that.
CREATE PROCEDURE sluice.run_job(name text, until text DEFAULT 'latest', max_messages bigint DEFAULT NULL,
    timeout interval DEFAULT NULL)
  LANGUAGE c AS 'MODULE_PATHNAME', 'sluice_run_job';
CREATE PROCEDURE sluice.wait_for_state(name text, state text, timeout interval DEFAULT '1 minute')
  LANGUAGE c AS 'MODULE_PATHNAME', 'sluice_wait_for_state';
CREATE PROCEDURE sluice.wait_for_offset(name text, partition integer, "offset" bigint, topic text DEFAULT NULL,
    timeout interval DEFAULT '1 minute', INOUT outcome text DEFAULT NULL)
  LANGUAGE c AS 'MODULE_PATHNAME', 'sluice_wait_for_offset';

CREATE FUNCTION sluice.create_schema(name text, kind text, body text, schema_references jsonb DEFAULT NULL)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_create_schema_text';
CREATE FUNCTION sluice.create_schema(name text, kind text, body bytea, schema_references jsonb DEFAULT NULL)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_create_schema_bytea';
CREATE FUNCTION sluice.drop_schema(name text)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_drop_schema';

CREATE FUNCTION sluice.topic_partitions(server name, topic text,
    OUT partition integer, OUT leader integer, OUT low_watermark bigint, OUT high_watermark bigint)
  RETURNS SETOF record LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'sluice_topic_partitions';
CREATE FUNCTION sluice.infer_columns(server name, topic text, options jsonb, sample integer DEFAULT 100,
    OUT column_name text, OUT data_type text, OUT column_options text, OUT seen bigint, OUT example text)
  RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_infer_columns';
CREATE FUNCTION sluice.create_table_for(source regclass, name text, primary_key text[] DEFAULT NULL)
  RETURNS regclass LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'sluice_create_table_for';
CREATE FUNCTION sluice.library_info(OUT item text, OUT value text)
  RETURNS SETOF record LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'sluice_library_info';

-- For the statements that a worker runs; errors outside of them.
CREATE FUNCTION sluice.is_tombstone(tid)
  RETURNS boolean LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'sluice_is_tombstone';
CREATE FUNCTION sluice.is_absent(tid, integer)
  RETURNS boolean LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'sluice_is_absent';

---------------------------------------------------------------- foreign data wrapper

CREATE FUNCTION sluice.fdw_handler() RETURNS fdw_handler
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'sluice_fdw_handler';
CREATE FUNCTION sluice.fdw_validator(text[], oid) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'sluice_fdw_validator';
CREATE FOREIGN DATA WRAPPER sluice_fdw HANDLER sluice.fdw_handler VALIDATOR sluice.fdw_validator;

---------------------------------------------------------------- lifecycle

-- A job whose source or target is dropped goes to ERROR with the name, at commit of the DROP; what was kept of a
-- server's registry goes with the server.
CREATE FUNCTION sluice.on_drop() RETURNS event_trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'sluice_on_drop';
CREATE EVENT TRIGGER sluice_on_drop ON sql_drop EXECUTE FUNCTION sluice.on_drop();

-- pg_dump takes definitions, schemas, offsets and open rejects along; job_state stays behind, so restored jobs are STOPPED.
SELECT pg_catalog.pg_extension_config_dump('sluice.job', '');
SELECT pg_catalog.pg_extension_config_dump('sluice.job_job_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sluice.schema', '');
SELECT pg_catalog.pg_extension_config_dump('sluice.offsets',
  $$WHERE COALESCE(pg_catalog.current_setting('sluice.include_offsets_in_dump', true)::boolean, true)$$);
SELECT pg_catalog.pg_extension_config_dump('sluice.reject', $$WHERE status IN ('open', 'blocking')$$);
SELECT pg_catalog.pg_extension_config_dump('sluice.reject_error_id_seq', '');
