# Log-ins: passwords over TLS, client certificates, wrong ones, and that no secret shows up anywhere.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SluiceTest;
use SluiceBroker;
use PostgreSQL::Test::Utils;
use Test::More;

my $broker = SluiceBroker->start(login => 1);
my ($plain, $sasl, $tls) = ($broker->address, $broker->sasl_address, $broker->tls_address);
create_topic('orders', 1, {}, brokers => $plain);
produce('orders', [ map { [ 0, undef, "$_,v" ] } 1 .. 5 ], brokers => $plain);

my $node = new_node('login');
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement); }
sub error_of
{
	my ($statement) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', $statement);
	return $ret == 0 ? "no error, but: $out" : $err;
}
sub pem { my ($name) = @_; return slurp_file($broker->tls_file($name)); }

# Servers and sources belong to a role without any privilege on files.
my $ca = pem('ca.crt');
my $log_in = "brokers '$sasl', broker_address_family 'v4', security_protocol 'sasl_ssl'";
sql('CREATE ROLE etl LOGIN; GRANT USAGE ON FOREIGN DATA WRAPPER sluice_fdw TO etl; GRANT CREATE ON SCHEMA public TO etl');
sub make_server
{
	my ($name, $options) = @_;
	sql(qq{SET ROLE etl; CREATE SERVER $name FOREIGN DATA WRAPPER sluice_fdw OPTIONS ($options);
		CREATE FOREIGN TABLE ${name}_src (id int, v text) SERVER $name OPTIONS (topic 'orders', format 'csv');
		CREATE TABLE $name (id int, v text)});
	return;
}
sub create_job { my ($name) = @_; return "SET ROLE etl; SELECT sluice.create_job('$name', '${name}_src', '$name')"; }
sub runs
{
	my ($name) = @_;
	sql(create_job($name) . ", sluice.start_job('$name')");
	wait_until($node, "SELECT count(*), sum(id) FROM $name", '5|15', name => "$name: the job reads");
	return;
}

# A password over TLS: what is missing and what is wrong is said when the job is created.
make_server('pw', "$log_in, sasl_mechanisms 'PLAIN', ssl_ca_pem '$ca'");
like(error_of(create_job('pw')), qr/SASL mechanism PLAIN needs a user name and a password\nHINT:  Set sasl_username and sasl_password in the user mapping/,
	'without a user mapping');
sql(q{SET ROLE etl; CREATE USER MAPPING FOR etl SERVER pw OPTIONS (sasl_username 'etl', sasl_password 'wrong-secret')});
my $refused = error_of(create_job('pw'));
like($refused, qr/the broker refused the log-in/, 'a wrong password is refused');
like($refused, qr/HINT:  Check sasl_username and sasl_password in the user mapping/, 'with a hint');
sql(q{SET ROLE etl; ALTER USER MAPPING FOR etl SERVER pw OPTIONS (SET sasl_username 'guest', SET sasl_password 'guest-secret')});
like(error_of(create_job('pw')), qr/the Kafka user lacks the privilege.*HINT:  Grant the Kafka user READ and DESCRIBE/s,
	'a user without privileges in Kafka');
sql(q{SET ROLE etl; ALTER USER MAPPING FOR etl SERVER pw OPTIONS (SET sasl_username 'etl', SET sasl_password 'etl-secret')});
runs('pw');
is(sql('SET ROLE etl; SELECT sum(id) FROM pw_src'), '15', 'SELECT on the source logs in, too');
is(sql("SET ROLE etl; SELECT high_watermark FROM sluice.topic_partitions('pw', 'orders')"), '5', 'and so does topic_partitions');

# A password that stops being right under a job.
sql(q{SET ROLE etl; ALTER USER MAPPING FOR etl SERVER pw OPTIONS (SET sasl_password 'wrong-secret');
	SELECT sluice.restart_job('pw')});
wait_until($node, "SELECT state FROM sluice.job_status WHERE job_name = 'pw'", 'ERROR', name => 'a log-in that is refused needs a person');
like(sql("SELECT state_reason FROM sluice.job_status WHERE job_name = 'pw'"), qr/^28P01: .*the broker refused the log-in/, 'and the reason says so');
produce('orders', [ [ 0, undef, '6,v' ] ], brokers => $plain);
sql(q{SET ROLE etl; ALTER USER MAPPING FOR etl SERVER pw OPTIONS (SET sasl_password 'etl-secret'); SELECT sluice.resume_job('pw')});
wait_until($node, 'SELECT count(*), sum(id) FROM pw', '6|21', name => 'mended and resumed, it goes on');

