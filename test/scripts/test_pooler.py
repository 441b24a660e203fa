"""pooler.pl against a console that answers as PgBouncer does, over a Unix socket."""
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "../../src/render/scripts/pooler.pl")


def message(kind, body=b""):
    return kind + struct.pack("!I", 4 + len(body)) + body


def row(*columns):
    parts = b"".join(struct.pack("!I", len(text)) + text.encode() for text in columns)
    return message(b"D", struct.pack("!H", len(columns)) + parts)


class Console:
    """`rows` gives the answer to a query; None stands for a process that does not answer."""

    def __init__(self, rows):
        self.rows, self.queries = rows, []
        self.path = os.path.join(tempfile.mkdtemp(), "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.recv(4096)
            connection.sendall(message(b"R", struct.pack("!I", 0)) + message(b"Z", b"I"))
            query = connection.recv(4096)[5:-1].decode()
            self.queries.append(query)
            rows = self.rows(query)
            if rows is None:
                time.sleep(30)
            connection.sendall(message(b"T", b"\0\0") + b"".join(rows) + message(b"C", b"SHOW\0") + message(b"Z", b"I"))
            connection.close()

    def run(self, command, *arguments):
        try:
            return subprocess.run(["perl", SCRIPT, command, self.path, *arguments], capture_output=True, text=True, timeout=25)
        finally:
            self.listener.close()


def state(paused):
    return lambda _: [row("active", "yes"), row("paused", paused), row("suspended", "no")]


class Alive(unittest.TestCase):
    def test_a_pooler_that_answers_is_alive(self):
        self.assertEqual(Console(state("no")).run("alive").returncode, 0)

    def test_a_paused_one_is_not_so_that_no_pause_outlives_whoever_made_it(self):
        result = Console(state("yes")).run("alive")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("paused", result.stderr)

    def test_a_frozen_one_is_not_and_does_not_hold_the_probe(self):
        result = Console(lambda _: None).run("alive")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("does not answer", result.stderr)


class Drain(unittest.TestCase):
    def test_it_waits_until_the_last_client_has_left(self):
        start = time.monotonic()
        clients = lambda _: [row("C")] * (2 if time.monotonic() - start < 7 else 1)
        self.assertEqual(Console(clients).run("drain", "20").returncode, 0)
        self.assertGreater(time.monotonic() - start, 6.5)
        self.assertLess(time.monotonic() - start, 12)

    def test_clients_that_stay_hold_it_no_longer_than_the_limit(self):
        start = time.monotonic()
        self.assertEqual(Console(lambda _: [row("C")] * 5).run("drain", "7").returncode, 0)
        self.assertLess(time.monotonic() - start, 10)

    def test_it_gives_services_a_moment_although_nobody_is_there(self):
        start = time.monotonic()
        self.assertEqual(Console(lambda _: [row("C")]).run("drain", "20").returncode, 0)
        self.assertGreater(time.monotonic() - start, 4)


if __name__ == "__main__":
    unittest.main()
