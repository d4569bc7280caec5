-- An empty table without index.
DROP TABLE IF EXISTS target;
CREATE TABLE target (LIKE orders_row);
CHECKPOINT;
