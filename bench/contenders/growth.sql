-- One job over the topic `growth`. Prints a line of results for each doubling of its messages; memory is the most until
-- then. Variables: rows, case, round.
TRUNCATE samples;
SELECT sluice.create_job('bench', 'growth_src', 'target') AS created \gset
INSERT INTO samples VALUES (clock_timestamp(), 0, 0, 0);
SELECT sluice.start_job('bench') AS started \gset
CALL sample_job(:rows);
SELECT sluice.drop_job('bench') AS dropped \gset
SELECT count(*) = :rows AS complete, count(*) AS rows_there FROM target \gset
\if :complete
\else
DO $$ BEGIN RAISE EXCEPTION 'the table does not hold the rows of the topic'; END $$;
\endif
WITH mark AS (
  SELECT n, :rows / power(2, n)::bigint AS upto FROM generate_series(0, 4) n
), step AS (  -- samples that saw progress
  SELECT at, messages, ticks, memory_kb, at - lag(at) OVER (ORDER BY at) AS pause
    FROM (SELECT *, lag(messages) OVER (ORDER BY at) AS before FROM samples) s
   WHERE messages > before OR before IS NULL
), part AS (
  SELECT n, min(at) AS at, min(messages) AS messages, min(ticks) AS ticks FROM mark JOIN step ON messages >= upto GROUP BY n
  UNION ALL
  SELECT 5, at, 0, 0 FROM step WHERE messages = 0
), line AS (
  SELECT *, lag(at) OVER w AS at_before, lag(messages) OVER w AS messages_before, lag(ticks) OVER w AS ticks_before
    FROM part WINDOW w AS (ORDER BY n DESC)
)
SELECT :'case', format('up to %s messages', :rows / power(2, n)::bigint), :round, messages - messages_before,
       extract(epoch FROM at - at_before), 0, ticks - ticks_before, :rows_there, 0, '-',
       (SELECT max(memory_kb) FROM step WHERE step.at <= line.at),
       (SELECT format('longest pause %s', round(1000 * extract(epoch FROM max(pause))))
          FROM step WHERE step.at > at_before AND step.at <= line.at) ||
       (SELECT format(', waiting for messages %s %%', round(avg(coalesce(waits_for_messages, false)::int * 100)))
          FROM samples WHERE samples.at > at_before AND samples.at <= line.at)
  FROM line WHERE messages > messages_before ORDER BY n DESC;
