# SELECT on a foreign table: what it reads, where it ends, what stops it, and that nothing stays behind.
use strict;
use warnings;

use SluiceBroker;
use SluiceTest;
use IPC::Run ();
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('scan', preload => 0);
my $address = kafka_address();
$node->safe_psql('postgres', "CREATE SERVER kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$address')");

sub sql { return $node->safe_psql('postgres', @_); }

# A foreign table of one text column for a topic.
sub source
{
	my ($name, $topic, $options) = @_;
	$options //= "format 'text'";
	return sql("CREATE FOREIGN TABLE $name (v text, p int OPTIONS (metadata 'partition'), o bigint OPTIONS (metadata 'offset')) SERVER kafka OPTIONS (topic '$topic', $options)");
}

# The whole error of a statement, and how long it took.
sub fails
{
	my ($query, %more) = @_;
	my $start = time;
	my $error = '';
	$node->psql('postgres', "\\set VERBOSITY verbose\n$query", stderr => \$error, %more);
	return ($error, time - $start);
}

# What reading yields

my $plain = new_topic('plain', 3);
source('plain', $plain);
is(sql('SELECT count(*) FROM plain'), '0', 'an empty topic has no rows');
produce($plain, [ map { [ $_ % 3, undef, "m$_" ] } 0 .. 8999 ]);
is(sql('SELECT count(*), count(DISTINCT v), min(o), max(o), count(DISTINCT p) FROM plain'), '9000|9000|0|2999|3', 'every message of every partition once');
is(sql('SELECT bool_and(o = n) FROM (SELECT o, row_number() OVER (PARTITION BY p) - 1 AS n FROM plain) r'), 't', 'each partition in order');
is(sql('SELECT count(*) FROM plain a JOIN plain b USING (v)'), '9000', 'two scans in one statement do not meet');
is(sql('WITH m AS MATERIALIZED (SELECT * FROM plain) SELECT count(*) FROM m x JOIN m y USING (v)'), '9000', 'in a CTE');
is(sql('SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off;'
	. "SELECT string_agg(x || ':' || c, ' ' ORDER BY x) FROM generate_series(1, 3) x, LATERAL (SELECT count(*) c FROM plain WHERE o < x) s"),
	'1:3 2:6 3:9', 'a rescan starts at the beginning again');
is(sql('SELECT v FROM plain WHERE p = 1 LIMIT 2'), "m1\nm4", 'LIMIT ends early');
is(sql("BEGIN; DECLARE c CURSOR FOR SELECT v FROM plain WHERE p = 2; FETCH 2 FROM c; SAVEPOINT s; FETCH 1 FROM c; ROLLBACK TO s; FETCH 1 FROM c; CLOSE c; COMMIT"),
	"m2\nm5\nm8\nm11", 'a cursor goes on after a savepoint is rolled back');
is(sql('BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT v FROM plain WHERE p = 0; COMMIT; FETCH 1 FROM c; CLOSE c'), 'm0', 'a cursor may outlive its transaction');
is(sql('PREPARE q(int) AS SELECT count(*) FROM plain WHERE p = $1; EXECUTE q(0); EXECUTE q(1)'), "3000\n3000", 'prepared');
like(sql('EXPLAIN (COSTS OFF) SELECT * FROM plain WHERE p = 1'), qr/Foreign Scan on plain\n\s+Filter: \(p = 1\)\n\s+Kafka Topic: \Q$plain\E/, 'EXPLAIN names the topic');

source('one_partition', $plain, "format 'text', partitions '1'");
is(sql('SELECT count(*), min(p), max(p) FROM one_partition'), '3000|1|1', 'only the partitions that the table names');
delete_records($plain, 1, 2990);
is(sql('SELECT count(*), min(o) FROM one_partition'), '10|2990', 'from the oldest message that is there');

my $wide = new_topic('wide', 1);
sql("CREATE FOREIGN TABLE wide (a int, gone int, v text) SERVER kafka OPTIONS (topic '$wide', format 'csv'); ALTER FOREIGN TABLE wide DROP COLUMN gone, ADD COLUMN late date");
produce($wide, [ [ 0, undef, "1,x,2024-02-29" ], [ 0, undef, undef ] ]);
is(sql('SELECT tableoid::regclass, wide.*, wide IS NULL FROM wide'), "wide|1|x|2024-02-29|f\nwide||||t", 'dropped and added columns');

