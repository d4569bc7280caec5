-- Stops the clocks of session_start.sql and prints a contender's line: seconds, CPU ticks of the client, of the backend.
SELECT extract(epoch FROM clock_timestamp() - :'began') AS seconds \gset
\set cpu_after `awk '{ print $14 + $15 }' /proc/:pid/stat`
SELECT :seconds, 0, :cpu_after - :cpu_before;
