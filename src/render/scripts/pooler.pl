#!/usr/bin/perl
# perl pooler.pl alive SOCKET: fails while PgBouncer is paused or does not answer.
# perl pooler.pl drain SOCKET SECONDS: returns when the last client has left, at the latest after so many seconds.
#
# alive: the kubelet asks for a minute before it restarts the container, so a pause outlives whoever made it by no more
# than that. drain: a PgBouncer that was told to end waits for its clients too, but hears of no pause any more and tries
# a server that it lost again only after a long while; so it is told only when they are gone. Perl, since Debian's
# smallest images have it and nothing else that can speak over a Unix socket; there PgBouncer's console lets its own
# user in without a password.
use strict;
use warnings;
use IO::Socket::UNIX;

my ($command, $address, $limit) = @ARGV;
my $socket;
$SIG{ALRM} = sub { die "PgBouncer does not answer\n" };

sub bytes {
    my ($count, $text) = (shift, '');
    while (length($text) < $count) {
        $socket->read($text, $count - length($text), length($text)) or die "PgBouncer hung up\n";
    }
    return $text;
}

# The rows of all answers up to ReadyForQuery.
sub answer {
    my @rows;
    while (1) {
        my ($type, $length) = unpack('a N', bytes(5));
        my $body = $length > 4 ? bytes($length - 4) : '';
        die "PgBouncer refused: $body\n" if $type eq 'E';
        return @rows if $type eq 'Z';
        push @rows, $body if $type eq 'D';
    }
}

sub console {
    my $query = "$_[0];\0";
    alarm 4;    # a frozen PgBouncer must not hold whoever asks
    $socket = IO::Socket::UNIX->new(Peer => $address) or die "no connection: $!\n";
    my $startup = pack('N', 196608) . join("\0", 'user', 'pgbouncer', 'database', 'pgbouncer', "\0");
    print {$socket} pack('N', 4 + length $startup) . $startup;
    $socket->flush;
    answer();
    print {$socket} 'Q' . pack('N', 4 + length $query) . $query;
    $socket->flush;
    my @rows = answer();
    close $socket;
    alarm 0;
    return @rows;
}

if ($command eq 'alive') {
    # Columns have their length before them.
    die "PgBouncer is paused\n" if grep { /(?:paused|suspended)\0\0\0\x03yes/ } console('SHOW STATE');
} else {
    my $end = time + $limit;
    # Services need a moment to stop sending new clients; the one that is always there is this question.
    do { sleep 1 } while (time < $end && (time < $end - $limit + 5 || console('SHOW CLIENTS') > 1));
}
