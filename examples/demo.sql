-- The jobs of `make demo`: one topic, two tables.
--   psql -v brokers=localhost:9092 -v yaml="$(cat examples/demo_orders.yaml)" -f examples/demo.sql
CREATE EXTENSION sluice;

-- A job runs as its owner, who needs no more than this.
CREATE ROLE etl LOGIN;
GRANT USAGE ON FOREIGN DATA WRAPPER sluice_fdw TO etl;
CREATE SCHEMA shop AUTHORIZATION etl;
ALTER ROLE etl SET search_path = shop;
\connect - etl

CREATE TABLE orders (
  id bigint PRIMARY KEY, version bigint NOT NULL, customer_id int NOT NULL, sku text NOT NULL, quantity int NOT NULL,
  price numeric(10,2) NOT NULL, status text NOT NULL, changed_at timestamptz NOT NULL, note text);

CREATE TABLE order_events (
  kafka_partition int, kafka_offset bigint, id bigint, version bigint, price numeric(10,2), status text,
  changed_at timestamptz);

-- The first job, by YAML: the latest version of every order. It makes its own server and foreign table.
SELECT sluice.create_job_from_yaml('orders', :'yaml') AS job_id;

-- The second job, by SQL: every message that ever came, with its place in the topic.
CREATE SERVER kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers :'brokers', fetch_wait_max_ms '10');
CREATE FOREIGN TABLE order_messages (
  id bigint, version bigint, customer_id int, sku text, quantity int, price numeric(10,2), status text,
  changed_at timestamptz, note text,
  kafka_partition int OPTIONS (metadata 'partition'), kafka_offset bigint OPTIONS (metadata 'offset'))
  SERVER kafka OPTIONS (topic 'orders', format 'csv');
SELECT sluice.create_job('order_events', source => 'order_messages', target => 'order_events', mode => 'insert',
  mapping => '{"kafka_partition": "kafka_partition", "kafka_offset": "kafka_offset", "id": "id",
               "version": "version", "price": "price", "status": "status", "changed_at": "changed_at"}') AS job_id;

SELECT sluice.start_job('orders'), sluice.start_job('order_events');
