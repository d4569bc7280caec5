# Messages of many rows: orders with lines, broken ones between them, go through Kafka into a table by insert and by merge.
# What PostgreSQL itself makes of the same bytes is the measure. A seed in SLUICE_TEST_SEED repeats a run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SLUICE_TEST_SEED} // time;
note("seed $seed");
srand $seed;
my $node = new_node('json_rows');
my $brokers = kafka_address();
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement); }

# Rows that are on one side only, as text for a diff.
sub same
{
	my ($expected, $found, $name) = @_;
	is(sql("SELECT '-', t::text FROM ($expected EXCEPT ALL $found) t UNION ALL SELECT '+', t::text FROM ($found EXCEPT ALL $expected) t ORDER BY 2, 1 LIMIT 20"),
		'', $name);
	return;
}

sub one_of { return $_[ int rand @_ ]; }

sub line
{
	my $sku = one_of(qw("a" "b" "c" "d" "\u00e4" "e\n")), my $qty = int rand 50;
	my $wrong = rand;
	return one_of('null', '5', '"text"', '[1]', '{}') if $wrong < 0.03;
	$qty = one_of('"many"', 1e12, '1.5', -1, '[1]') if $wrong > 0.985;
	return join ', ', map { "$_" } rand() < 0.5 ? qq({"sku": $sku, "qty": $qty}) : qq({"n": {"sku": [1]}, "qty": $qty, "sku": $sku});
}

# The lines stand before, between and after what the rows take from around them.
sub order
{
	my ($id) = @_;
	my $lines = '[' . join(', ', map { line() } 1 .. one_of(0, 1, 1, 2, 3, 5, 8, 40)) . ']';
	$lines = one_of('null', '"none"', '{"sku": "a"}', '7') if rand() < 0.05;
	my @inside = (qq("id": $id), qq("lines": $lines), '"note": {"lines": [1, 2]}');
	@inside = reverse @inside if rand() < 0.5;
	splice @inside, 1, 1 if rand() < 0.03;
	my @outside = ('"customer": {"name": "c' . int(rand 9) . '"}', '"order": {' . join(', ', @inside) . '}');
	@outside = reverse @outside if rand() < 0.5;
	my $text = '{' . join(', ', @outside) . '}';
	$text = substr $text, 0, int rand length $text if rand() < 0.03;
	$text =~ s/"a"/"\\u0000"/ if rand() < 0.02;
	$text =~ s/.$/\xff/ if rand() < 0.01;
	return $text;
}

