-- One line: rows, checksum, transactions that wrote what is there now.
SELECT count(*), coalesce(sum(hash_record_extended(t, 0)), 0),
       count(DISTINCT xmin::text) FILTER (WHERE xmin <> (SELECT f.xmin FROM fill f))
  FROM target t;
