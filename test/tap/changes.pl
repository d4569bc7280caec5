# Change events in JSON through Kafka into a table, in merge mode: inserts, updates and deletes in their order, with
# broken events between them. The measure is a plain loop over the events.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SLUICE_TEST_SEED} // time;
note("seed $seed");
srand($seed);
my $node = new_node('changes');
my $brokers = kafka_address();
$node->safe_psql('postgres', "CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers')");
my $json = JSON::PP->new->canonical->utf8;

sub pick { return $_[ int rand @_ ]; }

# As Debezium's PostgreSQL connector describes the table.
sub described
{
	my @fields = (
		{ field => 'id', type => 'int64', optional => JSON::PP::false },
		{ field => 'price', type => 'bytes', name => 'org.apache.kafka.connect.data.Decimal', version => 1, parameters => { scale => '2' }, optional => JSON::PP::true },
		{ field => 'day', type => 'int32', name => 'io.debezium.time.Date', optional => JSON::PP::true },
		{ field => 'at', type => 'int64', name => 'io.debezium.time.MicroTimestamp', optional => JSON::PP::true },
		{ field => 'doc', type => 'string', name => 'io.debezium.data.Json', optional => JSON::PP::true },
		{ field => 'note', type => 'string', optional => JSON::PP::true });
	return { type => 'struct', name => 'shop.Envelope', fields => [
		{ type => 'struct', field => 'before', name => 'shop.Value', fields => \@fields },
		{ type => 'struct', field => 'after', name => 'shop.Value', fields => \@fields },
		{ type => 'string', field => 'op' } ] };
}

# 950 is 0x03b6.
sub row { my ($id, $n) = @_; return { id => $id, price => 'A7Y=', day => 19782 + $n, at => 1709210096789123 + $n, doc => "{\"n\": $n}", note => "n$n \x{e9}" }; }

my (@messages, %stored, %rejected, %partial);
my $lsn = 1000;
for my $n (0 .. 4999)
{
	my $id = int rand 300;
	my $key = $json->encode(rand() < 0.5 ? { id => $id } : { schema => { type => 'struct', fields => [] }, payload => { id => $id } });
	my $offset = @messages;
	my $dice = rand;
	if ($dice < 0.03)
	{
		push @messages, [ 0, $key, pick('', '{', '{"op":"c"}', '{"op":"u","after":null}', '{"op":"x","after":{"id":1}}', '[]', "{\"op\":\"c\",\"after\":{\"note\":\"\xff\"}}",
			'{"op":"c","after":{"id":"no number"}}', '{"op":"u","after":{"id":"__debezium_unavailable_value","note":"x"},"before":null}') ];
		$rejected{$offset} = 1;
		next;
	}
	if ($dice < 0.06) { push @messages, [ 0, $key, undef ]; next; }
	my $old = exists $stored{$id};
	my $op = $old ? (rand() < 0.4 ? 'd' : 'u') : pick('c', 'r', 'u');
	my $event = { op => $op, ts_ms => 1709210096789, source => { lsn => $lsn++, table => 'shop' } };
	if ($op eq 'd')
	{
		$event->{after} = undef;
		$event->{before} = rand() < 0.5 ? undef : row($id, 0);
		if (!defined $event->{before} && rand() < 0.1) { $key = undef; $rejected{$offset} = 1; }
		else { delete $stored{$id}; }
	}
	else
	{
		$event->{after} = row($id, $n % 1000);
		$event->{before} = undef;
		my $note = $n % 1000;
		if ($op eq 'u' && rand() < 0.4)
		{
			# Not touched by the update. Without a row there is none to keep it.
			$event->{after}{note} = '__debezium_unavailable_value';
			$partial{$offset} = 1;
			if ($old) { $note = $stored{$id}[2]; }
			else { $rejected{$offset} = 1; }
		}
		$stored{$id} = [ $n % 1000, $event->{source}{lsn}, $note ] unless $rejected{$offset};
	}
	push @messages, [ 0, $key, $json->encode({ schema => described(), payload => $event }) ];
}

my $topic = new_topic('debezium', 1);
produce($topic, \@messages);
my $source = qq{
	CREATE FOREIGN TABLE NAME_src (id bigint, price numeric, day date, at timestamp, doc jsonb, note text,
		op text OPTIONS (metadata 'op'), lsn bigint OPTIONS (metadata 'source.lsn'), happened timestamptz OPTIONS (metadata 'ts_ms'))
		SERVER shop OPTIONS (topic '$topic', format 'debezium-json');
	CREATE TABLE NAME (id bigint PRIMARY KEY, price numeric, day date, at timestamp, doc jsonb, note text, lsn bigint);
};
$node->safe_psql('postgres', ($source =~ s/NAME/ordered/gr) . ($source =~ s/NAME/small/gr) . q{
	SELECT sluice.create_job('ordered', 'ordered_src', 'ordered', 'merge', order_columns => '{lsn}', options => '{"error_limit": "unlimited"}');
	SELECT sluice.create_job('small', 'small_src', 'small', 'merge', options => '{"error_limit": "unlimited", "max_count": 37}');
});
is($node->safe_psql('postgres', "SELECT definition->'delete_condition'->>'expression' FROM sluice.jobs WHERE job_name = 'ordered'"), q{op = 'd'},
	'the operation is the delete condition');
