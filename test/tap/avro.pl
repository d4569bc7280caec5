# Formats avro and debezium-avro end to end: messages that Python's fastavro wrote, with broken ones between them, go
# through Kafka into tables. What fastavro reads in the same bytes is the measure. A seed in SLUICE_TEST_SEED repeats a run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SLUICE_TEST_SEED} // time;
note("seed $seed");
my $node = new_node('avro');
my $brokers = kafka_address();
my $json = JSON::PP->new->allow_nonref->canonical;
$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE TABLE sent (topic text, o bigint, v bytea, expected jsonb, PRIMARY KEY (topic, o));
});

# Makes messages, sends them, and keeps them in "sent" with what fastavro reads in them. Returns the topic, their number,
# the schemas' texts and what came behind the messages.
sub send_messages
{
	my ($kind, $count) = @_;
	IPC::Run::run([ $ENV{SLUICE_TEST_PYTHON}, "$FindBin::RealBin/lib/avro_messages.py", $kind, $count, $seed ], '>', \my $output) or die 'no messages';
	my ($schemas, @lines) = split /\n/, $output;
	my @messages = map { [ split /\t/ ] } grep { /\t/ } @lines;
	my $topic = new_topic("avro.$kind", 1);
	produce($topic, [ map { [ 0, length $_->[1] ? pack('H*', $_->[1]) : undef, pack('H*', $_->[0]) ] } @messages ]);
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$kind.copy";
	open my $out, '>', $file or die;
	print $out "$topic\t$_\t\\\\x$messages[$_][0]\t" . ($messages[$_][2] =~ s/\\/\\\\/gr) . "\n" for 0 .. $#messages;
	close $out;
	$node->safe_psql('postgres', "COPY sent FROM '$file'");
	my @schemas = map { $json->encode($_) } @{ $json->decode($schemas) };
	return ($topic, scalar @messages, \@schemas, $lines[-1]);
}

sub create_schema
{
	my ($name, $body) = @_;
	$node->safe_psql('postgres', "SELECT sluice.create_schema('$name', 'avro', \$body\$$body\$body\$)");
	return;
}

# Rows that are on one side only, as text for a diff.
sub same
{
	my ($expected, $found, $name) = @_;
	is($node->safe_psql('postgres', "SELECT '-', t::text FROM ($expected EXCEPT ALL $found) t UNION ALL SELECT '+', t::text FROM ($found EXCEPT ALL $expected) t ORDER BY 2, 1 LIMIT 6"),
		'', $name);
	return;
}

# All types, one schema for all messages.
my ($topic, $count, $schemas) = send_messages('orders', 4000);
create_schema('order', $schemas->[0]);
my $columns = 'id bigint, price numeric, weight numeric, name text, tags text[], at timestamptz, ms timestamptz, wall timestamp, day date,
	clock time, uid uuid, raw bytea, code bytea, kind text, ok boolean, f real, d double precision, details jsonb';
