"""MariaDB and MySQL for writer.py. Each statement may be repeated: a row that is there already is as good as a new one."""
import os

os.environ.setdefault("USER", "writer")  # pymysql asks who runs it, and the Pod's user has no name
import pymysql  # noqa: E402

# A connection that breaks may tell so as the socket does.
Error = (pymysql.MySQLError, OSError)
TABLE = ("CREATE TABLE IF NOT EXISTS e2e_writes (client varchar(64), id bigint, at timestamp(6) NOT NULL DEFAULT "
         "current_timestamp(6), PRIMARY KEY (client, id))")
INSERT = "INSERT INTO e2e_writes (client, id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE id = id"
ISLANDS = ("SELECT client, min(id), max(id) FROM (SELECT client, id, id - row_number() OVER (PARTITION BY client "
           "ORDER BY id) AS island FROM e2e_writes) AS row_islands GROUP BY client, island ORDER BY 1, 2")
NO_SUCH_TABLE = 1146
# Neither a dead address nor a process that stands still may hold an impatient client longer than the fault itself. A
# connection through a proxy on a node that has lost its power is ended by nobody else.
CONNECT_S, STATEMENT_S = 1, 2


class NoTable(Exception):
    pass


def connect(host, patient):
    limit = None if patient else STATEMENT_S
    connection = pymysql.connect(host=host, database=os.environ["DB_NAME"], user=os.environ["DB_USER"],
                                 password=os.environ["DB_PASSWORD"], autocommit=True, connect_timeout=CONNECT_S,
                                 read_timeout=limit, write_timeout=limit)
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@hostname")
        connection.member = cursor.fetchone()[0]
    return connection


def make_table(connection):
    connection.cursor().execute(TABLE)


def is_primary(connection):
    with connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'wsrep_cluster_status'")
        return cursor.fetchone()[1] == "Primary"


def insert(connection, client, number):
    try:
        connection.cursor().execute(INSERT, (client, number))
    except pymysql.err.ProgrammingError as problem:
        if problem.args[0] == NO_SUCH_TABLE:
            raise NoTable from problem
        raise
    return connection.member, 1


def islands(connection):
    with connection.cursor() as cursor:
        cursor.execute(ISLANDS)
        return cursor.fetchall()
