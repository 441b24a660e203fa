"""The binary log of MariaDB and of MySQL as data: transactions and their places. Pure; used by the collector and by recovery.

Both number transactions (GTID): MariaDB `domain-server-number`, MySQL `uuid:number`. A position is what has been seen of
each domain or uuid: MariaDB counts without gaps and keeps the last number, MySQL keeps intervals.
"""
from __future__ import annotations

import struct
import uuid
from typing import BinaryIO, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")
QUERY, STOP, ROTATE, FORMAT, XID, XA_PREPARE = 2, 3, 4, 15, 16, 38
GTID, GTID_LIST, QUERY_COMPRESSED = 162, 163, 165
MYSQL_GTID, MYSQL_ANONYMOUS, MYSQL_PREVIOUS, MYSQL_TAGGED = 33, 34, 35, 42
STANDALONE = 1
# Rows may be large, and nobody looks at them.
READ = (GTID, GTID_LIST, QUERY, QUERY_COMPRESSED, FORMAT, MYSQL_GTID, MYSQL_PREVIOUS)
# A place after which there is nothing more in the file.
LAST_EVENTS = (ROTATE, STOP)


# MariaDB's number of a domain, or MySQL's uuid.
Domain = Union[int, str]


class Gtid(NamedTuple):
    """One transaction; in a position of MariaDB also all before it."""
    domain: Domain
    server: int
    seq: int

    def __str__(self) -> str:
        return f"{self.domain}:{self.seq}" if isinstance(self.domain, str) else f"{self.domain}-{self.server}-{self.seq}"

    def holds(self, seq: int) -> bool:
        return seq <= self.seq

    def joined(self, other: "Gtid") -> "Gtid":
        return self if self.seq >= other.seq else other


class Intervals(NamedTuple):
    """What a position of MySQL holds of one uuid: first and last numbers, in order, with gaps between them."""
    domain: str
    spans: Tuple[Tuple[int, int], ...]

    @property
    def seq(self) -> int:
        return self.spans[-1][1]

    def __str__(self) -> str:
        return ":".join([self.domain, *(f"{first}-{last}" if first < last else str(first) for first, last in self.spans)])

    def holds(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.spans)

    def joined(self, other: "Union[Intervals, Gtid]") -> "Intervals":
        found: List[Tuple[int, int]] = []
        for first, last in sorted(self.spans + spans_of(other)):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return Intervals(self.domain, tuple(found))


def spans_of(value: Union[Intervals, Gtid]) -> Tuple[Tuple[int, int], ...]:
    return value.spans if isinstance(value, Intervals) else ((value.seq, value.seq),)


# What has been seen of each domain.
Position = Dict[Domain, Union[Gtid, Intervals]]


class Transaction(NamedTuple):
    gtid: Gtid
    start: int
    end: int
    committed: int  # seconds since 1970, of its last event


class Scan(NamedTuple):
    transactions: List[Transaction]
    # Where the last whole transaction ends; what follows may still be written.
    end: int
    created: int
    ended: bool
    begins: Position


def parse_gtid(text: str) -> Gtid:
    if ":" in text:
        domain, seq = text.strip().split(":")
        return Gtid(str(uuid.UUID(domain)), 0, int(seq))
    domain, server, seq = text.strip().split("-")
    return Gtid(int(domain), int(server), int(seq))


def parse_intervals(text: str) -> Intervals:
    """`3e11fa47-…:1-5:7`."""
    domain, *spans = (part.strip() for part in text.split(":"))
    found = Intervals(str(uuid.UUID(domain)), ())
    for span in spans:
        first, _dash, last = span.partition("-")
        found = found.joined(Intervals(found.domain, ((int(first), int(last or first)),)))
    if not found.spans:
        raise ValueError(f"no numbers in the GTIDs {text}")
    return found


def parse_position(text: str) -> Position:
    """`0-1-5,7-2-9` or `uuid:1-5:7,uuid:1-3`, also over several lines."""
    parts = [part for part in text.replace("\n", ",").split(",") if part.strip()]
    position: Position = {}
    for value in (parse_intervals(part) if ":" in part else parse_gtid(part) for part in parts):
        position = {**position, value.domain: value}
    return position


def render_position(position: Position) -> str:
    return ",".join(str(position[domain]) for domain in sorted(position))


def covers(position: Position, gtid: Gtid) -> bool:
    return gtid.domain in position and position[gtid.domain].holds(gtid.seq)


def seq(position: Position, domain: Domain) -> int:
    """The last number of a domain; none is 0."""
    return position[domain].seq if domain in position else 0


def advance(position: Position, value: Union[Gtid, Intervals]) -> Position:
    known = position.get(value.domain)
    if known is None:
        known = Intervals(value.domain, spans_of(value)) if isinstance(value.domain, str) else value
    return {**position, value.domain: known.joined(value)}


def merged(one: Position, other: Position) -> Position:
    for value in other.values():
        one = advance(one, value)
    return one


class Event(NamedTuple):
    timestamp: int
    kind: int
    server: int
    start: int
    end: int
    body: bytes


