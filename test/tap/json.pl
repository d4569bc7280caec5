# Format json end to end: documents that Python's json wrote, with broken ones between them, go through Kafka into a
# table. What PostgreSQL itself makes of the same bytes is the measure. A seed in SLUICE_TEST_SEED repeats a run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SLUICE_TEST_SEED} // time;
note("seed $seed");
my $node = new_node('json');
my $brokers = kafka_address();
$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE TABLE sent (topic text, o bigint, v bytea, PRIMARY KEY (topic, o));
});

# Makes messages, sends them, and keeps them in "sent" for the comparison.
sub send_messages
{
	my ($kind, $count) = @_;
	IPC::Run::run([ 'python3', "$FindBin::RealBin/lib/json_messages.py", $kind, $count, $seed ], '>', \my $hex) or die 'no messages';
	my @messages = split /\n/, $hex, -1;
	pop @messages;
	my $topic = new_topic("json.$kind", 1);
	produce($topic, [ map { [ 0, '{"k": "é"}', pack('H*', $_) ] } @messages ]);
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$kind.copy";
	open my $out, '>', $file or die;
	print $out map { "$topic\t$_\t\\\\x$messages[$_]\n" } 0 .. $#messages;
	close $out;
	$node->safe_psql('postgres', "COPY sent FROM '$file'");
	return ($topic, scalar @messages);
}

# Rows that are on one side only, as text for a diff.
sub same
{
	my ($expected, $found, $name) = @_;
	is($node->safe_psql('postgres', "SELECT '-', t::text FROM ($expected EXCEPT ALL $found) t UNION ALL SELECT '+', t::text FROM ($found EXCEPT ALL $expected) t ORDER BY 2, 1 LIMIT 20"),
		'', $name);
	return;
}

my ($topic, $count) = send_messages('orders', 5000);
$node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE orders_src (
		id bigint, price numeric, name text, tags text[], note text OPTIONS (field 'details.note'),
		sku text OPTIONS (field 'details.items[0].sku'), at timestamptz, doc jsonb OPTIONS (field '\$'),
		k text OPTIONS (source 'key'), o bigint OPTIONS (metadata 'offset')
	) SERVER shop OPTIONS (topic '$topic', format 'json', key_format 'json');
	CREATE TABLE orders (id bigint, price numeric, name text, tags text[], note text, sku text, at timestamptz, doc jsonb, k text, o bigint);
	CREATE TYPE tags AS (tags text[]);
	-- What PostgreSQL reads in a message; no row when it cannot.
	CREATE FUNCTION expected(o bigint, v bytea) RETURNS SETOF orders LANGUAGE plpgsql AS \$\$
	DECLARE
		j json;
		r orders;
		n numeric;
	BEGIN
		j := convert_from(v, 'UTF8')::json;
		IF json_typeof(j) <> 'object' THEN RETURN; END IF;
		n := (j ->> 'id')::numeric;
		r := (n::bigint, (j ->> 'price')::numeric, j ->> 'name', (json_populate_record(NULL::tags, j)).tags, j -> 'details' ->> 'note',
			j -> 'details' -> 'items' -> 0 ->> 'sku', (j ->> 'at')::timestamptz, j::jsonb, 'é', o);
		IF n <> r.id THEN RETURN; END IF;
		RETURN NEXT r;
	EXCEPTION WHEN data_exception OR statement_too_complex THEN
		RETURN;
	END \$\$;
	CREATE TABLE expected_orders AS SELECT e.* FROM sent, expected(o, v) e WHERE topic = '$topic';
	SELECT sluice.create_job('orders', 'orders_src', 'orders', 'insert', options => '{"error_limit": "unlimited"}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('orders')");
same('TABLE expected_orders', 'TABLE orders', 'all rows are as PostgreSQL reads them');
same("SELECT o, v FROM sent WHERE topic = '$topic' AND o NOT IN (SELECT o FROM expected_orders)",
	"SELECT kafka_offset, raw_message FROM sluice.errors WHERE job_name = 'orders'", 'every other message is a reject with its bytes');
my $rejects = $node->safe_psql('postgres', 'SELECT count(*) FROM sluice.errors');
cmp_ok($rejects, '>', $count / 50, "hostile messages were among them ($rejects of $count)");
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.errors WHERE sqlstate !~ '^(22|54001)' OR error_message = ''"), '0',
	'each says what is wrong with the data');