# The brokers must be who they say they are.
make_server('other', "$log_in, sasl_mechanisms 'PLAIN', ssl_ca_pem '" . pem('other-ca.crt') . "'");
sql(q{SET ROLE etl; CREATE USER MAPPING FOR etl SERVER other OPTIONS (sasl_username 'etl', sasl_password 'etl-secret')});
like(error_of(create_job('other')), qr/the TLS connection to the broker failed.*certificate/s, 'brokers of an unknown authority');

# SCRAM, where librdkafka can.
make_server('scram', "$log_in, sasl_mechanisms 'SCRAM-SHA-512', ssl_ca_pem '$ca'");
sql(q{SET ROLE etl; CREATE USER MAPPING FOR etl SERVER scram OPTIONS (sasl_username 'etl', sasl_password 'etl-secret')});
my ($version) = sql("SELECT value FROM sluice.library_info() WHERE item = 'librdkafka, in use'") =~ /^(\d+\.\d+\.\d+)/;
my $number = sprintf '%d%03d%03d', split /\./, $version;
if ($number >= 2_006_001) { sql(create_job('scram')); pass("SCRAM with librdkafka $version"); }
else
{
	like(error_of(create_job('scram')), qr/HINT:  .*librdkafka before 2\.6\.1 cannot log in there with SCRAM/,
		"SCRAM with librdkafka $version: the hint says why not");
}

# A client certificate instead of a password; a certificate authority in a file is for superusers.
make_server('cert', "brokers '$tls', broker_address_family 'v4', security_protocol 'ssl', ssl_ca_pem '$ca'");
like(error_of(create_job('cert')), qr/the TLS connection to the broker failed.*certificate required/s, 'without a client certificate');
my ($crt, $key) = map { pem("client.$_") } 'crt', 'key';
sql("SET ROLE etl; CREATE USER MAPPING FOR etl SERVER cert OPTIONS (ssl_certificate_pem '$crt', ssl_key_pem '$key')");
sql(create_job('cert') . ", sluice.start_job('cert')");
wait_until($node, 'SELECT count(*) FROM cert', '6', name => 'with one the job reads');
my $file = $broker->tls_file('ca.crt');
like(error_of("SET ROLE etl; ALTER SERVER cert OPTIONS (DROP ssl_ca_pem, ADD ssl_ca_location '$file')"),
	qr/only a superuser may set Kafka property "ssl\.ca\.location".*HINT:  Use "ssl\.ca\.pem"/s, 'no files for ordinary roles');
sql("ALTER SERVER cert OPTIONS (DROP ssl_ca_pem, ADD ssl_ca_location '$file')");
is(sql('SET ROLE etl; SELECT count(*) FROM cert_src'), '6', 'a superuser may name the file');

# YAML: secrets go into a user mapping.
(my $indented = $ca) =~ s/^/      /mg;
sql(qq{SET ROLE etl; CREATE TABLE yaml (id int, v text); SELECT sluice.create_job_from_yaml('yaml', \$\$
KAFKA:
  INPUT:
    SOURCE: {BROKERS: '$sasl', TOPIC: orders}
    VALUE: {COLUMNS: [{NAME: id, TYPE: int}, {NAME: v, TYPE: text}], FORMAT: csv}
  OUTPUT: {TABLE: yaml, MODE: INSERT}
  PROPERTIES:
    broker.address.family: v4
    security.protocol: SASL_SSL
    sasl.mechanisms: PLAIN
    sasl.username: etl
    sasl.password: etl-secret
    ssl.ca.pem: |
$indented\$\$), sluice.start_job('yaml')});
wait_until($node, 'SELECT count(*) FROM yaml', '6', name => 'a job of a document with a password');
unlike(sql("SELECT sluice.job_to_yaml('yaml')"), qr/secret/, 'whose document does not give it back');

# No secret is anywhere but in user mappings, which only their owners see.
my $seen = join "\n", $refused, slurp_file($node->logfile),
  map { sql("SELECT coalesce(string_agg(t::text, ' '), '') FROM $_ t") }
  map({ "sluice.$_" } qw(jobs job_status progress lag history errors events workers job job_state)),
  'pg_foreign_server', 'pg_foreign_table', 'pg_stat_activity';
unlike($seen, qr/etl-secret|wrong-secret|guest-secret|PRIVATE KEY/, 'no secret in errors, log, views or catalogs');
sql('CREATE ROLE other LOGIN');
unlike(sql('SET ROLE other; SELECT string_agg(umoptions::text, $$ $$) FROM pg_user_mappings'), qr/secret|PRIVATE/, 'nor to other roles');
sql('SELECT sluice.stop_all_jobs()');
done_testing();
