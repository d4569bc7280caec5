-- A sluice job from start_job until its :rows messages are visible. Its workers are new, so all of their CPU time counts.
-- Prints seconds, 0, CPU ticks of the workers, the largest private memory of a worker in kB, milliseconds by stage.
-- Variables: source, arguments (of create_job, SQL), rows.
SELECT sluice.create_job('bench', :'source', 'target', :arguments) AS created \gset
SELECT clock_timestamp() AS began \gset
SELECT sluice.start_job('bench') AS started \gset
CALL wait_for_messages('bench', :rows);
SELECT extract(epoch FROM clock_timestamp() - :'began') AS seconds \gset
SELECT string_agg(format('/proc/%s/stat', worker_pid), ' ') AS stat,
       string_agg(format('/proc/%s/status', worker_pid), ' ') AS status FROM sluice.workers \gset
\set ticks `awk '{ ticks += $14 + $15 } END { print ticks }' :stat`
\set memory `awk '/^RssAnon:/ && $2 > most { most = $2 } END { print most }' :status`
-- A batch's times stand at each of its partitions, so the partition with the most comes nearest to all batches.
SELECT format('start %s, fetch %s, apply %s, commit %s of %s',
              round(1000 * extract(epoch FROM min(p.first) - :'began')), round(max(p.fetching)), round(max(p.applying)),
              round(max(p.committing)), round(:seconds * 1000)) AS stages
  FROM (SELECT sum(fetch_ms) AS fetching, sum(apply_ms) AS applying, sum(commit_ms) AS committing,
               min(started_at) AS first
          FROM sluice.history WHERE job_name = 'bench' GROUP BY partition) p \gset
SELECT sluice.stop_job('bench') AS stopped \gset
CALL sluice.wait_for_state('bench', 'STOPPED');
SELECT sluice.drop_job('bench') AS dropped \gset
SELECT :seconds, 0, :ticks, :memory, :'stages';
