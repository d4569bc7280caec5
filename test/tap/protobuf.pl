# Format protobuf end to end: messages that Python's protobuf wrote, with broken ones between them, go through Kafka into
# a table. What Python reads in the same bytes is the measure. A seed in SLUICE_TEST_SEED repeats a run.
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
my $node = new_node('protobuf');
my $brokers = kafka_address();
$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE TABLE sent (o bigint PRIMARY KEY, v bytea, expected text);
});

my $count = 4000;
IPC::Run::run([ $ENV{SLUICE_TEST_PYTHON}, "$FindBin::RealBin/lib/protobuf_messages.py", $count, $seed ], '>', \my $output) or die 'no messages';
my ($schema, @lines) = split /\n/, $output;
$schema = JSON::PP->new->decode($schema);
my @messages = map { [ split /\t/ ] } @lines;
is(scalar @messages, $count, 'there are messages');
my $topic = new_topic('protobuf.orders', 1);
produce($topic, [ map { [ 0, undef, pack('H*', $_->[0]) ] } @messages ]);
my $file = "$PostgreSQL::Test::Utils::tmp_check/protobuf.copy";
open my $out, '>', $file or die;
print $out "$_\t\\\\x$messages[$_][0]\t" . ($messages[$_][1] =~ s/\\/\\\\/gr) . "\n" for 0 .. $#messages;
close $out;
$node->safe_psql('postgres', "COPY sent FROM '$file'");

# Rows that are on one side only, as text for a diff.
sub same
{
	my ($expected, $found, $name) = @_;
	is($node->safe_psql('postgres', "SELECT '-', t::text FROM ($expected EXCEPT ALL $found) t UNION ALL SELECT '+', t::text FROM ($found EXCEPT ALL $expected) t ORDER BY 2, 1 LIMIT 6"),
		'', $name);
	return;
}

# A wrong schema is refused when it is made, with the place.
my ($ret, $stdout, $stderr) = $node->psql('postgres', "SELECT sluice.create_schema('wrong', 'protobuf', E'syntax = \"proto3\";\\nmessage Order {\\n  int32 id 1;\\n}')");
like($stderr, qr/schema "wrong" is not valid Protobuf at line 3, column 12: Missing field number/, 'a schema that is none says where');

my $line = $schema->{files}{'shop/line.proto'};
my $order = $schema->{files}{'shop/order.proto'};
my @columns = (
	'id bigint', 'big numeric', 'flag boolean', 'ratio float8', 'small real', 'name text', 'raw bytea', 'status text',
	[ 'status_no int', 'status' ], 'at timestamptz', 'took interval', 'tags text[]', 'nums bigint[]', 'note text', [ 'buyer text', 'buyer.name' ],
	[ 'inviter text', 'buyer.inviter.name' ], [ 'first_sku text', 'lines[0].sku' ], [ 'second_mark bigint', 'lines[0].marks[1]' ],
	'lines jsonb', 'attrs jsonb', [ 'color int', 'attrs.color.quantity' ], 'wrapped int', 'extra jsonb', 'number int', 'word text',
	[ 'line_quantity int', 'line.quantity' ], 'blobs bytea[]', [ 'doc jsonb', '$' ]);
my $source_columns = join ', ', map { ref $_ ? "$_->[0] OPTIONS (field '$_->[1]')" : $_ } @columns;
my $columns = join ', ', map { ref $_ ? $_->[0] : $_ } @columns;
$node->safe_psql('postgres', qq{
	SELECT sluice.create_schema('line', 'protobuf', \$proto\$$line\$proto\$);
	SELECT sluice.create_schema('order', 'protobuf', \$proto\$$order\$proto\$, '{"shop/line.proto": "line"}');
	SELECT sluice.create_schema('order_set', 'protobuf', '\\x$schema->{set}'::bytea);
	CREATE TABLE orders ($columns, o bigint);
	CREATE TABLE orders_by_set (LIKE orders);
});
for my $way ([ 'orders', 'order' ], [ 'orders_by_set', 'order_set' ])
{
	my ($table, $name) = @$way;
	$node->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${table}_src ($source_columns, o bigint OPTIONS (metadata 'offset'))
			SERVER shop OPTIONS (topic '$topic', format 'protobuf', schema '"$name"', message 'shop.Order');
		SELECT sluice.create_job('$table', '${table}_src', '$table', 'insert', options => '{"error_limit": "unlimited"}');
	});
	$node->safe_psql('postgres', "CALL sluice.run_job('$table')");
}
same("SELECT e.* FROM sent, json_populate_record(NULL::orders, (expected::jsonb || jsonb_build_object('o', o))::json) e WHERE expected NOT IN ('bad', 'any')",
	"SELECT * FROM orders WHERE o NOT IN (SELECT o FROM sent WHERE expected = 'any')", 'all rows are as Python reads them');