# Where reading ends

my $transactions = new_topic('transactions', 2);
source('transactions', $transactions);
source('uncommitted', $transactions, "format 'text', isolation_level 'read_uncommitted'");
produce_transaction($transactions, 'commit', [ [ 0, undef, 'a' ], [ 1, undef, 'b' ] ]);
produce_transaction($transactions, 'abort', [ [ 0, undef, 'never' ] ]);
is(sql('SELECT string_agg(v, \' \' ORDER BY v) FROM transactions'), 'a b', 'aborted messages are left out, and control records end a partition');
produce_transaction($transactions, 'open', [ [ 0, undef, 'open' ] ]);
produce($transactions, [ [ 0, undef, 'behind' ] ]);
my $start = time;
is(sql('SELECT string_agg(v, \' \' ORDER BY v) FROM transactions'), 'a b', 'an unfinished transaction is the end for now');
cmp_ok(time - $start, '<', 5, 'and nobody waits for it');
is(sql('SELECT string_agg(v, \' \' ORDER BY v) FROM uncommitted'), 'a b behind never open', 'unless the table reads uncommitted messages');

my $growing = new_topic('growing', 1);
source('growing', $growing);
produce($growing, [ map { [ 0, undef, $_ ] } 1 .. 10 ]);
is(sql("BEGIN; DECLARE c CURSOR FOR SELECT v FROM growing; FETCH 1 FROM c;\n\\! kafkatool -b $address flood $growing --rows 50 --partitions 1 >/dev/null\nSELECT count(*) FROM growing; MOVE FORWARD ALL IN c; COMMIT"),
	"1\n60", 'the end is that of the first row');
is(sql("BEGIN; DECLARE c CURSOR FOR SELECT v FROM growing; FETCH 1 FROM c;\n\\! kafkatool -b $address flood $growing --rows 50 --partitions 1 >/dev/null\nFETCH 100 FROM c; COMMIT") =~ tr/\n//, 59, 'not that of the last');

# Errors

my $poison = new_topic('poison', 1);
$node->safe_psql('postgres', "CREATE FOREIGN TABLE poison (n int, t text) SERVER kafka OPTIONS (topic '$poison', format 'csv')");
produce($poison, [ (map { [ 0, undef, "$_,x" ] } 0 .. 9), [ 0, undef, '10' ], (map { [ 0, undef, "$_,x" ] } 11 .. 20) ]);
is(sql('SELECT count(*) FROM (SELECT * FROM poison LIMIT 10) r'), '10', 'rows before an undecodable message can be read');
my ($error) = fails('SELECT * FROM poison');
like($error, qr/ERROR:  22P04: csv value has 1 column, 2 expected/, 'the undecodable message is an error');
like($error, qr/CONTEXT:  message at topic \Q$poison\E, partition 0, offset 10$/m, 'that says where it is');
$node->safe_psql('postgres', "CREATE FOREIGN TABLE mistyped (n int, t int) SERVER kafka OPTIONS (topic '$poison', format 'csv')");
($error) = fails('SELECT * FROM mistyped');
like($error, qr/ERROR:  22P02: invalid input syntax for type integer: "x"/, 'a value of another type is an error');
like($error, qr/CONTEXT:  column "t", message at topic \Q$poison\E, partition 0, offset 0: "x"$/m, 'that says where it is');
like($error, qr/COLUMN NAME:  t$/m, 'and names the column to programs');
is(sql("BEGIN; SAVEPOINT s;\n\\set ON_ERROR_STOP off\nSELECT * FROM poison;\nROLLBACK TO s; SELECT count(*) FROM plain WHERE p = 0; COMMIT", on_error_stop => 0), '3000', 'a subtransaction survives it');
my $long = new_topic('long', 1);
sql("CREATE FOREIGN TABLE long_value (n int) SERVER kafka OPTIONS (topic '$long', format 'text')");
produce($long, [ [ 0, undef, "\xc3\xa4" x 100 ] ]);
($error) = fails('SELECT * FROM long_value');
like($error, qr/offset 0: "(?:\xc3\xa4){50}\.\.\."$/m, 'long values are cut between characters');

# What a backend keeps after errors, cancelled and abandoned scans: threads, descriptors, memory.
my $leaks = <<'SQL';
CREATE FUNCTION kept() RETURNS text LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM pg_ls_dir('/proc/' || pg_backend_pid() || '/task')) || ' threads, '
      || (SELECT count(*) FROM pg_ls_dir('/proc/' || pg_backend_pid() || '/fd')) || ' descriptors, '
      || (SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'sluice%') || ' contexts' $$;
