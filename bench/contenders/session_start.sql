-- Starts the clocks of a contender that runs in this session.
SELECT pg_backend_pid() AS pid \gset
\set cpu_before `awk '{ print $14 + $15 }' /proc/:pid/stat`
SELECT clock_timestamp() AS began \gset
