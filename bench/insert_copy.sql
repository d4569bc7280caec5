-- COPY from a file of the rows that are in the topic `inserts`. Variables: inserts (the file).
\ir insert_target.sql
\ir session_start.sql
COPY target FROM :'inserts' (FORMAT csv);
\ir session_end.sql
\ir result.sql
