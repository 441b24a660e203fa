"""MariaDB's binary log as data: transactions and their places. Pure; used by the collector and by recovery."""
from __future__ import annotations

import struct
from typing import BinaryIO, Dict, Iterator, List, NamedTuple, Optional

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")
QUERY, STOP, ROTATE, FORMAT, XID, XA_PREPARE = 2, 3, 4, 15, 16, 38
GTID, GTID_LIST, QUERY_COMPRESSED = 162, 163, 165
STANDALONE = 1
# A place after which there is nothing more in the file.
LAST_EVENTS = (ROTATE, STOP)


class Gtid(NamedTuple):
    domain: int
    server: int
    seq: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.seq}"


# The last transaction of each domain.
Position = Dict[int, Gtid]


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
    domain, server, seq = text.strip().split("-")
    return Gtid(int(domain), int(server), int(seq))


def parse_position(text: str) -> Position:
    """`0-1-5,7-2-9`, also over several lines."""
    gtids = [parse_gtid(part) for part in text.replace("\n", ",").split(",") if part.strip()]
    return {gtid.domain: gtid for gtid in gtids}


def render_position(position: Position) -> str:
    return ",".join(str(position[domain]) for domain in sorted(position))


def advance(position: Position, gtid: Gtid) -> Position:
    known = position.get(gtid.domain)
    return position if known and known.seq >= gtid.seq else {**position, gtid.domain: gtid}


def merged(one: Position, other: Position) -> Position:
    for gtid in other.values():
        one = advance(one, gtid)
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
        # Rows may be large, and nobody looks at them.
        wanted = length - HEADER.size if kind in (GTID, GTID_LIST, QUERY, QUERY_COMPRESSED, FORMAT) else 0
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


def is_end(event: Event) -> bool:
    """COMMIT and ROLLBACK as statements end what has no engine with transactions."""
    if event.kind in (XID, XA_PREPARE):
        return True
    if event.kind != QUERY:
        return False
    _thread, _time, database, _error, status = struct.unpack_from("<IIBHH", event.body)
    query = event.body[13 + status + database + 1:]
    return query[:8] in (b"ROLLBACK",) or query[:6] == b"COMMIT"


def scan(path: str, offset: int = 0) -> Scan:
    """All whole transactions behind an offset that is the beginning of the file or the end of a transaction."""
    transactions: List[Transaction] = []
    created, ended, begins = 0, False, {}
    open_gtid: Optional[Event] = None
    end = offset
    with open(path, "rb") as file:
        if offset == 0 and file.read(4) != MAGIC:
            return Scan([], 0, 0, False, {})
        for event in events(file, max(offset, 4)):
            if event.kind == FORMAT:
                created = event.timestamp
            elif event.kind == GTID_LIST:
                begins = merged(begins, read_gtid_list(event))
            elif event.kind == GTID:
                open_gtid = event
                continue
            if open_gtid is None:
                # What lies between transactions belongs to nobody and goes along.
                end, ended = event.end, event.kind in LAST_EVENTS
                continue
            standalone = struct.unpack_from("<B", open_gtid.body, 12)[0] & STANDALONE
            if is_end(event) or (standalone and event.kind in (QUERY, QUERY_COMPRESSED)):
                transactions.append(Transaction(read_gtid(open_gtid), open_gtid.start, event.end, event.timestamp))
                open_gtid, end = None, event.end
    return Scan(transactions, end, created, ended, begins)