my $expected = join "\n", map { "$_|9.50|$stored{$_}[0]|$stored{$_}[0]|{\"n\": $stored{$_}[0]}|n$stored{$_}[2] é|$stored{$_}[1]" } sort { $a <=> $b } keys %stored;
for my $job (qw(ordered small))
{
	$node->safe_psql('postgres', "CALL sluice.run_job('$job')");
	is($node->safe_psql('postgres', qq{SELECT id, price, day - '2024-02-29'::date, (extract(epoch FROM at) * 1000000)::bigint - 1709210096789123, doc, note, lsn FROM $job ORDER BY id}),
		$expected, "$job: what the events say is stored");
	is($node->safe_psql('postgres', "SELECT kafka_offset FROM sluice.errors WHERE job_name = '$job' ORDER BY 1"),
		join("\n", sort { $a <=> $b } keys %rejected), "$job: each broken event is a reject");
	is($node->safe_psql('postgres', "SELECT sum(messages) - sum(rows_total) FROM sluice.progress WHERE job_name = '$job'"), '0', "$job: the numbers add up");
}
like($node->safe_psql('postgres', "SELECT DISTINCT error_hint FROM sluice.errors WHERE error_message LIKE 'change event deletes a row%'"),
	qr/REPLICA IDENTITY/, 'a deletion that says nothing of its row names the remedy');

# Insert mode keeps all events, and what they tell of themselves.
$node->safe_psql('postgres', ($source =~ s/NAME/history/gr =~ s/ PRIMARY KEY//r) . q{
	ALTER TABLE history ADD op text, ADD happened timestamptz;
	SELECT sluice.create_job('history', 'history_src', 'history', 'insert', filter => 'op IS NOT NULL', options => '{"error_limit": "unlimited"}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('history')");
my $events = grep { !$rejected{$_} && !$partial{$_} && defined $messages[$_][2] } 0 .. $#messages;
is($node->safe_psql('postgres', "SELECT count(*), bool_and(happened = '2024-02-29 12:34:56.789+00') FROM history"), "$events|t", 'insert mode has every event that tells its whole row');
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.errors WHERE job_name = 'history' AND sqlstate = '0A000' AND column_name = 'note'"),
	scalar(keys %partial), 'and rejects the others');

# Canal and Maxwell, and keys of Connect.
my %others = (
	'canal-json' => sub { my ($type, $id, $v) = @_; return { data => [ { id => "$id", v => $v } ], database => 'd', es => 1, isDdl => JSON::PP::false, old => undef, table => 't', ts => 2, type => uc $type } },
	'maxwell-json' => sub { my ($type, $id, $v) = @_; return { database => 'd', table => 't', type => $type, ts => 1, xid => 5, commit => JSON::PP::true, data => { id => $id, v => $v } } });
for my $format (sort keys %others)
{
	my $make = $others{$format};
	my $name = $format =~ tr/-/_/r;
	my $to = new_topic($format, 1);
	produce($to, [ map { [ 0, $json->encode({ schema => {}, payload => { id => $_->[1] } }), $json->encode($make->(@$_)) ] }
		[ 'insert', 1, 'a' ], [ 'insert', 2, 'b' ], [ 'update', 1, 'c' ], [ 'delete', 2, 'b' ], [ 'insert', 3, 'd' ] ]);
	$node->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${name}_src (id int, v text, k int OPTIONS (source 'key', field 'id'), o text OPTIONS (metadata 'op')) SERVER shop
			OPTIONS (topic '$to', format '$format', key_format 'connect-json');
		CREATE TABLE $name (id int PRIMARY KEY, v text, k int);
		SELECT sluice.create_job('$name', '${name}_src', '$name', 'merge');
	});
	$node->safe_psql('postgres', "CALL sluice.run_job('$name')");
	is($node->safe_psql('postgres', "SELECT * FROM $name ORDER BY id"), "1|c|1\n3|d|3", "$format: changes are applied");
}

# Without a column for the operation, deletions would be lost.
my ($ret, $out, $err) = $node->psql('postgres', qq{
	CREATE FOREIGN TABLE blind_src (id int, v text) SERVER shop OPTIONS (topic '$topic', format 'debezium-json');
	CREATE TABLE blind (id int PRIMARY KEY, v text);
	SELECT sluice.create_job('blind', 'blind_src', 'blind', 'merge');
});
like($err, qr/source public.blind_src has no column that tells deletions.*HINT:.*metadata 'op'/s, 'a source without the operation cannot be merged');

done_testing();
