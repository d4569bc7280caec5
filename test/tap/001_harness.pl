# The harness itself: a server with the staged extension, and the shared broker with topics, transactions and bytes.
use strict;
use warnings;

use SluiceBroker;
use SluiceTest;
use Test::More;

my $node = new_node('main');
is($node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'sluice'"),
	'0.1', 'the extension is there');
is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), 'sluice', 'and preloaded');
wait_until($node, 'SELECT 1', '1', name => 'wait_until reaches an answer');

my $plain = new_node('plain', preload => 0);
is($plain->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'a server without preload');

my $topic = new_topic('harness', 2);
my @positions = produce($topic, [
	[ 0, "k\x00\xff", "v\n", [ [ 'h', 'x' ], [ 'null', undef ] ], 1_700_000_000_000 ],
	[ 0, undef, undef ],
	[ 1, '', '' ],
]);
is_deeply(\@positions, [ [ 0, 0 ], [ 0, 1 ], [ 1, 0 ] ], 'messages lie where they were sent');
produce_transaction($topic, 'abort', [ [ 1, 'a', 'a' ] ]);
produce_transaction($topic, 'commit', [ [ 1, 'a', 'a' ] ]);
is_deeply({ watermarks($topic) }, { 0 => [ 0, 2 ], 1 => [ 0, 5 ] }, 'control records take offsets');
delete_records($topic, 0, 1);
is_deeply({ watermarks($topic) }->{0}, [ 1, 2 ], 'records are deleted from the beginning');
add_partitions($topic, 3);
flood("$topic.flood", rows => 1000, partitions => 2);
is_deeply({ watermarks("$topic.flood") }, { 0 => [ 0, 500 ], 1 => [ 0, 500 ] }, 'flood makes rows');
delete_topic($topic);
ok(!eval { watermarks($topic); 1 }, 'a deleted topic is gone');
like($@, qr/does not exist/, 'and the tool says so');

my $broker = SluiceBroker->start;
create_topic('own', 1, {}, brokers => $broker->address);
produce('own', [ [ 0, 'k', 'v' ] ], brokers => $broker->address);
$broker->kill9;
$broker->restart;
is_deeply({ watermarks('own', brokers => $broker->address) }, { 0 => [ 0, 1 ] }, 'and has its data when it is back');
$broker->stop;

done_testing();
