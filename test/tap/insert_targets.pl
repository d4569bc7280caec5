# Insert mode into every kind of target: the rows are those of a plain INSERT … SELECT over the same source, whichever
# gear writes them, and what is wrong with a row is told as PostgreSQL tells it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('insert_targets', conf => "max_worker_processes = 40\n");
my $brokers = kafka_address();
my $topic = new_topic('rows', 2);
my $count = 3000;
produce($topic, [ map { [ $_ % 2, undef, "$_," . ($_ % 7) . ",name $_," . ($_ / 4) ] } 1 .. $count ]);

$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE src (id int, kind int, "The name" text, price numeric) SERVER shop
		OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE kinds (kind int PRIMARY KEY);
	INSERT INTO kinds SELECT generate_series(0, 6);
	CREATE DOMAIN money_like AS numeric(8, 1) CHECK (value >= 0);
	CREATE TABLE log (line text);
	CREATE FUNCTION log_rows() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.log SELECT TG_TABLE_NAME || '' '' || n.id FROM fresh n; RETURN NULL; END';
	CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.log VALUES (TG_TABLE_NAME || '' '' || new.id); RETURN NULL; END';
	CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN IF new.kind = 3 THEN RETURN NULL; END IF; new."The name" := upper(new."The name"); RETURN new; END';
});

# name, definition of the target under the name %1$s, gear, arguments of create_job
my $columns = 'id int, kind int, "The name" text, price numeric';
my @targets = (
	[ 'plain', "CREATE TABLE %1\$s ($columns)", 'direct' ],
	[ 'indexed', "CREATE TABLE %1\$s ($columns, PRIMARY KEY (id)); CREATE INDEX ON %1\$s (lower(\"The name\"))", 'direct' ],
	[
		'partitioned', qq{
		CREATE TABLE %1\$s (gone int, price money_like, kind int REFERENCES kinds, id int CHECK (id > 0),
			"The name" varchar(12), twice int GENERATED ALWAYS AS (id * 2) STORED, note text DEFAULT 'no ' || 'note')
			PARTITION BY LIST (kind);
		CREATE TABLE %1\$s_low PARTITION OF %1\$s FOR VALUES IN (0, 1, 2) PARTITION BY HASH (id);
		CREATE TABLE %1\$s_low_0 PARTITION OF %1\$s_low FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE %1\$s_low_1 PARTITION OF %1\$s_low FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		ALTER TABLE %1\$s DROP gone;
		CREATE TABLE %1\$s_high PARTITION OF %1\$s DEFAULT;
		CREATE UNIQUE INDEX ON %1\$s (id, kind);
		CREATE TRIGGER after_row AFTER INSERT ON %1\$s FOR EACH ROW WHEN (new.id <= 20) EXECUTE FUNCTION log_row()}, 'direct'
	],
	[
		'before_trigger', "CREATE TABLE %1\$s ($columns);
		CREATE TRIGGER b BEFORE INSERT ON %1\$s FOR EACH ROW EXECUTE FUNCTION change()", 'statement'
	],
	[
		'transition', "CREATE TABLE %1\$s ($columns);
		CREATE TRIGGER a AFTER INSERT ON %1\$s REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_rows()",
		'statement'
	],
	[
		'ignoring', "CREATE TABLE %1\$s ($columns); CREATE UNIQUE INDEX ON %1\$s (id);
		INSERT INTO %1\$s SELECT g, 0, 'was here', 0 FROM generate_series(1, 100) g", 'statement',
		q{options => '{"on_conflict": "ignore"}'}
	],
	[
		'volatile', "CREATE TABLE %1\$s ($columns, stamp timestamptz DEFAULT clock_timestamp())", 'statement'
	],
);

# Each target has a twin, which gets its rows by SQL.
for (@targets)
{
	my ($name, $definition, $gear, $arguments) = @$_;
	my $options = $arguments ? ", $arguments" : '';
	$node->safe_psql('postgres', sprintf($definition, $_)) for $name, "twin_$name";
	my ($status, $out, $err) = $node->psql('postgres', "SELECT sluice.create_job('$name', 'src', '$name'$options)");
	is($status, 0, "$name: create_job") or diag($err);
	like($node->safe_psql('postgres', "SELECT sluice.explain_job('$name')"), qr/^Gear: $gear/m, "$name: gear $gear");
	$node->safe_psql('postgres', "SELECT sluice.start_job('$name')");
}

for (@targets)
{
	my ($name, undef, undef, $arguments) = @$_;
	wait_until($node, "SELECT sum(rows_total) FROM sluice.progress WHERE job_name = '$name'", $count, name => "$name reads all");
	my $ignore = $arguments ? 'ON CONFLICT DO NOTHING' : '';
	$node->safe_psql('postgres', qq{INSERT INTO twin_$name (id, kind, "The name", price) SELECT * FROM src $ignore});
	my $rows = sub {
		my ($table) = @_;
		my $generated = $name eq 'partitioned' ? ', twice, note' : '';
		return $node->safe_psql('postgres', qq{
			SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text))
			  FROM (SELECT replace(tableoid::regclass::text, 'twin_', ''), id, kind, "The name", price $generated FROM $table) r});
	};
	is($rows->($name), $rows->("twin_$name"), "$name has the rows of a plain INSERT");
	my $logged = sub { return $node->safe_psql('postgres', "SELECT count(*) FROM log WHERE line LIKE '$_[0]%'"); };
	is($logged->($name), $logged->("twin_$name"), "$name: triggers have fired as often");
	is($node->safe_psql('postgres',
			"SELECT sum(rows_written), sum(rows_inserted), sum(rows_unchanged) FROM sluice.progress WHERE job_name = '$name'"),
		$node->safe_psql('postgres', "SELECT n, n, $count - n FROM (SELECT count(*) AS n FROM $name"
			  . ($arguments ? " WHERE \"The name\" <> 'was here'" : '') . ') c'),
		"$name: numbers");
}

done_testing();
