# The life of the processes: without preload, dropped databases, extensions, sources and roles, a standby, a switch.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $brokers = kafka_address();
my $topic = new_topic('life', 2);

my $objects = qq{
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers');
	CREATE FOREIGN TABLE src (id int, v text) SERVER shop OPTIONS (topic '$topic', format 'csv');
	CREATE TABLE target (id int, v text);
	SELECT sluice.create_job('life', 'src', 'target');
};
my $processes = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('sluice worker', 'sluice manager')};
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sluice worker'};
produce($topic, [ map { [ $_ % 2, undef, "$_,v" ] } 1 .. 10 ]);

# Without shared_preload_libraries: works until the server is restarted, and says so.
my $bare = new_node('bare', preload => 0);
$bare->safe_psql('postgres', $objects);
my ($ret, $out, $err) = $bare->psql('postgres', "SELECT sluice.start_job('life')");
like($err, qr/NOTICE:  the job will not come back by itself after a restart/, 'not preloaded: a notice');
wait_until($bare, 'SELECT count(*) FROM target', '10', name => 'not preloaded: works');
$bare->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'sluice %'");
produce($topic, [ [ 0, undef, '11,v' ] ]);
wait_until($bare, 'SELECT count(*) FROM target', '11', name => 'not preloaded: comes back after pg_terminate_backend');
$bare->safe_psql('postgres', "SELECT sluice.stop_job('life')");
wait_until($bare, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'sluice %'}, '0',
	name => 'not preloaded: nothing is left after stop_job');
$bare->safe_psql('postgres', "SELECT sluice.start_job('life')");
wait_until($bare, $workers, '1', name => 'not preloaded: started again');
$bare->stop;

my $node = new_node('life', streaming => 1);

# DROP DATABASE: after stop_all_jobs, and with FORCE at any time.
for my $db ('one', 'two')
{
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION sluice; $objects SELECT sluice.start_job('life')");
	wait_until($node, 'SELECT count(*) FROM target', '11', db => $db, name => "jobs run in database $db");
}
($ret, $out, $err) = $node->psql('postgres', 'DROP DATABASE one');
like($err, qr/being accessed by other users/, 'a running job protects its database');
$node->safe_psql('one', 'SELECT sluice.stop_all_jobs()');
wait_until($node, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'one'", '0', name => 'all processes leave');
$node->safe_psql('postgres', 'DROP DATABASE one');
pass('DROP DATABASE after stop_all_jobs');
$node->safe_psql('postgres', 'DROP DATABASE two WITH (FORCE)');
wait_until($node, $processes, '0', name => 'DROP DATABASE WITH (FORCE) leaves nothing behind');

# DROP EXTENSION under a running job.
$node->safe_psql('postgres', "$objects SELECT sluice.start_job('life')");
wait_until($node, 'SELECT count(*) FROM target', '11', name => 'a job runs');
$node->safe_psql('postgres', 'DROP EXTENSION sluice CASCADE');
wait_until($node, $processes, '0', name => 'DROP EXTENSION ends the processes');
$node->safe_psql('postgres', 'DROP TABLE target; CREATE EXTENSION sluice');

# The switch.
$node->safe_psql('postgres', "$objects SELECT sluice.start_job('life')");
wait_until($node, 'SELECT count(*) FROM target', '11', name => 'a job runs again');
$node->append_conf('postgresql.conf', "sluice.enabled = off\n");
$node->reload;
wait_until($node, $processes, '0', name => 'sluice.enabled = off stops everything');
like($node->safe_psql('postgres', "SELECT state, state_reason FROM sluice.job_status"), qr/^STARTING\|sluice.enabled is off$/,
	'and the state says why');
$node->append_conf('postgresql.conf', "sluice.enabled = on\n");
$node->reload;
wait_until($node, $workers, '1', name => 'and on starts it');

# The list of databases, which is read as the server reads it.
$node->append_conf('postgresql.conf', "sluice.databases = 'other, \"Postgres\"'\n");
$node->reload;
wait_until($node, $processes, '0', name => 'a database that is not in sluice.databases runs nothing');
is($node->safe_psql('postgres', 'SELECT state, state_reason FROM sluice.job_status'),
	'STARTING|this database is not in sluice.databases', 'and the state says why');
$node->append_conf('postgresql.conf', "sluice.databases = 'other, POSTGRES'\n");
$node->reload;
wait_until($node, $workers, '1', name => 'and one that is runs its jobs');
wait_until($node, 'SELECT state, state_reason FROM sluice.job_status', 'RUNNING|running', name => 'with that state');

# The owner loses LOGIN, then is dropped.
$node->safe_psql('postgres', q{
	SELECT sluice.stop_job('life');
	CREATE ROLE etl LOGIN; GRANT USAGE ON FOREIGN SERVER shop TO etl; GRANT SELECT ON src TO etl;
	CREATE SCHEMA AUTHORIZATION etl CREATE TABLE target (id int, v text);
	SET ROLE etl; SELECT sluice.create_job('etl', 'public.src', 'etl.target'); SELECT sluice.start_job('etl'); RESET ROLE});
wait_until($node, 'SELECT count(*) FROM etl.target', '11', name => 'a job of an ordinary role');
is($node->safe_psql('postgres', "SELECT usename FROM pg_stat_activity WHERE backend_type = 'sluice worker'"), 'etl',
	'its worker is that role');
$node->safe_psql('postgres', q{ALTER ROLE etl NOLOGIN; SELECT sluice.restart_job('life');
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'etl'});
wait_until($node, "SELECT state, state_reason FROM sluice.job_status WHERE job_name = 'etl'",
	'ERROR|the owner of the job was dropped or may not log in', name => 'the owner may not log in any more');

# A source that is dropped.
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'life'", 'RUNNING');
$node->safe_psql('postgres', 'DROP FOREIGN TABLE src');
wait_until($node, "SELECT state, state_reason FROM sluice.job_status WHERE job_name = 'life'",
	'ERROR|source public.src was dropped', name => 'the source is gone');
$node->safe_psql('postgres', "SELECT sluice.drop_job('life'), sluice.drop_job('etl')");
is($node->safe_psql('postgres', 'SELECT count(*) FROM sluice.jobs'), '0', 'jobs without source can be dropped');

# A standby does not consume; it starts after promotion.
$node->safe_psql('postgres', "DROP SERVER shop; DROP TABLE target; $objects SELECT sluice.start_job('life')");
wait_until($node, 'SELECT count(*) FROM target', '11', name => 'the primary reads');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
wait_until($standby, 'SELECT state FROM sluice.job_status', 'STANDBY', name => 'a standby says so');
is($standby->safe_psql('postgres', $processes), '0', 'and runs nothing');
($ret, $out, $err) = $standby->psql('postgres', "SELECT sluice.stop_job('life')");
like($err, qr/this server is a standby/, 'jobs are changed on the primary');
$node->wait_for_catchup($standby);
$node->stop;
$standby->promote;
produce($topic, [ [ 1, undef, '12,v' ] ]);
wait_until($standby, 'SELECT count(*), count(DISTINCT id) FROM target', '12|12', name => 'promoted: goes on where the primary was');
$standby->safe_psql('postgres', 'SELECT sluice.stop_all_jobs()');
$standby->stop;

done_testing();
