# The promise of merge and update: whatever the batches, the table is what the events one by one would have made of it.
# Many jobs, each with another definition and another cut, read one topic of random events; a model in Perl applies the
# same events row at a time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use JSON::PP;
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SLUICE_TEST_SEED} // int(rand(1_000_000));
srand($seed);
note("SLUICE_TEST_SEED=$seed");

my $partitions = 3;
my $bursts = 6;
my $burst_size = 250;
my $node = new_node('merge_model', conf => "max_worker_processes = 50\n");
my $topic = new_topic('events', $partitions);
my $partial_topic = new_topic('partial_events', $partitions);
my $brokers = kafka_address();

# A key is one number in several spellings, which the index holds to be equal; all of them are in one partition.
sub random_key
{
	my $number = 1 + int(rand(25));
	return ($number, $number . ('', '.0', '.00')[ int(rand(3)) ]);
}

sub random_event
{
	my ($serial) = @_;
	my ($number, $key) = random_key();
	my %event = (number => $number, key => $key);
	return { %event, tombstone => 1 } if rand() < 0.08;
	return {
		%event,
		v => rand() < 0.9 ? int(rand(6)) : undef,
		w => rand() < 0.9 ? int(rand(3)) : undef,
		op => (qw(put put put put put delete new skip))[ int(rand(8)) ],
		a => "a$serial",
		b => "b$serial",
		# What only jobs over the second topic see: columns that the event does not tell.
		absent => { map { $_ => 1 } grep { rand() < 0.15 } qw(a b) },
	};
}