my $count = 3000;
my @orders = map { order($_) } 0 .. $count - 1;
my $topic = new_topic('orders', 1);
produce($topic, [ map { [ 0, qq({"shop": $_}), $orders[$_], [ [ 'trace-id', "t$_" ] ] ] } 0 .. $#orders ]);
my $file = "$PostgreSQL::Test::Utils::tmp_check/orders.copy";
open my $out, '>', $file or die;
print $out map { "$_\t\\\\x" . unpack('H*', $orders[$_]) . "\n" } 0 .. $#orders;
close $out;

sql(qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE TABLE sent (o bigint PRIMARY KEY, v bytea);
	COPY sent FROM '$file';
	CREATE FOREIGN TABLE lines_src (
		id int OPTIONS (field '\$.order.id'), customer text OPTIONS (field '\$.customer.name'), sku text, qty int,
		line jsonb OPTIONS (field '\@'), shop int OPTIONS (source 'key'), trace text OPTIONS (header 'trace-id'),
		o bigint OPTIONS (metadata 'offset')
	) SERVER shop OPTIONS (topic '$topic', format 'json', rows_path 'order.lines', key_format 'json');
	CREATE TABLE lines (id int, customer text, sku text, qty int CHECK (qty >= 0), line jsonb, shop int, trace text, o bigint);
	-- The rows of a message, by PostgreSQL; no row when something in it is wrong.
	CREATE TABLE expected (good boolean, ord bigint, LIKE lines INCLUDING CONSTRAINTS);
	CREATE PROCEDURE expect() LANGUAGE plpgsql AS \$\$
	DECLARE
		m sent;
		j jsonb;
	BEGIN
		FOR m IN SELECT * FROM sent LOOP
			BEGIN
				j := convert_from(m.v, 'UTF8')::json;
				IF jsonb_typeof(j #> '{order,lines}') NOT IN ('array', 'null') THEN RAISE data_exception; END IF;
				INSERT INTO expected SELECT true, ord, (j #>> '{order,id}')::int, j #>> '{customer,name}', l ->> 'sku', (l ->> 'qty')::int,
					nullif(l, 'null'), m.o, 't' || m.o, m.o FROM jsonb_array_elements(nullif(j #> '{order,lines}', 'null')) WITH ORDINALITY e (l, ord);
			EXCEPTION WHEN data_exception OR check_violation THEN
				INSERT INTO expected (good, o) VALUES (false, m.o);
			END;
		END LOOP;
	END \$\$;
	CALL expect();
	SELECT sluice.create_job('lines', 'lines_src', 'lines', 'insert', options => '{"error_limit": "unlimited"}');
});
cmp_ok(sql('SELECT count(*) FROM expected WHERE NOT good'), '>', 50, 'hostile messages are among them');
cmp_ok(sql('SELECT count(*) FROM sent WHERE o NOT IN (SELECT o FROM expected)'), '>', 50, 'and some without rows');

sql("CALL sluice.run_job('lines')");
same('SELECT id, customer, sku, qty, line, shop, trace, o FROM expected WHERE good', 'TABLE lines', 'the rows are as PostgreSQL reads them');
same('SELECT o FROM expected WHERE NOT good', q{SELECT kafka_offset FROM sluice.errors WHERE job_name = 'lines'}, 'every other message is a reject, whole');
is(sql(q{SELECT count(*) FROM sluice.errors e JOIN sent ON o = kafka_offset WHERE raw_message IS DISTINCT FROM v OR error_message = ''}), '0', 'with its bytes');
is(sql(q{SELECT next_offset, messages, rows_inserted - (SELECT count(*) FROM lines), rows_rejected - (SELECT count(*) FROM sluice.errors WHERE job_name = 'lines'),
	rows_total - rows_inserted - rows_rejected FROM sluice.progress WHERE job_name = 'lines'}),
	"$count|$count|0|0|0", 'messages and rows add up');
is(sql(q{SELECT sum(messages), sum(rows_inserted) - (SELECT count(*) FROM lines) FROM sluice.history WHERE job_name = 'lines'}), "$count|0", 'in the history, too');
like(sql(q{SELECT string_agg(DISTINCT regexp_replace(error_message, '\d+', 'N', 'g'), E'\n') FROM sluice.errors WHERE job_name = 'lines'}),
	qr/field "order.lines" is not an array at byte N of the value/, 'what is no array is named');
is(sql(q{SELECT count(*) > 0 FROM sluice.errors WHERE job_name = 'lines' AND error_message ~ '^field "order\.lines\[\d+\]\.sku" has an unsupported Unicode .* at byte \d+ of the value$' AND column_name = 'sku'}),
	't', 'an error in an element says which');
is(sql(q{SELECT count(*) > 0 FROM sluice.errors WHERE job_name = 'lines' AND error_context ~ 'column "qty", row \d+ of message at topic '}), 't', 'so does one of a type');

# Merge: the last row of a key wins, within a message as between messages.
sql(q{
	-- A domain, because it is checked in rows, too, that a later one replaces.
	CREATE DOMAIN amount AS int CHECK (VALUE >= 0);
	CREATE TABLE stock (sku text PRIMARY KEY, id int, qty int, o bigint);
	SELECT sluice.create_job('stock', 'lines_src', 'stock', 'merge', filter => 'sku IS NOT NULL', options => '{"error_limit": "unlimited"}',
		mapping => '{"sku": "sku", "id": "id", "qty": "qty::amount", "o": "o"}');
	CALL sluice.run_job('stock');
});
same('SELECT * FROM (SELECT DISTINCT ON (sku) sku, id, qty, o FROM expected WHERE good AND sku IS NOT NULL ORDER BY sku, o DESC, ord DESC) l',
	'TABLE stock', 'merge: the last row of each key');
is(sql(q{SELECT messages, rows_total - (SELECT count(*) FROM expected), rows_filtered - (SELECT count(*) FROM expected WHERE good AND sku IS NULL),
	rows_written + rows_superseded - (SELECT count(*) FROM expected WHERE good AND sku IS NOT NULL), rows_rejected - (SELECT count(*) FROM expected WHERE NOT good)
	FROM sluice.progress WHERE job_name = 'stock'}), "$count|0|0|0|0", 'each row ends in exactly one number');

# The rows of one message, one after the other, with all that may become of them.
my $story = new_topic('story', 1);
produce($story, [ [ 0, undef, '{"v": 1, "rows": [{"k": 1, "n": 1}, {"k": 2, "n": 1}, {"k": 1, "gone": true}, {"k": 3, "n": 1}]}' ],
	[ 0, undef, '{"v": 2, "rows": [{"k": 2, "gone": true}, {"k": 2, "n": 7}, {"k": 3, "n": 2}, {"k": 3, "n": 3}]}' ],
	[ 0, undef, '{"v": 1, "rows": [{"k": 3, "n": 9}]}' ], [ 0, undef, '{"v": 3, "rows": []}' ] ]);
for my $max_count (1, 100)
{
	sql(qq{
		CREATE FOREIGN TABLE story_src_$max_count (k int, n int, gone boolean, v int OPTIONS (field '\$.v')) SERVER shop OPTIONS (topic '$story', format 'json', rows_path 'rows');
		CREATE TABLE story_$max_count (k int PRIMARY KEY, n int, v int);
		SELECT sluice.create_job('story_$max_count', 'story_src_$max_count', 'story_$max_count', 'merge', order_columns => '{v}', delete_condition => 'gone',
			mapping => '{"k": "k", "n": "n", "v": "v"}', options => '{"max_count": $max_count}');
		CALL sluice.run_job('story_$max_count');
	});
	is(sql("SELECT string_agg(concat_ws(':', k, n, v), ' ' ORDER BY k) FROM story_$max_count"), '2:7:2 3:3:2', "deletions and stale rows, $max_count messages a batch");
	is(sql("SELECT messages, rows_total FROM sluice.progress WHERE job_name = 'story_$max_count'"), '4|9', 'nine rows of four messages');
}

# Lines; what was rejected is mended and replayed, with its outcome by rows. A tombstone is one row, of its key.
my $log = new_topic('log', 1);
produce($log, [ [ 0, '1', "{\"a\": 1}\n\n{\"a\": 2}\r\n" ], [ 0, '2', "{\"a\": 3}\n{\"a\": oops}\n{\"a\": 4}" ], [ 0, '3', " \n" ], [ 0, '4', "\n{\"a\": 5}" ], [ 0, '5', undef ] ]);
sql(qq{
	CREATE FOREIGN TABLE log_src (a int, k int OPTIONS (source 'key')) SERVER shop OPTIONS (topic '$log', format 'json', newline_delimited 'true', key_format 'text');
	CREATE TABLE log (a int, k int);
	SELECT sluice.create_job('log', 'log_src', 'log', 'insert', options => '{"error_limit": 5, "tombstone": "ignore"}');
	CALL sluice.run_job('log');
});
is(sql(q{SELECT string_agg(concat_ws(':', a, k), ' ' ORDER BY a, k) FROM log}), '1:1 2:1 5:4', 'each line is a row with its key');
is(sql(q{SELECT kafka_offset, sqlstate, error_message FROM sluice.errors WHERE job_name = 'log'}),
	'1|22P02|json value is not valid JSON at byte 6 of line 2 of the value: a value is expected', 'a broken line rejects its message');
is(sql(q{SELECT messages, rows_inserted, rows_unchanged, rows_rejected, rows_total FROM sluice.progress WHERE job_name = 'log'}), '5|3|1|1|5', 'the numbers');
sql(q{UPDATE sluice.errors SET raw_message = convert_to(replace(convert_from(raw_message, 'UTF8'), 'oops', '9'), 'UTF8') WHERE job_name = 'log'});
is(sql(q{SELECT outcome FROM sluice.replay_errors('log')}), '3 inserted', 'mended, all its rows are applied');
is(sql(q{SELECT outcome, jsonb_array_length("row") FROM sluice.test_job('log', convert_to(E'{"a": 1}\n{"a": 2}', 'UTF8'), '6')}), '2 inserted|2', 'test_job shows them all');

# A SELECT reads the same rows.
is(sql("SELECT count(*), sum(v) FROM story_src_1"), '9|13', 'a SELECT reads the same rows');

done_testing();
