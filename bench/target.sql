-- A new table `target`. Variables: shape (the table with its columns), key (0 or 1), fillfactor, filled (rows that it
-- holds before, ids 1 to that, older than everything that comes; orders only).
DROP TABLE IF EXISTS target;
CREATE TABLE target (LIKE :"shape") WITH (fillfactor = :fillfactor);
TRUNCATE client_offsets, fill;
BEGIN;
INSERT INTO fill VALUES (:filled);
SELECT :filled > 0 AS is_filled \gset
\if :is_filled
INSERT INTO target
  SELECT id, 0, id % 50000, 'SKU0000000', 1, 1.00, 'new', '2024-01-01Z', repeat('x', 40)
    FROM generate_series(1, :filled) id;
\endif
COMMIT;
\if :key
ALTER TABLE target ADD PRIMARY KEY (id);
\endif
VACUUM ANALYZE target;
CHECKPOINT;
