-- The update that one would write by hand, from rows that are already in the server, a transaction for each batch.
-- Variables: staging, rows, batch.
SET work_mem = '16MB';
\ir session_start.sql
SELECT format('UPDATE target t SET version = s.version, customer_id = s.customer_id, sku = s.sku,'
         ' quantity = s.quantity, price = s.price, status = s.status, ordered_at = s.ordered_at, note = s.note'
         ' FROM (SELECT DISTINCT ON (id) * FROM %I WHERE version > %s AND version <= %s ORDER BY id, version DESC) s'
         ' WHERE t.id = s.id', :'staging', done, done + :batch)
  FROM generate_series(0, :rows - 1, :batch) done
\gexec
\ir session_end.sql
