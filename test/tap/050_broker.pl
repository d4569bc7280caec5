# What a broker can do to a job: go away and come back, lose offsets, add partitions, end with aborted transactions.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('broker');
my $shared = kafka_address();
$node->safe_psql('postgres', "CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$shared')");

sub make_job
{
	my ($name, $topic, $server, $options) = @_;
	$options //= '{}';
	$node->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${name}_src (id int, v text) SERVER $server OPTIONS (topic '$topic', format 'csv');
		CREATE TABLE $name (id int, v text);
		SELECT sluice.create_job('$name', '${name}_src', '$name', options => '$options'), sluice.start_job('$name')});
	return;
}
my $state = sub { return "SELECT state FROM sluice.job_status WHERE job_name = '$_[0]'" };

# Messages that are gone: the job stops with the exact gap, or goes on where it was told to and records it.
my $topic = new_topic('gap', 1);
make_job('gap', $topic, 'shop');
make_job('gapful', $topic, 'shop', '{"fallback_offset": "earliest"}');
produce($topic, [ map { [ 0, undef, "$_,v" ] } 1 .. 100 ]);
wait_until($node, 'SELECT (SELECT count(*) FROM gap) + (SELECT count(*) FROM gapful)', '200', name => 'both jobs have read');
$node->safe_psql('postgres', "SELECT sluice.stop_job('gap'), sluice.stop_job('gapful')");
wait_until($node, 'SELECT sum(worker_count) FROM sluice.job_status', '0', name => 'both jobs are stopped');
produce($topic, [ map { [ 0, undef, "$_,v" ] } 101 .. 200 ]);
delete_records($topic, 0, 150);
$node->safe_psql('postgres', "SELECT sluice.start_job('gap'), sluice.start_job('gapful')");
wait_until($node, $state->('gap'), 'ERROR', name => 'offsets that are gone need a person');
like($node->safe_psql('postgres', "SELECT state_reason FROM sluice.job_status WHERE job_name = 'gap'"),
	qr/partition 0: offsets 100 to 149 are no longer in Kafka \(50 offsets\); the oldest is 150/, 'with the exact gap');
wait_until($node, 'SELECT count(*) FROM gapful', '150', name => 'fallback_offset goes on');
like($node->safe_psql('postgres', "SELECT message FROM sluice.events WHERE job_name = 'gapful' AND event = 'gap'"),
	qr/offsets 100 to 149 are no longer in Kafka.*goes on at 150/, 'and records the gap');
$node->safe_psql('postgres', "SELECT sluice.set_offsets('gap', 'earliest'), sluice.resume_job('gap')");
wait_until($node, 'SELECT count(*) FROM gap', '150', name => 'set_offsets goes on');
my ($ret, $out, $err) = $node->psql('postgres', q{SELECT sluice.set_offsets('gap', '{"0": 20}')});
like($err, qr/offset 20 of topic .* is out of range/, 'set_offsets checks the range');

# A topic that was deleted and made again, shorter than before.
$topic = new_topic('again', 1);
make_job('again', $topic, 'shop');
produce($topic, [ map { [ 0, undef, "$_,v" ] } 1 .. 100 ]);
wait_until($node, 'SELECT count(*) FROM again', '100', name => 'read');
$node->safe_psql('postgres', "SELECT sluice.stop_job('again')");
wait_until($node, "SELECT worker_count FROM sluice.job_status WHERE job_name = 'again'", '0');
delete_topic($topic);
sleep 2;
create_topic($topic, 1);
produce($topic, [ [ 0, undef, '1,other' ] ]);
$node->safe_psql('postgres', "SELECT sluice.start_job('again')");
wait_until($node, $state->('again'), 'ERROR', name => 'a topic made again is noticed');
like($node->safe_psql('postgres', "SELECT state_reason FROM sluice.job_status WHERE job_name = 'again'"),
	qr/deleted and created again/, 'and named');
is($node->safe_psql('postgres', 'SELECT count(*) FROM again'), '100', 'the table is untouched');

