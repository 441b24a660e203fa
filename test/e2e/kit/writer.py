#!/usr/bin/env python3
"""A client that writes all the time and remembers what was acknowledged; runs in its own Pod.

  writer.py run          insert every 10 ms on one autocommit connection; answer on a Unix socket
  writer.py ask JSON     one request to the running writer, one JSON answer on stdout

Requests: {"do": "status"}, {"do": "mark"} (starts a new window for gaps and errors), {"do": "stop"},
{"do": "verify", "acked": [[first, last], …], "upTo": id} (ranges of an earlier writer are checked too).
"""
import json
import os
import socket
import sys
import threading
import time

import psycopg2

ADDRESS = "/tmp/writer.sock"
INTERVAL_S, RECONNECT_S, GAP_WORTH_TELLING_S = 0.01, 0.02, 0.25
TABLE = "CREATE TABLE IF NOT EXISTS e2e_writes (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"


def connect():
    # Dead addresses must not hold the client longer than the fault itself: 2 s is the least that libpq takes.
    connection = psycopg2.connect(
        host=os.environ["DB_HOST"], dbname=os.environ["DB_NAME"], user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"], connect_timeout=2, tcp_user_timeout=2000,
        keepalives_idle=1, keepalives_interval=1, keepalives_count=2, options="-c statement_timeout=2000")
    connection.autocommit = True
    return connection


class Ranges:
    """Acknowledged ids as [first, last] pairs: hundreds of thousands of ids stay a short text."""

    def __init__(self):
        self.pairs = []

    def add(self, number):
        if self.pairs and self.pairs[-1][1] == number - 1:
            self.pairs[-1][1] = number
        else:
            self.pairs.append([number, number])


class Writer:
    def __init__(self, first):
        self.next_id, self.acked, self.count = first, Ranges(), 0
        self.total_errors, self.last_error, self.running = 0, "", True
        self.last_ack = None
        self.lock = threading.Lock()
        self.mark()

    def mark(self):
        self.gaps, self.errors, self.window_start = [], 0, time.monotonic()

    def acknowledged(self, number):
        now = time.monotonic()
        with self.lock:
            self.acked.add(number)
            self.count += 1
            since = max(self.last_ack or now, self.window_start)
            if now - since > GAP_WORTH_TELLING_S:
                self.gaps.append(round(now - since, 3))
            self.last_ack = now

    def failed(self, problem):
        with self.lock:
            self.errors += 1
            self.total_errors += 1
            self.last_error = f"{type(problem).__name__}: {str(problem).strip()[:200]}"

    def status(self):
        with self.lock:
            now = time.monotonic()
            silent = now - max(self.last_ack or self.window_start, self.window_start)
            return {"acked": self.count, "errors": self.errors, "totalErrors": self.total_errors, "lastError": self.last_error,
                    "gaps": self.gaps, "longestGap": max([*self.gaps, silent]), "silent": silent,
                    "nextId": self.next_id, "ranges": self.acked.pairs}

    def run(self):
        connection = None
        while True:
            if not self.running:
                time.sleep(INTERVAL_S)
                continue
            try:
                if connection is None:
                    connection = connect()
                    connection.cursor().execute(TABLE)
                number, self.next_id = self.next_id, self.next_id + 1
                connection.cursor().execute("INSERT INTO e2e_writes (id) VALUES (%s)", (number,))
                self.acknowledged(number)
                time.sleep(INTERVAL_S)
            except psycopg2.Error as problem:
                self.failed(problem)
                connection = close(connection)
                time.sleep(RECONNECT_S)


def close(connection):
    try:
        if connection is not None:
            connection.close()
    except psycopg2.Error:
        pass


def present_ids():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET statement_timeout = 0")
    cursor.execute("SELECT id FROM e2e_writes")
    found = {row[0] for row in cursor.fetchall()}
    connection.close()
    return found


def verify(writer, request):
    with writer.lock:
        pairs, limit = [*request.get("acked", []), *[list(pair) for pair in writer.acked.pairs]], writer.next_id
    acked = {number for first, last in pairs for number in range(first, last + 1)}
    present = {number for number in present_ids() if number < limit}
    lost = sorted(acked - present)
    return {"acked": len(acked), "lost": len(lost), "firstLost": lost[:5], "unacknowledgedPresent": len(present - acked)}


def answer(writer, request):
    action = request["do"]
    if action == "mark":
        with writer.lock:
            writer.mark()
        return {}
    if action == "stop":
        writer.running = False
        time.sleep(0.1)
    return verify(writer, request) if action == "verify" else writer.status()


def serve(writer):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(ADDRESS)
    server.listen()
    while True:
        client, _ = server.accept()
        with client, client.makefile("rw") as stream:
            try:
                reply = answer(writer, json.loads(stream.readline()))
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
        writer = Writer(int(os.environ.get("FIRST_ID", "1")))
        threading.Thread(target=writer.run, daemon=True).start()
        serve(writer)