sub csv { my ($event) = @_; return join ',', map { $_ // '' } @$event{qw(v w op a b)}; }

sub json
{
	my ($event) = @_;
	my %value = map { $_ => $event->{$_} } qw(v w op a b);
	$value{$_} = '__debezium_unavailable_value' for keys %{ $event->{absent} };
	return encode_json(\%value);
}

sub not_older
{
	my ($event, $stored, @order) = @_;
	for my $column (@order)
	{
		my ($new, $old) = ($event->{$column} // -1, $stored->{$column} // -1);
		return $new > $old if $new != $old;
	}
	return 1;
}

# One event against the table: a hash by number. True: the event is a reject.
sub apply_event
{
	my ($table, $event, $job) = @_;
	my $stored = $table->{ $event->{number} };
	my @order = @{ $job->{order} };
	my %absent = $job->{partial} ? %{ $event->{absent} // {} } : ();
	if ($event->{tombstone})
	{
		delete $table->{ $event->{number} } if $job->{mode} eq 'merge';
		return 0;
	}
	return 0 if $event->{op} eq 'skip' && $job->{filter};
	if ($event->{op} eq 'delete' && $job->{deletes})
	{
		delete $table->{ $event->{number} } if $stored && not_older($event, $stored, @order);
	}
	elsif (!$stored)
	{
		return 1 if %absent && $job->{mode} eq 'merge';
		$table->{ $event->{number} } = { %$event } if $job->{mode} eq 'merge';
	}
	elsif (!($event->{op} eq 'new' && $job->{update_condition}) && not_older($event, $stored, @order))
	{
		$stored->{$_} = $event->{$_} for grep { !$absent{$_} } qw(v w a), $job->{insert_only} ? () : 'b';
	}
	return 0;
}

sub rows_of
{
	my ($table) = @_;
	return join "\n", map {
		my $row = $table->{$_};
		join '|', map { $_ // '' } @$row{qw(key v w a b)};
	} sort { $a <=> $b } keys %$table;
}

# The ways to write, by what the target is like.
my %targets = (
	on_conflict => '',
	update_then_insert => 'CREATE TRIGGER t BEFORE INSERT ON %1$s FOR EACH ROW EXECUTE FUNCTION pass_on();',
	without_index => 'ALTER TABLE %1$s DROP CONSTRAINT %1$s_pkey;',
	plain_index => 'ALTER TABLE %1$s DROP CONSTRAINT %1$s_pkey; CREATE INDEX ON %1$s (k);',
	partitioned => '',
);

$node->safe_psql('postgres', qq{
	CREATE FUNCTION told(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN IF \$1 IS NULL THEN RAISE ''not told''; END IF; RETURN \$1; END';
	CREATE FUNCTION pass_on() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE events_src (k text OPTIONS (source 'key'), v int, w int, op text, a text, b text)
		SERVER shop OPTIONS (topic '$topic', format 'csv', key_format 'text');
	CREATE FOREIGN TABLE partial_events_src (k text OPTIONS (source 'key'), v int, w int, op text, a text, b text)
		SERVER shop OPTIONS (topic '$partial_topic', format 'connect-json', key_format 'text');
});

my @jobs;
for my $target (sort keys %targets)
{
	for my $order ([], ['v'], [ 'v', 'w' ])
	{
		my $name = join '_', 'm', scalar @jobs, $target, scalar @$order;
		push @jobs,
		  {
			name => $name,
			target => $target,
			order => $order,
			mode => rand() < 0.8 ? 'merge' : 'update',
			insert_only => rand() < 0.5,
			update_condition => rand() < 0.5,
			filter => rand() < 0.8,
			partial => rand() < 0.5,
			upper => rand() < 0.5,
			max_count => rand() < 0.3 ? 100_000 : 1 + int(rand(60)),
			workers => $target =~ /index$/ ? 1 : 1 + int(rand(2)),
			table => {},
		  };
	}
}

for my $job (@jobs)
{
	$job->{deletes} = $job->{mode} eq 'merge' && rand() < 0.8;
	my $name = $job->{name};
	my $columns = 'k numeric NOT NULL, v int, w int, a text, b text';
	my $create =
	  $job->{target} eq 'partitioned'
	  ? "CREATE TABLE $name ($columns, PRIMARY KEY (k)) PARTITION BY RANGE (k);
		 CREATE TABLE ${name}_low PARTITION OF $name FOR VALUES FROM (0) TO (10);
		 CREATE TABLE ${name}_high (b text, a text, gone int, w int, v int, k numeric NOT NULL);
		 ALTER TABLE ${name}_high DROP gone;
		 ALTER TABLE $name ATTACH PARTITION ${name}_high FOR VALUES FROM (10) TO (1000);"
	  : "CREATE TABLE $name ($columns, CONSTRAINT ${name}_pkey PRIMARY KEY (k));" . sprintf $targets{ $job->{target} }, $name;
	my @arguments = (
		sprintf(q{'%1$s', '%2$s', '%1$s', '%3$s'}, $name, $job->{partial} ? 'partial_events_src' : 'events_src', $job->{mode}),
		"match_columns => '{k}'",
		sprintf(q{mapping => '{"k": "k::numeric", "v": "v", "w": "w", "a": "%s", "b": "b"}'}, $job->{upper} ? 'told(a)' : 'a'),
		sprintf(q{options => '{"max_count": "%d", "workers": "%d", "error_limit": "unlimited"}'}, $job->{max_count}, $job->{workers}),
	);
	push @arguments, "update_columns => '{v,w,a}'" if $job->{insert_only};
	push @arguments, sprintf "order_columns => '{%s}'", join ',', @{ $job->{order} } if @{ $job->{order} };
	push @arguments, q{filter => 'op <> ''skip'''} if $job->{filter};
	push @arguments, q{delete_condition => 'op = ''delete'''} if $job->{deletes};
	push @arguments, q{update_condition => 'op <> ''new'''} if $job->{update_condition};
	$job->{sql} = sprintf 'SELECT sluice.create_job(%s)', join ', ', @arguments;

	# Update mode has rows to begin with; so have half of the others.
	if ($job->{mode} eq 'update' || rand() < 0.5)
	{
		for my $number (grep { rand() < 0.6 } 1 .. 25)
		{
			$job->{table}{$number} = { key => $number, v => int(rand(6)), w => undef, a => 'old', b => 'old' };
			$create .= "INSERT INTO $name VALUES ($number, $job->{table}{$number}{v}, NULL, 'old', 'old');";
		}
	}
	$job->{rows_before} = keys %{ $job->{table} };
	my ($status, $out, $err) = $node->psql('postgres', "$create $job->{sql}; SELECT sluice.start_job('$name');");
	is($status, 0, "create $name") or diag("$job->{sql}\n$err");
}

# Events come in bursts, while the jobs run and are interrupted.
my @events;
for my $burst (1 .. $bursts)
{
	my @more = map { random_event(@events + $_) } 1 .. $burst_size;
	push @events, @more;
	produce($partial_topic, [ map { [ $_->{number} % $partitions, $_->{key}, $_->{tombstone} ? undef : json($_) ] } @more ]);
	produce($topic, [ map { [ $_->{number} % $partitions, $_->{key}, $_->{tombstone} ? undef : csv($_) ] } @more ]);
	my $job = $jobs[ int(rand(@jobs)) ]->{name};
	$node->safe_psql('postgres', "SELECT sluice.restart_job('$job')");
}

for my $job (@jobs)
{
	my $name = $job->{name};
	wait_until($node,
		"SELECT sum(messages) FROM sluice.progress WHERE job_name = '$name'",
		scalar @events, name => "$name reads everything", timeout => 60)
	  or do
	{
		diag($node->safe_psql('postgres', "TABLE sluice.job_status"));
		next;
	};
	my $rejects = grep { apply_event($job->{table}, $_, $job) } @events;
	is($node->safe_psql('postgres', "SELECT k, v, w, a, b FROM $name ORDER BY k"),
		rows_of($job->{table}), "$name is what the model says")
	  or diag("$job->{sql}\nmessages are those of SLUICE_TEST_SEED=$seed");

	my ($total, $rejected, $filtered, $inserted, $deleted) = split /\|/, $node->safe_psql('postgres',
		"SELECT sum(rows_total), sum(rows_rejected), sum(rows_filtered),
				CASE WHEN count(*) = count(rows_inserted) THEN sum(rows_inserted) END, sum(rows_deleted)
		   FROM sluice.progress WHERE job_name = '$name'");
	is("$total $rejected", @events . " $rejects", "$name: every row is counted once");
	is($filtered, $job->{filter} ? scalar(grep { ($_->{op} // '') eq 'skip' } @events) : 0, "$name: filtered rows");
	is($inserted - $deleted, keys(%{ $job->{table} }) - $job->{rows_before}, "$name: inserted and deleted rows")
	  if $inserted ne '';
}

done_testing();
