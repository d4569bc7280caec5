# A target that changes under a running job: every write is right, or the job says what is missing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('changes');
my $brokers = kafka_address();
my $topic = new_topic('changes', 1);
$node->safe_psql('postgres', qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE src (id int, note text) SERVER shop OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE target (id int, note text);
	SELECT sluice.create_job('changes', 'src', 'target'), sluice.start_job('changes')});
my $id = 0;

# Produces one row and waits for it in the table.
sub arrives
{
	my ($table, $name) = @_;
	++$id;
	produce($topic, [ [ 0, undef, "$id,n$id" ] ]);
	wait_until($node, "SELECT note FROM $table WHERE id = $id", "n$id", name => $name);
	return;
}
arrives('target', 'before any change');
$node->safe_psql('postgres', 'ALTER TABLE target ADD COLUMN extra int DEFAULT 7');
arrives('target', 'a column more');
is($node->safe_psql('postgres', "SELECT extra FROM target WHERE id = $id"), '7', 'with its default');
$node->safe_psql('postgres', 'ALTER TABLE target DROP COLUMN note');
produce($topic, [ [ 0, undef, '3,not wanted' ] ]);
wait_until($node, 'SELECT count(*) FROM target WHERE id = 3', '1', name => 'a column that is gone');
$id = 3;
$node->safe_psql('postgres', 'ALTER TABLE target ADD COLUMN note text');
arrives('target', 'a column that came back, which the job had not decoded');
$node->safe_psql('postgres', 'ALTER TABLE target RENAME TO moved; CREATE SCHEMA elsewhere; ALTER TABLE moved SET SCHEMA elsewhere');
arrives('elsewhere.moved', 'another name in another schema');
$node->safe_psql('postgres', 'CREATE UNIQUE INDEX ON elsewhere.moved (id)');
arrives('elsewhere.moved', 'an index more');
is($node->safe_psql('postgres', "SET enable_seqscan = off; SELECT note FROM elsewhere.moved WHERE id = $id"), "n$id",
	'which the row is in');
$node->safe_psql('postgres', 'ALTER TABLE elsewhere.moved ALTER note TYPE varchar(20), ALTER id TYPE bigint');
arrives('elsewhere.moved', 'other types');
$node->safe_psql('postgres', q{CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.extra := 9; RETURN NEW; END $$;
	CREATE TRIGGER mark BEFORE INSERT ON elsewhere.moved FOR EACH ROW EXECUTE FUNCTION mark()});
arrives('elsewhere.moved', 'a trigger more');
is($node->safe_psql('postgres', "SELECT extra FROM elsewhere.moved WHERE id = $id"), '9', 'which fires');
$node->safe_psql('postgres', 'TRUNCATE elsewhere.moved');
arrives('elsewhere.moved', 'truncated');
$node->safe_psql('postgres', 'ALTER TABLE elsewhere.moved DROP COLUMN note');
produce($topic, [ [ 0, undef, '100,x' ] ]);
wait_until($node, 'SELECT state FROM sluice.job_status', 'RUNNING', name => 'by-name mapping follows a dropped column')
  or diag($node->safe_psql('postgres', 'SELECT state_reason FROM sluice.job_status'));
wait_until($node, 'SELECT count(*) FROM elsewhere.moved WHERE id = 100', '1', name => 'without the column');
$node->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()');
done_testing();
