# Turns lines with tabs into rows of a Markdown table, min – **median** – max of the lines that agree in the key fields.
# usage: spread.pl KEY_FIELD,... FIELD[:DIGITS[:FACTOR]]... <lines; fields count from 0
use strict;
use warnings;

my @keys   = split /,/, shift;
my @fields = map { [ split /:/ ] } @ARGV;
my (%groups, @order);
while (my $line = <STDIN>)
{
	chomp $line;
	my @values = split /\t/, $line;
	my $key = join ' | ', @values[@keys];
	push @order, $key unless $groups{$key};
	push @{ $groups{$key} }, \@values;
}

sub thousands
{
	my ($text) = @_;
	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

for my $key (@order)
{
	my @cells;
	for my $field (@fields)
	{
		my ($number, $digits, $factor) = @$field;
		my @sorted = sort { $a <=> $b } grep { $_ ne '-' } map { $_->[$number] } @{ $groups{$key} };
		my @shown = map { thousands(sprintf '%.*f', $digits // 0, $_ * ($factor // 1)) }
		  @sorted ? ($sorted[0], $sorted[ int($#sorted / 2) ], $sorted[-1]) : ();
		push @cells, @sorted > 1 ? "$shown[0] – **$shown[1]** – $shown[2]" : $shown[0] // '';
	}
	print "| $key | ", join(' | ', @cells), " |\n";
}
