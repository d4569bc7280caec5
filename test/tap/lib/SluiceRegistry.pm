# A real schema registry of a test's own, and a front before it that can refuse, fail, delay and count:
# SluiceRegistry->start gives one, the end of the script ends it. Jobs ask the front; its URL stays the same.
package SluiceRegistry;

use strict;
use warnings;

use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Run ();
use JSON::PP;
use MIME::Base64;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my @running;

sub start
{
	my ($class) = @_;
	my $self = bless {
		dir => PostgreSQL::Test::Utils::tempdir_short(),
		port => PostgreSQL::Test::Cluster::get_free_port(),
		front_port => PostgreSQL::Test::Cluster::get_free_port(),
	}, $class;
	push @running, $self;
	$self->restart;
	$self->open_front;
	return $self;
}

sub url { return "http://127.0.0.1:$_[0]{front_port}"; }
sub restart { my ($self) = @_; return $self->_run('start', "$self->{dir}/registry", $self->{port}); }
sub stop { my ($self) = @_; return $self->_run('stop', "$self->{dir}/registry"); }

# register($subject, $schema, type => 'AVRO', references => [{name, subject, version}]): the id.
sub register
{
	my ($self, $subject, $schema, %more) = @_;
	my $body = encode_json({ schema => $schema, schemaType => $more{type} // 'AVRO', references => $more{references} // [] });
	my $answer = HTTP::Tiny->new(timeout => 60)->post($self->_real . "/subjects/$subject/versions",
		{ headers => { 'Content-Type' => 'application/vnd.schemaregistry.v1+json' }, content => $body });
	die "register: $answer->{status} $answer->{content}" unless $answer->{success};
	return decode_json($answer->{content})->{id};
}

# What the front does instead of handing on, until told otherwise: status => 503, log_in => 'etl:secret', delay => 5.
sub behave
{
	my ($self, %wish) = @_;
	_write("$self->{dir}/wish.new", encode_json(\%wish));
	rename "$self->{dir}/wish.new", "$self->{dir}/wish" or die;
	return;
}

# The paths that were asked for since the last call, refused ones too.
sub requests
{
	my ($self) = @_;
	return [] unless -e "$self->{dir}/requests";
	rename "$self->{dir}/requests", "$self->{dir}/requests.seen" or die;
	return [ split /\n/, slurp_file("$self->{dir}/requests.seen") ];
}

# Nobody listens any more; open_front starts again.
sub close_front
{
	my ($self) = @_;
	kill 'KILL', $self->{front};
	waitpid $self->{front}, 0;
	delete $self->{front};
	return;
}

sub open_front
{
	my ($self) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{front_port}, Listen => 16, ReuseAddr => 1)
	  or die "front: $@";
	$self->{front} = fork // die;
	return if $self->{front};
	eval { $self->_serve($_) while $_ = $listener->accept; };
	POSIX::_exit(0);
}

sub _serve
{
	my ($self, $client) = @_;
	my ($request, %head) = (scalar <$client> // return);
	while (defined(my $line = <$client>))
	{
		last if $line =~ /^\r?\n/;
		$head{ lc $1 } = $2 if $line =~ /^([^:]+):\s*(.*?)\r?\n/;
	}
	my ($path) = $request =~ /^GET (\S+)/ or return;
	open my $log, '>>', "$self->{dir}/requests" or die;
	print $log "$path\n";
	close $log;
	my $wish = -e "$self->{dir}/wish" ? decode_json(slurp_file("$self->{dir}/wish")) : {};
	sleep $wish->{delay} if $wish->{delay};
	my $log_in = $wish->{log_in} ? 'Basic ' . encode_base64($wish->{log_in}, '') : undef;
	my $answer =
	    $wish->{status} ? { status => $wish->{status}, content => '' }
	  : $log_in && ($head{authorization} // '') ne $log_in ? { status => 401, content => '{"error_code": 401, "message": "Unauthorized"}' }
	  : HTTP::Tiny->new(timeout => 60)->get($self->_real . $path);
	print $client "HTTP/1.1 $answer->{status} x\r\nLocation: file:///etc/passwd\r\nContent-Length: " . length($answer->{content})
	  . "\r\nConnection: close\r\n\r\n$answer->{content}";
	close $client;
	return;
}

sub _real { return "http://127.0.0.1:$_[0]{port}/apis/ccompat/v7"; }

sub _write
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "$file: $!";
	print $out $text;
	close $out;
	return;
}

sub _run
{
	my ($self, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'registry', @arguments ], '>', \$out, '2>', \$err) or die "registry @arguments: $err";
	return;
}

END
{
	my $status = $?;
	for my $registry (@running)
	{
		$registry->close_front if $registry->{front};
		$registry->stop if -e "$registry->{dir}/registry/pid";
	}
	$? = $status;
}

1;
