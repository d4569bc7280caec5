-- What all benches share. Variables: brokers.
CREATE EXTENSION sluice;
CREATE SERVER bench FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'brokers');

CREATE TABLE orders_row (id bigint, version bigint, customer_id int, sku text, quantity int, price numeric(10,2),
  status text, ordered_at timestamptz, note text);

-- Where the clients that are exactly once keep their offsets.
CREATE TABLE client_offsets (partition int PRIMARY KEY, next_offset bigint NOT NULL);
-- Its row is written together with what a target is filled with, so xmin tells both from a contender's rows.
CREATE TABLE fill (rows bigint);

-- A foreign table with the columns of `shape` over a topic. `schema` names one for the formats that have any.
CREATE PROCEDURE make_source(source text, shape regclass, topic text, format text DEFAULT 'csv', schema text DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE FOREIGN TABLE %I (%s) SERVER bench OPTIONS (topic %L, format %L' ||
                 CASE WHEN schema IS NULL THEN '' ELSE format(', schema %L', schema) END || ')', source,
    (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
       FROM pg_attribute WHERE attrelid = shape AND attnum > 0), topic, format);
END $$;

-- Returns when the messages are applied and visible; gives up when none comes for a minute.
CREATE PROCEDURE wait_for_messages(job text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
  applied bigint;
  before bigint := 0;
  progress timestamptz := clock_timestamp();
  trouble text;
BEGIN
  LOOP
    SELECT coalesce(sum(o.messages), 0) INTO applied
      FROM sluice.offsets o JOIN sluice.job j USING (job_id) WHERE j.job_name LIKE job;
    EXIT WHEN applied >= expected;
    SELECT s.last_error INTO trouble
      FROM sluice.job_status s WHERE s.job_name LIKE job AND s.state IN ('ERROR', 'RETRYING');
    IF FOUND THEN RAISE EXCEPTION 'job % after % messages: %', job, applied, trouble; END IF;
    IF applied > before THEN
      before := applied;
      progress := clock_timestamp();
    ELSIF clock_timestamp() > progress + interval '1 minute' THEN
      RAISE EXCEPTION 'job % has applied % of % messages and does not go on', job, applied, expected;
    END IF;
    COMMIT;
    PERFORM pg_sleep(0.02);
  END LOOP;
END $$;
