-- The rows of a topic, at hand without fetching and parsing; versions number them, so they cut it into batches.
-- Variables: staging (the table to make), file.
CREATE UNLOGGED TABLE :"staging" (LIKE orders_row);
COPY :"staging" FROM :'file' (FORMAT csv);
CREATE INDEX ON :"staging" (version);
VACUUM ANALYZE :"staging";
