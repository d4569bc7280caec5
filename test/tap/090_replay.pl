# Rejected messages are mended and replayed: through the job's present definition, each once, never over newer rows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('replay');
my $brokers = kafka_address();
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement); }
sub error_of { my ($statement) = @_; my ($ret, $out, $err) = $node->psql('postgres', $statement); return $ret == 0 ? "no error, but: $out" : $err; }

sub position
{
	my ($job) = @_;
	return sql("SELECT next_offset, messages, rows_written, rows_rejected, rows_total FROM sluice.progress WHERE job_name = '$job'");
}

# A poison message is mended by hand and replayed; the offset moves past it, and the job goes on.
my $topic = new_topic('orders', 1);
sql(qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE orders_src (id int, price numeric, trace text OPTIONS (source 'key'),
		headers jsonb OPTIONS (metadata 'headers'), at timestamptz OPTIONS (metadata 'timestamp')) SERVER shop
		OPTIONS (topic '$topic', format 'csv', key_format 'text');
	CREATE TABLE orders (id int PRIMARY KEY, price numeric CHECK (price > 0), trace text, headers jsonb, at timestamptz);
	SELECT sluice.create_job('orders', 'orders_src', 'orders'), sluice.start_job('orders')});
my $headers = [ [ 'trace', 'abc' ], [ 'raw', "\x00\xff" ] ];
produce($topic, [ [ 0, 'k1', '1,10' ], [ 0, 'k2', '2,-20', $headers ], [ 0, 'k3', '3,30' ] ]);
wait_until($node, 'SELECT state FROM sluice.job_status', 'ERROR', name => 'poison stops the job');
is(sql(q{SELECT error_id > 0, kafka_topic LIKE 'orders%', kafka_partition, kafka_offset, outcome, sqlstate FROM sluice.replay_errors('orders')}),
	't|t|0|1|rejected|23514', 'as it is, it is rejected again');
is(sql('SELECT status, attempts FROM sluice.errors'), 'blocking|2', 'and kept');
is(position('orders'), '1|1|1|0|1', 'the job stands where it stood');

sql(q{UPDATE sluice.errors SET raw_message = convert_to('2,20', 'UTF8')});
is(sql(q{SELECT outcome, sqlstate, error_message FROM sluice.replay_errors('orders', filter => $$sqlstate = '23514'$$)}),
	'inserted||', 'mended, it is applied');
is(sql('SELECT status, resolved_at IS NOT NULL, resolved_by FROM sluice.errors'), 'replayed|t|' . sql('SELECT current_user'), 'and settled');
is(sql('SELECT price, trace, headers, at = (SELECT kafka_timestamp FROM sluice.errors) FROM orders WHERE id = 2'),
	'20|k2|[{"name": "trace", "value": "abc"}, {"name": "raw", "base64": "AP8="}]|t', 'with its key, headers and time');
is(position('orders'), '2|2|2|0|2', 'the job stands behind it');
sql(q{SELECT sluice.resume_job('orders')});
wait_until($node, 'SELECT count(*) FROM orders', '3', name => 'and goes on');
is(sql(q{SELECT count(*) FROM sluice.replay_errors('orders')}), '0', 'nothing is replayed twice');
is(sql(q{SELECT message FROM sluice.events WHERE event = 'replay_errors' ORDER BY event_time DESC LIMIT 1}),
	'messages replayed: 1, rejected again: 0', 'the event says so');

# Within a budget the job runs on while its rejects are replayed; what cannot be helped by hand gets a mapping.
$topic = new_topic('stock', 1);
sql(qq{
	CREATE FOREIGN TABLE stock_src (sku text, version text, amount text) SERVER shop OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE stock (sku text PRIMARY KEY, version int, amount int);
	SELECT sluice.create_job('stock', 'stock_src', 'stock', mode => 'merge', order_columns => '{version}',
		mapping => '{"sku": "sku", "version": "version::int", "amount": "amount::int"}',
		options => '{"error_limit": "unlimited"}'), sluice.start_job('stock')});
produce($topic, [ [ 0, undef, 'a,1,one' ], [ 0, undef, 'a,2,20' ], [ 0, undef, 'b,5,fifty' ], [ 0, undef, 'c,7,1e1' ],
	[ 0, undef, 'd,1,x' ], [ 0, undef, 'e,3,30' ] ]);
wait_until($node, q{SELECT next_offset FROM sluice.progress WHERE job_name = 'stock'}, '6', name => 'the job goes on');
is(sql(q{SELECT string_agg(outcome, ',' ORDER BY kafka_offset) FROM sluice.replay_errors('stock',
		mapping => '{"sku": "sku", "version": "version::int", "amount": "CASE amount WHEN ''one'' THEN 1 WHEN ''fifty'' THEN 50 ELSE amount::numeric::int END"}')}),
	'stale,inserted,inserted,rejected', 'an old message does not overwrite a newer row');
is(sql(q{SELECT string_agg(sku || version || '=' || amount, ' ' ORDER BY sku) FROM stock}), 'a2=20 b5=50 c7=10 e3=30', 'the rows');
sql(q{UPDATE sluice.errors SET raw_message = convert_to('e,3,99', 'UTF8') WHERE status = 'open'});
is(sql(q{SELECT outcome FROM sluice.replay_errors('stock')}), 'stale', 'nor one that is as old');
is(position('stock'), '6|6|2|4|6', 'the numbers of the job are those of its own work');
is(sql(q{SELECT state FROM sluice.job_status WHERE job_name = 'stock'}), 'RUNNING', 'which never stopped');

