-- What only `make bench-peers` needs. Variables: password (of the role that the peers connect as).
CREATE ROLE peer LOGIN PASSWORD :'password';
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE ON TABLES TO peer;

-- Returns when the versions in `target` have the sum that they must end with; gives up when nothing comes for a minute.
-- Looking costs a scan, so it looks again after half of the time that the rest seems to need.
CREATE PROCEDURE wait_for_versions(versions numeric) LANGUAGE plpgsql AS $$
DECLARE
  began timestamptz := clock_timestamp();
  progress timestamptz := began;
  seen numeric;
  before numeric := 0;
  remaining float8;
BEGIN
  LOOP
    SELECT coalesce(sum(version), 0) INTO seen FROM target;
    EXIT WHEN seen = versions;
    IF seen > before THEN
      before := seen;
      progress := clock_timestamp();
    ELSIF clock_timestamp() > progress + interval '1 minute' THEN
      RAISE EXCEPTION 'the versions in target have the sum % instead of %, and nothing more comes', seen, versions;
    END IF;
    remaining := extract(epoch FROM clock_timestamp() - began) * (versions / greatest(seen, 1) - 1);
    COMMIT;
    PERFORM pg_sleep(least(greatest(remaining / 2, 0.05), 1));
  END LOOP;
END $$;

-- The peer closes its sessions when it is told to stop, but not at once.
CREATE PROCEDURE wait_for_end_of_sessions() LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 600 LOOP
    PERFORM pg_stat_clear_snapshot();
    IF NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'peer') THEN RETURN; END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
  RAISE EXCEPTION 'a peer does not close its sessions';
END $$;
