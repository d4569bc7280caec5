-- Rows of a staging table as JSON, for `kafkatool produce`. Variables: staging, partitions.
SELECT format('p=%s k=%s v=%s', id % :partitions, encode(id::text::bytea, 'hex'),
              encode(convert_to(row_to_json(o)::text, 'UTF8'), 'hex'))
  FROM (SELECT id, version, customer_id, sku, quantity, price, status,
               to_char(ordered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ordered_at, note
          FROM :"staging" ORDER BY version) o;
