# Messages that name their schemas by ids of a registry, with a real one: what it knows, what it does not, and what
# happens while it is away, refuses the log-in or is in trouble.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceRegistry;
use SluiceTest;
use IPC::Run ();
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;

my $registry = SluiceRegistry->start;
my ($brokers, $url) = (kafka_address(), $registry->url);
my $node = new_node('registry');
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement); }
sub error_of
{
	my ($statement) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', $statement);
	return $ret == 0 ? "no error, but: $out" : $err;
}

sub framed { my ($id, $bytes) = @_; return pack('CN', 0, $id) . $bytes; }

# {id: long, name: string} in Avro.
sub long { my ($n) = @_; my ($out, $z) = ('', $n << 1); do { my $b = $z & 127; $z >>= 7; $out .= chr($z ? $b | 128 : $b) } while $z; return $out; }
sub order { my ($id, $name) = @_; return long($id) . long(length $name) . $name; }
sub field { my ($name, $type) = @_; return qq({"name": "$name", "type": $type}); }
sub record { my ($name, @fields) = @_; return qq({"type": "record", "name": "$name", "fields": [@{[ join ', ', @fields ]}]}); }

sql(qq{
	CREATE ROLE etl LOGIN;
	CREATE SERVER shop FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers', registry_url '$url');
	GRANT USAGE ON FOREIGN SERVER shop TO etl;
	GRANT CREATE ON SCHEMA public TO etl;
});

# JSON: the id is skipped, and nobody asks the registry for it.
my $json = new_topic('framed', 1);
produce($json, [ [ 0, framed(1, '{"id": 1}'), framed(7, '{"id": 1, "name": "a"}') ], [ 0, framed(1, '{"id": 2}'), undef ],
		[ 0, framed(1, '{"id": 3}'), '{"id": 3}' ], [ 0, framed(1, '{"id": 4}'), framed(999, '{"id": 4, "name": "d"}') ] ]);
sql(qq{
	SET ROLE etl;
	CREATE FOREIGN TABLE framed_src (k bigint OPTIONS (source 'key', field 'id'), id bigint, name text)
		SERVER shop OPTIONS (topic '$json', format 'json', framing 'confluent', key_format 'json', key_framing 'confluent');
	CREATE TABLE framed (k bigint, id bigint, name text);
	SELECT sluice.create_job('framed', 'framed_src', 'framed', options => '{"error_limit": "unlimited"}'), sluice.start_job('framed');
});
wait_until($node, 'SELECT string_agg(concat_ws(\',\', k, id, name), \' \' ORDER BY k) FROM framed', '1,1,a 4,4,d', name => 'framed JSON');
is(sql('SELECT kafka_offset, sqlstate, error_message FROM sluice.errors'), '2|22P03|value has no schema id of a registry before it',
	'a message without a frame is a reject');
is_deeply($registry->requests, [], 'the registry is not asked');

# Avro: a job learns the schemas that messages name.
my $first = $registry->register('orders', record('Order', field('id', '"long"'), field('name', '"string"')));
my $second = $registry->register('orders2', record('Order', field('name', '"string"'), field('id', '"long"')));
my $topic = new_topic('orders', 2);
sub send_orders { return produce($topic, [ @_ ]); }
send_orders(map { [ $_ % 2, "$_", framed($first, order($_, "name $_")) ] } 1 .. 1000);
sql(qq{
	SET ROLE etl;
	CREATE FOREIGN TABLE orders_src (id bigint, name text, o bigint OPTIONS (metadata 'offset'))
		SERVER shop OPTIONS (topic '$topic', format 'avro', framing 'confluent');
	CREATE TABLE orders (id bigint, name text, o bigint);
	SELECT sluice.create_job('orders', 'orders_src', 'orders', options => '{"error_limit": "unlimited", "retry_interval": "100ms"}');
});
is_deeply($registry->requests, [], 'nor to define a job');
is(sql('SELECT count(*), sum(id) FROM orders_src'), '1000|500500', 'SELECT on the source');
is_deeply($registry->requests, ["/schemas/ids/$first"], 'asks once');
is(sql('SELECT count(*) FROM sluice.registry_schemas'), '0', 'sessions keep nothing in the table');
is(sql(qq{SELECT outcome, "row" ->> 'name' FROM sluice.test_job('orders', sample => '\\x@{[ unpack 'H*', framed($second, "\x02x\x0e") ]}')}),
	'inserted|x', 'test_job with a sample');
