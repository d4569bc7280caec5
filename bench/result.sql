-- One line: seconds, CPU ticks, rows, checksum, transactions that wrote what is there
-- now (what a target was filled with has version 0), milliseconds by stage.
SELECT :'seconds', :cpu_ticks, count(*), coalesce(sum(hash_record_extended(t, 0)), 0),
       count(DISTINCT xmin::text) FILTER (WHERE version > 0), :'stages'
  FROM target t;
