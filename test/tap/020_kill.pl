# Exactly once under kill -9 of workers and of the whole server, with transactional producers that abort.
# SLUICE_KILL_SEED and SLUICE_KILL_ROUNDS repeat or lengthen a run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

allow_signal_9();
my $seed = $ENV{SLUICE_KILL_SEED} // int(rand(2**31));
my $rounds = $ENV{SLUICE_KILL_ROUNDS} // 6;
srand($seed);
note("seed $seed, $rounds rounds");

my $node = new_node('kill');
my $brokers = kafka_address();
my $topic = new_topic('kill', 3);

$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE src (seq bigint, key bigint, fate text, p int OPTIONS (metadata 'partition'),
		o bigint OPTIONS (metadata 'offset')) SERVER shop OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE log (arrival bigint GENERATED ALWAYS AS IDENTITY, p int, o bigint, seq bigint, fate text);
	CREATE TABLE latest (key bigint PRIMARY KEY, seq bigint, p int);
	SELECT sluice.create_job('log', 'src', 'log', mapping => '{"p": "p", "o": "o", "seq": "seq", "fate": "fate"}',
		options => '{"workers": 2, "max_count": 700}');
	SELECT sluice.create_job('latest', 'src', 'latest', mode => 'merge',
		mapping => '{"key": "key", "seq": "seq", "p": "p"}', options => '{"max_count": 500}');
	SELECT sluice.start_job('log'), sluice.start_job('latest');
});

my @seq = (0) x 3;    # per partition; a number is used once, whatever became of its transaction
my %committed;        # partition => [seq, ...] in order
my %latest;           # key => [partition, seq]; a key lives in one partition

sub produce_some
{
	my ($fate, $count) = @_;
	my @messages;
	for (1 .. $count)
	{
		my $p = int(rand(3));
		my $key = $p + 3 * int(rand(40));
		my $seq = ++$seq[$p];
		push @messages, [ $p, $key, "$seq,$key,$fate" ];
		next if $fate eq 'abort';
		push @{ $committed{$p} }, $seq;
		$latest{$key} = [ $p, $seq ];
	}
	if ($fate eq 'plain') { produce($topic, \@messages); }
	else { produce_transaction($topic, $fate, \@messages); }
}

for my $round (1 .. $rounds)
{
	produce_some('plain', 200 + int(rand(3000)));
	produce_some('abort', 1 + int(rand(300)));
	produce_some('commit', 1 + int(rand(2000)));
	sleep(rand(0.6));
	if (rand() < 0.5)
	{
		my $pid = $node->safe_psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE backend_type = 'sluice worker' ORDER BY random() LIMIT 1");
		if ($pid ne '')
		{
			note("round $round: kill -9 worker $pid");
			kill 'KILL', $pid;
			$node->poll_query_until('postgres', 'SELECT 1', '1');
		}
	}
	else
	{
		note("round $round: kill -9 server");
		$node->kill9;
		restart_node($node);
	}
}
produce_some('abort', 50);

my $expected = 0;
$expected += scalar @{ $committed{$_} // [] } for 0 .. 2;
wait_until($node, 'SELECT count(*) >= ' . $expected . ' FROM log', 't', name => 'everything arrives', timeout => 120)
  or diag("seed $seed; " . $node->safe_psql('postgres', q{
	SELECT row_to_json(s) FROM sluice.job_status s;
	SELECT pid, backend_type, state, wait_event, backend_start FROM pg_stat_activity WHERE backend_type LIKE 'sluice%';
	SELECT row_to_json(l) FROM sluice.lag l; SELECT row_to_json(e) FROM sluice.events e}));
wait_until($node, 'SELECT sum(lag) FROM sluice.lag', '0', name => 'the lag is 0, aborted messages at the end or not');

is($node->safe_psql('postgres', 'SELECT count(*) FROM log'), $expected, 'no row too many, none too few');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT p, o FROM log GROUP BY p, o HAVING count(*) > 1) d'),
	'0', 'duplicated: 0');
is($node->safe_psql('postgres', q{SELECT count(*) FROM log WHERE fate = 'abort'}), '0', 'of aborted transactions: 0');
my $got = $node->safe_psql('postgres', 'SELECT p, md5(string_agg(seq::text, \',\' ORDER BY o)) FROM log GROUP BY p ORDER BY p');
my $want = join "\n", map { $_ . '|' . md5(join(',', @{ $committed{$_} })) } grep { $committed{$_} } 0 .. 2;
is($got, $want, 'lost: 0, in the order of each partition');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT o, lag(o) OVER (PARTITION BY p ORDER BY arrival) AS before FROM log) x WHERE o < before'),
	'0', 'reordered: 0');
my $state = join "\n", map { "$_|$latest{$_}[1]" } sort { $a <=> $b } keys %latest;
wait_until($node, 'SELECT sum(lag) FROM sluice.lag', '0');
is($node->safe_psql('postgres', 'SELECT key, seq FROM latest ORDER BY key'), $state, 'each key ends with its last event');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sluice.errors'), '0', 'no rejects');

sub md5 { require Digest::MD5; return Digest::MD5::md5_hex($_[0]); }

done_testing();