$registry->requests;
sql("SELECT sluice.start_job('orders')");
wait_until($node, 'SELECT count(*), sum(id) FROM orders', '1000|500500', name => 'the job reads');
is_deeply($registry->requests, ["/schemas/ids/$first"], 'and asks once');
is(sql('SET ROLE etl; SELECT server, registry_url, id, kind, body::jsonb ->> \'name\' FROM sluice.registry_schemas'), "shop|$url|$first|avro|Order",
	'what it has learned is in the table');
is(sql('CREATE ROLE other; SET ROLE other; SELECT count(*) FROM sluice.registry_schemas'), '0', 'which shows servers that one may use');

# An id that the registry does not know rejects the messages that name it, and no others.
send_orders([ 0, undef, framed(123456, order(1, 'x')) ], [ 0, undef, framed($second, "\x02y" . long(2001)) ], [ 0, undef, framed(123456, order(1, 'x')) ],
	[ 0, undef, framed(0xFFFFFFFF, 'x') ], [ 0, undef, framed($first, order(2002, 'z')) ]);
wait_until($node, 'SELECT string_agg(id || name, \' \' ORDER BY id) FROM orders WHERE id > 2000', '2001y 2002z', name => 'good messages around bad ids');
is(sql("SELECT count(*), min(sqlstate), max(stage) FROM sluice.errors WHERE job_name = 'orders'"), '3|22P03|decode', 'bad ids are rejects');
is(sql("SELECT DISTINCT error_message, error_detail FROM sluice.errors WHERE job_name = 'orders' AND error_message LIKE '%12345%'"),
	"schema 123456: the schema registry at $url/schemas/ids/123456 knows no such schema|It answered with status 404, error 40403: No content with ID '123456' was found.",
	'with the id, the URL and what the registry said');
is_deeply([ sort @{ $registry->requests } ], [ sort "/schemas/ids/123456", "/schemas/ids/$second" ], 'each id is asked for once, and none that cannot be');
like(error_of('SELECT count(*) FROM orders_src'), qr/schema 123456: the schema registry at \S+ knows no such schema/, 'SELECT stops at a bad id');

# References between subjects.
$registry->register('customer', record('shop.Customer', field('name', '"string"')));
my $nested = $registry->register('nested', record('shop.Order', field('id', '"long"'), field('buyer', '"shop.Customer"')),
	references => [ { name => 'shop.Customer', subject => 'customer', version => 1 } ]);
my $references = new_topic('references', 1);
produce($references, [ [ 0, undef, framed($nested, order(1, 'Ada')) ] ]);
sql(qq{
	SET ROLE etl;
	CREATE FOREIGN TABLE references_src (id bigint, buyer text OPTIONS (field 'buyer.name'))
		SERVER shop OPTIONS (topic '$references', format 'avro', framing 'confluent');
	CREATE TABLE with_references (id bigint, buyer text);
	SELECT sluice.create_job('references', 'references_src', 'with_references'), sluice.start_job('references');
});
wait_until($node, 'SELECT id, buyer FROM with_references', '1|Ada', name => 'a schema with references');

# The registry goes away: jobs go on with what they know, also after a restart of the server.
$registry->requests;
$registry->close_front;
$node->restart;
send_orders(map { [ 1, undef, framed($_ % 2 ? $first : $second, $_ % 2 ? order($_, 'away') : long(4) . 'away' . long($_)) ] } 3001 .. 3010);
wait_until($node, 'SELECT count(*) FROM orders WHERE name = \'away\'', '10', name => 'known schemas do not need the registry');
produce($references, [ [ 0, undef, framed($nested, order(2, 'Bea')) ] ]);
wait_until($node, 'SELECT count(*) FROM with_references', '2', name => 'nor do references');
my $third = $registry->register('orders3', record('Order', field('id', '"long"'), field('name', '["null", "string"]')));
send_orders([ 1, undef, framed($third, long(4001) . "\x02\x02x") ], [ 1, undef, framed($first, order(4002, 'x')) ]);
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'orders'", 'RETRYING', name => 'a new schema needs it');
like(sql("SELECT state_reason FROM sluice.job_status WHERE job_name = 'orders'"),
	qr{^schema $third: the schema registry at \Q$url\E/schemas/ids/$third cannot be reached}, 'the state says so');
