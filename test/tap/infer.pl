# Tables without typing columns: infer_columns, IMPORT FOREIGN SCHEMA and create_table_for on a real Kafka.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use Test::More;

my $node = new_node('infer');
my $brokers = kafka_address();
sub sql { return $node->safe_psql('postgres', @_); }

sub fails
{
	my ($query) = @_;
	my $error;
	$node->psql('postgres', "\\set VERBOSITY verbose\n$query", stderr => \$error);
	return $error;
}

sql("CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers')");

my $orders = new_topic('infer.orders', 2);
produce($orders, [ map { [ $_ % 2, qq({"id": $_}), qq({"id": $_, "price": $_.50, "at": "2026-11-21T10:00:0${_}Z", "lines": [{"sku": "a$_"}], "sku.main": "a$_"}) ] } 1 .. 9 ]);
produce($orders, [ [ 0, undef, 'broken' ], [ 1, '{"id": 9}', undef ] ]);
my $csv = new_topic('infer.csv', 1);
produce($csv, [ [ 0, undef, "1,2026-11-21,7.5\n" ], [ 0, undef, "2,2026-11-22,8\n" ] ]);
my $empty = new_topic('infer.empty', 1);

is(sql(qq(SELECT column_name, data_type, column_options, seen, example FROM sluice.infer_columns('shop', '$orders', '{"format": "json", "key_format": "json"}'))),
	join("\n",
		'id|bigint||9|2', 'price|numeric||9|2.5', 'at|timestamptz||9|2026-11-21T10:00:02Z', 'lines|jsonb||9|[{"sku":"a2"}]',
		'sku.main|text||9|a2', q(key_id|bigint|source 'key', field 'id'|10|2)),
	'columns of value and key');
is(sql(qq(SELECT column_name, data_type FROM sluice.infer_columns(server => 'shop', topic => '$csv', options => '{"format": "csv"}', sample => 1))),
	"column1|bigint\ncolumn2|date\ncolumn3|bigint", 'the newest messages are looked at');
is(sql(qq(SELECT count(*) FROM sluice.infer_columns('shop', '$empty', '{"format": "json"}'))), '0', 'nothing is said of an empty topic');

like(fails(qq(SELECT * FROM sluice.infer_columns('shop', '$orders', '{"format": "json"}'))),
	qr/NOTICE:  00000: 1 of 11 messages cannot be decoded and were not looked at\nDETAIL:  The first one: json value is not valid JSON/, 'broken messages are told');
like(fails(qq(SELECT * FROM sluice.infer_columns('shop', '$csv', '{"format": "json"}'))), qr/ERROR:  22P02: json value is not valid JSON/, 'a wrong format');
like(fails(qq(SELECT * FROM sluice.infer_columns('shop', '$csv', '{"format": "jason"}'))), qr/ERROR:  22023: .*jason.*HINT:  .*json/s, 'an unknown format');
like(fails(qq(SELECT * FROM sluice.infer_columns('shop', '$csv', '{}'))), qr/ERROR:  HV002: a foreign table needs option "format"/, 'no format');
like(fails(qq(SELECT * FROM sluice.infer_columns('shop', '$csv', '[1]'))), qr/ERROR:  22023: argument options must be a JSON object/, 'options that are none');
like(fails(qq(SELECT * FROM sluice.infer_columns('shop', '$csv', '{"format": "csv"}', 0))), qr/ERROR:  22023: argument sample must be between 1 and 10000, not 0/, 'a sample of nothing');
like(fails(qq(SELECT * FROM sluice.infer_columns('shop', 'infer.none', '{"format": "csv"}'))), qr/ERROR:  42704: /, 'an unknown topic');
like(fails(q(CREATE ROLE nobody; SET ROLE nobody; SELECT * FROM sluice.infer_columns('shop', 'x', '{"format": "csv"}'))), qr/ERROR:  42501: permission denied for foreign server shop/, 'a server of others');

# All topics, some of them, and those with a prefix.
like(fails(qq(CREATE SCHEMA a; IMPORT FOREIGN SCHEMA kafka LIMIT TO ("$orders", "$empty") FROM SERVER shop INTO a OPTIONS (format 'json', key_format 'json'))),
	qr/WARNING:  01000: topic "\Q$empty\E" is left out/, 'an empty topic is left out');
is(sql(qq(SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'a."$orders"'::regclass AND attnum > 0)),
	'id bigint, price numeric, at timestamp with time zone, lines jsonb, sku.main text, key_id bigint', 'a table for the topic');
is(sql(qq(SELECT count(*) FROM pg_foreign_table)), '1', 'and for no other');
my ($rest) = $csv =~ /^infer\.(.*)$/;
sql(qq(CREATE SCHEMA b; IMPORT FOREIGN SCHEMA infer LIMIT TO ("$rest") FROM SERVER shop INTO b OPTIONS (format 'csv', sample '10')));
is(sql(qq(SELECT * FROM b."$rest" ORDER BY 1)), "1|2026-11-21|7.5\n2|2026-11-22|8", 'a prefix is the remote schema, and the table can be read');
like(fails(qq(IMPORT FOREIGN SCHEMA kafka LIMIT TO ("$csv") FROM SERVER shop INTO b)), qr/ERROR:  HV002: IMPORT FOREIGN SCHEMA needs option "format"/, 'import without a format');
like(fails(qq(IMPORT FOREIGN SCHEMA kafka LIMIT TO ("$csv") FROM SERVER shop INTO b OPTIONS (format 'csv', topic 'x'))), qr/ERROR:  HV00D: option "topic" means nothing here/, 'import of a topic by option');
like(fails(qq(IMPORT FOREIGN SCHEMA kafka LIMIT TO ("$csv") FROM SERVER shop INTO b OPTIONS (format 'csv', sample 'all'))), qr/ERROR:  22023: option "sample" must be a number/, 'import with a wrong sample');

# From nothing to a running job.
is(sql(qq(SELECT sluice.create_table_for('b."$rest"', 'public.days', '{column1}'))), 'days', 'a fitting target');
sql(qq(SELECT sluice.create_job('days', 'b."$rest"', 'days', mode => 'merge')));
sql(q(CALL sluice.run_job('days')));
is(sql('SELECT * FROM days ORDER BY 1'), "1|2026-11-21|7.5\n2|2026-11-22|8", 'is filled by a job');
like(fails(q(SELECT sluice.create_table_for('days', 'more'))), qr/ERROR:  42809: public.days is not a foreign table over a topic/, 'a target for a table');
like(fails(qq(SELECT sluice.create_table_for('b."$rest"', 'more', '{nope}'))), qr/ERROR:  42703: column "nope" named in key does not exist/, 'an unknown key');
like(fails(qq(SELECT sluice.create_table_for('b."$rest"', 'days'))), qr/ERROR:  42P07: relation "days" already exists/, 'a name that is taken');

done_testing();