# A topic that is deleted under its job, and made again with as many messages: its deletion is noticed, since the
# offsets fit again afterwards.
$topic = new_topic('swapped', 1);
make_job('swapped', $topic, 'shop');
produce($topic, [ map { [ 0, undef, "$_,v" ] } 1 .. 100 ]);
wait_until($node, 'SELECT count(*) FROM swapped', '100', name => 'read, and running');
delete_topic($topic);
wait_until($node, $state->('swapped'), 'ERROR', name => 'a topic that is deleted under a job is noticed');
like($node->safe_psql('postgres', "SELECT state_reason FROM sluice.job_status WHERE job_name = 'swapped'"),
	qr/42704: .*(no such partition \(any more\)|does not exist)/, 'and named');
sleep 1 until eval { create_topic($topic, 1); 1 };
produce($topic, [ map { [ 0, undef, "$_,other" ] } 1 .. 100 ]);
if ($node->safe_psql('postgres', "SELECT value FROM sluice.library_info() WHERE item ~ 'topic id'") eq 'yes')
{
	$node->safe_psql('postgres', "SELECT sluice.resume_job('swapped')");
	wait_until($node, "SELECT state_reason FROM sluice.job_status WHERE job_name = 'swapped'", qr/deleted and created again: its id was/,
		name => 'resumed all the same: the id tells');
}
$node->safe_psql('postgres', "SELECT sluice.set_offsets('swapped', 'earliest'), sluice.resume_job('swapped')");
wait_until($node, 'SELECT v, count(*) FROM swapped GROUP BY v ORDER BY v', "other|100\nv|100", name => 'set_offsets reads the new one whole');
wait_until($node, $state->('swapped'), 'RUNNING', name => 'and the job runs');

# Control records: aborted transactions at the end leave no lag, and their rows never appear.
$topic = new_topic('control', 1);
make_job('control', $topic, 'shop');
produce_transaction($topic, 'commit', [ map { [ 0, undef, "$_,v" ] } 1 .. 10 ]);
produce_transaction($topic, 'abort', [ map { [ 0, undef, "$_,never" ] } 11 .. 20 ]);
wait_until($node, "SELECT lag, next_offset = high_watermark FROM sluice.lag WHERE job_name = 'control' AND high_watermark >= 22",
	'0|t', name => 'the lag is 0 behind control records');
is($node->safe_psql('postgres', 'SELECT count(*), max(v) FROM control'), '10|v', 'aborted rows never appear');

# New partitions are read from their beginning, without a restart.
$topic = new_topic('grow', 1);
make_job('grow', $topic, 'shop');
produce($topic, [ [ 0, undef, '1,v' ] ]);
wait_until($node, 'SELECT count(*) FROM grow', '1');
add_partitions($topic, 3);
produce($topic, [ [ 1, undef, '2,v' ], [ 2, undef, '3,v' ] ]);
wait_until($node, 'SELECT count(*) FROM grow', '3', name => 'new partitions are read', timeout => 90);

# A broker that goes away and comes back.
my $dir = PostgreSQL::Test::Utils::tempdir() . '/kafka';
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $own = qx(kafka start $dir $port);
chomp $own;
$node->safe_psql('postgres', "CREATE SERVER own FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$own')");
create_topic('away', 1, {}, brokers => $own);
make_job('away', 'away', 'own');
produce('away', [ map { [ 0, undef, "$_,v" ] } 1 .. 10 ], brokers => $own);
wait_until($node, 'SELECT count(*) FROM away', '10', name => 'a job on a broker of its own');
system("kafka kill $dir") == 0 or die 'cannot kill the broker';
wait_until($node, $state->('away'), 'RETRYING', name => 'a broker that is away is said', timeout => 90);
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sluice worker' AND xact_start IS NOT NULL}),
	'0', 'no transaction is open meanwhile');
system("kafka start $dir $port >/dev/null") == 0 or die 'cannot start the broker';
produce('away', [ map { [ 0, undef, "$_,v" ] } 11 .. 20 ], brokers => $own);
wait_until($node, 'SELECT count(*), count(DISTINCT id) FROM away', '20|20', name => 'it goes on by itself', timeout => 120);
wait_until($node, $state->('away'), 'RUNNING', name => 'and says so');
$node->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()');
system("kafka kill $dir");

done_testing();
