-- COPY from a file in the server. Variables: file.
\ir session_start.sql
COPY target FROM :'file' (FORMAT csv);
\ir session_end.sql
