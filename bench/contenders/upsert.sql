-- The upsert that one would write by hand, from rows that are already in the server, a transaction for each batch.
-- Variables: staging, rows, batch.
-- What the job has for sorting a batch; the default would spill to disk.
SET work_mem = '16MB';
\ir session_start.sql
SELECT format('INSERT INTO target SELECT DISTINCT ON (id) * FROM %I WHERE version > %s AND version <= %s'
         ' ORDER BY id, version DESC ON CONFLICT (id) DO UPDATE SET version = excluded.version,'
         ' customer_id = excluded.customer_id, sku = excluded.sku, quantity = excluded.quantity,'
         ' price = excluded.price, status = excluded.status, ordered_at = excluded.ordered_at,'
         ' note = excluded.note', :'staging', done, done + :batch)
  FROM generate_series(0, :rows - 1, :batch) done
\gexec
\ir session_end.sql
