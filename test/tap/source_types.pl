# Values of foreign tables against the input functions of their types: what PostgreSQL accepts becomes the same bytes,
# what it refuses is refused with the same error. Plain spellings are read by sluice itself, so they matter most.
use strict;
use warnings;

no warnings 'qw';

use SluiceTest;
use Test::More;

my $seed = $ENV{SLUICE_TEST_SEED} || time;
srand $seed;
note "SLUICE_TEST_SEED=$seed";

my $node = new_node('types', preload => 0);
my $address = kafka_address();
$node->safe_psql('postgres', <<"SQL");
CREATE SERVER kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$address');
ALTER DATABASE postgres SET TimeZone = 'Europe/Paris';
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN short AS varchar(3) NOT NULL CHECK (VALUE <> 'bad');
CREATE DOMAIN few_bytes AS bytea CHECK (length(VALUE) < 4);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a integer, b text);
-- What the type's input function says: NULL when it accepts the text under both date styles.
CREATE FUNCTION refusal(value text, query text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
  PERFORM set_config('DateStyle', 'German, DMY', true);
  EXECUTE query USING value;
  PERFORM set_config('DateStyle', 'ISO, MDY', true);
  EXECUTE query USING value;
  RETURN NULL;
EXCEPTION WHEN others THEN RETURN SQLSTATE || ' ' || SQLERRM;
END \$\$;
-- The one value of a query, or its error.
CREATE FUNCTION answer(query text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE result text;
BEGIN
  EXECUTE query INTO result;
  RETURN result;
EXCEPTION WHEN others THEN RETURN SQLSTATE || ' ' || SQLERRM;
END \$\$;
CREATE TABLE candidate (n serial, type text, value text, refusal text);
SQL

my @types = (
	qw(smallint integer bigint text varchar varchar(5) char(4) bpchar boolean real), 'double precision',
	qw(numeric numeric(10,2) numeric(3) numeric(4,4) numeric(18,9) numeric(30,0) numeric(5,-2)),
	qw(date timestamp timestamp(0) timestamp(3) timestamptz timestamptz(0) timestamptz(3) uuid bytea),
	qw(json jsonb integer[] text[] positive short mood pair int4range inet interval time oid name xml), '"char"', 'bit(3)');

my @hostile = ('', ' ', qw(0 -0 +0 00 1 -1 +1 007 1.0 1. .5 -.5 -0.0 -0.00 1e3 1E-3 -1e+2 1e400 1e-400 1e-310 1e-46 NaN nan inf -inf
	Infinity -Infinity 0x10 0b1 1_000 1,000 - + . -- --1 1- 1.2.3 -1. 12.345 0.005 -12.345 99999999.99 99999999.999 100000000
	999 1000 999.5 0.9999 0.99999 0000.5 0000000000000000000.5 123456789012345678 1234567890123456789 0.123456789012345678
	123456789.123456789 12345678901.12345678901 9223372036854775807 9223372036854775808 -9223372036854775808
	-9223372036854775809 99999999999999999999 2147483647 2147483648 -2147483648 -2147483649 32767 32768 -32768 -32769
	3.4028235e38 3.5e38 16777217 0.1 1.7976931348623157e308 1.7976931348623159e308 4.9e-324 2.2250738585072011e-308
	t f true false TRUE tr fa on off yes no y n 2
	2024-02-29 2023-02-29 1900-02-29 2000-02-29 2024-13-01 2024-00-10 2024-04-31 2024-01-00 0000-01-01 0001-01-01 9999-12-31
	2024-1-1 24-01-02 01-02-2024 01/02/2024 20240102 2024-01-02T03:04:05Z 2024-01-02T03:04:05 2024-01-02T03:04:05.1Z
	2024-01-02T03:04:05.123456Z 2024-01-02T03:04:05.1234567Z 2024-01-02T03:04:05.9999995Z 2024-01-02T03:04:05.Z
	2024-01-02T03:04:05+02 2024-01-02T03:04:05+02:30 2024-01-02T03:04:05-02:30 2024-01-02T03:04:05+0230 2024-01-02T03:04:05+14:59
	2024-01-02T03:04:05+15:00 2024-01-02T03:04:05+15:59 2024-01-02T03:04:05+16:00 2024-01-02T03:04:05-00:00
	2024-01-02T03:04:05+02:60 2024-01-02T03:04:05+2 2024-01-02T03:04:05+02: 2024-01-02T03:04:05z 2024-01-02t03:04:05Z
	2024-01-02T24:00:00Z 2024-01-02T24:00:01Z 2024-01-02T23:59:60Z 2024-01-02T23:60:00Z 2024-01-02T03:04Z 2024-01-02T3:04:05Z
	2024-03-31T02:30:00 2024-10-27T02:30:00 2024-01-02T03:04:05Europe/Paris 0001-01-01T00:00:00+14:00 9999-12-31T23:59:59.999999-14:00
	2024-01-02T03:04:05.5 2024-01-02T03:04:05.49 2024-01-02T03:04:59.999 epoch infinity -infinity
	a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11 {a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}
	a0eebc999c0b4ef8bb6d6bb9bd380a11 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g
	a0eebc99_9c0b-4ef8-bb6d-6bb9bd380a11 abc abcd abcde abcdef bad ok sad \x00ff \x0 \000 \\\\ {} {1,2} {a,"b"} {"a":1} [1,2] (1,x) (1,) (
	[1,5) empty 127.0.0.1 1:02:03 P1D 101 10 <a/> <a>),
	'abc  ', 'abcde  ', 'abcdef ', ' abc', ' 1', '1 ', "1\t", "\x{a0}1", '2024-01-02 03:04:05', '2024-01-02  03:04:05', '2024-01-02 03:04:05 +02',
	'2024-01-02 03:04:05 BC', '0044-03-15 BC', '1 day', "\x{e4}", "\x{e4}\x{f6}\x{fc}\x{df}", "\x{e4}\x{f6}\x{fc}\x{df}\x{20ac}", "\x{e4}\x{f6}\x{fc}\x{df}\x{20ac}\x{1f600}",
	"a\x{300}", "line\nline", "it's", '"', '\\');

# SQL that reads a text as COPY does. A cast would cut what is too long; jsonb_to_record calls the input function.
sub read_as
{
	my ($type, $text) = @_;
	return "$text\::$type" if $type =~ /^json/;
	return "(SELECT v FROM jsonb_to_record(jsonb_build_object('v', $text)) AS r(v $type))";
}

sub number { my ($most) = @_; return int rand 10**(1 + int rand $most); }

my %plain = (
	number => sub { (rand > 0.5 ? '-' : '') . number(20) },
	decimal => sub { (rand > 0.5 ? '-' : '') . number(12) . '.' . join '', map { int rand 10 } 0 .. rand 12 },
	float => sub { (rand > 0.5 ? '-' : '') . number(17) . (rand > 0.5 ? '.' . number(17) : '') . (rand > 0.5 ? 'e' . int(rand 700 - 350) : '') },
	moment => sub {
		my $text = sprintf '%04d-%02d-%02d', rand(10) < 1 ? number(4) : 1900 + rand 200, 1 + rand 12.1, 1 + rand 31;
		$text .= sprintf '%s%02d:%02d:%02d', (rand > 0.5 ? 'T' : ' '), rand 24.1, rand 60.1, rand 60.1 if rand > 0.1;
		$text .= '.' . join '', map { int rand 10 } 0 .. rand 7 if rand > 0.5;
		$text .= (qw(Z +01 -07:00), sprintf '%s%02d:%02d', (rand > 0.5 ? '+' : '-'), rand 17, rand 60)[ rand 4 ] if rand > 0.3;
		$text;
	},
	uuid => sub { join '-', map { my $n = $_; join '', map { (0 .. 9, 'a' .. 'f', 'A' .. 'F')[ rand 22 ] } 1 .. $n } 8, 4, 4, 4, 12 },
	word => sub { join '', map { ('a' .. 'e', ' ', "\x{e4}", "\x{20ac}")[ rand 8 ] } 0 .. rand 7 });

# One character replaced, inserted or deleted.
sub mutate
{
	my ($text) = @_;
	my @letters = (split(//, '0123456789-+.:TZeE abxn{}'), "\x{e4}");
	substr $text, rand(1 + length $text), rand > 0.3 ? 1 : 0, rand > 0.3 ? $letters[ rand @letters ] : '';
	return $text;
}

my $rounds = $ENV{SLUICE_TEST_ROUNDS} || 250;
my %seen;
for my $kind (sort keys %plain)
{
	for (1 .. $rounds)
	{
		my $text = $plain{$kind}->();
		$seen{ rand > 0.3 ? $text : mutate($text) } = 1;
	}
}
my @candidates = grep { !$seen{"hostile $_"}++ } @hostile, grep { !/^hostile/ } sort keys %seen;
note scalar(@candidates) . ' texts for each of ' . scalar(@types) . ' types';

sub literal { my ($text) = @_; $text =~ s/'/''/g; utf8::encode($text); return "'$text'"; }
my $values = join ",\n", map { '(' . literal($_) . ')' } @candidates;
my $list = join ', ', map { '(' . literal($_) . ', ' . literal('SELECT ' . read_as($_, '$1')) . ')' } @types;
$node->psql('postgres', <<"SQL", on_error_die => 1);
INSERT INTO candidate (type, value, refusal)
SELECT t, v, refusal(v, q) FROM (VALUES $list) t(t, q), (VALUES $values) c(v);
SQL

# Partition i of this topic holds what type i accepts.
my $good = new_topic('good', scalar @types);
my $hex = $node->safe_psql('postgres', q{SELECT type, encode(convert_to(value, 'UTF8'), 'hex') FROM candidate WHERE refusal IS NULL ORDER BY n});
my %index = map { $types[$_] => $_ } 0 .. $#types;
my (@messages, %accepted);
for (split /\n/, $hex)
{
	my ($type, $value) = /^(.*)\|([0-9a-f]*)$/ or die $_;
	push @messages, [ $index{$type}, undef, pack 'H*', $value ];
	$accepted{$type}++;
}
produce($good, \@messages);

for my $type (@types)
{
	my $table = "good_$index{$type}";
	$node->safe_psql('postgres', <<"SQL");
CREATE FOREIGN TABLE $table (v $type, raw text OPTIONS (metadata 'value'))
  SERVER kafka OPTIONS (topic '$good', format 'text', partitions '$index{$type}');
SQL
	# This compares bytes, so 1.0 and 1.00 differ, and so do two spellings of the same number inside a value.
	my $expected = read_as($type, 'raw');
	my $same = "record_image_eq(ROW(v), ROW($expected))";
	for my $style ('ISO, MDY', 'German, DMY')
	{
		is($node->safe_psql('postgres', "SET DateStyle = '$style'; SELECT count(*), count(*) FILTER (WHERE $same) FROM $table"),
			"$accepted{$type}|$accepted{$type}", "$type: $accepted{$type} values are the same bytes ($style)")
		  or diag $node->safe_psql('postgres', "SET DateStyle = '$style'; SELECT raw, v, $expected FROM $table WHERE NOT $same LIMIT 5");
	}
}

# Each refused text in a partition of its own, because a scan ends at the first one.
my $per_type = 8;
my $bad = new_topic('bad', 400);
my @refused = split /\n/, $node->safe_psql('postgres', <<"SQL");
SELECT type, encode(convert_to(value, 'UTF8'), 'hex'), encode(convert_to(refusal, 'UTF8'), 'hex')
FROM (SELECT *, row_number() OVER (PARTITION BY type ORDER BY hashtext(value || $seed)) AS k FROM candidate WHERE refusal IS NOT NULL) c
WHERE k <= $per_type ORDER BY type
SQL
ok(@refused > 200, scalar(@refused) . ' refused texts are tried');
my @columns = map { [ map { $_ } split /\|/ ] } @refused;
produce($bad, [ map { [ $_, undef, pack 'H*', $columns[$_][1] ] } 0 .. $#columns ]);
my $sql = '';
for my $i (0 .. $#columns)
{
	my ($type, undef, $refusal) = @{ $columns[$i] };
	$sql .= <<"SQL";
CREATE FOREIGN TABLE bad_$i (v $type) SERVER kafka OPTIONS (topic '$bad', format 'text', partitions '$i');
SELECT '$i', convert_from('\\x$refusal', 'UTF8'), answer('SELECT v FROM bad_$i'), convert_from('\\x$refusal', 'UTF8') = answer('SELECT v FROM bad_$i');
SQL
}
my $answers = $node->safe_psql('postgres', $sql);
# Errors hold line ends, so only the verdicts are counted.
my $right = () = $answers =~ /\|t$/mg;
is($right, scalar @columns, 'every refused text gives the error of the input function') or diag join "\n", grep { /\|f$/ } split /\n/, $answers;

# Cells that are not text: positions, times and bytes.
my $meta = new_topic('meta', 1, { 'retention.ms' => -1 });
produce($meta, [ [ 0, "k\xc3\xa4", "v\xe2\x82\xac", [ [ 'a', 'b' ] ], 1_700_000_000_123 ] ]);
my $tables = 0;

sub metadata
{
	my ($metadata, $type) = @_;
	my $table = 'meta_' . ++$tables;
	$node->safe_psql('postgres', "CREATE FOREIGN TABLE $table (v $type OPTIONS (metadata '$metadata'), p bytea) SERVER kafka OPTIONS (topic '$meta', format 'binary')");
	return $node->safe_psql('postgres', "SELECT answer('SELECT v::text FROM $table')");
}
my @metadata = (
	[ partition => integer => '0' ], [ partition => smallint => '0' ], [ partition => bigint => '0' ], [ partition => 'numeric(5,1)' => '0.0' ],
	[ partition => text => '0' ], [ partition => boolean => 'false' ], [ partition => positive => '23514 value for domain positive violates check constraint "positive_check"' ],
	[ offset => bigint => '0' ], [ offset => oid => '0' ], [ offset => 'double precision' => '0' ], [ offset => date => '22008 date/time field value out of range: "0"' ],
	[ timestamp => timestamptz => '2023-11-14 23:13:20.123+01' ], [ timestamp => 'timestamptz(1)' => '2023-11-14 23:13:20.1+01' ],
	[ timestamp => timestamp => '2023-11-14 23:13:20.123' ], [ timestamp => date => '2023-11-14' ], [ timestamp => bigint => '1700000000123' ],
	[ timestamp => text => '2023-11-14 23:13:20.123+01' ], [ timestamp => integer => '22P02 invalid input syntax for type integer: "2023-11-14 23:13:20.123+01"' ],
	[ timestamp_type => text => 'CreateTime' ], [ topic => text => $meta ], [ topic => 'varchar(3)' => '22001 value too long for type character varying(3)' ],
	[ key => bytea => '\x6bc3a4' ], [ key => text => "k\xc3\xa4" ], [ key => few_bytes => '\x6bc3a4' ],
	[ value => bytea => '\x76e282ac' ], [ value => text => "v\xe2\x82\xac" ], [ value => 'varchar(1)' => '22001 value too long for type character varying(1)' ],
	[ value => few_bytes => '23514 value for domain few_bytes violates check constraint "few_bytes_check"' ], [ value => json => '22P02 invalid input syntax for type json' ],
	[ headers => jsonb => '[{"name": "a", "value": "b"}]' ], [ headers => text => '[{"name": "a", "value": "b"}]' ],
	[ json => 'jsonb' => qq({"key": "k\xc3\xa4", "topic": "$meta", "offset": 0, "headers": [{"name": "a", "value": "b"}], "partition": 0, "timestamp": 1700000000123}) ]);
for (@metadata)
{
	my ($metadata, $type, $expected) = @$_;
	is(metadata($metadata, $type), $expected, "$metadata as $type");
}

# Bytes that are no text.
my $bytes = new_topic('bytes', 3);
produce($bytes, [ [ 0, undef, "a\xffb" ], [ 1, undef, "a\x00b" ], [ 2, undef, '' ], [ 2, undef, undef ] ]);
$node->safe_psql('postgres', <<"SQL");
CREATE FOREIGN TABLE as_bytes (v bytea) SERVER kafka OPTIONS (topic '$bytes', format 'binary');
CREATE FOREIGN TABLE as_text (v text OPTIONS (metadata 'value'), b bytea) SERVER kafka OPTIONS (topic '$bytes', format 'binary', partitions '0');
CREATE FOREIGN TABLE as_nul (v text OPTIONS (metadata 'value'), b bytea) SERVER kafka OPTIONS (topic '$bytes', format 'binary', partitions '1');
CREATE FOREIGN TABLE as_not_null (v short) SERVER kafka OPTIONS (topic '$bytes', format 'text', partitions '2');
SQL
is($node->safe_psql('postgres', q{SELECT string_agg(coalesce(v::text, 'NULL'), ' ' ORDER BY v) FROM as_bytes}), '\x \x610062 \x61ff62 NULL', 'bytes stay what they are');
is($node->safe_psql('postgres', q{SELECT answer('SELECT v FROM as_text')}), '22021 invalid byte sequence for encoding "UTF8": 0xff', 'bytes that are no UTF-8 do not get into text');
is($node->safe_psql('postgres', q{SELECT answer('SELECT v FROM as_nul')}), '22021 invalid byte sequence for encoding "UTF8": 0x00', 'nor does NUL');
is($node->safe_psql('postgres', q{SELECT count(*), count(v) FROM as_not_null}), '2|1', 'a null message is NULL whatever the domain says');

# Other encodings: messages are UTF-8, values are what the database can hold.
$node->safe_psql('postgres', q{CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin1', "CREATE EXTENSION sluice; CREATE SERVER kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$address')");
my $latin = new_topic('latin', 3);
produce($latin, [ [ 0, "k\xc3\xa4", "\xc3\xa4,1" ], [ 1, undef, "\xe2\x82\xac,1" ], [ 2, undef, "\xff,1" ] ]);
for my $p (0 .. 2)
{
	$node->safe_psql('latin1', "CREATE FOREIGN TABLE t$p (v varchar(1), n int, k text OPTIONS (metadata 'key')) SERVER kafka OPTIONS (topic '$latin', format 'csv', partitions '$p')");
}
is($node->safe_psql('latin1', q{SELECT v = chr(228), octet_length(v), k = 'k' || chr(228) FROM t0}), 't|1|t', 'text is converted to the database encoding');
my (undef, undef, $error) = $node->psql('latin1', 'SELECT * FROM t1');
like($error, qr/character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"/, 'unless it has no such character');
like($error, qr/CONTEXT:  column "v", message at topic \S+, partition 1, offset 0$/m, 'and the value is not shown then');
(undef, undef, $error) = $node->psql('latin1', 'SELECT * FROM t2');
like($error, qr/invalid byte sequence for encoding "UTF8": 0xff/, 'or is no UTF-8');

done_testing();
