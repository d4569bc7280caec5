# A Kafka broker of a test's own, to stop, kill and restart: SluiceBroker->start gives one, its end ends it.
# Tests that only need topics use the shared broker of SluiceTest, which costs no start of 3 seconds.
# SluiceBroker->start(login => 1) has listeners that ask who is there, too: see test/tools/kafka.
package SluiceBroker;

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my @running;

sub start
{
	my ($class, %wish) = @_;
	my @login = $wish{login} ? ('login') : ();
	my $self = bless {
		dir => PostgreSQL::Test::Utils::tempdir_short(),
		port => _free_ports(@login ? 4 : 2),
		login => \@login
	}, $class;
	push @running, $self;
	$self->restart;
	return $self;
}

sub address { return "127.0.0.1:$_[0]{port}"; }
sub sasl_address { return 'localhost:' . ($_[0]{port} + 2); }
sub tls_address { return 'localhost:' . ($_[0]{port} + 3); }
sub tls_file { my ($self, $name) = @_; return "$self->{dir}/tls/$name"; }
# A broker that still runs is killed first: a test that failed to kill it must not leave it behind.
sub restart
{
	my ($self) = @_;
	$self->kill9 if -e "$self->{dir}/pid" && kill 0, $self->pid;
	return $self->_run('start', $self->{dir}, $self->{port}, @{ $self->{login} });
}
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

# The broker listens on the port, as its own controller on the one above it, and for log-ins on two more.
sub _free_ports
{
	my ($count) = @_;
	for (1 .. 100)
	{
		my $port = PostgreSQL::Test::Cluster::get_free_port();
		my $free = grep { PostgreSQL::Test::Cluster::can_bind('127.0.0.1', $port + $_) } 1 .. $count - 1;
		return $port if $free == $count - 1;
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