# A text is JSON for a job when PostgreSQL's json takes it, and fits jsonb when jsonb takes it.
($topic, $count) = send_messages('texts', 6000);
$node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE texts_src (j json OPTIONS (field '\$'), jb jsonb OPTIONS (field '\$'), o bigint OPTIONS (metadata 'offset'))
		SERVER shop OPTIONS (topic '$topic', format 'json');
	CREATE TABLE by_json (o bigint, j json);
	CREATE TABLE by_jsonb (o bigint, jb jsonb);
	SELECT sluice.create_job('by_json', 'texts_src', 'by_json', 'insert', mapping => '{"o": "o", "j": "j"}', options => '{"error_limit": "unlimited"}');
	SELECT sluice.create_job('by_jsonb', 'texts_src', 'by_jsonb', 'insert', mapping => '{"o": "o", "jb": "jb"}', options => '{"error_limit": "unlimited"}');
	CREATE FUNCTION takes(type regtype, v bytea) RETURNS boolean LANGUAGE plpgsql AS \$\$
	BEGIN
		EXECUTE format('SELECT %L::%s', convert_from(v, 'UTF8'), type);
		RETURN true;
	EXCEPTION WHEN data_exception OR statement_too_complex THEN
		RETURN false;
	END \$\$;
});
$node->safe_psql('postgres', "CALL sluice.run_job('$_')") for qw(by_json by_jsonb);
same(qq{SELECT o, nullif(btrim(convert_from(v, 'UTF8'), E' \\n'), 'null') FROM sent WHERE topic = '$topic' AND takes('json', v)},
	'SELECT o, j::text FROM by_json', 'json: the same texts, as they stand');
same(qq{SELECT o, nullif(convert_from(v, 'UTF8')::jsonb, 'null') FROM sent WHERE topic = '$topic' AND takes('jsonb', v)},
	'TABLE by_jsonb', 'jsonb: the same texts, with the same content');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM by_json'), '>', 50, 'some were JSON');
is($node->safe_psql('postgres', "SELECT count(*) FROM sluice.progress WHERE next_offset <> (SELECT max(o) + 1 FROM sent s WHERE s.topic = progress.topic)"),
	'0', 'nothing was left out');

# Single headers, as bytes and as text, and keys of which a part is wanted.
$topic = new_topic('headers', 1);
produce($topic, [ [ 0, '{"id": 1}', '{"v": 1}', [ [ 'trace-id', 'abc' ], [ 'trace-id', "d\xc3\xa9" ], [ 'raw', "\x00\xff" ], [ 'none', undef ] ] ],
	[ 0, undef, '{"v": 2}', [] ], [ 0, '{"id": 3}', '{"v": 3}', [ [ 'trace-id', "\xff" ] ] ] ]);
$node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE headers_src (v int, key_id int OPTIONS (source 'key', field 'id'), trace text OPTIONS (header 'trace-id'),
		raw bytea OPTIONS (header 'raw'), none text OPTIONS (header 'none')) SERVER shop OPTIONS (topic '$topic', format 'json', key_format 'json');
	CREATE TABLE headers (v int, key_id int, trace text, raw bytea, none text);
	SELECT sluice.create_job('headers', 'headers_src', 'headers', 'insert', options => '{"error_limit": 5}');
});
$node->safe_psql('postgres', "CALL sluice.run_job('headers')");
is($node->safe_psql('postgres', 'SELECT v, key_id, trace, raw, none IS NULL FROM headers ORDER BY v'), "1|1|d\xc3\xa9|\\x00ff|t\n2||||t", 'single headers are columns');
is($node->safe_psql('postgres', "SELECT kafka_offset, sqlstate, column_name FROM sluice.errors WHERE job_name = 'headers'"), '2|22021|trace', 'a header that is no text is a reject');

# A SELECT on the foreign table reads the same and ends with the error of the first bad message.
my ($ret, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM orders_src');
like($err, qr/CONTEXT:.*message at topic \S+, partition 0, offset \d+/, 'a SELECT says what is wrong and where');

done_testing();
