# The functions that meet a broker or another session: run_job, wait_for_offset, test_job, set_offsets, skip_offset,
# create_job_from_yaml, and changes of a job that is running.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('functions');
my $brokers = kafka_address();
my $topic = new_topic('functions', 2);

sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement); }

# The error of a statement, as one text.
sub error_of
{
	my ($statement) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', $statement);
	return $ret == 0 ? "no error, but: $out" : $err;
}

sub notices_of { my ($statement) = @_; my ($ret, $out, $err) = $node->psql('postgres', $statement); return $err; }

# A statement in a session of its own, while the test goes on.
sub in_background
{
	my ($statement) = @_;
	my %session = (out => '', err => '');
	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', $statement ],
		'<', \undef, '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

sub result_of { my ($session) = @_; $session->{run}->finish; return $session->{out} . $session->{err}; }

sql("CREATE TABLE numbers (id int PRIMARY KEY, note text)");

# A job from one document; the broker is asked.
my $yaml = "INPUT:\n  SOURCE: {BROKERS: '$brokers', TOPIC: TOPIC}\n"
  . "  VALUE: {COLUMNS: [{NAME: id, TYPE: int}, {NAME: note, TYPE: text}], FORMAT: csv}\n"
  . "OUTPUT: {TABLE: numbers, MODE: MERGE, FILTER: \"note <> 'filtered'\"}\n"
  . "COMMIT: {MINIMAL_INTERVAL: 1}\n";
like(error_of("SELECT sluice.create_job_from_yaml('n', \$\$$yaml\$\$)"), qr/topic "TOPIC"/, 'an unknown topic is a problem');
is(sql('SELECT count(*) FROM pg_foreign_server'), '0', 'and nothing was made');
$yaml =~ s/TOPIC: TOPIC/TOPIC: $topic/;
sql("SELECT sluice.create_job_from_yaml('n', \$\$$yaml\$\$)");

# test_job reads the topic and leaves nothing.
produce($topic, [ map { [ 0, undef, "$_,n$_" ] } 1 .. 5 ]);
produce($topic, [ [ 1, undef, '1,again' ], [ 1, undef, 'x,poison' ], [ 1, undef, '7,filtered' ] ]);
is(sql(q{SELECT string_agg(concat_ws(' ', kafka_partition, kafka_offset, outcome, "row"->>'note', sqlstate), ',' ORDER BY kafka_partition, kafka_offset)
		FROM sluice.test_job('n', 100)}),
	join(',', (map { "0 $_ inserted n" . ($_ + 1) } 0 .. 4), '1 0 updated again', '1 1 rejected 22P02', '1 2 filtered filtered'),
	'test_job shows the fate of each message');
is(sql("SELECT count(*) FROM sluice.test_job('n', 3)"), '3', 'and as many as asked for');
is(sql('SELECT count(*) FROM numbers'), '0', 'nothing was written');
is(sql('SELECT count(*) FROM sluice.progress'), '0', 'nor any offset');

# run_job stops at its limits, tells what it did, and raises what stops it.
like(notices_of(q{CALL sluice.run_job('n', until => '{"0": 2, "1": 0}', timeout => '1 min')}),
	qr/NOTICE:  job "n" is done: 2 messages .* 2 rows written, 0 rejected, 0 offsets to go/, 'run_job until offsets');
is(sql("SELECT state, state_reason FROM sluice.job_status"), 'FINISHED|the stop position is reached', 'the job is finished');
like(notices_of("CALL sluice.run_job('n', max_messages => 1, timeout => '1 min')"), qr/is done: 1 messages/, 'run_job with a number of messages');
my $error = error_of("CALL sluice.run_job('n', timeout => '1 min')");
like($error, qr/ERROR:  job "n" is in ERROR: .*invalid input syntax for type integer: "x"/, 'run_job raises what stopped the job');
is(sql('SELECT state FROM sluice.job_status'), 'ERROR', 'the job is in ERROR');
is(sql('SELECT kafka_partition, kafka_offset, status FROM sluice.errors'), '1|1|blocking', 'the message is kept');
is(sql('SELECT next_offset FROM sluice.progress WHERE partition = 1'), '1', 'and is the next one');
like(error_of("CALL sluice.wait_for_offset('n', 1, 1)"), qr/ERROR:  job "n" is in ERROR/, 'nobody waits for a job in ERROR');

# Past the poison.
like(error_of("SELECT sluice.skip_offset('n', 1, 2)"), qr/the next offset of topic \Q$topic\E, partition 1 is 1, not 2/, 'only the next offset can be skipped');
sql("SELECT sluice.skip_offset('n', 1, 1)");
is(sql('SELECT kafka_offset, status FROM sluice.errors'), '1|open', 'a skipped reject does not block');
like(notices_of("CALL sluice.run_job('n', timeout => '1 min')"), qr/is done: .* 0 offsets to go/, 'the job goes on');
is(sql("SELECT string_agg(id || note, ',' ORDER BY id) FROM numbers"), '1again,2n2,3n3,4n4,5n5', 'everything else is there');
is(sql("CALL sluice.wait_for_offset('n', 0, 4)"), 'applied', 'wait_for_offset: applied');
is(sql("CALL sluice.wait_for_offset('n', 1, 1)"), 'rejected', 'wait_for_offset: rejected');
is(sql("CALL sluice.wait_for_offset('n', 1, 2)"), 'filtered', 'wait_for_offset: filtered');
like(error_of("SELECT sluice.skip_offset('n', 1, 3)"), qr/offset 3 of topic \Q$topic\E, partition 1 has not been written yet/, 'what is not there cannot be skipped');

# wait_for_offset waits.
sql("SELECT sluice.start_job('n')");
my $waiter = in_background("CALL sluice.wait_for_offset('n', 0, 5)");
produce($topic, [ [ 0, undef, '6,late' ] ]);
is(result_of($waiter), "applied\n", 'wait_for_offset returns when the message is applied');
is(sql('SELECT note FROM numbers WHERE id = 6'), 'late', 'and it is');
sql("CALL sluice.wait_for_state('n', 'running')");

# A running job may be sent back; it reads again.
sql("DELETE FROM numbers WHERE id = 2");
like(error_of(q{SELECT sluice.set_offsets('n', '{"0": 7}')}), qr/offset 7 of topic \Q$topic\E, partition 0 is out of range\nDETAIL:  Kafka has offsets 0 to 6/, 'a range check by the brokers');
sql(q{SELECT sluice.set_offsets('n', '{"0": 1}')});
wait_until($node, 'SELECT note FROM numbers WHERE id = 2', 'n2', name => 'a job that was sent back reads again');
like(sql("SELECT message FROM sluice.events WHERE event = 'set_offsets'"), qr/^topic \Q$topic\E, partition 0: 6 -> 1$/, 'the event tells from where to where');
sql("SELECT sluice.set_offsets('n', now())");
is(sql('SELECT string_agg(next_offset::text, \',\' ORDER BY partition) FROM sluice.progress'), '6,3', 'a time after all messages is the end');
sql("CALL sluice.wait_for_state('n', 'running')");

# A change waits for the batch at hand, and only for it.
my $holder = in_background("BEGIN; LOCK TABLE numbers IN EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT");
wait_until($node, "SELECT count(*) FROM pg_locks WHERE relation = 'numbers'::regclass AND mode = 'ExclusiveLock' AND granted", '1', name => 'the target is locked');
produce($topic, [ [ 0, undef, '8,slow' ] ]);
wait_until($node, "SELECT count(*) FROM pg_locks WHERE relation = 'numbers'::regclass AND NOT granted", '1', name => 'the batch waits for it');
like(error_of("SET lock_timeout = '300ms'; SELECT sluice.alter_job('n', filter => '', check_broker => false)"), qr/lock timeout/, 'alter_job waits for the batch');
sql("SELECT sluice.rename_job('n', 'm')");
result_of($holder);
wait_until($node, 'SELECT note FROM numbers WHERE id = 8', 'slow', name => 'the batch ends');
sql("SELECT sluice.alter_job('m', filter => '', check_broker => false)");
produce($topic, [ [ 1, undef, '9,filtered' ] ]);
wait_until($node, 'SELECT note FROM numbers WHERE id = 9', 'filtered', name => 'the running job follows its new definition');

# Two jobs take the same name at the same time: one is told what it would be told later.
sql(q{CREATE TABLE more (id int, note text);
	SELECT sluice.create_job('other', source::text, 'more', check_broker => false) FROM sluice.jobs WHERE job_name = 'm'});
my $first = in_background(q{BEGIN; SELECT sluice.rename_job('m', 'taken');
	DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
	COMMIT});
wait_until($node, q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; %taken%' AND wait_event = 'PgSleep'}, '1', name => 'one has renamed, and waits for the other');
like(error_of("SELECT sluice.rename_job('other', 'taken')"), qr/ERROR:  job "taken" already exists\nHINT:  Choose another name/, 'the other has waited, and is told');
result_of($first);
sql("SELECT sluice.rename_job('taken', 'm'), sluice.drop_job('other'); DROP TABLE more");

# Somebody else may stop a run; one that is too long stops itself.
sql("SELECT sluice.stop_job('m')");
wait_until($node, 'SELECT worker_count FROM sluice.job_status', '0', name => 'stopped');
my $run = in_background("CALL sluice.run_job('m', until => '{\"0\": 1000}')");
wait_until($node, 'SELECT state FROM sluice.job_status', 'RUNNING', name => 'a run that has no end yet');
like(error_of("CALL sluice.run_job('m')"), qr/is running already/, 'one run at a time');
sql("SELECT sluice.stop_job('m')");
like(result_of($run), qr/ERROR:  job "m" is STOPPED before it reached its end\nDETAIL:  It was stopped by \w+/, 'its caller is told who stopped it');
like(error_of("CALL sluice.run_job('m', until => '{\"0\": 1000}', timeout => '1 s')"), qr/has not reached its end within the time-out/, 'the time-out');
wait_until($node, 'SELECT state, worker_count FROM sluice.job_status', 'STOPPED|0', name => 'which stops the job');

# A number of messages is that number, however often the worker has to begin again.
my $counted = new_topic('counted', 2);
produce($counted, [ map { [ $_ % 2, undef, "$_,counted" ] } 1 .. 60 ]);
sql(qq{CREATE TABLE counted (id int, note text);
	CREATE SERVER counting FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE counted_src (id int, note text) SERVER counting OPTIONS (topic '$counted', format 'csv');
	SELECT sluice.create_job('counted', 'counted_src', 'counted', options => '{"max_rate": 20, "workers": 2}')});
$run = in_background("CALL sluice.run_job('counted', max_messages => 40, timeout => '1 min')");
for my $part (10, 25)
{
	ok($node->poll_query_until('postgres', "SELECT count(*) >= $part FROM counted"), "$part of them");
	sql("SELECT pg_terminate_backend(worker_pid) FROM sluice.workers WHERE job_name = 'counted'");
}
like(result_of($run), qr/is done: 40 messages/, 'as many as asked for');
is(sql('SELECT count(*) FROM counted'), '40', 'and no more');
sql("SELECT sluice.drop_job('counted'); DROP SERVER counting CASCADE");

# Drop a running job, with all that YAML made.
sql("SELECT sluice.start_job('m')");
sql("CALL sluice.wait_for_state('m', 'running')");
sql("SELECT sluice.drop_job('m')");
wait_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sluice worker'", '0', name => 'the worker of a dropped job leaves');
is(sql('SELECT (SELECT count(*) FROM pg_foreign_server) + (SELECT count(*) FROM pg_foreign_table) + (SELECT count(*) FROM sluice.offsets)'), '0', 'nothing remains');

done_testing();
