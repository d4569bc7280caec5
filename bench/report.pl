# Reads the lines of a bench run and prints its tables as Markdown.
# A line: pair, contender, round, rows, seconds, CPU ticks, rows at the end, checksum, transactions, stages; tabs between.
use strict;
use warnings;
use POSIX ();

my %title = (
	insert       => 'Insert, no index',
	merge_empty  => 'Merge into an empty table',
	merge_filled => 'Merge into a filled table');
my %name = (
	job    => 'sluice job',
	copy   => '`COPY` from a file',
	select => '`INSERT … SELECT DISTINCT ON … ON CONFLICT` from staging');
my $hz = POSIX::sysconf(POSIX::_SC_CLK_TCK());

my (%runs, @pairs);
while (my $line = <STDIN>)
{
	chomp $line;
	my ($pair, $contender, undef, $rows, $seconds, $ticks, $count, undef, $transactions, $stages) = split /\t/, $line;
	push @pairs, $pair unless $runs{$pair};
	push @{ $runs{$pair}{$contender} },
	  { rate => $rows / $seconds, cpu => $ticks / $hz, rows => $rows, count => $count,
		transactions => $transactions, stages => $stages // '' };
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

for my $pair (@pairs)
{
	my $first = (values %{ $runs{$pair} })[0][0];
	printf "\n## %s\n\n%s rows in, %s rows in the table after it.\n\n", $title{$pair}, thousands($first->{rows}),
	  thousands($first->{count});
	print "| contender | rows/s: min – median – max | CPU s | rows a transaction | ms by stage |\n|---|---|---|---|---|\n";
	my %rate;
	for my $contender (sort { ($a eq 'job') <=> ($b eq 'job') } keys %{ $runs{$pair} })
	{
		my @runs = @{ $runs{$pair}{$contender} };
		my @rates = sort { $a <=> $b } map { $_->{rate} } @runs;
		$rate{$contender} = median(@rates);
		printf "| %s | %s – **%s** – %s | %.2f | %s | %s |\n", $name{$contender}, thousands($rates[0]),
		  thousands($rate{$contender}), thousands($rates[-1]), median(map { $_->{cpu} } @runs),
		  thousands(median(map { $_->{rows} / $_->{transactions} } @runs)), $runs[-1]{stages};
	}
	my ($other) = grep { $_ ne 'job' } keys %rate;
	printf "\nThe job's median is **%.2f** of the other's.\n", $rate{job} / $rate{$other};
}
