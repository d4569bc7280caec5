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
), passed AS (
  SELECT m.n, s.* FROM mark m
    CROSS JOIN LATERAL (SELECT * FROM samples WHERE messages >= m.upto ORDER BY messages, at LIMIT 1) s
  UNION ALL
  SELECT 5, s.* FROM samples s WHERE messages = 0 AND ticks = 0 AND memory_kb = 0
), line AS (
  SELECT n, at, messages, ticks, lag(at) OVER w AS at_before, lag(messages) OVER w AS messages_before,
         lag(ticks) OVER w AS ticks_before, (SELECT max(s.memory_kb) FROM samples s WHERE s.at <= p.at) AS memory_kb
    FROM passed p WINDOW w AS (ORDER BY n DESC)
)
SELECT :'case', format('up to %s messages', :rows / power(2, n)::bigint), :round, messages - messages_before,
       extract(epoch FROM at - at_before), 0, ticks - ticks_before, :rows_there, 0, '-', memory_kb, '-'
  FROM line WHERE messages > messages_before ORDER BY n DESC;
