# csv and delimited mean what COPY means: the same random and hostile rows go through COPY into columns of type text
# and through the decoder, and cells, NULLs and errors are compared. A seed in SLUICE_TEST_SEED repeats a run.
use strict;
use warnings;

use SluiceTest;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $rows_per_set = $ENV{SLUICE_PARITY_ROWS} // 900;
my $seed = $ENV{SLUICE_TEST_SEED} // time;
srand($seed);
note("seed $seed");

# COPY's delimiter is one byte. For a longer one COPY reads the rows with this byte in its place, which no row contains
# otherwise; neither do rows contain the characters of kLong.
my $kPlaceholder = "\x01";
my $kLong = '<=>';

# One set of options each; "long" decodes with kLong as delimiter.
my @sets = (
	(map { { format => 'csv', columns => $_ } } 1, 2, 3, 5),
	{ format => 'csv', columns => 3, delimiter => ';' },
	{ format => 'csv', columns => 3, delimiter => "\t", null => '\N' },
	{ format => 'csv', columns => 3, quote => q{'} },
	{ format => 'csv', columns => 3, escape => '\\' },
	{ format => 'csv', columns => 3, quote => q{'}, escape => '!', null => '!' },
	{ format => 'csv', columns => 2, escape => ',' },
	{ format => 'csv', columns => 3, null => 'nil' },
	{ format => 'csv', columns => 3, null => ' ' },
	{ format => 'csv', columns => 3, force_null => [ 1, 3 ] },
	{ format => 'csv', columns => 3, force_not_null => [ 2, 3 ] },
	{ format => 'csv', columns => 3, null => 'nil', force_null => [ 1, 2 ], force_not_null => [ 2, 3 ] },
	{ format => 'csv', columns => 3, null => 'nil', escape => '\\', force_null => [ 1, 2, 3 ] },
	{ format => 'csv', columns => 3, delimiter => 'a', quote => 'b', escape => 'c', null => 'nn' },
	{ format => 'csv', columns => 3, long => 1 },
	{ format => 'csv', columns => 3, long => 1, quote => q{'}, escape => '\\', null => 'nil', force_null => [2] },
	(map { { format => 'text', columns => $_ } } 1, 2, 3, 5),
	{ format => 'text', columns => 3, delimiter => '|' },
	{ format => 'text', columns => 3, delimiter => 'A', null => '' },
	{ format => 'text', columns => 3, delimiter => ',', null => 'nil' },
	{ format => 'text', columns => 3, null => '\\\\' },
	{ format => 'text', columns => 3, long => 1 },
	{ format => 'text', columns => 2, long => 1, null => 'nil' },
);

# ---- rows

sub pick { return $_[ int rand @_ ]; }

# Pieces of which hostile text is made; the set's own special ones come often.
sub pieces
{
	my ($set) = @_;
	my @special = (
		$set->{delimiter} // ($set->{format} eq 'csv' ? ',' : "\t"), $set->{quote} // '"',
		$set->{escape} // '\\', $set->{null} // ($set->{format} eq 'csv' ? '""' : '\N'));
	$special[0] = $kPlaceholder if $set->{long};
	my @sequences = map { '\\' . $_ } qw(b f n r t v N \\ x 0 7 x4 x41 x41F x00 xff xc3 xc3\xa9 12 101 1234 377 8 é), "\t", "\n", "\r", ',';
	my @plain = (
		'a', 'b', 'c', 'n', 'N', 'x', '0', '7', 'A', 'nil', ' ', '.', ',', "\t", '"', q{'}, '|', ';', '!', '""', "\n",
		"\r", "\r\n", "\x7f", "\x1f", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80", 'x' x 70);
	my @bad = ("\x00", "\xff", "\xc3", "\xa9", "\xed\xa0\x80", "\xc0\x80", "\xf0\x9f");
	return { special => \@special, sequences => \@sequences, plain => \@plain, bad => \@bad };
}

sub hostile_text
{
	my ($pieces, $length) = @_;
	my $text = '';
	for (1 .. $length)
	{
		my $dice = rand;
		my $kind = $dice < 0.4 ? 'special' : $dice < 0.6 ? 'sequences' : $dice < 0.995 ? 'plain' : 'bad';
		$text .= pick(@{ $pieces->{$kind} });
	}
	return $text;
}

# A column as a producer would write it, more or less.
sub column
{
	my ($set, $pieces) = @_;
	my ($delimiter, $quote, $escape, $null) = @{ $pieces->{special} };
	my $dice = rand;
	return $null if $dice < 0.15;
	return '' if $dice < 0.2;
	return $quote . $null . $quote if $dice < 0.3;
	my $text = join '', map { pick(@{ $pieces->{plain} }) } 1 .. 1 + int rand 4;
	return $text if $dice < 0.4;
	if ($set->{format} eq 'csv')
	{
		my $shield = $set->{escape} // $quote;
		$text =~ s/([\Q$quote$shield\E])/$shield$1/g;
		return $quote . $text . $quote;
	}
	$text =~ s/([\\\n\r\t]|\Q$delimiter\E)/\\$1/g;
	return $text;
}

sub row
{
	my ($set, $pieces) = @_;
	return hostile_text($pieces, int rand 12) if rand() < 0.4;
	my $columns = $set->{columns} + (rand() < 0.1 ? pick(-1, 1) : 0);
	my $row = join $pieces->{special}[0], map { column($set, $pieces) } 1 .. $columns;
	substr($row, int rand(1 + length $row), pick(0, 1)) = hostile_text($pieces, pick(0, 1)) if rand() < 0.3;
	return $row;
}

# A message is one row whatever it contains; COPY sees a line end outside quotes, or one without a backslash, as the end
# of a row, and \. as the end of its input. Takes those out, and says whether a line end after the row would be one.
sub one_line
{
	my ($set, $row) = @_;
	$row =~ tr/<=>/zzz/;
	$row =~ s/\Q$kPlaceholder\E/z/g unless $set->{long};
	if ($set->{format} eq 'text')
	{
		$row =~ s/\G((?:[^\\\r\n]|\\[^.])*)(?:[\r\n]|\\\.)/$1z/sg;
		my ($backslashes) = $row =~ /(\\*)\z/;
		return ($row, length($backslashes) % 2 == 0);
	}
	my $quote = $set->{quote} // '"';
	my $escape = $set->{escape} // $quote;
	$escape = '' if $escape eq $quote;
	my ($quoted, $escaped) = (0, 0);
	for my $i (0 .. length($row) - 1)
	{
		my $c = substr($row, $i, 1);
		$escaped = !$escaped if $quoted && $c eq $escape;
		$quoted = !$quoted if $c eq $quote && !$escaped;
		$escaped = 0 if $c ne $escape;
		substr($row, $i, 1) = 'z' if !$quoted && $c =~ /[\r\n]/;
	}
	$row =~ s/(^|[\r\n])\\\./$1\\z/g;
	return ($row, !$quoted);
}

# ---- both sides

sub sql_string { my ($text) = @_; return q{E'} . ($text =~ s/([\\'])/\\$1/gr =~ s/([\x00-\x1f])/sprintf '\\x%02x', ord $1/ger) . q{'}; }

sub copy_options
{
	my ($set) = @_;
	my @options = ("FORMAT $set->{format}", "ENCODING 'UTF8'");
	push @options, 'DELIMITER ' . sql_string($kPlaceholder) if $set->{long};
	for my $name (qw(delimiter quote escape null))
	{
		push @options, uc($name) . ' ' . sql_string($set->{$name}) if defined $set->{$name};
	}
	for my $name (qw(force_null force_not_null))
	{
		push @options, uc($name) . ' (' . join(', ', map { "c$_" } @{ $set->{$name} }) . ')' if $set->{$name};
	}
	return join ', ', @options;
}

sub decoder_spec
{
	my ($set) = @_;
	my %options = map { defined $set->{$_} ? ($_ => unpack 'H*', $set->{$_}) : () } qw(delimiter quote escape null);
	# A quote makes "delimited" read like csv.
	$options{quote} //= unpack 'H*', '"' if $set->{long} && $set->{format} eq 'csv';
	$options{delimiter} = unpack 'H*', $kLong if $set->{long};
	$options{$_} = join ',', @{ $set->{$_} } for grep { $set->{$_} } qw(force_null force_not_null);
	my $format = $set->{format} eq 'csv' && !$set->{long} ? 'csv' : 'delimited';
	return join ' ', 'spec', $format, $set->{columns}, map { "$_=$options{$_}" } sort keys %options;
}

sub decode_all
{
	my ($input) = @_;
	my ($output, $errors) = ('', '');
	IPC::Run::run([ 'decode_tool' ], '<', \$input, '>', \$output, '2>', \$errors)
	  or die "decode_tool: $errors";
	return split /\n/, $output;
}

my $node = new_node('copy', preload => 0, extension => 0);
my $files = PostgreSQL::Test::Utils::tempdir();
my $setup = 'CREATE TABLE answers (id int PRIMARY KEY, answer text);';
for my $columns (1 .. 5)
{
	$setup .= "CREATE TABLE t$columns (" . join(', ', map { "c$_ text" } 1 .. $columns) . ');'
	  . "CREATE VIEW v$columns AS SELECT 'row'"
	  . join('', map { qq{ || coalesce(' :' || encode(convert_to(c$_, 'UTF8'), 'hex'), ' -')} } 1 .. $columns)
	  . " AS answer FROM t$columns;";
}
$node->safe_psql('postgres', $setup . q{
	CREATE PROCEDURE copy_all(columns int, options text, first int, last int) LANGUAGE plpgsql AS $$
	DECLARE
		answer text;
	BEGIN
		FOR id IN first .. last LOOP
			BEGIN
				EXECUTE format('COPY t%s FROM %L WITH (%s)', columns, '} . $files . q{/' || id, options);
				EXECUTE format('SELECT string_agg(answer, E''\n'') FROM v%s', columns) INTO answer;
				EXECUTE format('DELETE FROM t%s', columns);
			EXCEPTION WHEN OTHERS THEN
				answer := format('error %s %s', SQLSTATE, SQLERRM);
			END;
			INSERT INTO answers VALUES (id, answer);
			IF id % 100 = 0 THEN COMMIT; END IF;
		END LOOP;
	END $$});

# ---- rows through both

my $id = 0;
my (@decoder_input, @calls, %row_of, %set_of);
for my $set (@sets)
{
	my $pieces = pieces($set);
	my $first = $id + 1;
	push @decoder_input, decoder_spec($set);
	for (1 .. $rows_per_set)
	{
		my ($row, $line_end_allowed) = one_line($set, row($set, $pieces));
		$id++;
		open my $file, '>:raw', "$files/$id" or die $!;
		print $file $row, $line_end_allowed ? "\n" : '';
		close $file;
		$row =~ s/$kPlaceholder/$kLong/g;
		$set_of{$id} = $set;
		$row_of{$id} = unpack 'H*', $row;
		push @decoder_input, "row $row_of{$id}";
	}
	push @calls, "CALL copy_all($set->{columns}, \$options\$" . copy_options($set) . "\$options\$, $first, $id);";
}
my @decoded = decode_all(join '', map { "$_\n" } @decoder_input);
$node->safe_psql('postgres', join "\n", @calls);
my %copied = map { split /\t/, $_, 2 } split /\n/,
  $node->safe_psql('postgres', q{SELECT id || E'\t' || replace(answer, E'\n', ' + ') FROM answers});

my ($different, $good, $errors) = (0, 0, 0);
$id = 0;
for my $i (0 .. $#decoded)
{
	if ($decoder_input[$i] =~ /^spec/)
	{
		is($decoded[$i], 'ok', "options are accepted: $decoder_input[$i]");
		next;
	}
	my $set = $set_of{ ++$id };
	my ($theirs, $ours) = ($copied{$id} // 'none', $decoded[$i]);
	my $place = unpack 'H*', $kPlaceholder;
	my $long = unpack 'H*', $kLong;
	$theirs =~ s/([0-9a-f]{2})/$1 eq $place ? $long : $1/ge if $set->{long} && $theirs =~ /^row/;
	my ($our_state) = $ours =~ /^error (\S+)/;
	my ($their_state) = $theirs =~ /^error (\S+)/;
	# COPY checks the encoding of the whole row first, the decoder column by column: either may find another error first.
	my $both_errors = $our_state && $their_state && ($our_state eq $their_state || $their_state eq '22021');
	$our_state ? $errors++ : $good++;
	next if $both_errors || $ours eq $theirs;
	diag("$decoder_input[$i]\n" . decoder_spec($set) . "\n  COPY: $theirs\n  ours: $ours") if $different++ < 10;
}
is($different, 0, "COPY and the decoder agree on $good rows and $errors errors");
cmp_ok($good, '>', 0.3 * $id, 'enough rows are good');
cmp_ok($errors, '>', 0.05 * $id, 'enough rows are bad');

# ---- options through both

my @characters = ('', ',', ';', "\t", '"', q{'}, '\\', 'a', 'N', '0', '.', "\n", "\r", '||', ' ');
my (@option_sets, $copy_input);
for (1 .. 600)
{
	my %set = (format => pick('csv', 'csv', 'text'), columns => 3);
	for my $name (qw(delimiter null quote escape))
	{
		next if $set{format} eq 'text' && $name =~ /quote|escape/ && rand() < 0.9;
		$set{$name} = pick(@characters) if rand() < 0.4;
	}
	$set{null} .= pick(@characters) if defined $set{null};
	for my $name (qw(force_null force_not_null))
	{
		$set{$name} = [ pick(1, 2, 3) ] if rand() < 0.05;
	}
	# What "delimited" adds: longer delimiters, quotes, and an escape that says what is true anyway.
	next if $set{format} eq 'text' && (length($set{delimiter} // 'x') > 1 || defined $set{quote} || ($set{escape} // '') eq '\\');
	push @option_sets, \%set;
}
my @refused = map { /^ok/ ? 'ok' : 'refused' } decode_all(join '', map { decoder_spec($_) . "\n" } @option_sets);
my $script = join '', map {
	"DO \$do\$ BEGIN COPY t3 FROM '/dev/null' WITH (" . copy_options($_) . "); RAISE NOTICE 'verdict ok';"
	  . " EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'verdict refused %', SQLERRM; END \$do\$;\n"
} @option_sets;
my ($out, $err) = ('', '');
$node->psql('postgres', $script, stdout => \$out, stderr => \$err);
my @verdicts = $err =~ /verdict (.*)/g;
is(scalar @verdicts, scalar @option_sets, 'COPY has a verdict on all options');
$different = 0;
for my $i (0 .. $#option_sets)
{
	my ($theirs) = $verdicts[$i] =~ /^(\w+)/;
	next if $refused[$i] eq $theirs;
	diag(decoder_spec($option_sets[$i]) . ": ours $refused[$i], COPY $verdicts[$i]") if $different++ < 10;
}
is($different, 0, 'COPY and the decoder accept and refuse the same options');

done_testing();
