-- What all contenders of `make bench` share. Variables: brokers, merges (a file), keys.
CREATE EXTENSION sluice;
CREATE SERVER bench FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'brokers');

CREATE TABLE orders_row (id bigint, version bigint, customer_id int, sku text, quantity int, price numeric(10,2),
  status text, ordered_at timestamptz, note text);
CREATE FOREIGN TABLE inserts_src (id bigint, version bigint, customer_id int, sku text, quantity int,
  price numeric(10,2), status text, ordered_at timestamptz, note text)
  SERVER bench OPTIONS (topic 'inserts', format 'csv');
CREATE FOREIGN TABLE merges_src (id bigint, version bigint, customer_id int, sku text, quantity int,
  price numeric(10,2), status text, ordered_at timestamptz, note text)
  SERVER bench OPTIONS (topic 'merges', format 'csv');

-- The rows of the topic `merges`, at hand without parsing; versions number the rows, so they cut it into batches.
CREATE UNLOGGED TABLE staging (LIKE orders_row);
COPY staging FROM :'merges' (FORMAT csv);
CREATE INDEX ON staging (version);

-- What a filled target holds before: every key, older than everything that comes.
CREATE UNLOGGED TABLE filled (LIKE orders_row);
INSERT INTO filled
  SELECT id, 0, id % 50000, 'SKU0000000', 1, 1.00, 'new', '2024-01-01Z', repeat('x', 40)
    FROM generate_series(1, :keys) id;
VACUUM ANALYZE staging;
VACUUM ANALYZE filled;

-- Returns when the messages are applied and visible.
CREATE PROCEDURE wait_for_messages(job text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
  applied bigint;
  trouble text;
BEGIN
  LOOP
    SELECT coalesce(sum(o.messages), 0) INTO applied
      FROM sluice.offsets o JOIN sluice.job j USING (job_id) WHERE j.job_name = job;
    EXIT WHEN applied >= expected;
    SELECT s.last_error INTO trouble
      FROM sluice.job_status s WHERE s.job_name = job AND s.state IN ('ERROR', 'RETRYING');
    IF FOUND THEN RAISE EXCEPTION 'job % after % messages: %', job, applied, trouble; END IF;
    COMMIT;
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