$node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE orders_src ($columns, note text OPTIONS (field 'details.note'), sku text OPTIONS (field 'details.lines[1].sku'),
		a0 text OPTIONS (field 'details.attributes.a0'), doc jsonb OPTIONS (field '\$'), o bigint OPTIONS (metadata 'offset'))
		SERVER shop OPTIONS (topic '$topic', format 'avro', schema 'order');
	CREATE TABLE orders ($columns, note text, sku text, a0 text, doc jsonb, o bigint PRIMARY KEY);
	SELECT sluice.create_job('orders', 'orders_src', 'orders', 'insert', options => '{"error_limit": "unlimited"}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('orders')");
my $all = 'id, price, weight, name, tags, at, ms, wall, day, clock, uid, raw, code, kind, ok, f, d, details, note, sku, a0';
my $certain = "topic = '$topic' AND jsonb_typeof(expected) = 'object'";
same("SELECT s.o, " . join(', ', map { "r.$_" } split /, /, $all) . " FROM sent s, jsonb_populate_record(NULL::orders, expected) r WHERE $certain",
	"SELECT o, $all FROM orders WHERE o IN (SELECT o FROM sent WHERE $certain)", 'rows are as fastavro reads them');
is($node->safe_psql('postgres', q{SELECT count(*) FROM orders WHERE doc -> 'details' <> details OR doc ->> 'raw' <> translate(encode(raw, 'base64'), E'\n', '')
	OR (doc ->> 'price')::numeric <> price OR doc -> 'tags' <> to_jsonb(tags) OR (doc ->> 'at')::timestamptz IS DISTINCT FROM at OR doc ->> 'd' <> d::text AND d::text !~ 'e'}),
	'0', 'whole messages as jsonb say the same');
same("SELECT o, v FROM sent WHERE topic = '$topic' AND expected = '\"bad\"'",
	"SELECT kafka_offset, raw_message FROM sluice.errors WHERE job_name = 'orders' AND kafka_offset IN (SELECT o FROM sent WHERE topic = '$topic' AND expected = '\"bad\"')",
	'every broken message is a reject with its bytes');
is($node->safe_psql('postgres', "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM sluice.errors WHERE job_name = 'orders')"), $count, 'each message is a row or a reject');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM sluice.errors'), '>', $count / 50, 'hostile messages were among them');
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.errors WHERE sqlstate !~ '^(22|54001)' OR error_message = ''"), '0', 'each says what is wrong with the data');

# Single-object encoding: two writers' schemas, read by a third.
($topic, $count, $schemas) = send_messages('versions', 2000);
create_schema("v$_", $schemas->[ $_ - 1 ]) for 1, 2;
create_schema('vr', $schemas->[2]);
$node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE versions_src (id numeric, name text, added bigint[], state text, o bigint OPTIONS (metadata 'offset'))
		SERVER shop OPTIONS (topic '$topic', format 'avro', framing 'single-object', schema 'v1,v2', reader_schema 'vr');
	CREATE TABLE versions (id numeric, name text, added bigint[], state text, o bigint PRIMARY KEY);
	SELECT sluice.create_job('versions', 'versions_src', 'versions', 'insert', options => '{"error_limit": "unlimited"}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('versions')");
same("SELECT r.id, r.name, r.added, r.state, s.o FROM sent s, jsonb_populate_record(NULL::versions, expected) r WHERE topic = '$topic' AND jsonb_typeof(expected) = 'object'",
	'SELECT id, name, added, state, o FROM versions', 'both schemas are read as fastavro resolves them');
same("SELECT o, v FROM sent WHERE topic = '$topic' AND expected = '\"bad\"'",
	"SELECT kafka_offset, raw_message FROM sluice.errors WHERE job_name = 'versions'", 'every broken message is a reject');

# Change events: the table follows, deletions told by "before" or by the key.
my $rows;
($topic, $count, $schemas, $rows) = send_messages('changes', 2000);
create_schema('envelope', $schemas->[0]);
create_schema('envelope_key', $schemas->[1]);
$node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE changes_src (id int, v text, at timestamp, op text OPTIONS (metadata 'op'), lsn bigint OPTIONS (metadata 'source.lsn'))
		SERVER shop OPTIONS (topic '$topic', format 'debezium-avro', schema 'envelope', key_format 'avro', key_schema 'envelope_key');
	CREATE TABLE changes (id int PRIMARY KEY, v text, at timestamp, lsn bigint);
	SELECT sluice.create_job('changes', 'changes_src', 'changes', 'merge', options => '{"error_limit": "unlimited"}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('changes')");
same("SELECT id, v, timestamp '1970-01-01' + at * interval '1 microsecond' FROM jsonb_to_recordset(\$rows\$$rows\$rows\$) AS r(id int, v text, at bigint)",
	'SELECT id, v, at FROM changes', 'inserts, updates and deletions are applied');
same("SELECT o, v FROM sent WHERE topic = '$topic' AND expected = '\"bad\"'",
	"SELECT kafka_offset, raw_message FROM sluice.errors WHERE job_name = 'changes'", 'events with an unknown operation are rejects');

# A SELECT on the foreign table reads the same and ends with the error of the first bad message.
my ($ret, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM orders_src');
like($err, qr/CONTEXT:.*message at topic \S+, partition 0, offset \d+/, 'a SELECT says what is wrong and where');

# What cannot be read at all is told before the first message.
($ret, $out, $err) = $node->psql('postgres', qq{
	SELECT sluice.create_schema('other', 'avro', '{"type": "record", "name": "shop.Order", "fields": [{"name": "id", "type": "string"}]}');
	CREATE FOREIGN TABLE wrong_src (id bigint) SERVER shop OPTIONS (topic '$topic', format 'avro', schema 'order', reader_schema 'other');
	CREATE TABLE wrong (id bigint);
	SELECT sluice.create_job('wrong', 'wrong_src', 'wrong', 'insert');
});
like($err, qr/schema "order" cannot be read by schema "other".*In field "id": "long" cannot be read as "string"/s, 'schemas that do not fit are refused');

done_testing();
