-- A peer's connector or job from its submission until all rows are visible. Its process runs before, but its sessions
-- are new, so all of their CPU time counts. Prints seconds, CPU ticks of the process, of the sessions.
-- Variables: program (connect.pl or flink.pl) and arguments, process (its pid), staging.
SELECT sum(version) AS versions
  FROM (SELECT DISTINCT ON (id) version FROM :"staging" ORDER BY id, version DESC) last \gset
\setenv PROGRAM :program
\setenv ARGUMENTS :arguments
\set before `awk '{ print $14 + $15 }' /proc/:process/stat`
SELECT clock_timestamp() AS began \gset
\set started false
\set started `perl contenders/$PROGRAM start $ARGUMENTS && echo true`
\if :started
\else
DO $$ BEGIN RAISE EXCEPTION 'the peer was not started'; END $$;
\endif
CALL wait_for_versions(:versions);
SELECT extract(epoch FROM clock_timestamp() - :'began') AS seconds \gset
\set after `awk '{ print $14 + $15 }' /proc/:process/stat`
SELECT string_agg(format('/proc/%s/stat', pid), ' ') AS stat FROM pg_stat_activity WHERE usename = 'peer' \gset
\set sessions `awk '{ ticks += $14 + $15 } END { print ticks }' :stat`
\! perl contenders/$PROGRAM stop
CALL wait_for_end_of_sessions();
SELECT :seconds, :after - :before, :sessions;
