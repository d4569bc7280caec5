-- What only `make bench-scale` needs: a look at running workers from inside the server, often and cheap.
CREATE UNLOGGED TABLE samples (at timestamptz, messages bigint, ticks bigint, memory_kb bigint,
  waits_for_messages boolean);

-- User and system time of a process in ticks.
CREATE FUNCTION cpu_ticks(pid int) RETURNS bigint LANGUAGE sql AS $$
  SELECT f[12]::bigint + f[13]::bigint
    FROM string_to_array(regexp_replace(pg_read_file(format('/proc/%s/stat', pid)), '^.*\) ', ''), ' ') f
$$;

CREATE FUNCTION private_kb(pid int) RETURNS bigint LANGUAGE sql AS $$
  SELECT (regexp_match(pg_read_file(format('/proc/%s/status', pid)), 'RssAnon:\s+(\d+)'))[1]::bigint
$$;

-- Samples the one job that runs, until it has applied the messages; gives up when none comes for a minute.
CREATE PROCEDURE sample_job(expected bigint) LANGUAGE plpgsql AS $$
DECLARE
  applied bigint := 0;
  before bigint := 0;
  progress timestamptz := clock_timestamp();
BEGIN
  WHILE applied < expected LOOP
    SELECT coalesce(sum(messages), 0) INTO applied FROM sluice.offsets;
    INSERT INTO samples
      SELECT clock_timestamp(), applied, sum(cpu_ticks(w.worker_pid)), max(private_kb(w.worker_pid)),
             bool_or(a.wait_event_type = 'Extension')
        FROM sluice.workers w JOIN pg_stat_activity a ON a.pid = w.worker_pid;
    COMMIT;
    IF applied > before THEN
      before := applied;
      progress := clock_timestamp();
    ELSIF clock_timestamp() > progress + interval '1 minute' THEN
      RAISE EXCEPTION 'the job has applied % of % messages and does not go on', applied, expected;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
END $$;
