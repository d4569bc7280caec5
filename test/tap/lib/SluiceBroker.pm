# A Kafka broker of a test's own, to stop, kill and restart: SluiceBroker->start gives one, its end ends it.
# Tests that only need topics use the shared broker of SluiceTest, which costs no start of 3 seconds.
package SluiceBroker;

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my @running;

sub start
{
	my ($class) = @_;
	my $self = bless { dir => PostgreSQL::Test::Utils::tempdir_short(), port => _two_free_ports() }, $class;
	push @running, $self;
	$self->restart;
	return $self;
}

sub address { return "127.0.0.1:$_[0]{port}"; }
sub restart { my ($self) = @_; return $self->_run('start', $self->{dir}, $self->{port}); }
sub stop { my ($self) = @_; return $self->_run('stop', $self->{dir}); }
sub kill9 { my ($self) = @_; return $self->_run('kill', $self->{dir}); }

# Freezes the broker: connections stay open and nothing is answered.
sub freeze { my ($self) = @_; return kill 'STOP', $self->pid; }
sub thaw { my ($self) = @_; return kill 'CONT', $self->pid; }

sub pid
{
	my ($self) = @_;
	return slurp_file("$self->{dir}/pid") + 0;
}

sub _run
{
	my ($self, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'kafka', @arguments ], '>', \$out, '2>', \$err) or die "kafka @arguments: $err";
	return;
}

# The broker listens on the port and, as its own controller, on the one above it.
sub _two_free_ports
{
	for (1 .. 100)
	{
		my $port = PostgreSQL::Test::Cluster::get_free_port();
		return $port if PostgreSQL::Test::Cluster::can_bind('127.0.0.1', $port + 1);
	}
	die 'found no free port';
}

END
{
	my $status = $?;
	for my $broker (@running)
	{
		next unless -e "$broker->{dir}/pid";
		$broker->thaw;
		system('kafka', 'kill', $broker->{dir});
	}
	$? = $status;
}

1;
