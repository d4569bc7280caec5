# Reads the lines of a bench run and prints its tables as Markdown, or with --ratios a line "case/contender ratio" for
# each contender but the first of its case.
# A line: case, contender, round, rows, seconds, CPU ticks of the client, of the backends, rows at the end, checksum,
# transactions, largest private memory of a worker in kB, stages; tabs between, - where there is nothing.
use strict;
use warnings;
use FindBin;
use POSIX ();

# What people read in place of the names of cases and contenders.
my %called;
open my $names, '<', "$FindBin::Bin/names.tsv" or die "names.tsv: $!";
while (my $line = <$names>)
{
	chomp $line;
	my ($what, $name, $text) = split /\t/, $line;
	$called{$what}{$name} = $text;
}
my $hz = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my $only_ratios = @ARGV && $ARGV[0] eq '--ratios';

# Contenders stay in the order in which the first round ran them.
my (%runs, @cases, %contenders);
while (my $line = <STDIN>)
{
	chomp $line;
	my %run;
	@run{qw(case contender round rows seconds client backend count checksum transactions memory stages)} = split /\t/, $line;
	$run{rate} = $run{rows} / $run{seconds};
	push @cases, $run{case} unless $contenders{ $run{case} };
	push @{ $contenders{ $run{case} } }, $run{contender} unless $runs{ $run{case} }{ $run{contender} };
	push @{ $runs{ $run{case} }{ $run{contender} } }, \%run;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);
	return @sorted % 2 ? $sorted[$middle] : ($sorted[ $middle - 1 ] + $sorted[$middle]) / 2;
}

sub thousands
{
	my $text = sprintf '%.0f', $_[0];
	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

# Each round is compared with the same round of the reference: what troubled the machine then troubled both.
sub ratio
{
	my ($runs, $reference) = @_;
	my %rate = map { $_->{round} => $_->{rate} } @$reference;
	return median(map { $_->{rate} / $rate{ $_->{round} } } @$runs);
}

sub cpu
{
	my ($runs, $field) = @_;
	return sprintf '%.2f', median(map { $_->{$field} / $hz / $_->{rows} * 1e6 } @$runs);
}

sub table
{
	my $case      = shift;
	my $reference = $runs{$case}{ $contenders{$case}[0] };
	my $first     = $reference->[0];
	my %sizes     = map { $_->{rows} => 1 } map { $_->[0] } values %{ $runs{$case} };
	printf "\n## %s\n\n", $called{case}{$case} // $case;
	printf '%s rows in, ', thousands($first->{rows}) if keys %sizes == 1;
	printf "%s rows in the table after it.\n\n", thousands($first->{count});
	print '| contender | rows/s: min – **median** – max | ratio | CPU s per million rows: client + backend |',
	  " rows a transaction | MB a worker | ms |\n|---|---|---|---|---|---|---|\n";
	for my $contender (@{ $contenders{$case} })
	{
		my @runs   = @{ $runs{$case}{$contender} };
		my @rates  = sort { $a <=> $b } map { $_->{rate} } @runs;
		my @commits = grep { $_->{transactions} ne '-' } @runs;
		my @memory = grep { $_ ne '-' } map { $_->{memory} } @runs;
		printf "| %s | %s – **%s** – %s | %.2f | %s + %s | %s | %s | %s |\n", $called{contender}{$contender} // $contender,
		  thousands($rates[0]), thousands(median(@rates)), thousands($rates[-1]), ratio(\@runs, $reference),
		  cpu(\@runs, 'client'), cpu(\@runs, 'backend'),
		  @commits ? thousands(median(map { $_->{rows} / ($_->{transactions} || 1) } @commits)) : '',
		  @memory ? thousands(median(@memory) / 1024) : '', $runs[-1]{stages} eq '-' ? '' : $runs[-1]{stages};
	}
}

for my $case (@cases)
{
	if (!$only_ratios) { table($case); next }
	my ($reference, @others) = @{ $contenders{$case} };
	printf "%s/%s %.2f\n", $case, $_, ratio($runs{$case}{$_}, $runs{$case}{$reference}) for @others;
}
