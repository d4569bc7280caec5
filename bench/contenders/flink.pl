# Starts or cancels a job of the Flink cluster (bench/peers) that writes a topic into `target`.
# usage: flink.pl start csv|json TOPIC insert|merge
#        flink.pl stop
# The environment tells BROKERS, FLINK (the address of the cluster), JDBC_URL and PEER_PASSWORD of the role peer.
use strict;
use warnings;
use HTTP::Tiny;

my ($command, $format, $topic, $mode) = @ARGV;
my $columns = 'id BIGINT, version BIGINT, customer_id INT, sku STRING, quantity INT, price DECIMAL(10, 2),'
  . ' status STRING, ordered_at %s, note STRING';

# JSON has a format for times with a zone. The csv format reads only such without a T, so the text is cut by SQL.
my %source = (
	csv => {
		time   => 'STRING',
		cast   => "CAST(REPLACE(SUBSTRING(ordered_at FROM 1 FOR 23), 'T', ' ') AS TIMESTAMP(3))",
		option => '' },
	json => {
		time   => 'TIMESTAMP_LTZ(3)',
		cast   => 'CAST(ordered_at AS TIMESTAMP(3))',
		option => ", 'json.timestamp-format.standard' = 'ISO-8601'" });

sub statements
{
	my $source = $source{$format} // die "flink.pl: there is no format $format\n";
	my $from   = sprintf $columns, $source->{time};
	my $to     = sprintf $columns, 'TIMESTAMP(3)';
	$to .= ', PRIMARY KEY (id) NOT ENFORCED' if $mode eq 'merge';
	return <<"SQL";
CREATE TEMPORARY TABLE source ($from)
  WITH ('connector' = 'kafka', 'topic' = '$topic', 'properties.bootstrap.servers' = '$ENV{BROKERS}',
        'properties.group.id' = 'flink-$format', 'scan.startup.mode' = 'earliest-offset',
        'properties.max.poll.records' = '10000', 'properties.max.partition.fetch.bytes' = '8388608',
        'format' = '$format'$source->{option});
CREATE TEMPORARY TABLE sink ($to)
  WITH ('connector' = 'jdbc', 'url' = '$ENV{JDBC_URL}?reWriteBatchedInserts=true', 'username' = 'peer', 'password' = '$ENV{PEER_PASSWORD}',
        'table-name' = 'target', 'sink.buffer-flush.max-rows' = '5000', 'sink.buffer-flush.interval' = '200ms');
INSERT INTO sink
  SELECT id, version, customer_id, sku, quantity, price, status, $source->{cast}, note FROM source;
SQL
}

my $http = HTTP::Tiny->new(timeout => 60);
my $answer = $command eq 'start' ? $http->post($ENV{FLINK}, { content => statements() }) : $http->delete($ENV{FLINK});
die "flink.pl: $answer->{status}: $answer->{content}\n" unless $answer->{success};