def events(file: BinaryIO, offset: int) -> Iterator[Event]:
    """Whole events from an offset on; ends where the file does, within an event or not."""
    place = offset
    while True:
        file.seek(place)
        head = file.read(HEADER.size)
        if len(head) < HEADER.size:
            return
        timestamp, kind, server, length, _next, _flags = HEADER.unpack(head)
        if length < HEADER.size:
            raise ValueError(f"no event at {place}")
        wanted = length - HEADER.size if kind in READ else 0
        body = file.read(wanted)
        file.seek(0, 2)
        if len(body) < wanted or file.tell() < place + length:
            return
        yield Event(timestamp, kind, server, place, place + length, body)
        place += length


def read_gtid(event: Event) -> Gtid:
    seq, domain = struct.unpack_from("<QI", event.body)
    return Gtid(domain, event.server, seq)


def read_gtid_list(event: Event) -> Position:
    (count,) = struct.unpack_from("<I", event.body)
    position: Position = {}
    for index in range(count & 0x0FFFFFFF):
        domain, server, seq = struct.unpack_from("<IIQ", event.body, 4 + 16 * index)
        position = advance(position, Gtid(domain, server, seq))
    return position


def read_previous(event: Event) -> Position:
    """MySQL: everything that all earlier files hold. With tags of 8.4 the last byte of the count says so."""
    (count,) = struct.unpack_from("<Q", event.body)
    if count >> 56:
        raise ValueError("the binary log holds GTIDs with tags, which are not supported")
    position: Position = {}
    place = 8
    for _ in range(count):
        domain = str(uuid.UUID(bytes=event.body[place:place + 16]))
        (spans,) = struct.unpack_from("<Q", event.body, place + 16)
        place += 24
        for _ in range(spans):
            first, behind = struct.unpack_from("<QQ", event.body, place)
            position = merged(position, {domain: Intervals(domain, ((first, behind - 1),))})
            place += 16
    return position


def packed(body: bytes, place: int) -> int:
    """MySQL's integers of one to nine bytes."""
    if body[place] < 251:
        return body[place]
    return int.from_bytes(body[place + 1:place + 1 + {252: 2, 253: 3, 254: 8}[body[place]]], "little")


def read_mysql_gtid(event: Event) -> Tuple[Gtid, int]:
    """And the length of the whole transaction, this event included; 8.0.2 and newer write it."""
    (number,) = struct.unpack_from("<q", event.body, 17)
    place = 1 + 16 + 8 + 1 + 16
    stamp = int.from_bytes(event.body[place:place + 7], "little")
    # The highest bit says that the time of the first commit follows: it is another one than that of this server's.
    place += 14 if stamp >> 55 else 7
    return Gtid(str(uuid.UUID(bytes=event.body[1:17])), 0, number), packed(event.body, place)


def is_end(event: Event) -> bool:
    """COMMIT and ROLLBACK as statements end what has no engine with transactions."""
    if event.kind in (XID, XA_PREPARE):
        return True
    if event.kind != QUERY:
        return False
    _thread, _time, database, _error, status = struct.unpack_from("<IIBHH", event.body)
    query = event.body[13 + status + database + 1:]
    return query[:8] in (b"ROLLBACK",) or query[:6] == b"COMMIT"


class Walk:
    """What a scan has seen so far."""

    def __init__(self, offset: int) -> None:
        self.transactions: List[Transaction] = []
        self.end, self.created, self.ended = offset, 0, False
        self.begins: Position = {}
        self.open: Optional[Event] = None

    def take(self, event: Event) -> None:
        if event.kind == FORMAT:
            self.created = event.timestamp
        elif event.kind in (GTID_LIST, MYSQL_PREVIOUS):
            self.begins = merged(self.begins, (read_gtid_list if event.kind == GTID_LIST else read_previous)(event))
        elif event.kind in (MYSQL_ANONYMOUS, MYSQL_TAGGED):
            raise ValueError(f"the binary log holds transactions without a plain GTID (event {event.kind})")
        elif event.kind in (GTID, MYSQL_GTID):
            self.open = event
            return
        if self.open is None:
            # What lies between transactions belongs to nobody and goes along.
            self.end, self.ended = event.end, event.kind in LAST_EVENTS
        elif self.closes(event):
            gtid = read_gtid(self.open) if self.open.kind == GTID else read_mysql_gtid(self.open)[0]
            self.transactions.append(Transaction(gtid, self.open.start, event.end, event.timestamp))
            self.open, self.end = None, event.end

    def closes(self, event: Event) -> bool:
        if self.open.kind == MYSQL_GTID:
            return event.end >= self.open.start + read_mysql_gtid(self.open)[1]
        standalone = struct.unpack_from("<B", self.open.body, 12)[0] & STANDALONE
        return is_end(event) or bool(standalone and event.kind in (QUERY, QUERY_COMPRESSED))


def scan(path: str, offset: int = 0) -> Scan:
    """All whole transactions behind an offset that is the beginning of the file or the end of a transaction."""
    walk = Walk(offset)
    with open(path, "rb") as file:
        if offset == 0 and file.read(4) != MAGIC:
            return Scan([], 0, 0, False, {})
        for event in events(file, max(offset, 4)):
            walk.take(event)
    return Scan(walk.transactions, walk.end, walk.created, walk.ended, walk.begins)
