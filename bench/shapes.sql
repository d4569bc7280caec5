-- Tables for the shapes of `kafkatool flood --shape`.
CREATE TABLE tiny_row (id bigint, value int);
CREATE TABLE long_row (id bigint, body text);
CREATE TABLE document_row (id bigint, document jsonb);
SELECT format('CREATE TABLE wide_row (id bigint, %s)',
         string_agg(format('c%s %s', n, (ARRAY['timestamptz', 'int', 'text', 'numeric(10,2)'])[n % 4 + 1]), ', ' ORDER BY n))
  FROM generate_series(1, 199) n
\gexec
