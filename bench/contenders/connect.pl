# Starts or deletes a Debezium JDBC sink of the Kafka Connect worker (bench/peers) that writes a topic into `target`.
# usage: connect.pl start default|tuned TOPIC insert|merge
#        connect.pl stop
# The environment tells CONNECT (the address of the worker's API), JDBC_URL and PEER_PASSWORD of the role peer.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes ();

my ($command, $variant, $topic, $mode) = @ARGV;

# The sink needs a schema. Since Kafka 4.2 the converter takes it from here, so that messages need not carry it.
my @fields = (
	[ id => 'int64' ], [ version => 'int64' ], [ customer_id => 'int32' ], [ sku => 'string' ],
	[ quantity => 'int32' ],
	[ price => 'bytes', name => 'org.apache.kafka.connect.data.Decimal', parameters => { scale => '2' } ],
	[ status => 'string' ], [ ordered_at => 'string', name => 'io.debezium.time.ZonedTimestamp' ],
	[ note => 'string' ]);
my $schema = {
	type   => 'struct',
	fields => [
		map { my ($field, $type, @more) = @$_; { field => $field, type => $type, optional => JSON::PP::true, @more } }
		  @fields ] };

sub configuration
{
	my %configuration = (
		'connector.class'                   => 'io.debezium.connector.jdbc.JdbcSinkConnector',
		'tasks.max'                         => 2,
		'topics'                            => $topic,
		'key.converter'                     => 'org.apache.kafka.connect.converters.ByteArrayConverter',
		'value.converter'                   => 'org.apache.kafka.connect.json.JsonConverter',
		'value.converter.schemas.enable'    => 'true',
		'value.converter.schema.content'    => encode_json($schema),
		'consumer.override.auto.offset.reset' => 'earliest',
		'connection.url'                    => $ENV{JDBC_URL},
		'connection.username'               => 'peer',
		'connection.password'               => $ENV{PEER_PASSWORD},
		'collection.name.format'            => 'target',
		'insert.mode'                       => $mode eq 'merge' ? 'upsert' : 'insert',
		$mode eq 'merge' ? ('primary.key.mode' => 'record_value', 'primary.key.fields' => 'id') : ());
	return \%configuration if $variant eq 'default';
	return {
		%configuration,
		'batch.size'                                  => 10000,
		'consumer.override.max.poll.records'          => 10000,
		'consumer.override.max.partition.fetch.bytes' => 8388608,
		'use.reduction.buffer'                        => $mode eq 'merge' ? 'true' : 'false',
		'dialect.postgres.unnest.insert.enabled'      => 'true' };
}

# A name is a consumer group, so each run has its own.
my $http = HTTP::Tiny->new(timeout => 60);
my ($method, $path, $content) = ('GET', '/connectors', undef);
if ($command eq 'start')
{
	($method, $path, $content) = ('PUT', sprintf('/connectors/bench-%.0f/config', 1000 * Time::HiRes::time()),
		encode_json(configuration()));
}
my $answer = request($method, $path, $content);
if ($command eq 'stop') { request('DELETE', "/connectors/$_") for @{ decode_json($answer) } }

sub request
{
	my ($method, $path, $content) = @_;
	my $answer = $http->request($method, $ENV{CONNECT} . $path,
		{ content => $content, headers => { 'Content-Type' => 'application/json' } });
	die "connect.pl: $answer->{status}: $answer->{content}\n" unless $answer->{success};
	return $answer->{content};
}
