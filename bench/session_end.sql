-- Stops the clocks of session_start.sql.
SELECT extract(epoch FROM clock_timestamp() - :'began') AS seconds \gset
\set cpu_after `awk '{ print $14 + $15 }' /proc/:pid/stat`
SELECT :cpu_after - :cpu_before AS cpu_ticks, '' AS stages \gset
