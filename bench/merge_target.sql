-- A table with a primary key, empty or filled.
DROP TABLE IF EXISTS target;
CREATE TABLE target (LIKE orders_row);
\if :filled
INSERT INTO target SELECT * FROM filled;
\endif
ALTER TABLE target ADD PRIMARY KEY (id);
VACUUM ANALYZE target;
CHECKPOINT;
