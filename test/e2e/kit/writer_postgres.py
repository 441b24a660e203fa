"""PostgreSQL for writer.py."""
import os
import select
import time

import psycopg2
import psycopg2.errors
import psycopg2.extensions


class NotPromised(Exception):
    """It succeeded, and no standby has it."""


Error, NoTable = (psycopg2.Error, NotPromised), psycopg2.errors.UndefinedTable
TABLE = ("CREATE TABLE IF NOT EXISTS e2e_writes (client text, id bigint, at timestamptz NOT NULL DEFAULT "
         "clock_timestamp(), PRIMARY KEY (client, id))")
# The timeline from the write-ahead log itself: the control file learns of a promotion only at its checkpoint.
INSERT = ("INSERT INTO e2e_writes (client, id) VALUES (%s, %s) RETURNING host(inet_server_addr()), "
          "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int")
ISLANDS = ("SELECT client, min(id), max(id) FROM (SELECT client, id, id - row_number() OVER (PARTITION BY client "
           "ORDER BY id) AS island FROM e2e_writes) AS rows GROUP BY client, island ORDER BY 1, 2")
# A commit whose wait was cancelled succeeds for libpq, with this warning: no promise was made.
NOT_PROMISED = "wait for synchronous replication"
# Neither a dead address nor a process that stands still may hold an impatient client longer than the fault itself.
CONNECT_S, STATEMENT_S = 1, 2


class Connection(psycopg2.extensions.connection):
    limit = None


class Impatient(Connection):
    limit = CONNECT_S


def wait(connection):
    """libpq knows no limit for an answer, so the wait for it is ours."""
    end = None if connection.limit is None else time.monotonic() + connection.limit
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        reads = [connection.fileno()] if state == psycopg2.extensions.POLL_READ else []
        writes = [connection.fileno()] if state == psycopg2.extensions.POLL_WRITE else []
        left = None if end is None else max(0, end - time.monotonic())
        if not any(select.select(reads, writes, [], left)):
            raise psycopg2.OperationalError(f"no answer within {connection.limit} s")


def connect(host, patient):
    kind = Connection if patient else Impatient
    connection = psycopg2.connect(host=host, dbname=os.environ["DB_NAME"], user=os.environ["DB_USER"],
                                  password=os.environ["DB_PASSWORD"], connection_factory=kind)
    connection.autocommit = True
    if connection.limit is not None:
        connection.limit = STATEMENT_S
    return connection


def make_table(connection):
    try:
        connection.cursor().execute(TABLE)
    except psycopg2.errors.UniqueViolation:
        pass  # another client was quicker


def is_primary(connection):
    """Asked, not tried: a failing INSERT would be two lines in the member's log each time."""
    cursor = connection.cursor()
    cursor.execute("SELECT pg_is_in_recovery()")
    return not cursor.fetchone()[0]


def insert(connection, client, number):
    cursor = connection.cursor()
    cursor.execute(INSERT, (client, number))
    answer = cursor.fetchone()
    if any(NOT_PROMISED in notice for notice in connection.notices):
        raise NotPromised("committed here without waiting for a standby")
    return answer


def islands(connection):
    cursor = connection.cursor()
    cursor.execute(ISLANDS)
    return cursor.fetchall()


psycopg2.extensions.set_wait_callback(wait)
