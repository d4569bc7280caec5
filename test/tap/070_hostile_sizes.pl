# Messages of hostile sizes and bytes in live jobs, and a disk that is full: each has one defined outcome.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use Digest::MD5 qw(md5_hex);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('sizes');
my $brokers = kafka_address();
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement); }
sub status_of { my ($column, $job) = @_; return "SELECT $column FROM sluice.job_status WHERE job_name = '$job'"; }
sql("CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers')");

# One topic into four tables: as text and as bytes, inserted and merged.
my $topic = new_topic('sizes', 1, { 'max.message.bytes' => 20971520 });
for my $type ('text', 'bytea')
{
	my $format = $type eq 'text' ? 'text' : 'binary';
	sql(qq{
		CREATE FOREIGN TABLE ${type}_src (o bigint OPTIONS (metadata 'offset'), k $type OPTIONS (source 'key'), v $type)
			SERVER shop OPTIONS (topic '$topic', format '$format', key_format '$format');
		CREATE TABLE ${type}_insert (o bigint, v $type);
		CREATE TABLE ${type}_merge (k $type PRIMARY KEY, v $type);
		SELECT sluice.create_job('${type}_insert', '${type}_src', '${type}_insert', options => '{"error_limit": "unlimited"}');
		SELECT sluice.create_job('${type}_merge', '${type}_src', '${type}_merge', mode => 'merge',
			options => '{"error_limit": "unlimited"}')});
}
my $large = "\xc3\xa9 and 30 bytes more of a value\n" x 320_000;
my $later = $large . 'later';
my $broken = $large . "\xc3";
my @messages = (
	[ 'a', 'good' ], [ 'large', $large ], [ 'empty', '' ], [ 'null', undef ], [ 'nul', "a\0b" ], [ 'invalid', "ok\xff\xfe" ],
	[ 'broken', $broken ], [ 'a', undef ], [ 'large', $later ], [ "k\0", 'nul in key' ], [ "\xff", 'invalid key' ],
	[ '', 'empty key' ], [ undef, 'null key' ], [ 'z', 'good too' ]);
produce($topic, [ map { [ 0, @$_ ] } @messages ]);
sql('SELECT sluice.start_job(job_name) FROM sluice.jobs');
for my $job ('text_insert', 'bytea_insert', 'text_merge', 'bytea_merge')
{
	wait_until($node, "SELECT next_offset FROM sluice.progress WHERE job_name = '$job'", scalar @messages,
		name => "$job has read everything");
	is(sql(status_of('state', $job)), 'RUNNING', "$job still runs");
}

# What is in a table: the place of each message, and a digest of its bytes.
sub digest { my ($bytes) = @_; return !defined $bytes ? 'null' : $bytes eq '' ? 'empty' : md5_hex($bytes); }
sub inserted { return join ' ', map { "$_:" . digest($messages[$_][1]) } @_; }
my $shown = q{CASE WHEN v IS NULL THEN 'null' WHEN length(v) = 0 THEN 'empty' ELSE md5(v) END};
my $rows = "SELECT string_agg(o || ':' || $shown, ' ' ORDER BY o) FROM ";
is(sql("$rows text_insert"), inserted(0 .. 2, 8 .. 13), 'text, inserted: 10 MB and empty; a null value is no row, what is no text is missing');
is(sql("$rows bytea_insert"), inserted(0 .. 2, 4 .. 6, 8 .. 13), 'bytea, inserted: every byte of every value');

my $pairs = "SELECT string_agg(encode(k::bytea, 'escape') || ':' || $shown, ' ' ORDER BY k::bytea) FROM ";
is(sql("$pairs text_merge"), join(' ', ':' . digest('empty key'), 'empty:empty', 'large:' . digest($later), 'z:' . digest('good too')),
	'text, merged: a null value has deleted, the later 10 MB are there');
is(sql("$pairs bytea_merge"),
	join(' ', ':' . digest('empty key'), 'broken:' . digest($broken), 'empty:empty', 'invalid:' . digest("ok\xff\xfe"),
		'k\000:' . digest('nul in key'), 'large:' . digest($later), 'nul:' . digest("a\0b"), 'z:' . digest('good too'),
		'\377:' . digest('invalid key')),
	'bytea, merged: every byte');

my $rejects = q{SELECT string_agg(concat_ws(' ', kafka_offset, stage, sqlstate, column_name), ', ' ORDER BY kafka_offset)
	FROM sluice.errors WHERE status = 'open' AND job_name = };
is(sql("$rejects 'text_insert'"), '4 decode 22021 v, 5 decode 22021 v, 6 decode 22021 v', 'text, inserted: rejects');
is(sql("$rejects 'text_merge'"),
	'4 decode 22021 v, 5 decode 22021 v, 6 decode 22021 v, 9 decode 22021 k, 10 decode 22021 k, 12 map 23502 k',
	'text, merged: rejects');
is(sql("$rejects 'bytea_insert'"), '', 'bytea, inserted: none');
is(sql("$rejects 'bytea_merge'"), '12 map 23502 k', 'bytea, merged: a key must not be null');
like(sql("SELECT error_message FROM sluice.errors WHERE job_name = 'text_insert' AND kafka_offset = 6"),
	qr/\b@{[length $large]}\b/, 'an error in the last of ten million bytes is located');
is(sql(q{SELECT md5(raw_message) FROM sluice.errors WHERE job_name = 'text_insert' AND kafka_offset = 6}), md5_hex($broken),
	'and kept whole');
