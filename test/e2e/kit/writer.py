#!/usr/bin/env python3
"""Clients that write all the time and remember what was acknowledged; they run in a Pod of their own.

  writer.py run          starts the clients that CLIENTS names (JSON); answers on a Unix socket
  writer.py ask JSON     one request to the running writer, one JSON answer on stdout

A client: {"name", "host", "everyMs", "fresh": connect anew for each row, "retryMs": rest before the next
connection, "patient": no time-outs of its own,
"lifetimeMs": connect anew between two rows once the connection is so old, as connection pools do, "witness": asks one
member on one connection whether it is a primary by now, and writes as soon as it is, "retrySafe": a statement that fails
is repeated once on another connection before it counts as an error, "firstId"}. Requests: {"do": "status"}, {"do": "mark", "clients": […]} (starts a new window for gaps and errors; clients
that are not named rest), {"do": "stop"}, {"do": "verify", "acked": {name: [[first, last], …]}} (ranges of earlier
writers are checked too).
"""
import json
import os
import socket
import sys
import threading
import time

import database  # writer_postgres.py or writer_mysql.py, under this name in the writer's Pod

ADDRESS = "/tmp/writer.sock"
REST_S, GAP_WORTH_TELLING_S = 0.02, 0.1

class Ranges:
    """Acknowledged ids as [first, last] pairs: hundreds of thousands of ids stay a short text."""

    def __init__(self):
        self.pairs = []

    def add(self, number):
        if self.pairs and self.pairs[-1][1] == number - 1:
            self.pairs[-1][1] = number
        else:
            self.pairs.append([number, number])


def missing(acked, present):
    """Ids in the ranges `acked` that no range of `present` holds; both sorted, neither overlapping."""
    lost, index = [], 0
    for first, last in acked:
        number = first
        while index < len(present) and present[index][1] < number:
            index += 1
        at = index
        while number <= last:
            if at == len(present) or present[at][0] > last:
                lost.extend(range(number, last + 1))
                break
            lost.extend(range(number, present[at][0]))
            number, at = max(number, present[at][1] + 1), at + 1
    return lost


class Servers:
    """For each member and timeline that acknowledged: when the first answer came, when the last question went out."""

    def __init__(self):
        self.seen = {}

    def add(self, server, timeline, start, end):
        entry = self.seen.setdefault((server, timeline), {"server": server, "timeline": timeline, "count": 0,
                                                          "firstEnd": end, "lastStart": start})
        entry["count"] += 1
        entry["lastStart"] = start


class NoPrimary(Exception):
    """Asked, not tried: a failing INSERT would be two lines in the member's log each time."""


