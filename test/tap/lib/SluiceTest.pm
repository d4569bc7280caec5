# What every TAP test of sluice stands on: servers with the staged extension, topics on the shared broker, waiting,
# and the check that no server crashed. Run by scripts/tap, which sets the environment.
package SluiceTest;

use strict;
use warnings;

# Compiled before PostgreSQL::Test::Cluster is loaded, so it runs after that module's END has stopped the servers.
END { SluiceTest::_check_server_logs(); }

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
  new_node wait_until restart_node kafka_address source_path
  new_topic create_topic delete_topic add_partitions delete_records watermarks
  produce produce_transaction flood kafkatool allow_signal_9
);

# PostgreSQL::Test::Utils sends what a script dies of to its log only.
$SIG{__DIE__} = sub { diag("died: $_[0]") if defined $^S && !$^S; };

my @nodes;
my $signal_9_allowed = 0;
my $topic_number = 0;

# The address of the broker that all test files share.
sub kafka_address { return $ENV{SLUICE_TEST_KAFKA} || die "SLUICE_TEST_KAFKA is not set: run scripts/tap"; }

# A file of the source tree (docs, examples, sql, bench, test/tap), which the test user may not read itself.
sub source_path { return "$ENV{SLUICE_SOURCE}/$_[0]"; }

# new_node($name, preload => 1, extension => 1, start => 1, conf => "a = b\n", init => [initdb arguments...],
#          streaming => 0): a started server; "extension" creates it in database postgres.
sub new_node
{
	my ($name, %given) = @_;
	my %wish = (preload => 1, extension => 1, start => 1, streaming => 0, conf => '', init => [], %given);
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => $wish{streaming}, extra => [ '--encoding=UTF8', @{ $wish{init} } ]);
	# Cluster.pm writes settings for tests that never crash a server on purpose.
	$node->append_conf('postgresql.conf', "restart_after_crash = on\nmax_worker_processes = 20\nlog_statement = none\n");
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'sluice'\n") if $wish{preload};
	$node->append_conf('postgresql.conf', $wish{conf}) if $wish{conf} ne '';
	push @nodes, $node;
	$node->start if $wish{start};
	$node->safe_psql('postgres', 'CREATE EXTENSION sluice') if $wish{start} && $wish{extension};
	return $node;
}

# Starts a stopped or killed server. After kill9 the orphans hold the shared memory for a moment, hence the retries.
sub restart_node
{
	my ($node) = @_;
	for my $attempt (1 .. 50)
	{
		return 1 if $node->start(fail_ok => 1);
		$node->{_pid} = undef;    # a failed start takes the killed server's pid file for a running one
		sleep 0.2;
	}
	die 'server ' . $node->name . ' does not start';
}