is(sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sluice worker' AND xact_start IS NOT NULL"), '0', 'no transaction waits with it');
is(sql('SELECT count(*) FROM orders WHERE id > 4000'), '0', 'order is kept');
$registry->open_front;
wait_until($node, 'SELECT count(*) FROM orders WHERE id > 4000', '2', name => 'it is back');
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'orders'", 'RUNNING', name => 'and so is the job');
is(sql("SELECT count(*) FROM sluice.errors WHERE job_name = 'orders'"), '3', 'without a reject');

# In trouble, slow, and pointing elsewhere.
my $n = 0;
sub next_schema { $n++; return $registry->register("more$n", record("More$n", field('id', '"long"'), field('name', '"string"'))); }
$registry->behave(status => 503);
send_orders([ 1, undef, framed(next_schema(), order(5001, 'x')) ]);
wait_until($node, "SELECT state_reason FROM sluice.job_status WHERE job_name = 'orders'", qr/is in trouble/, name => 'status 503 is retried');
like(error_of("SET statement_timeout = '60s'; SELECT count(*) FROM orders_src"), qr/is in trouble.*status 503/s, 'and an error in a session');
$registry->behave(delay => 60);
like(error_of("SET statement_timeout = '500ms'; SELECT count(*) FROM orders_src"), qr/canceling statement due to statement timeout/,
	'waiting can be cancelled');
$registry->close_front;
$registry->open_front;
$registry->behave;
wait_until($node, 'SELECT count(*) FROM orders WHERE id > 5000', '1', name => 'over');
$registry->behave(status => 302);
send_orders([ 1, undef, framed(next_schema(), order(6001, 'x')) ]);
wait_until($node, "SELECT state_reason FROM sluice.job_status WHERE job_name = 'orders'", qr/^55000: .* points elsewhere .*Redirects are not followed/,
	name => 'a redirect needs a person');
$registry->behave;
sql("SELECT sluice.resume_job('orders')");
wait_until($node, 'SELECT count(*) FROM orders WHERE id > 6000', '1', name => 'resumed');

# Log-ins.
$registry->behave(log_in => 'etl:right-secret');
send_orders([ 1, undef, framed(next_schema(), order(7001, 'x')) ]);
wait_until($node, "SELECT state, state_reason FROM sluice.job_status WHERE job_name = 'orders'",
	qr/^ERROR\|28000: .* refused the log-in .*Check registry_username and registry_password in the user mapping/, name => 'without a log-in');
sql("CREATE USER MAPPING FOR etl SERVER shop OPTIONS (registry_username 'etl', registry_password 'wrong-secret')");
like(error_of('SET ROLE etl; SELECT count(*) FROM orders_src'), qr/refused the log-in/, 'with a wrong password');
sql("ALTER USER MAPPING FOR etl SERVER shop OPTIONS (SET registry_password 'right-secret'); SELECT sluice.resume_job('orders')");
wait_until($node, 'SELECT count(*) FROM orders WHERE id > 7000', '1', name => 'with the right one');
unlike(slurp_file($node->logfile), qr/(?:wrong|right)-secret(?!')/, 'no password in the log');
is(sql("SELECT count(*) FROM sluice.events WHERE message LIKE '%secret%'"), '0', 'nor in the events');
$registry->behave;

# TLS, with a server of openssl that hands out files.
my $dir = PostgreSQL::Test::Utils::tempdir_short();
sub run_openssl
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'openssl', @arguments ], '>', \$out, '2>', \$err) or die "openssl @arguments: $err";
	return;
}
sub certificate
{
	my ($name, $authority, @more) = @_;
	my @signed = $authority ? ('-CA', "$dir/$authority.crt", '-CAkey', "$dir/$authority.key") : ();
	return run_openssl(qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj), "/CN=$name", '-keyout', "$dir/$name.key",
		'-out', "$dir/$name.crt", @signed, @more);
}
certificate('ca');
certificate('stranger');
certificate('server', 'ca', '-addext', 'subjectAltName=DNS:localhost');
certificate('client', 'ca');
mkdir "$dir/$_" for 'schemas', 'schemas/ids';
PostgreSQL::Test::Utils::append_to_file("$dir/schemas/ids/$first", '{"schema": "{\"type\": \"record\", \"name\": \"O\", \"fields\": [{\"name\": \"id\", \"type\": \"long\"}, {\"name\": \"name\", \"type\": \"string\"}]}"}');
my $tls_port = PostgreSQL::Test::Cluster::get_free_port();
my $tls = fork // die;
if (!$tls)
{
	chdir $dir;
	open STDOUT, '>', "$dir/out";
	open STDERR, '>&', \*STDOUT;
	exec qw(openssl s_server -WWW -cert server.crt -key server.key -CAfile ca.crt -verify_return_error -Verify 1 -accept), $tls_port or POSIX::_exit(1);
}
my ($ca, $stranger, $crt, $key) = map { slurp_file("$dir/$_") } 'ca.crt', 'stranger.crt', 'client.crt', 'client.key';
my $tls_topic = new_topic('tls', 1);
produce($tls_topic, [ [ 0, undef, framed($first, order(1, 'x')) ] ]);
sql(qq{
	CREATE SERVER tls FOREIGN DATA WRAPPER sluice_fdw OPTIONS (brokers '$brokers', registry_url 'https://localhost:$tls_port');
	CREATE FOREIGN TABLE tls_src (id bigint) SERVER tls OPTIONS (topic '$tls_topic', format 'avro', framing 'confluent');
});
my $answer;
for (1 .. 100) { $answer = error_of('SELECT id FROM tls_src'); last unless $answer =~ /cannot be reached/; select undef, undef, undef, 0.1; }
like($answer, qr/is not trusted, or does not trust this server.*HINT:  Check registry_ca_pem/s, 'an authority that nobody knows');
sql("ALTER SERVER tls OPTIONS (ADD registry_ca_pem '$stranger')");
like(error_of('SELECT id FROM tls_src'), qr/is not trusted/, 'another authority');
sql("ALTER SERVER tls OPTIONS (SET registry_ca_pem '$ca')");
like(error_of('SELECT id FROM tls_src'), qr/broke the connection/, 'without a client certificate');
sql("CREATE USER MAPPING FOR PUBLIC SERVER tls OPTIONS (registry_certificate_pem '$crt', registry_key_pem '$key')");
is(sql('SELECT id FROM tls_src'), '1', 'with one');
kill 'KILL', $tls;
waitpid $tls, 0;

