# A batch of several partitions is written at once: rows may refer to each other, each partition gets the numbers of
# its own messages, and what another session inserts in the meantime is not overlooked.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('merge_batch');
my $brokers = kafka_address();
$node->safe_psql('postgres', "CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers')");

my %topic;

sub source
{
	my ($name, $columns) = @_;
	$topic{$name} = new_topic($name, 2);
	$node->safe_psql('postgres',
		"CREATE FOREIGN TABLE ${name}_src ($columns) SERVER shop OPTIONS (topic '$topic{$name}', format 'csv')");
	return;
}

sub reads
{
	my ($name, $count) = @_;
	wait_until($node, "SELECT sum(messages) FROM sluice.progress WHERE job_name = '$name'", $count, name => "$name reads $count");
	return;
}

# Jobs get the first row alone. What comes right after it waits for the interval, so that it is one batch.
my $interval = '{"interval_ms": 3000, "error_limit": 10}';

sub batch
{
	my ($name, $jobs, @rows) = @_;
	my @messages = map { [ $_->[0], undef, $_->[1] ] } @rows;
	my $first = shift @messages;
	produce($topic{$name}, [$first]);
	reads($_, 1) for @$jobs;
	produce($topic{$name}, \@messages);
	for my $job (@$jobs)
	{
		reads($job, scalar @rows);
		is($node->safe_psql('postgres',
				"SELECT count(DISTINCT finished_at) FROM sluice.history WHERE job_name = '$job' AND messages > 0 AND start_offset > 0"),
			'1', "$job: in one batch");
	}
	return;
}

# A child before its parent, which is in another partition.
source('tree', 'id int, parent int');
for my $mode ('insert', 'merge')
{
	$node->safe_psql('postgres', qq{
		CREATE TABLE tree_$mode (id int PRIMARY KEY, parent int REFERENCES tree_$mode DEFERRABLE INITIALLY DEFERRED);
		SELECT sluice.create_job('tree_$mode', 'tree_src', 'tree_$mode', mode => '$mode', options => '$interval'),
			sluice.start_job('tree_$mode')});
}
batch('tree', [ 'tree_insert', 'tree_merge' ], [ 0, '9,' ], [ 0, '1,2' ], [ 0, '3,1' ], [ 1, '2,' ], [ 1, '4,3' ]);
for my $mode ('insert', 'merge')
{
	is($node->safe_psql('postgres', "SELECT string_agg(id || '-' || coalesce(parent::text, ''), ' ' ORDER BY id) FROM tree_$mode"),
		'1-2 2- 3-1 4-3 9-', "$mode: rows may refer to rows of another partition");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.errors WHERE job_name LIKE 'tree%'"), '0', 'without a reject');

# Everything that can become of a row, in both partitions.
source('fates', 'op text, id int, version int, note text');
$node->safe_psql('postgres', qq{
	CREATE TABLE fates (id int PRIMARY KEY, version int, note text);
	INSERT INTO fates VALUES (2, 2, 'newer'), (5, 1, ''), (6, 2, 'newer'), (8, 1, 'older');
	SELECT sluice.create_job('fates', 'fates_src', 'fates', mode => 'merge', order_columns => '{version}',
		mapping => '{"id": "id", "version": "version", "note": "note"}', filter => \$\$op <> 'x'\$\$,
		delete_condition => \$\$op = 'd'\$\$, options => '$interval'), sluice.start_job('fates')});
batch('fates', ['fates'],
	[ 0, 'x,0,0,filtered' ],
	[ 0, 'u,1,5,superseded by the other partition' ], [ 0, 'u,2,1,stale' ], [ 0, 'u,3,9,inserted' ],
	[ 0, 'u,4,1,superseded' ], [ 0, 'u,4,3,inserted' ], [ 0, 'u,4,2,superseded' ], [ 0, 'x,4,9,filtered' ],
	[ 0, 'rejected,for its columns' ], [ 0, 'd,7,1,unmatched' ],
	[ 1, 'u,1,6,inserted' ], [ 1, 'd,5,1,deleted' ], [ 1, 'd,6,1,stale' ], [ 1, 'x,1,1,filtered' ], [ 1, 'u,8,2,updated' ]);
is($node->safe_psql('postgres', q{SELECT string_agg(id || ' ' || version || ' ' || note, ', ' ORDER BY id) FROM fates}),
	'1 6 inserted, 2 2 newer, 3 9 inserted, 4 3 inserted, 6 2 newer, 8 2 updated', 'the rows');
my $numbers = q{SELECT messages, rows_total, rows_written, rows_inserted, rows_updated, rows_deleted, rows_superseded,
	rows_stale, rows_unmatched, rows_filtered, rows_rejected FROM sluice.progress WHERE job_name = 'fates' ORDER BY partition};
is($node->safe_psql('postgres', $numbers), "10|10|2|2|0|0|3|1|1|2|1\n5|5|2|1|1|1|0|1|0|1|0", 'each partition has its own numbers');

# The trigger before each row keeps ON CONFLICT from being used, the other stops between update and insert.
for my $name ('race', 'ordered_race')
{
	my $order = $name eq 'race' ? '' : q{, order_columns => '{version}'};
	source($name, 'id int, version int');
	$node->safe_psql('postgres', qq{
		CREATE TABLE $name (id int PRIMARY KEY, version int);
		INSERT INTO $name VALUES (3, 8);
		CREATE FUNCTION wait_$name() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END';
		CREATE TRIGGER wait AFTER UPDATE ON $name EXECUTE FUNCTION wait_$name();
		CREATE FUNCTION keep_$name() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TRIGGER keep BEFORE INSERT ON $name FOR EACH ROW EXECUTE FUNCTION keep_$name();
		SELECT sluice.create_job('$name', '${name}_src', '$name', mode => 'merge', options => '$interval' $order), sluice.start_job('$name')});
	like($node->safe_psql('postgres', "SELECT sluice.explain_job('$name')"), qr/^Upsert: UPDATE, then INSERT/m, "$name: the way");
	my $other = $node->background_psql('postgres');
	$other->query_safe('SELECT pg_advisory_lock(42)');
	produce($topic{$name}, [ [ 0, undef, '1,7' ], [ 0, undef, '2,7' ], [ 0, undef, '3,7' ] ]);
	wait_until($node, q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'}, '1', name => "$name: is between them");
	$other->query_safe("INSERT INTO $name VALUES (1, 3); SELECT pg_advisory_unlock(42)");
	$other->quit;
	reads($name, 3);
	is($node->safe_psql('postgres', "SELECT string_agg(id || '-' || version, ' ' ORDER BY id) FROM $name"),
		$order ? '1-7 2-7 3-8' : '1-7 2-7 3-7', "$name: the row that came in between is updated");
	is($node->safe_psql('postgres', "SELECT rows_inserted, rows_updated, rows_stale FROM sluice.progress WHERE job_name = '$name'"
			  . ' ORDER BY partition LIMIT 1'), $order ? '1|1|1' : '1|2|0', "$name: numbers");
}

$node->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()');
done_testing();