# wait_until($node, $sql, $expected, name => ..., timeout => 60, db => 'postgres'): asks until the answer is the
# expected one (a string or a qr//), and is a test of its own. Returns whether it was reached.
sub wait_until
{
	my ($node, $sql, $expected, %wish) = @_;
	my $timeout = $wish{timeout} // 60;
	my $name = $wish{name} // "$sql gives $expected";
	my $end = time + $timeout;
	my ($answer, $errors) = ('', '');
	while (1)
	{
		$node->psql($wish{db} // 'postgres', $sql, stdout => \$answer, stderr => \$errors);
		$answer //= '';
		last if ref $expected ? $answer =~ $expected : $answer eq $expected;
		if (time > $end)
		{
			fail($name);
			diag("after $timeout s \"$sql\" still gave\n$answer\n$errors\nexpected\n$expected");
			return 0;
		}
		sleep 0.05;
	}
	pass($name);
	return 1;
}

# kafkatool(\@arguments, stdin => '', brokers => address): runs the tool; dies with its message when it fails.
sub kafkatool
{
	my ($arguments, %wish) = @_;
	my ($out, $err) = ('', '');
	my $in = $wish{stdin} // '';
	IPC::Run::run([ 'kafkatool', '-b', $wish{brokers} // kafka_address(), @$arguments ], '<', \$in, '>', \$out, '2>', \$err)
	  or die "kafkatool @$arguments: $err";
	return $out;
}

# A topic name that no other test file uses; the broker is shared.
sub new_topic
{
	my ($stem, @rest) = @_;
	my $topic = join '.', $stem // 'topic', $$, ++$topic_number;
	create_topic($topic, @rest);
	return $topic;
}

# create_topic($topic, $partitions = 4, { 'cleanup.policy' => 'compact' }, brokers => address)
sub create_topic
{
	my ($topic, $partitions, $config, %wish) = @_;
	my @config = map { ('--config', "$_=$config->{$_}") } sort keys %{ $config // {} };
	kafkatool([ 'create-topic', $topic, '--partitions', $partitions // 4, @config ], %wish);
	return;
}

sub delete_topic { my ($topic, %wish) = @_; kafkatool([ 'delete-topic', $topic ], %wish); return; }

sub add_partitions { my ($topic, $total, %wish) = @_; kafkatool([ 'add-partitions', $topic, $total ], %wish); return; }

# Deletes the records of a partition that lie before the offset.
sub delete_records
{
	my ($topic, $partition, $offset, %wish) = @_;
	kafkatool([ 'delete-records', $topic, $partition, $offset ], %wish);
	return;
}

# watermarks($topic): partition => [low, high]
sub watermarks
{
	my ($topic, %wish) = @_;
	return map { my ($p, $low, $high) = split ' '; $p => [ $low, $high ] } split /\n/,
	  kafkatool([ 'watermarks', $topic ], %wish);
}

# produce($topic, [ [partition, key, value, [[name, value], ...], timestamp_ms], ... ]): undef is "any" partition, a
# null key, value or header value, the clock's time. Bytes go out as they are: encode text first.
# Returns [partition, offset] for each message.
sub produce
{
	my ($topic, $messages, %wish) = @_;
	my @more = $wish{transaction} ? ('--transaction', $wish{transaction}) : ();
	my $out = kafkatool([ 'produce', $topic, @more ], %wish, stdin => join '', map { _line(@$_) } @$messages);
	return map { [ split ' ' ] } split /\n/, $out;
}

# The same in one transaction, which ends with 'commit' or 'abort' or stays 'open' until the broker gives it up.
sub produce_transaction
{
	my ($topic, $ending, $messages, %wish) = @_;
	return produce($topic, $messages, %wish, transaction => $ending);
}

# flood($topic, rows => N, keys => N, partitions => N, seed => N, rate => N, file => F): rows of the orders table.
sub flood
{
	my ($topic, %options) = @_;
	kafkatool([ 'flood', $topic, map { ("--$_", $options{$_}) } sort keys %options ]);
	return;
}

# For tests that kill -9 on purpose; without it "terminated by signal 9" fails the file.
sub allow_signal_9 { $signal_9_allowed = 1; return; }

sub _line
{
	my ($partition, $key, $value, $headers, $timestamp) = @_;
	my @words;
	push @words, "p=$partition" if defined $partition;
	push @words, "t=$timestamp" if defined $timestamp;
	push @words, 'k=' . unpack('H*', $key) if defined $key;
	push @words, 'v=' . unpack('H*', $value) if defined $value;
	for my $header (@{ $headers // [] })
	{
		my ($name, $content) = @$header;
		push @words, 'h=' . unpack('H*', $name) . (defined $content ? ':' . unpack('H*', $content) : '');
	}
	return "@words\n";
}

sub _check_server_logs
{
	my $status = $?;
	my $crash = qr/signal (?:4|6|7|8|11)\b|TRAP:|PANIC:|stack smashing|AddressSanitizer|ThreadSanitizer|runtime error:/;
	for my $node (@nodes)
	{
		for my $log (glob($node->logfile . '*'))
		{
			open my $lines, '<', $log or next;
			while (my $line = <$lines>)
			{
				next unless $line =~ $crash || (!$signal_9_allowed && $line =~ /signal 9\b/);
				diag('server ' . $node->name . " crashed: $line");
				$status ||= 1;
			}
		}
	}
	$? = $status;
	return;
}

1;
