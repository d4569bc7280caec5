# The first thing a person does: a CSV topic lands in a table, and goes on doing so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('insert');
my $brokers = kafka_address();
my $topic = new_topic('orders', 4);

$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE orders_src (id bigint, version bigint, customer_id int, sku text, quantity int,
		price numeric(10,2), status text, ordered_at timestamptz, note text,
		kafka_partition int OPTIONS (metadata 'partition'), kafka_offset bigint OPTIONS (metadata 'offset'))
		SERVER shop OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE orders (id bigint, version bigint, customer_id int, sku text, quantity int, price numeric(10,2),
		status text, ordered_at timestamptz, note text, kafka_partition int, kafka_offset bigint);
});

my ($ret, $out, $err) = $node->psql('postgres', "SELECT sluice.create_job('orders', 'orders_src', 'orders')");
is($ret, 0, 'create_job') or diag($err);
like($err, qr/NOTICE:  the job will start at the earliest message/, 'the start position is said');
is($node->safe_psql('postgres', "SELECT state FROM sluice.job_status"), 'STOPPED', 'a new job is stopped');

flood($topic, rows => 20_000, partitions => 4);
$node->safe_psql('postgres', "SELECT sluice.start_job('orders')");
wait_until($node, 'SELECT count(*) FROM orders', '20000', name => 'all rows arrive');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT (kafka_partition, kafka_offset)) FROM orders'), '20000',
	'each message once');
wait_until($node, 'SELECT sum(lag) FROM sluice.lag', '0', name => 'the lag is 0');
is($node->safe_psql('postgres', 'SELECT sum(messages), sum(rows_written), sum(rows_inserted), sum(rows_total) FROM sluice.progress'),
	'20000|20000|20000|20000', 'progress adds up');
is($node->safe_psql('postgres', 'SELECT sum(messages), sum(rows_inserted) FROM sluice.history'), '20000|20000',
	'history adds up');
is($node->safe_psql('postgres', 'SELECT bool_and(decode_ms > 0 AND decode_ms < apply_ms) FROM sluice.history'), 't',
	'decoding takes a part of the time');
is($node->safe_psql('postgres', 'SELECT state, worker_count FROM sluice.job_status'), 'RUNNING|1', 'the job runs');
like($node->safe_psql('postgres', q{SELECT application_name FROM pg_stat_activity WHERE backend_type = 'sluice worker'}),
	qr/^sluice: orders \[0,1,2,3\]$/, 'the worker shows job and partitions');

# One message on an idle topic, and everything a person may do to a running job.
produce($topic, [ [ 0, undef, '1000001,1,7,sku-1,1,9.99,new,2026-01-01T00:00:00Z,"a ""quoted"" note, with comma"' ] ]);
wait_until($node, 'SELECT note FROM orders WHERE id = 1000001', 'a "quoted" note, with comma', name => 'a late message');

$node->safe_psql('postgres', "SELECT sluice.pause_job('orders')");
wait_until($node, 'SELECT state, worker_count FROM sluice.job_status', 'PAUSED|0', name => 'paused');
produce($topic, [ [ 1, undef, '1000002,1,7,sku-1,1,9.99,new,2026-01-01T00:00:00Z,x' ] ]);
$node->safe_psql('postgres', "SELECT sluice.resume_job('orders')");
wait_until($node, 'SELECT count(*) FROM orders WHERE id = 1000002', '1', name => 'resumed');
$node->safe_psql('postgres', "SELECT sluice.stop_job('orders')");
wait_until($node, 'SELECT state, worker_count FROM sluice.job_status', 'STOPPED|0', name => 'stopped');

# A restart of the server resumes what was running.
$node->safe_psql('postgres', "SELECT sluice.start_job('orders')");
wait_until($node, 'SELECT state FROM sluice.job_status', 'RUNNING', name => 'started again');
$node->restart;
produce($topic, [ [ 2, undef, '1000003,1,7,sku-1,1,9.99,new,2026-01-01T00:00:00Z,x' ] ]);
wait_until($node, 'SELECT count(*) FROM orders WHERE id = 1000003', '1', name => 'a restarted server goes on by itself');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT (kafka_partition, kafka_offset)) FROM orders'),
	'20003|20003', 'still each message once');

is($node->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()'), '1', 'stop_all_jobs counts');
wait_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('sluice worker', 'sluice manager')", '0',
	name => 'nothing is left running');

done_testing();
