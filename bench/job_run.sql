-- Runs the job `bench` from start_job until its :rows messages are visible. Its worker is new, so all of its CPU time
-- counts.
SELECT clock_timestamp() AS began \gset
SELECT sluice.start_job('bench') AS started \gset
CALL wait_for_messages('bench', :rows);
SELECT extract(epoch FROM clock_timestamp() - :'began') AS seconds \gset
SELECT worker_pid AS pid FROM sluice.workers \gset
\set cpu_ticks `awk '{ print $14 + $15 }' /proc/:pid/stat`
-- A batch's times stand at each of its partitions.
SELECT format('fetch %s, apply %s, commit %s', round(max(p.fetching)), round(max(p.applying)),
              round(max(p.committing))) AS stages
  FROM (SELECT sum(fetch_ms) AS fetching, sum(apply_ms) AS applying, sum(commit_ms) AS committing
          FROM sluice.history WHERE job_name = 'bench' GROUP BY partition) p \gset
SELECT sluice.stop_job('bench') AS stopped \gset
CALL sluice.wait_for_state('bench', 'STOPPED');
SELECT sluice.drop_job('bench') AS dropped \gset