is(sql("SELECT DISTINCT messages, rows_total, rows_total - rows_rejected FROM sluice.progress WHERE job_name LIKE 'text%' ORDER BY 3"),
	"14|14|8\n14|14|11", 'the numbers add up');
is(sql("SELECT count(*), sum(length(v)) FROM bytea_src"), '14|' . eval { my $n = 0; $n += length($_->[1] // '') for @messages; $n },
	'SELECT on the source reads them, too');
sql('SELECT sluice.stop_all_jobs()');

# A message that is larger than the job's memory allows is named, and read when there is more of it.
sql(q{CREATE TABLE little (o bigint, v bytea);
	SELECT sluice.create_job('little', 'bytea_src', 'little', options => '{"memory": "8MB"}'), sluice.start_job('little')});
wait_until($node, status_of('state', 'little'), 'ERROR', name => '10 MB do not fit into 4 MB');
like(sql(status_of('state_reason', 'little')), qr/larger than the memory/, 'and the reason says so');
is(sql('SELECT count(*) FROM sluice.errors WHERE job_name = $$little$$'), '0', 'which is no reject');
sql(q{SELECT sluice.alter_job('little', options => '{"memory": "32MB"}'), sluice.resume_job('little')});
wait_until($node, 'SELECT count(*) FROM little', '12', name => 'with more memory everything is read');
sql('SELECT sluice.stop_all_jobs()');

SKIP:
{
	my $disk = $ENV{SLUICE_SMALL_DISK} or skip 'no small disk: mounting a tmpfs needs root and the right to mount', 1;
	fill_the_disk($disk);
}
done_testing();

# Jobs that write to a disk without room wait until there is some; nothing is lost, nothing is blamed on a message.
sub fill_the_disk
{
	my ($disk) = @_;
	my %topics = map { $_ => new_topic("full.$_", 1) } 'insert', 'merge', 'single';
	mkdir "$disk/tablespace" or die "$disk/tablespace: $!";
	sql("CREATE TABLESPACE small LOCATION '$disk/tablespace'");
	for my $job (sort keys %topics)
	{
		my ($mode, $key) = $job eq 'merge' ? ('merge', 'PRIMARY KEY USING INDEX TABLESPACE small') : ('insert', '');
		sql(qq{CREATE FOREIGN TABLE full_${job}_src (id int, v text) SERVER shop OPTIONS (topic '$topics{$job}', format 'csv');
			CREATE TABLE full_$job (id int $key, v text) TABLESPACE small;
			INSERT INTO full_$job VALUES (0, 'there before');
			SELECT sluice.create_job('full_$job', 'full_${job}_src', 'full_$job', mode => '$mode',
				options => '{"error_limit": "unlimited", "retry_interval": "20ms"}')});
	}
	my $text = 'x' x 1000;
	produce($topics{$_}, [ map { [ 0, undef, "$_,$text" ] } 1 .. 3000 ]) for 'insert', 'merge';

	# About a megabyte is left for 6 MB of rows.
	my $filler = "$disk/filler";
	open my $file, '>', $filler or die "$filler: $!";
	my $block = "\0" x (1 << 20);
	for (1 .. 14) { syswrite $file, $block or last; }
	close $file;
	sql("SELECT sluice.start_job('full_insert'), sluice.start_job('full_merge')");
	for my $job ('full_insert', 'full_merge')
	{
		wait_until($node, status_of('state', $job), 'RETRYING', name => "$job: RETRYING");
		like(sql(status_of('last_error', $job)), qr/^53100: could not (extend|write)/, "$job: the reason");
		like(sql(status_of('state_reason', $job)), qr/No space left on device/, "$job: in words, too");
	}

	# One message by itself is not to blame, however often it is tried.
	open $file, '>>', $filler or die "$filler: $!";
	while (syswrite $file, "\0" x 4096) { }
	close $file;
	sql("SELECT sluice.start_job('full_single')");
	produce($topics{single}, [ map { [ 0, undef, "$_,$text" ] } 1 .. 8 ]);
	wait_until($node, status_of('retry_count >= 7', 'full_single'), 't', name => 'seven times at the same message');
	is(sql(status_of('state', 'full_single')), 'RETRYING', 'and it is still retried');
	is(sql('SELECT count(*) FROM sluice.errors WHERE job_name LIKE $$full%$$'), '0', 'nothing is rejected');
	is(sql(q{SELECT sum(next_offset) + 3 - (SELECT count(*) FROM full_insert) - (SELECT count(*) FROM full_merge)
		- (SELECT count(*) FROM full_single) FROM sluice.progress WHERE job_name LIKE 'full%'}), '0', 'tables and offsets agree');

	unlink $filler or die "$filler: $!";
	wait_until($node, "SELECT count(*), count(DISTINCT id), min(length(v)) FROM full_$_ WHERE id > 0",
		$_ eq 'single' ? '8|8|1000' : '3000|3000|1000', name => "full_$_ goes on by itself when there is room")
	  for sort keys %topics;
	wait_until($node, status_of('string_agg(DISTINCT state, $$,$$)', 'full_insert'), 'RUNNING', name => 'and says so');
	is(sql('SELECT count(*) FROM sluice.errors WHERE job_name LIKE $$full%$$'), '0', 'nothing was rejected');
	sql('SELECT sluice.stop_all_jobs()');
	return;
}
