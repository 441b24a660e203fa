#!/usr/bin/perl
# perl pooler-alive.pl SOCKET: fails while PgBouncer is paused or does not answer.
#
# The kubelet asks for a minute before it restarts the container, so a pause outlives whoever made it by no more than
# that. Perl, since Debian's smallest images have it and nothing else that can speak over a Unix socket; there
# PgBouncer's console lets its own user in without a password.
use strict;
use warnings;
use IO::Socket::UNIX;

alarm 4;    # a frozen PgBouncer must not hold the probe
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no connection: $!\n";

sub bytes {
    my ($count, $text) = (shift, '');
    while (length($text) < $count) {
        $socket->read($text, $count - length($text), length($text)) or die "PgBouncer hung up\n";
    }
    return $text;
}

# All answers up to ReadyForQuery.
sub answer {
    my $all = '';
    while (1) {
        my ($type, $length) = unpack('a N', bytes(5));
        my $body = $length > 4 ? bytes($length - 4) : '';
        die "PgBouncer refused: $body\n" if $type eq 'E';
        return $all if $type eq 'Z';
        $all .= $body if $type eq 'D';
    }
}

my $startup = pack('N', 196608) . join("\0", 'user', 'pgbouncer', 'database', 'pgbouncer', "\0");
print {$socket} pack('N', 4 + length $startup) . $startup;
$socket->flush;
answer();
print {$socket} 'Q' . pack('N', 16) . "SHOW STATE;\0";
$socket->flush;
# Rows of two columns, each with its length before it.
die "PgBouncer is paused\n" if answer() =~ /(?:paused|suspended)\0\0\0\x03yes/;