same('TABLE orders', 'TABLE orders_by_set', 'a descriptor set is as good as text');
same("SELECT o, v FROM sent WHERE o NOT IN (SELECT o FROM orders)",
	"SELECT kafka_offset, raw_message FROM sluice.errors WHERE job_name = 'orders'", 'every other message is a reject with its bytes');
is($node->safe_psql('postgres', "SELECT count(*) FROM sent JOIN orders USING (o) WHERE expected = 'bad'"), '0', 'no broken message became a row');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM sluice.errors WHERE job_name = 'orders'"), '>', $count / 50, 'broken messages were among them');
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.errors WHERE sqlstate !~ '^(22|54)' OR error_message = ''"), '0', 'each says what is wrong with the data');
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.progress WHERE next_offset <> $count"), '0', 'nothing was left out');

# Messages that tell their type behind the schema's id; the schema is given, so that no registry is asked. A key, too.
$topic = new_topic('protobuf.framed', 1);
produce($topic, [
	[ 0, "\x08\x05", "\0\0\0\0\x07\0\x08\x2a" ], [ 0, undef, "\0\0\0\0\x08\x02\x02\x0a\x01w" ], [ 0, "\x08\x06", "\0\0\0\0\x07\0" ],
	[ 0, "\x08", "\0\0\0\0\x07\0\x08\x2b" ], [ 0, "\x08\x07", "\x08\x2b" ], [ 0, "\x08\x08", "\0\0\0\0\x07\x02\x04" ] ]);
$node->safe_psql('postgres', qq{
	SELECT sluice.create_schema('two', 'protobuf', 'message A { optional int32 x = 1; } message B { optional string y = 1; }');
	SELECT sluice.create_schema('k', 'protobuf', 'message K { optional int32 id = 1; }');
	CREATE FOREIGN TABLE framed_src (k int OPTIONS (source 'key', field 'id'), v jsonb OPTIONS (field '\$'), o bigint OPTIONS (metadata 'offset'))
		SERVER shop OPTIONS (topic '$topic', format 'protobuf', schema 'two', framing 'confluent', key_format 'protobuf', key_schema 'k');
	CREATE TABLE framed (k int, v jsonb, o bigint);
	SELECT sluice.create_job('framed', 'framed_src', 'framed', 'insert', options => '{"error_limit": "unlimited"}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('framed')");
is($node->safe_psql('postgres', 'SELECT k, v, o FROM framed ORDER BY o'), qq(5|{"x": 42}|0\n|{"y": "w"}|1\n6|{}|2), 'each message is of the type that it tells');
is($node->safe_psql('postgres', "SELECT kafka_offset, sqlstate FROM sluice.errors WHERE job_name = 'framed' ORDER BY 1"), "3|22P03\n4|22P03\n5|22P03", 'others are rejects');

# Columns are held against the schema before the first message.
($ret, $stdout, $stderr) = $node->psql('postgres', qq{
	CREATE FOREIGN TABLE misspelt_src (ide bigint) SERVER shop OPTIONS (topic '$topic', format 'protobuf', schema '"order"', message 'shop.Order');
	CREATE TABLE misspelt (ide bigint);
	SELECT sluice.create_job('misspelt', 'misspelt_src', 'misspelt', 'insert');
});
like($stderr, qr/message type "shop.Order" has no field "ide".*Perhaps you meant "id"/s, 'a column without a field is refused');

done_testing();
