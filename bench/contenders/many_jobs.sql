-- As many jobs, each with a topic and a table of its own, that all start at once. Prints a line of results.
-- Variables: jobs, rows (of each job), round.
SELECT format('CREATE TABLE target%s (LIKE orders_row)', n),
       format('SELECT sluice.create_job(''bench%s'', ''many%s_src'', ''target%s'')', n, n, n)
  FROM generate_series(1, :jobs) n
\o /dev/null
\gexec
\o
SELECT clock_timestamp() AS began \gset
SELECT count(sluice.start_job('bench' || n)) AS started FROM generate_series(1, :jobs) n \gset
CALL wait_for_messages('bench%', :rows::bigint * :jobs);
SELECT extract(epoch FROM clock_timestamp() - :'began') AS seconds \gset
SELECT sum(cpu_ticks(worker_pid)) AS ticks, max(private_kb(worker_pid)) AS memory FROM sluice.workers \gset
SELECT count(sluice.drop_job('bench' || n)) AS dropped FROM generate_series(1, :jobs) n \gset
-- All topics hold the same rows, so all tables must.
CREATE TEMP TABLE written (count bigint, checksum numeric);
SELECT format('INSERT INTO written SELECT count(*), sum(hash_record_extended(t, 0)) FROM target%s t', n),
       format('DROP TABLE target%s', n)
  FROM generate_series(1, :jobs) n
\gexec
SELECT count(DISTINCT w) = 1 AND min(count) = :rows AS complete FROM written w \gset
\if :complete
\else
DO $$ BEGIN RAISE EXCEPTION 'the tables do not hold the rows of their topics'; END $$;
\endif
SELECT 'jobs', :jobs || ' jobs', :round, :rows * :jobs, :seconds, 0, :ticks, :rows * :jobs, 0, '-', :memory, '-';
