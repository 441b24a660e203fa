"""Statements to the server of this container, and names and texts in them."""
from __future__ import annotations

import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple

# MariaDB's and MySQL's numbers: nothing was changed, since somebody else was first.
DUPLICATE, DEADLOCK = 1062, 1213
ACCESS_DENIED = 1045
# Sent on a connection that the other end had closed: the statement has not arrived.
GONE_AWAY = 2006

Json = Dict[str, Any]


class SqlError(Exception):
    """The server did not do it; the text is its own. Behind it stands the number, where there is one."""

    def __str__(self) -> str:
        return str(self.args[0])

    def of_statement(self) -> bool:
        """The server has answered, and others may go well; else there was no answer."""
        number = self.args[1] if len(self.args) > 1 else 0
        return number >= 1000 and not 2000 <= number < 3000


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


class Sql:
    """One connection through the socket, opened when it is needed, by one thread at a time."""

    def __init__(self, config: Json, timeout: float) -> None:
        self.config, self.timeout = config, timeout
        self.lock = threading.Lock()
        self.connection: Any = None
        self.password = ""

    def close(self) -> None:
        with self.lock:
            self.drop()

    def drop(self) -> None:
        if self.connection is not None:
            try:
                self.connection.close()
            except Exception:  # pylint: disable=broad-except -- it is gone either way
                pass
            self.connection = None

    def open(self) -> Any:
        import pymysql
        if self.connection is None:
            account = {"user": "mysql"} if self.config["engine"] == "mariadb" else {"user": "root", "password": self.password}
            self.connection = pymysql.connect(
                unix_socket=f"{self.config['run']}/mysqld.sock", autocommit=True, connect_timeout=self.timeout,
                read_timeout=self.timeout, write_timeout=self.timeout, **account)
            with self.connection.cursor() as cursor:
                cursor.execute("SET SESSION wsrep_sync_wait = 0, wsrep_dirty_reads = ON, lock_wait_timeout = 10")
        return self.connection

    def accepts(self, user: str, password: str) -> bool:
        import pymysql
        try:
            pymysql.connect(unix_socket=f"{self.config['run']}/mysqld.sock", user=user, password=password, connect_timeout=self.timeout,
                            read_timeout=self.timeout).close()
            return True
        except pymysql.MySQLError as problem:
            if problem.args and problem.args[0] == ACCESS_DENIED:
                return False
            raise SqlError(str(problem), problem.args[0] if problem.args else 0) from problem

    def execute(self, statement: str, values: Optional[Sequence[Any]]) -> Tuple[int, List[Tuple[Any, ...]]]:
        import pymysql
        with self.lock:
            try:
                with self.open().cursor() as cursor:
                    count = cursor.execute(statement, values)
                    return count, list(cursor.fetchall())
            except (pymysql.MySQLError, OSError) as problem:
                number = problem.args[0] if problem.args and isinstance(problem.args[0], int) else 0
                # The connection is still good after an error of the statement itself.
                if number < 1000 or number >= 2000 or number == 1053:
                    self.drop()
                raise SqlError(str(problem), number) from problem

    def rows(self, statement: str, values: Optional[Sequence[Any]] = None) -> List[Tuple[Any, ...]]:
        return self.again(statement, values)[1]

    def again(self, statement: str, values: Optional[Sequence[Any]]) -> Tuple[int, List[Tuple[Any, ...]]]:
        """A connection that was idle may have ended since; that says nothing about the server of now."""
        idle = self.connection is not None
        try:
            return self.execute(statement, values)
        except SqlError as problem:
            if not idle or problem.args[1:] != (GONE_AWAY,):
                raise
            return self.execute(statement, values)

    def change(self, statement: str, values: Optional[Sequence[Any]] = None) -> int:
        try:
            return self.again(statement, values)[0]
        except SqlError as problem:
            if problem.args[1:] in ((DUPLICATE,), (DEADLOCK,)):
                return 0
            raise