# A server takes what was kept of its registry along; another address means other schemas.
is(sql('SELECT count(*) > 5 FROM sluice.registry_schemas'), 't', 'schemas of the server');
sql("SELECT sluice.stop_all_jobs()");
wait_until($node, 'SELECT count(*) FROM sluice.workers', '0', name => 'all jobs have stopped');
$registry->requests;
sql("ALTER SERVER shop OPTIONS (SET registry_url '$url/'); SELECT sluice.start_job('orders')");
send_orders([ 1, undef, framed($first, order(8001, 'x')) ]);
wait_until($node, 'SELECT count(*) FROM orders WHERE id > 8000', '1', name => 'another address');
is_deeply($registry->requests, ["/schemas/ids/$first"], 'is asked again');

# A dump takes schemas of the database along, also those that a foreign table uses, but not what the registry has said.
my $plain = new_topic('plain', 1);
produce($plain, [ [ 0, undef, order(1, 'x') ] ]);
sql(q{SET ROLE etl; SELECT sluice.create_schema('Name', 'avro', '{"type": "record", "name": "N", "fields": []}'),
	sluice.create_schema('Order', 'avro', '} . record('Order', field('id', '"long"'), field('name', '"string"')) . qq{', '{"N": "Name"}');
	CREATE FOREIGN TABLE plain_src (id bigint, name text) SERVER shop OPTIONS (topic '$plain', format 'avro', schema '"Order"')});
is(sql('SELECT * FROM plain_src'), '1|x', 'a schema of the database');
sql("SELECT sluice.drop_job(job_name) FROM sluice.jobs");
my $dump = "$dir/dump.sql";
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'dump');
sql('CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], 'restore');
is($node->safe_psql('restored', 'SELECT name, owner, schema_references FROM sluice.schemas ORDER BY name'), "Name|etl|{}\nOrder|etl|{\"N\": \"Name\"}",
	'schemas are restored');
is($node->safe_psql('restored', 'SELECT * FROM plain_src'), '1|x', 'and used');
is($node->safe_psql('restored', 'SELECT count(*) FROM sluice.registry_schema'), '0', 'what registries said stays behind');

sql('DROP SERVER shop CASCADE');
is(sql('SELECT count(*) FROM sluice.registry_schema'), '0', 'nothing is left');

done_testing();
