# Bad messages: kept with their bytes and PostgreSQL's whole error, isolated from their neighbours, never lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('errors');
my $brokers = kafka_address();
$node->safe_psql('postgres', "CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers')");

# A fresh topic, source and target; "target" is the rest of CREATE TABLE.
sub make
{
	my ($name, $target) = @_;
	my $topic = new_topic($name, 1);
	$node->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${name}_src (id int, v text, o bigint OPTIONS (metadata 'offset')) SERVER shop
			OPTIONS (topic '$topic', format 'csv');
		CREATE TABLE $name $target;
	});
	return $topic;
}

# A job stops at the first bad message, with everything before it committed.
my $topic = make('stops', '(id int PRIMARY KEY, v text CHECK (v <> \'bad\'))');
$node->safe_psql('postgres', "SELECT sluice.create_job('stops', 'stops_src', 'stops'), sluice.start_job('stops')");
produce($topic, [ map { [ 0, "k$_", $_ == 700 ? '700,bad' : "$_,v$_", [ [ 'trace', 'abc' ] ] ] } 1 .. 1000 ]);
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'stops'", 'ERROR', name => 'in ERROR');
is($node->safe_psql('postgres', 'SELECT count(*), max(id) FROM stops'), '699|699', 'everything before it is there');
is($node->safe_psql('postgres', "SELECT next_offset FROM sluice.progress WHERE job_name = 'stops'"), '699',
	'the job stands at the message');
is($node->safe_psql('postgres', q{SELECT status, stage, sqlstate, kafka_offset, convert_from(raw_message, 'UTF8'),
		convert_from(kafka_key, 'UTF8'), kafka_headers, table_name, constraint_name FROM sluice.errors}),
	'blocking|write|23514|699|700,bad|k700|[{"name": "trace", "value": "abc"}]|stops|stops_v_check', 'the reject has it all');
like($node->safe_psql('postgres', "SELECT state_reason FROM sluice.job_status WHERE job_name = 'stops'"),
	qr/partition 0, offset 699: 23514: new row .* violates check constraint/, 'the reason says where and what');
$node->safe_psql('postgres', "SELECT sluice.resume_job('stops')");
wait_until($node, "SELECT attempts FROM sluice.errors WHERE job_name = 'stops'", '2', name => 'the same reject, tried again');
my ($ret, $out, $err) = $node->psql('postgres', "SELECT sluice.skip_offset('stops', 0, 5)");
like($err, qr/the next offset of .* is 699, not 5/, 'nothing else can be skipped by a slip');
$node->safe_psql('postgres', "SELECT sluice.skip_offset('stops', 0, 699), sluice.resume_job('stops')");
wait_until($node, 'SELECT count(*) FROM stops', '999', name => 'skipped by hand, the rest arrives');
is($node->safe_psql('postgres', 'SELECT status FROM sluice.errors'), 'open', 'the reject stays');

# Within a budget the job goes on; every kind of trouble is one reject each.
$topic = make('mixed', '(id int PRIMARY KEY, v varchar(5) NOT NULL, o bigint)');
$node->safe_psql('postgres', q{
	CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN IF NEW.v = 'boom' THEN RAISE 'guarded' USING ERRCODE = 'P0077', HINT = 'be nice'; END IF; RETURN NEW; END $$;
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON mixed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard();
	SELECT sluice.create_job('mixed', 'mixed_src', 'mixed', options => '{"error_limit": "unlimited"}');
});
my %bad = (100 => 'x,oops', 200 => '200', 300 => '5,again', 400 => '400,toolong', 500 => '500,', 600 => '600,boom',
	700 => "700,\xff\xfe", 800 => "800,a\0b", 900 => '');
produce($topic, [ map { [ 0, undef, $bad{$_} // "$_,v" ] } 1 .. 1000 ]);
$node->safe_psql('postgres', "SELECT sluice.start_job('mixed')");
wait_until($node, "SELECT next_offset FROM sluice.progress WHERE job_name = 'mixed'", '1000', name => 'the job goes on');
is($node->safe_psql('postgres', 'SELECT count(*) FROM mixed'), '991', 'all good messages are there');
is($node->safe_psql('postgres', q{SELECT string_agg(kafka_offset || ' ' || stage || ' ' || sqlstate, ', ' ORDER BY kafka_offset)
		FROM sluice.errors WHERE job_name = 'mixed' AND status = 'open'}),
	'99 decode 22P02, 199 decode 22P04, 299 write 23505, 399 map 22001, 499 write 23502, 599 commit P0077, '
	  . '699 decode 22021, 799 decode 22021, 899 decode 22P04', 'each reject with its stage and SQLSTATE');
is($node->safe_psql('postgres', q{SELECT error_hint FROM sluice.errors WHERE sqlstate = 'P0077'}), 'be nice',
	'the hint of a deferred trigger');
is($node->safe_psql('postgres', "SELECT messages, rows_written, rows_rejected, rows_total FROM sluice.progress WHERE job_name = 'mixed'"),
	'1000|991|9|1000', 'the numbers add up');
is($node->safe_psql('postgres', "SELECT state FROM sluice.job_status WHERE job_name = 'mixed'"), 'RUNNING', 'still running');

# A budget of two: the third stops the job.
$topic = make('budget', '(id int, v text)');
$node->safe_psql('postgres', q{SELECT sluice.create_job('budget', 'budget_src', 'budget', options => '{"error_limit": 2}'),
	sluice.start_job('budget')});
produce($topic, [ map { [ 0, undef, $_ % 10 == 0 ? 'bad,x' : "$_,v" ] } 1 .. 50 ]);
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'budget'", 'ERROR', name => 'over budget');
is($node->safe_psql('postgres', 'SELECT count(*) FROM budget'), '27', 'everything before the third is there');
is($node->safe_psql('postgres', q{SELECT string_agg(status || kafka_offset, ' ' ORDER BY kafka_offset) FROM sluice.errors
	WHERE job_name = 'budget'}), 'open9 open19 blocking29', 'two open, one blocking');
$node->safe_psql('postgres', q{SELECT sluice.alter_job('budget', filter => 'o <> 29'), sluice.resume_job('budget')});
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'budget'", 'ERROR',
	name => 'a value that cannot be decoded fails before any filter');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE budget_src ALTER id TYPE text;
	SELECT sluice.alter_job('budget', filter => $$id <> 'bad'$$, mapping => '{"id": "id::int", "v": "v"}'), sluice.resume_job('budget')});
wait_until($node, 'SELECT count(*) FROM budget', '45', name => 'altered and resumed, the rest arrives');
wait_until($node, q{SELECT string_agg(status || kafka_offset, ' ' ORDER BY kafka_offset) FROM sluice.errors
	WHERE job_name = 'budget'}, 'open9 open19 open29 open39 applied49',
	name => 'the budget began anew, and the blocking one was settled after all');

# Trouble that is not the message's fault is retried and says so; a missing target needs a person.
$topic = make('away', '(id int, v text)');
$node->safe_psql('postgres', "SELECT sluice.create_job('away', 'away_src', 'away'), sluice.start_job('away')");
produce($topic, [ [ 0, undef, '1,a' ] ]);
wait_until($node, 'SELECT count(*) FROM away', '1');
$node->safe_psql('postgres', 'DROP TABLE away');
wait_until($node, "SELECT state, state_reason FROM sluice.job_status WHERE job_name = 'away'",
	'ERROR|target public.away was dropped', name => 'the target is gone');

$node->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()');
done_testing();
