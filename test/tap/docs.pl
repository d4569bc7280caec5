# The manual against the catalog: everything that exists is documented, nothing else is, and the examples run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('docs');
my $brokers = kafka_address();

my %pages = map { my ($name) = m{([^/]+)$}; $name => slurp_file($_) } glob source_path('docs') . '/*.md';
cmp_ok(scalar keys %pages, '>=', 12, 'the manual is there');

# A section of a page: from a heading to the next one of the same or a higher level.
sub section
{
	my ($page, $heading) = @_;
	my ($level, $text) = $pages{$page} =~ /^(#+) \Q$heading\E$(.*)/ms or return '';
	my $depth = length $level;
	$text =~ s/^#{1,$depth} .*//ms;
	return $text;
}

# Headings of some level, in alphabetical order.
sub headings { my ($page, $level) = @_; return sort $pages{$page} =~ /^#{$level} (.+)$/mg; }

# Rows of the tables in a text, without their heads: cells without blanks around them.
sub rows
{
	my @rows;
	for my $line (split /\n/, $_[0])
	{
		if ($line =~ /^\|-/) { pop @rows; next; }
		next unless $line =~ /^\|(.*)\|$/;
		push @rows, [ map { s/^\s+|\s+$//gr } split /\|/, $1 ];
	}
	return @rows;
}

# The words in backticks in the first cells.
sub names { return map { $_->[0] =~ /`([^`]+)`/ ? $1 : () } rows($_[0]); }

sub same
{
	my ($documented, $existing, $name) = @_;
	is("@{[ sort @$documented ]}", "@{[ sort @$existing ]}", $name);
	return;
}

sub query { return split /\n/, $node->safe_psql('postgres', $_[0]); }

sub error_of
{
	my ($ret, $out, $err) = $node->psql('postgres', $_[0]);
	isnt($ret, 0, "refused: $_[0]");
	return $err;
}

# Functions and procedures, with all their arguments.
my @functions = query(q{SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'sluice'::regnamespace});
my @internal = qw(edit_error fdw_handler fdw_validator is_absent is_tombstone on_drop why_jobs_wait);
same([ grep { $_ ne 'Internal functions' } headings('functions.md', 2) ], [ grep { my $f = $_; !grep { $_ eq $f } @internal } @functions ],
	'functions.md has every function');
same([ headings('functions.md', 3) ], \@internal, 'and the internal ones');
for my $row (query(q{SELECT DISTINCT proname, unnest(proargnames) FROM pg_proc WHERE pronamespace = 'sluice'::regnamespace}))
{
	my ($function, $argument) = split /\|/, $row;
	like(section('functions.md', $function), qr/\b$argument\b/, "$function: $argument is documented");
}
for my $row (query(q{SELECT proname, pg_get_function_arguments(oid) FROM pg_proc WHERE pronamespace = 'sluice'::regnamespace}))
{
	my ($function, $arguments) = split /\|/, $row, 2;
	my $text = section('functions.md', $function) =~ s/\s+/ /gr;
	while ($arguments =~ /(?:^|, )(?:IN |INOUT )?("?\w+"? \w+(?:\[\])?)[^,]*? DEFAULT ([^,]+)/g)
	{
		my ($argument, $default) = ($1, $2 =~ s/::.*//r);
		next if $default eq 'NULL';
		$default =~ s/^'00:01:00'$/'1 minute'/;
		next if $function eq 'alter_job' && $argument eq 'check_broker boolean';
		like($text, qr/\Q$argument\E DEFAULT \Q$default\E/, "$function: default of $argument");
	}
}

# Views, with all their columns and types in order.
my @views = query(q{SELECT relname FROM pg_class WHERE relnamespace = 'sluice'::regnamespace AND relkind = 'v'});
same([ headings('views.md', 2) ], \@views, 'views.md has every view');
for my $view (@views)
{
	my @documented = map { ($_->[0] =~ tr/`//dr) . ' ' . $_->[1] } rows(section('views.md', $view));
	my @existing = query(qq{SELECT attname || ' ' || format_type(atttypid, atttypmod)
			FROM pg_attribute WHERE attrelid = 'sluice.$view'::regclass AND attnum > 0 ORDER BY attnum});
	s/timestamp with time zone/timestamptz/ for @existing;
	is(join("\n", @documented), join("\n", @existing), "$view: columns");
}

# Settings.
same([ headings('settings.md', 2) ], [ query(q{SELECT name FROM pg_settings WHERE name LIKE 'sluice.%'}) ],
	'settings.md has every setting');

# Options of the foreign data wrapper, as its errors list them.
$node->safe_psql('postgres', "CREATE SERVER kafka FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers')");
my $wrapper = 'FOREIGN DATA WRAPPER sluice_fdw OPTIONS';
sub listed { my ($err, $before) = @_; return $err =~ /\Q$before\E ([^.]*)\./ ? split(/, /, $1) : (); }

same([ names(section('options.md', 'Server options')) ],
	[ grep { !/ / } listed(error_of("CREATE SERVER s $wrapper (broker 'x')"), 'Options of a server:') ], 'options of a server');
same([ names(section('options.md', 'Foreign table options')) ],
	[ listed(error_of("CREATE FOREIGN TABLE t (a int) SERVER kafka OPTIONS (topic 'a', format 'csv', zzz 'x')"), 'Options of a foreign table:') ],
	'options of a foreign table');
same([ names(section('options.md', 'Column options')) ],
	[ listed(error_of("CREATE FOREIGN TABLE t (a int OPTIONS (zzz 'x')) SERVER kafka OPTIONS (topic 'a', format 'csv')"), 'Options of a column:') ],
	'options of a column');

same([ names(section('options.md', 'User mapping options')) ],
	[ grep { !/ / } listed(error_of("CREATE USER MAPPING FOR PUBLIC SERVER kafka OPTIONS (registry_pasword 'x')"), 'Options of a user mapping:') ],
	'options of a user mapping');

my %scopes;
for my $row (rows(section('options.md', 'Kafka properties')))
{
	my ($name, $scope) = ($row->[0] =~ tr/`//dr =~ tr/./_/r, $row->[1]);
	push @{ $scopes{$_} }, $name for split /, /, $scope;
}
same($scopes{server}, [ listed(error_of("CREATE SERVER s $wrapper (brokers 'x', zzz 'x')"), 'A server may have:') ],
	'Kafka properties of a server');
same($scopes{'user mapping'}, [ listed(error_of("CREATE USER MAPPING FOR PUBLIC SERVER kafka OPTIONS (zzz 'x')"), 'A user mapping may have:') ],
	'Kafka properties of a user mapping');
for my $property (@{ $scopes{server} })
{
	my ($ret, $out, $err) = $node->psql('postgres', qq{BEGIN; CREATE FOREIGN TABLE t (a int) SERVER kafka
		OPTIONS (topic 'a', format 'csv', $property '1000'); ROLLBACK});
	my $allowed = $err !~ /is not an option of a foreign table/;
	is($allowed ? 'table' : 'elsewhere', (grep { $_ eq $property } @{ $scopes{table} }) ? 'table' : 'elsewhere', "scope of $property");
}

# Job options: names, ranges, defaults.
create_topic('orders', 1);
$node->safe_psql('postgres', q{
	CREATE FOREIGN TABLE orders_src (id bigint, version bigint, price numeric(10,2), status text, note text,
		kafka_offset bigint OPTIONS (metadata 'offset')) SERVER kafka OPTIONS (topic 'orders', format 'csv');
	CREATE TABLE orders (id bigint PRIMARY KEY, version bigint NOT NULL, price numeric(10,2), status text, note text);
	CREATE TABLE profiles (user_id bigint PRIMARY KEY, profile text);
	CREATE SCHEMA shop CREATE TABLE orders (id bigint PRIMARY KEY, version bigint, price numeric(10,2), status text, note text);
});
sub create_with { return qq{SELECT sluice.create_job('options', 'orders_src', 'orders', options => '{$_[0]}', check_broker => false)}; }

my @options = rows(section('options.md', 'Job options'));
same([ map { $_->[0] =~ tr/`//dr } @options ], [ listed(error_of(create_with('"zzz": 1')), 'Job options:') ], 'job options');
for my $row (@options)
{
	my ($name, undef, $range) = map { tr/`//dr } @$row;
	my $err = error_of(create_with($name eq 'group_id' ? '"group_id": "\u0001"' : qq{"$name": "?"}));
	my ($existing) = $err =~ /The range is (.*)\./;
	$existing .= ', or auto' if $existing && $err =~ / or auto, not/;
	($existing) = $err =~ / must be (.*), not "/ unless $existing;
	is($range, $existing, "range of $name");
}
$node->safe_psql('postgres', create_with(join ', ', map { my ($n, undef, undef, $d) = map { tr/`//dr } @$_; qq{"$n": "} . ($d eq 'empty' ? '' : $d) . '"' } @options));
is($node->safe_psql('postgres', "SELECT definition -> 'options' FROM sluice.jobs"), '{}', 'the documented defaults are the defaults');
$node->safe_psql('postgres', "SELECT sluice.drop_job('options')");

# Keys of YAML, as its errors list them.
sub yaml_keys
{
	my $err = error_of("SELECT sluice.create_job_from_yaml('y', '$_[0]')");
	return listed($err, 'Keys known here:');
}
my @outer = yaml_keys('ZZZ: 1');
my @sections = yaml_keys('KAFKA: {ZZZ: 1}');
my %inside = map { $_ => 1 } @sections;
same([ names(section('yaml.md', 'Top level')) ], [ grep { !$inside{$_} } @outer ], 'YAML: top level');
like($pages{'yaml.md'}, qr/`$_`/, "YAML: $_ is documented") for @sections;
my %documents = (
	INPUT => 'INPUT: {ZZZ: 1}', SOURCE => 'INPUT: {SOURCE: {ZZZ: 1}}', 'VALUE and KEY' => 'INPUT: {VALUE: {ZZZ: 1}}',
	META => 'INPUT: {META: {ZZZ: 1}}', OUTPUT => 'OUTPUT: {ZZZ: 1}', METADATA => 'METADATA: {ZZZ: 1}', COMMIT => 'COMMIT: {ZZZ: 1}',
	POLL => 'POLL: {ZZZ: 1}', SCHEDULE => 'SCHEDULE: {ZZZ: 1}');
same([ names(section('yaml.md', $_)) ], [ yaml_keys($documents{$_}) ], "YAML: $_") for sort keys %documents;
like(section('yaml.md', 'VALUE and KEY'), qr/`$_`/, "YAML: $_ is documented")
  for yaml_keys('INPUT: {VALUE: {FORMAT: csv, CSV_OPTION: {ZZZ: 1}}}'), yaml_keys('INPUT: {VALUE: {COLUMNS: [{ZZZ: 1}]}}');
like(section('yaml.md', 'META'), qr/`METADATA`/, 'YAML: METADATA of a column');
same([ yaml_keys('OPTIONS: {ZZZ: 1}') ], [ map { $_->[0] =~ tr/`//dr } @options ], 'YAML: OPTIONS takes every job option');
my ($document) = $pages{'yaml.md'} =~ /^```yaml\n(.*?)^```/ms;
$node->safe_psql('postgres', "SELECT sluice.create_job_from_yaml('document', \$yaml\$$document\$yaml\$, check_broker => false)");
pass('the document of yaml.md is accepted');
$node->safe_psql('postgres', "SELECT sluice.drop_job('document')");

# Links between the manual and the README lead somewhere.
$pages{'../README.md'} = slurp_file(source_path('README.md'));
for my $page (sort keys %pages)
{
	my $text = $pages{$page} =~ s/^```.*?^```//gmsr;
	my $from = $page eq '../README.md' ? 'docs/' : '';
	while ($text =~ /\]\($from((?:\.\.\/)?\w*(?:\.md)?)(?:#([^)]*))?\)/g)
	{
		my ($file, $anchor) = ($1 || $page, $2);
		next if $file eq '../examples';
		ok(exists $pages{$file}, "$page: $file exists") or next;
		next unless $anchor;
		my @anchors = map { lc($_) =~ tr/a-z0-9_ -//cdr =~ tr/ /-/r } $pages{$file} =~ /^#+ (.+)$/mg;
		ok((grep { $_ eq $anchor } @anchors), "$page: $file#$anchor exists");
	}
}

# The examples run. Each function's begins with a fresh job, brought to where the example starts.
my $fresh = q{SELECT sluice.drop_job(job_name) FROM sluice.jobs; TRUNCATE orders;
	SELECT sluice.create_job('orders', 'orders_src', 'orders', 'merge', order_columns => '{version}');};
my $start = q{SELECT sluice.start_job('orders');};
produce('orders', [ map { [ 0, undef, $_ == 6 ? '4,1,cheap,new,' : "$_,1,1.00,new,x" ] } 0 .. 7 ]);
my %prepare = (
	create_job => q{SELECT sluice.drop_job('orders');},
	create_job_from_yaml => '',
	pause_job => $start, wait_for_offset => $start, resume_job => $start,
	wait_for_state => q{SELECT sluice.alter_job('orders', options => '{"error_limit": 5}');} . $start,
	run_job => q{SELECT sluice.alter_job('orders', options => '{"error_limit": 5}');},
	skip_offset => $start . q{CALL sluice.wait_for_state('orders', 'ERROR');},
	replay_errors => $start . q{CALL sluice.wait_for_state('orders', 'ERROR');});
for my $function (headings('functions.md', 2))
{
	my @blocks = section('functions.md', $function) =~ /^```sql\n(.*?)^```/msg or next;
	for my $block (@blocks)
	{
		$block =~ s/localhost:9092/$brokers/;
		create_topic('profiles', 1) if $function eq 'create_job_from_yaml';
		# The example waits for messages that it does not send.
		$block =~ s/max_messages => 1000/max_messages => 1/;
		produce('orders', [ [ 0, undef, '8,1,1.00,new,x' ] ]) if $function eq 'run_job';
		# One statement at a time: procedures must not be in a transaction block.
		my $all = "$fresh\n" . ($prepare{$function} // '') . "\n$block";
		if ($function eq 'run_job')
		{
			my ($first, $second) = split /\n/, $block;
			my ($ret, $out, $err) = $node->psql('postgres', "$fresh\n$prepare{run_job}\n$first", on_error_stop => 1);
			is($ret, 0, "example of $function: $first") or diag($err);
			produce('orders', [ [ 0, undef, '9,1,1.00,new,x' ] ]);
			$all = $second;
		}
		my ($ret, $out, $err) = $node->psql('postgres', $all, on_error_stop => 1);
		is($ret, 0, "example of $function") or diag($err);
	}
}
for my $page ('operations.md', 'errors.md', 'options.md', 'formats.md', 'schemas.md')
{
	for my $block ($pages{$page} =~ /^```sql\n(.*?)^```/msg)
	{
		my ($ret, $out, $err) = $node->psql('postgres', "CREATE ROLE etl; $fresh BEGIN; DELETE FROM sluice.schema; DROP SERVER IF EXISTS secure; "
			  . ($block =~ /CREATE SERVER kafka/ ? 'ALTER SERVER kafka RENAME TO other; ' : '') . "$block; ROLLBACK; DROP ROLE etl", on_error_stop => 1);
		is($ret, 0, "example in $page: " . (split /\n/, $block)[0]) or diag($err);
	}
}

$node->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()');
done_testing();