class Client:
    def __init__(self, spec):
        self.name, self.host, self.fresh = spec["name"], spec["host"], spec.get("fresh", False)
        self.patient, self.retry_safe, self.again = spec.get("patient", False), spec.get("retrySafe", False), None
        self.interval, self.lifetime = spec.get("everyMs", 10) / 1000, spec.get("lifetimeMs", float("inf")) / 1000
        self.retry = spec.get("retryMs", 20) / 1000
        self.connected_at, self.witness = 0.0, spec.get("witness", False)
        self.next_id, self.acked, self.count = spec.get("firstId", 1), Ranges(), 0
        self.last_error, self.last_ack, self.last_server, self.active = "", None, None, True
        self.lock = threading.Lock()
        self.mark()

    def mark(self):
        self.gaps, self.errors, self.window_start = [], 0, time.monotonic()
        self.servers, self.home, self.moved = Servers(), self.last_server, False
        self.after_move = {"connections": 0, "statements": 0}

    def acknowledged(self, number, start, server, timeline):
        now = time.monotonic()
        with self.lock:
            self.acked.add(number)
            self.count += 1
            since = max(self.last_ack or now, self.window_start)
            if now - since > GAP_WORTH_TELLING_S:
                self.gaps.append(round(now - since, 3))
            self.servers.add(server, timeline, start, now)
            self.moved = self.moved or (self.home is not None and server != self.home)
            self.last_ack, self.last_server = now, server

    def failed(self, problem, what):
        with self.lock:
            self.errors += 1
            self.after_move[what] += 1 if self.moved else 0
            self.last_error = f"{type(problem).__name__}: {str(problem).strip()[:200]} ({what})"

    def status(self):
        with self.lock:
            now = time.monotonic()
            silent = now - max(self.last_ack or self.window_start, self.window_start)
            return {"acked": self.count, "errors": self.errors, "lastError": self.last_error, "gaps": self.gaps,
                    "longestGap": max([*self.gaps, silent]), "silent": silent, "nextId": self.next_id,
                    "ranges": self.acked.pairs, "servers": [*self.servers.seen.values()],
                    "failedAfterMove": dict(self.after_move), "active": self.active}

    def run(self):
        connection = None
        while True:
            if not self.active:
                time.sleep(REST_S)
                continue
            try:
                connection = connection or self.connect()
                self.write(connection)
                old = self.fresh or time.monotonic() - self.connected_at > self.lifetime
                connection = close(connection) if old else connection
                time.sleep(self.interval)
            except NoPrimary:
                time.sleep(self.interval)
            except database.Error as problem:
                what = "connections" if connection is None else "statements"
                connection = close(connection)
                if not self.once_more():
                    self.failed(problem, what)
                    time.sleep(self.retry)

    def once_more(self):
        """A statement that may be repeated is, once, on another connection; only then has it failed."""
        if not self.retry_safe or self.again == self.next_id - 1:
            return False
        self.again = self.next_id = self.next_id - 1
        return True

    def connect(self):
        self.connected_at = time.monotonic()
        return database.connect(self.host, self.patient)

    def write(self, connection):
        if self.witness and not database.is_primary(connection):
            raise NoPrimary
        number, self.next_id = self.next_id, self.next_id + 1
        start = time.monotonic()
        try:
            server, timeline = database.insert(connection, self.name, number)
        except database.NoTable:
            return database.make_table(connection)
        return self.acknowledged(number, start, server, timeline)


def close(connection):
    try:
        if connection is not None:
            connection.close()
    except database.Error:
        pass


def present_rows():
    connection, found = database.connect(os.environ["DB_HOST"], True), {}
    for client, first, last in database.islands(connection):
        found.setdefault(client, []).append([first, last])
    connection.close()
    return found


def verify(clients, request):
    acked = {name: [list(pair) for pair in pairs] for name, pairs in request.get("acked", {}).items()}
    for client in clients:
        with client.lock:
            acked.setdefault(client.name, []).extend(list(pair) for pair in client.acked.pairs)
    present = present_rows()
    lost = [[name, number] for name, pairs in acked.items() for number in missing(pairs, present.get(name, []))]
    total = sum(last - first + 1 for pairs in acked.values() for first, last in pairs)
    return {"acked": total, "lost": len(lost), "firstLost": lost[:5]}


def answer(clients, request):
    action = request["do"]
    if action == "verify":
        return verify(clients, request)
    if action == "mark":
        for client in clients:
            with client.lock:
                client.active = client.name in request.get("clients", [client.name])
                client.mark()
    if action == "stop":
        for client in clients:
            client.active = False
        time.sleep(0.1)
    return {client.name: client.status() for client in clients}


def serve(clients):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(ADDRESS)
    server.listen()
    while True:
        client, _ = server.accept()
        with client, client.makefile("rw") as stream:
            try:
                reply = answer(clients, json.loads(stream.readline()))
            except Exception as problem:  # told to the one who asks; the writer goes on
                reply = {"problem": f"{type(problem).__name__}: {problem}"}
            stream.write(json.dumps(reply))


def ask(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(ADDRESS)
        with client.makefile("rw") as stream:
            stream.write(text + "\n")
            stream.flush()
            print(stream.read())


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        ask(sys.argv[2])
    else:
        clients = [Client(spec) for spec in json.loads(os.environ["CLIENTS"])]
        for client in clients:
            threading.Thread(target=client.run, daemon=True).start()
        serve(clients)