CREATE FUNCTION swallow(query text, times int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. times LOOP
    BEGIN EXECUTE query; EXCEPTION WHEN others OR query_canceled THEN NULL; END;
  END LOOP;
END $$;
SQL
sql($leaks);
my ($before, $after) = split /\n/, sql(<<'SQL');
SELECT swallow('SELECT 1/0 FROM plain', 1), count(*) FROM plain \gset
SELECT kept();
SELECT swallow('SELECT * FROM poison', 10), swallow('SELECT * FROM mistyped', 10), swallow('SELECT 1/0 FROM plain', 10) \gset
SELECT count(*) FROM (SELECT * FROM plain LIMIT 1) r \gset
BEGIN; DECLARE c CURSOR FOR SELECT * FROM plain; FETCH 1 FROM c \gset
ROLLBACK;
SELECT kept();
SQL
is($after, $before, "nothing is left behind by errors: $before");

# Brokers that are not there

my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $silent = '127.0.0.1:' . $socket->sockport;    # accepts and never answers
my $closed = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $nobody = '127.0.0.1:' . $closed->sockport;
close $closed;
sql("CREATE SERVER silent FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$silent')");
sql("CREATE SERVER nobody FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$nobody')");
$start = time;
for my $server (qw(silent nobody))
{
	sql("CREATE FOREIGN TABLE $server (v text) SERVER $server OPTIONS (topic 'x', format 'text')");
	like(sql("EXPLAIN SELECT * FROM $server"), qr/Foreign Scan/, "EXPLAIN asks no broker ($server)");
}
cmp_ok(time - $start, '<', 3, 'nor does DDL');
for my $server (qw(silent nobody))
{
	($error, my $took) = fails("SELECT * FROM $server");
	like($error, qr/ERROR:  08001: cannot find topic "x": no broker/, "no broker: $server");
	like($error, qr/^HINT:  Check the option "brokers"/m, 'with a hint');
	cmp_ok($took, '<', 12, 'in time');
}
($error, my $took) = fails('SET statement_timeout = 500; SELECT * FROM silent');
like($error, qr/57014: canceling statement due to statement timeout/, 'a waiting scan can be cancelled');
cmp_ok($took, '<', 4, 'at once');
($error, $took) = fails(q{SET statement_timeout = 500; SELECT * FROM sluice.topic_partitions('silent', 'x')});
like($error, qr/57014: canceling statement due to statement timeout/, 'so can topic_partitions');

my $other = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT * FROM silent' ], '>', \my $out, '2>', \my $terminated);
wait_until($node, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT * FROM silent' AND wait_event_type = 'Extension'", '1', name => 'a scan waits in pg_stat_activity');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT * FROM silent'");
$start = time;
$other->finish;
like($terminated, qr/terminating connection due to administrator command/, 'a waiting scan can be terminated');
cmp_ok(time - $start, '<', 4, 'at once, too');

my $missing = 'no.such.topic';
source('missing', $missing);
($error) = fails('SELECT * FROM missing');
like($error, qr/ERROR:  42704: cannot find topic "no\.such\.topic": the topic does not exist/, 'unknown topic');
($error) = fails("SELECT * FROM sluice.topic_partitions('kafka', 'no.such.topic')");
like($error, qr/ERROR:  42704:/, 'there, too');
source('no_partition', $plain, "format 'text', partitions '1,7'");
($error) = fails('SELECT * FROM no_partition');
like($error, qr/ERROR:  42704: topic "\Q$plain\E" has no partition 7\nDETAIL:  It has 3 partitions, numbered from 0\./, 'unknown partition');

my $large = new_topic('large', 1);
source('large', $large);
produce($large, [ [ 0, undef, 'x' x 10_000_000 ], [ 0, undef, '' ], [ 0, undef, undef ] ]);
is(sql("SELECT string_agg(coalesce(length(v)::text, 'NULL'), ' ' ORDER BY o) FROM large"), '10000000 0 NULL', 'ten megabytes, nothing, and null');

my $broker = SluiceBroker->start;
my $own = $broker->address;
# More than the consumer's queue may hold
kafkatool([qw(flood own --rows 400000 --partitions 1)], brokers => $own);
sql("CREATE SERVER own FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$own'); CREATE FOREIGN TABLE own (v text) SERVER own OPTIONS (topic 'own', format 'text')");

is(sql('SELECT count(*) FROM own'), '400000', 'more than fits into memory');
$broker->freeze;
($error, $took) = fails('SELECT count(*) FROM own');
like($error, qr/ERROR:  08001:/, 'a broker that hangs');
cmp_ok($took, '<', 12, 'is noticed in time');
$broker->thaw;
# The controller has taken the leadership away from a broker that was silent for long.
wait_until($node, 'SELECT count(*) FROM own', '400000', name => 'goes on when it answers again');
my $pid = $broker->pid;
($error, $took) = fails("BEGIN; DECLARE c CURSOR FOR SELECT length(v) FROM own; FETCH 1 FROM c;\n\\! kill -9 $pid\nMOVE FORWARD ALL IN c; ROLLBACK");
like($error, qr/ERROR:  080\d\d: cannot/, 'a broker that dies in the middle');
cmp_ok($took, '<', 15, 'is noticed in time');
$broker->restart;
is(sql('SELECT count(*) FROM own'), '400000', 'and when it is back the scan works');
$broker->stop;

# Who may, and what may not be done

sql(<<"SQL");
CREATE ROLE reader; CREATE ROLE stranger;
GRANT SELECT ON plain TO reader;
GRANT USAGE ON FOREIGN SERVER kafka TO reader;
CREATE SERVER locked FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$address', security_protocol 'sasl_plaintext', sasl_mechanisms 'PLAIN');
CREATE USER MAPPING FOR postgres SERVER locked OPTIONS (sasl_username 'u', sasl_password 'p');
CREATE FOREIGN TABLE locked (v text) SERVER locked OPTIONS (topic '$plain', format 'text');
CREATE VIEW of_owner AS SELECT * FROM locked;
GRANT SELECT ON locked, of_owner TO reader;
SQL
is(sql('SET ROLE reader; SELECT count(*) FROM plain WHERE p = 0'), '3000', 'who has SELECT may read');
is(sql("SET ROLE reader; SELECT count(*) FROM sluice.topic_partitions('kafka', '$plain')"), '3', 'who has USAGE may look');
($error) = fails('SET ROLE stranger; SELECT * FROM plain');
like($error, qr/42501: permission denied for foreign table plain/, 'others may not');
($error) = fails("SET ROLE stranger; SELECT * FROM sluice.topic_partitions('kafka', '$plain')");
like($error, qr/42501: permission denied for foreign server kafka/, 'nor that');
($error) = fails('SET ROLE reader; SELECT * FROM locked');
like($error, qr/28000: SASL mechanism PLAIN needs a user name and a password/, 'the user mapping is that of the role');
($error) = fails('SET ROLE reader; SELECT * FROM of_owner');
unlike($error, qr/28000/, 'in a view that of its owner');
for (
	[ "INSERT INTO plain (v) VALUES ('x')" => 'cannot insert into foreign table "plain"' ],
	[ "UPDATE plain SET v = 'x'" => 'cannot update foreign table "plain"' ],
	[ 'DELETE FROM plain' => 'cannot delete from foreign table "plain"' ],
	[ 'TRUNCATE plain' => 'cannot truncate foreign table "plain"' ],
	[ "COPY plain FROM '/dev/null'" => 'cannot insert into foreign table "plain"' ])
{
	my ($query, $refusal) = @$_;
	($error) = fails($query);
	like($error, qr/\Q$refusal\E/, $query);
}
($error) = fails('ANALYZE plain');
like($error, qr/WARNING:.*skipping "plain" --- cannot analyze this foreign table/, 'ANALYZE says that it cannot');

done_testing();
