# Values that a change event does not tell, because the update did not touch them: the stored column stays as it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use JSON::PP ();
use PostgreSQL::Test::Utils;
use SluiceTest;
use Test::More;

my $node = new_node('unavailable');
my $brokers = kafka_address();
my $json = JSON::PP->new->canonical;
my $lsn = 0;

$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FUNCTION told(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN IF \$1 IS NULL THEN RAISE ''not told''; END IF; RETURN \$1; END';
	CREATE FUNCTION pass_on() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
	CREATE TABLE fired (id int, name text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.fired VALUES (new.id, tg_name); RETURN new; END';
});

sub query { return $node->safe_psql('postgres', $_[0]); }

# Events are [op, id, title, body]; a body of undef is one that the event does not tell.
sub message
{
	my ($op, $id, $title, $body) = @{ $_[0] };
	my $row = { id => $id, title => $title, body => $body // '__debezium_unavailable_value' };
	my $event = { op => $op, source => { lsn => ++$lsn }, before => undef, after => $row };
	($event->{before}, $event->{after}) = ($row, undef) if $op eq 'd';
	return [ 0, $json->encode({ id => $id }), $json->encode($event) ];
}

# A table, and a topic with events for it; `arguments` are those of create_job.
sub make
{
	my ($name, $events, %more) = @_;
	my $topic = new_topic($name, 1);
	produce($topic, [ map { message($_) } @$events ]);
	my $target = $more{target} // $name;
	my $mapping = $more{mapping} // '{"id": "id", "title": "title", "body": "body", "shout": "upper(told(body))", "lsn": "lsn"}';
	query(qq{
		CREATE FOREIGN TABLE ${name}_src (id int, title text, body text, op text OPTIONS (metadata 'op'), lsn bigint OPTIONS (metadata 'source.lsn'))
			SERVER shop OPTIONS (topic '$topic', format 'debezium-json');
		CREATE TABLE IF NOT EXISTS $target (id int PRIMARY KEY, title text, body text NOT NULL, shout text, lsn bigint);
	} . ($more{before} // '') . sprintf q{
		SELECT sluice.create_job('%1$s', '%1$s_src', '%2$s', '%3$s', mapping => '%4$s', options => '{"error_limit": "%5$s"}'%6$s)},
		$name, $target, $more{mode} // 'merge', $mapping, $more{error_limit} // 'unlimited', $more{arguments} // '');
	return $topic;
}

sub run { return $node->psql('postgres', "CALL sluice.run_job('$_[0]')"); }
sub rows { return query("SELECT id, title, body, shout FROM $_[0] ORDER BY id"); }
sub rejects { return query("SELECT kafka_offset, sqlstate, stage, column_name FROM sluice.errors WHERE job_name = '$_[0]' ORDER BY 1"); }

my @events = (
	[ 'c', 1, 'a', 'one' ], [ 'u', 1, 'b', undef ],                                   # after a whole row
	[ 'c', 2, 'a', 'two' ], [ 'u', 2, 'b', undef ], [ 'u', 2, 'c', 'second' ],        # before one
	[ 'c', 3, 'a', 'old' ], [ 'd', 3 ], [ 'c', 3, 'b', 'new' ], [ 'u', 3, 'c', undef ],
	[ 'u', 4, 'a', undef ], [ 'u', 4, 'b', undef ], [ 'c', 4, 'c', 'four' ], [ 'u', 4, 'd', undef ],    # the first two meet no row
	[ 'c', 5, 'a', 'five' ], [ 'd', 5 ], [ 'u', 5, 'b', undef ],
	[ 'u', 6, 'a', undef ]);
my $expected = "1|b|one|ONE\n2|c|second|SECOND\n3|c|new|NEW\n4|d|four|FOUR";
my $missing = join "\n", map { "$_|P0002|write|body" } 9, 10, 15, 16;

# Whatever the cut and the way to write.
my %ways = (
	whole => {},
	ordered => { arguments => ", order_columns => '{lsn}'" },
	single => { arguments => ", order_columns => '{lsn}'", max_count => 1 },
	triggered => { before => 'CREATE TRIGGER t BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION pass_on();' },
	unindexed => { before => 'ALTER TABLE unindexed DROP CONSTRAINT unindexed_pkey;', arguments => ", match_columns => '{id}'" });
for my $way (sort keys %ways)
{
	make($way, \@events, %{ $ways{$way} });
	query("SELECT sluice.alter_job('$way', options => '{\"max_count\": 1}')") if $ways{$way}{max_count};
	run($way);
	is(rows($way), $expected, "$way: columns that are not told stay as they are");
	is(rejects($way), $missing, "$way: without a row such an event is a reject");
	is(query("SELECT sum(messages) - sum(rows_total), sum(rows_rejected) FROM sluice.progress WHERE job_name = '$way'"), '0|4', "$way: the numbers add up");
}
my ($message, $detail, $hint) = split /\|/,
  query("SELECT error_message, error_detail, error_hint FROM sluice.errors WHERE job_name = 'whole' AND kafka_offset = 16");
is($message, 'the row is not in the target, and the event does not tell columns "body", "shout"', 'the reject says what is not known');
like($hint, qr/snapshot.*REPLICA IDENTITY FULL/, 'and how to go on');

# Rows that are there already; a column that is not touched is not written.
my @later = ([ 'u', 1, 'x', undef ], [ 'u', 2, 'x', 'y' ], [ 'u', 7, 'x', undef ]);
for my $mode (qw(merge update))
{
	make("later_$mode", \@later, mode => $mode, before => "INSERT INTO later_$mode VALUES (1, 'a', repeat('long', 5000), 'kept'), (2, 'a', 'b', 'c');
		CREATE TRIGGER body AFTER UPDATE OF body ON later_$mode FOR EACH ROW EXECUTE FUNCTION note();
		CREATE TRIGGER title AFTER UPDATE OF title ON later_$mode FOR EACH ROW EXECUTE FUNCTION note();
		TRUNCATE fired;");
	run("later_$mode");
	is(query("SELECT id, title, length(body), shout FROM later_$mode ORDER BY id"), "1|x|20000|kept\n2|x|1|Y", "$mode: stored rows keep what is not told");
	is(query('SELECT * FROM fired ORDER BY 1, 2'), "1|title\n2|body\n2|title", "$mode: only triggers of columns that are told run");
	is(rejects("later_$mode"), $mode eq 'merge' ? '2|P0002|write|body' : '', "$mode: a row that is not there");
	is(query("SELECT rows_updated, rows_unmatched, rows_rejected FROM sluice.progress WHERE job_name = 'later_$mode'"),
		$mode eq 'merge' ? '2|0|1' : '2|1|0', "$mode: is counted");
}

# A replay when the row is there, and one that is too old by then.
query("INSERT INTO later_merge VALUES (7, 'a', 'seven', 'SEVEN', 0)");
is(query("SELECT count(*) FROM sluice.replay_errors('later_merge')"), '1', 'replay');
is(rows('later_merge') =~ /^(7.*)/m && $1, '7|x|seven|SEVEN', 'a replay leaves the column, too');
query("INSERT INTO ordered VALUES (6, 'z', 'six', 'SIX', 1000000)");
query("SELECT sluice.replay_errors('ordered', filter => 'kafka_offset = 16')");
is(rows('ordered') =~ /^(6.*)/m && $1, '6|z|six|SIX', 'a replay does not touch a newer row');

# With order columns an older event changes nothing.
my @shuffled = map { [ 0, undef, $_ ] } (
	'{"op":"c","source":{"lsn":10},"after":{"id":1,"title":"a","body":"first"}}',
	'{"op":"u","source":{"lsn":30},"after":{"id":1,"title":"c","body":"__debezium_unavailable_value"}}',
	'{"op":"u","source":{"lsn":20},"after":{"id":1,"title":"b","body":"second"}}',
	'{"op":"u","source":{"lsn":25},"after":{"id":1,"title":"d","body":"__debezium_unavailable_value"}}');
my $topic = make('shuffled', [], arguments => ", order_columns => '{lsn}'");
produce($topic, \@shuffled);
run('shuffled');
is(rows('shuffled'), '1|c|first|FIRST', 'older events are stale');
is(query("SELECT rows_stale, rows_total FROM sluice.progress WHERE job_name = 'shuffled'"), '2|4', 'and counted');

# A job without an error limit stops at the first message that has no row, with everything before it written.
make('strict', [ [ 'c', 1, 'a', 'one' ], map { [ 'u', 2, $_, undef ] } 'a' .. 'j' ], error_limit => 0);
my ($status, $out, $err) = run('strict');
like($err, qr/the row is not in the target/, 'the job stops');
is(query("SELECT next_offset FROM sluice.progress WHERE job_name = 'strict'"), '1', 'at the first of them');
is(rows('strict'), '1|a|one|ONE', 'with everything before it');

# A row that another session inserts between the UPDATE and the look for it.
$topic = make('race', [], before => q{
	CREATE FUNCTION wait_race() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END';
	CREATE TRIGGER wait AFTER UPDATE ON race EXECUTE FUNCTION wait_race();});
my $other = $node->background_psql('postgres');
$other->query_safe('SELECT pg_advisory_lock(42)');
produce($topic, [ message([ 'u', 1, 'b', undef ]) ]);
query("SELECT sluice.start_job('race')");
wait_until($node, q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'}, '1', name => 'is between them');
$other->query_safe("INSERT INTO race VALUES (1, 'a', 'one', 'ONE'); SELECT pg_advisory_unlock(42)");
$other->quit;
wait_until($node, q{SELECT sum(messages) FROM sluice.progress WHERE job_name = 'race'}, '1', name => 'race reads it');
is(rows('race'), '1|b|one|ONE', 'a row that came in between is updated');
is(query("SELECT rows_updated, rows_rejected FROM sluice.progress WHERE job_name = 'race'"), '1|0', 'and counted');

# What decides over the event must be known.
my %needed = (
	filter => [ 'filter', ", filter => 'body <> ''x'''" ],
	delete_condition => [ 'delete_condition', ", delete_condition => 'body = ''x'''" ],
	update_condition => [ 'update_condition', ", update_condition => 's IS NOT NULL'" ],
	order_column => [ 'order column "body"', ", order_columns => '{body}'" ]);
for my $name (sort keys %needed)
{
	make("by_$name", [ [ 'c', 1, 'a', 'one' ], [ 'u', 1, 'b', undef ], [ 'c', 2, 'c', 'two' ] ], arguments => $needed{$name}[1]);
	run("by_$name");
	is(rows("by_$name"), "1|a|one|ONE\n2|c|two|TWO", "$name: others are applied");
	is(rejects("by_$name"), '1|0A000|decode|body', "$name: an event that does not tell the column is a reject");
	is(query("SELECT error_detail ~ 'It is needed by $needed{$name}[0]' AND error_hint ~ 'REPLICA IDENTITY FULL' FROM sluice.errors WHERE job_name = 'by_$name'"),
		't', "$name: which says what needs it");
}
make('inserts', [ [ 'c', 1, 'a', 'one' ], [ 'u', 2, 'b', undef ] ], mode => 'insert');
run('inserts');
is(rejects('inserts'), '1|0A000|decode|body', 'insert mode needs every column');
like(query("SELECT error_hint FROM sluice.errors WHERE job_name = 'inserts'"), qr/merge or update/, 'and names the modes that do not');
like(($node->psql('postgres', 'SELECT body FROM inserts_src'))[2], qr/column "body" is unavailable in the event.*offset 1/s, 'so does a SELECT');

# Trying and explaining.
my $event = $json->encode({ op => 'u', source => { lsn => 99 }, after => { id => 1, title => 'tried', body => '__debezium_unavailable_value' } });
is(query("SELECT outcome, \"row\" FROM sluice.test_job('whole', convert_to('$event', 'UTF8'))"), 'updated|{"id": 1, "lsn": 99, "title": "tried"}', 'test_job leaves the column out');
like(query("SELECT * FROM sluice.explain_job('whole')"), qr/^Unavailable values leave as they are: body, shout, title\n.*\nUPDATE public.whole t\n   SET lsn = b.lsn, title = b.title\n/ms,
	'explain_job shows the statement');
my ($refused, undef, $why) = $node->psql('postgres', q{SELECT sluice.is_absent('(0,1)', 1)});
like($why, qr/sluice.is_absent can only be called by the statements of a job/, 'is_absent is for statements of jobs');

done_testing();