# One fails, the others are applied; the definition may have changed since.
$topic = new_topic('notes', 1);
sql(qq{
	CREATE FOREIGN TABLE notes_src (id int, note text) SERVER shop OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE notes (id int PRIMARY KEY, note varchar(3));
	SELECT sluice.create_job('notes', 'notes_src', 'notes', options => '{"error_limit": "unlimited"}'), sluice.start_job('notes')});
produce($topic, [ map { [ 0, undef, "$_," . ('x' x ($_ % 6 + 1)) ] } 1 .. 60 ]);
wait_until($node, q{SELECT rows_total FROM sluice.progress WHERE job_name = 'notes'}, '60', name => 'all are read');
is(sql(q{SELECT count(*) FROM sluice.errors WHERE job_name = 'notes'}), '30', 'half of them are too long');
sql('ALTER TABLE notes ALTER note TYPE varchar(5)');
is(sql(q{SELECT outcome, count(*) FROM sluice.replay_errors('notes') GROUP BY 1 ORDER BY 1}), "inserted|20\nrejected|10", 'the target takes more now');
is(sql('SELECT count(*) FROM notes'), '50', 'the rows');
is(sql(q{SELECT status, attempts, count(*) FROM sluice.errors WHERE job_name = 'notes' GROUP BY 1, 2 ORDER BY 1}), "open|2|10\nreplayed|1|20", 'each reject says what became of it');
sql(q{BEGIN; ALTER TABLE notes ALTER note TYPE text; SELECT sluice.replay_errors('notes', 'kafka_offset < 30'); ROLLBACK});
is(sql('SELECT count(*) FROM notes') . sql(q{SELECT count(*) FROM sluice.errors WHERE job_name = 'notes' AND status = 'open'}), '5010', 'a replay that is rolled back has not been');

# What may be changed, by whom.
like(error_of(q{UPDATE sluice.errors SET sqlstate = '00000' WHERE status = 'open'}), qr/ERROR:  column "sqlstate" of a rejected message cannot be changed/, 'only the message');
like(error_of(q{UPDATE sluice.errors SET raw_message = '' WHERE status = 'replayed'}), qr/ERROR:  the rejected message is settled: its status is "replayed"/, 'not what is settled');
like(error_of(q{UPDATE sluice.errors SET status = 'applied' WHERE status = 'open'}), qr/ERROR:  status "open" cannot become "applied"\nHINT:  Set it to discarded/, 'nor its fate');
like(error_of(q{SELECT sluice.replay_errors('notes', 'true); DROP TABLE notes; SELECT (1')}), qr/ERROR:  argument filter must be one SQL condition/, 'a filter is a condition');
like(error_of(q{SELECT sluice.replay_errors('notes', 'no_such_column = 1')}), qr/ERROR:  column "no_such_column" does not exist/, 'over columns of the view');
sql('CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher; CREATE ROLE stranger LOGIN');
like(error_of(q{SET ROLE watcher; UPDATE sluice.errors SET raw_message = '' WHERE status = 'open'}), qr/ERROR:  only the owner of a job may change its rejected messages/, 'who may look may not change');
is(sql(q{SET ROLE stranger; UPDATE sluice.errors SET raw_message = ''; SELECT count(*) FROM sluice.errors}), '0', 'strangers see none');
like(error_of(q{SET ROLE watcher; SELECT sluice.replay_errors('notes')}), qr/ERROR:  permission denied for job "notes"/, 'nor replay');

# Discarded and purged.
sql(q{UPDATE sluice.errors SET status = 'discarded' WHERE status = 'open' AND kafka_offset < 30});
is(sql(q{SELECT status, count(*) FROM sluice.errors WHERE job_name = 'notes' GROUP BY 1 ORDER BY 1}), "discarded|5\nopen|5\nreplayed|20", 'given up');
is(sql(q{SELECT sluice.purge_errors('notes', '1 day')}), '0', 'nothing is a day old');
is(sql(q{SELECT sluice.purge_errors('notes', '0')}), '30', 'all are older than now');
like(error_of(q{SELECT sluice.purge_errors('notes', NULL)}), qr/argument older_than must not be NULL/, 'purge needs an age');
sql(q{SELECT sluice.alter_job('notes', options => '{"error_limit": 0}')});
produce($topic, [ [ 0, undef, '1,twice' ] ]);
wait_until($node, q{SELECT state FROM sluice.job_status WHERE job_name = 'notes'}, 'ERROR', name => 'blocked again');
is(sql(q{SELECT sluice.purge_errors('notes', '0')}), '0', 'what blocks the job stays');

# What was settled long ago is forgotten, the rest never.
my $settled = "status IN ('applied', 'replayed', 'discarded')";
cmp_ok(sql("SELECT count(*) FROM sluice.errors WHERE $settled"), '>', 1, 'there are settled rejects');
sql(q{UPDATE sluice.reject SET event_time = event_time - interval '31 days', resolved_at = resolved_at - interval '31 days'});
sql("UPDATE sluice.reject SET resolved_at = now() - interval '29 days' WHERE error_id = (SELECT max(error_id) FROM sluice.errors WHERE $settled)");
my $others = sql("SELECT count(*) FROM sluice.errors WHERE NOT $settled");
sql(q{SELECT sluice.start_job('stock')});
$node->restart;
wait_until($node, "SELECT count(*) FILTER (WHERE $settled), count(*) FILTER (WHERE NOT $settled) FROM sluice.errors", "1|$others",
	name => 'settled rejects go after error_retention, others stay');

sql('SELECT sluice.stop_all_jobs()');
done_testing();
