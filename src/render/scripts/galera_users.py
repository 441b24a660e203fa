"""Databases and users of a Galera cluster as declared. The member that takes the writes keeps them (galera-member.py).

Nothing is dropped or taken away. What somebody else has changed of what is declared is put back; a user to whom somebody
gave more than any declaration could is left alone.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Set
from urllib.parse import quote

from galera_sql import SqlError, quoted, text
from kube import Api, Conflict, NotYet, SecretSpec, Unanswered, Values, log, random_password, read, settle_secret

CONFIG_DIR = os.environ.get("EVEREST_CONFIG_DIR", "/etc/everest")
# A changed Secret or a new user reaches the writer within this.
DECLARED_S = 30.0
# A look that is older says nothing about passwords; two rotations are at least DECLARED_S apart.
STALE_S = 2 * DECLARED_S
ALL, GRANT_OPTION = "ALL PRIVILEGES", "GRANT OPTION"
# On all databases: they let nobody read or change data.
HARMLESS = {"USAGE", "PROCESS", "SHOW DATABASES", "REPLICATION CLIENT", "BINLOG MONITOR", "SLAVE MONITOR"}
# With rights on these a user can give itself all others.
SERVERS_OWN = ("mysql", "everest")

Json = Dict[str, Any]


class Declared(NamedTuple):
    """As the ConfigMap and the Secrets had them last."""
    databases: List[Json]
    # Owners of databases, and others.
    roles: List[Json]
    passwords: Dict[str, str]
    # Users that wait for their Secrets.
    problems: List[Json] = []
    # Whose passwords the Secrets hold where two users take turns.
    logins: Dict[str, str] = {}
    # time.monotonic() of the look.
    at: float = 0.0

    def login_of(self, role: Json) -> str:
        return self.logins.get(role["role"], role["role"])


def settle_declared(config: Json, api: Api) -> Declared:
    """Fills Secrets of users that have none yet, and reads all of them. The owners' are needed; another user waits for its
    own, and nobody else for it."""
    started, secrets, problems = time.monotonic(), {owner["role"]: values_of(owner, api) for owner in config["owners"]}, []
    for role in config.get("roles", []):
        try:
            secrets[role["role"]] = values_of(role, api)
        except Unanswered:
            raise
        except NotYet as problem:
            problems.append({"what": f"user {role['role']}", "why": str(problem)})
    roles = [role for role in [*config["owners"], *config.get("roles", [])] if role["role"] in secrets]
    passwords = {name: values["password"] for name, values in secrets.items()}
    return Declared(config["databases"], roles, passwords, problems, {role["role"]: login_in_use(role, secrets[role["role"]]) for role in roles}, started)


def values_of(role: Json, api: Api) -> Values:
    return settle_secret(api, SecretSpec(role["secret"], role["generate"], ["password"], lambda have: missing_values(role, have)))


def login_in_use(role: Json, values: Values) -> str:
    """Whose password the Secret holds: the user's own, or that of one of the two that take turns."""
    return values["user"] if values.get("user") in role.get("logins", []) else role["role"]


def missing_values(role: Json, have: Values) -> Values:
    """A Secret that an application can be given as it is."""
    full = {"user": role["role"], "password": random_password(), **role["connection"]}
    full.update({key: value for key, value in have.items() if value})
    return {key: value for key, value in {**uris(full), **full}.items() if not have.get(key)}


def uris(values: Values) -> Values:
    user, password, dbname = (quote(values[key], safe="") for key in ("user", "password", "dbname"))
    address = f"{values['host']}:{values['port']}/{dbname}"
    return {"uri": f"mysql://{user}:{password}@{address}", "jdbc-uri": f"jdbc:mysql://{address}?user={user}&password={password}"}


class Watch(threading.Thread):
    """Reads declarations and Secrets now and then, beside the loop: an API server that stands still must not hold it up."""

    def __init__(self, told: Callable[[Declared, Api], None]) -> None:
        super().__init__(daemon=True)
        self.told, self.problem = told, ""

    def run(self) -> None:
        while True:
            time.sleep(DECLARED_S)
            self.look()

    def look(self) -> None:
        try:
            api = Api.in_cluster()
            self.told(settle_declared(json.loads(read(f"{CONFIG_DIR}/galera.json")), api), api)
            self.problem = ""
        except Conflict:
            # Another member has filled it; the next look reads it.
            return
        except (NotYet, OSError, ValueError) as problem:
            if str(problem) != self.problem:
                log(f"databases and users stay as they are: {problem}")
            self.problem = str(problem)


# ---- SQL

def native_hash(password: str) -> str:
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def pattern_of(database: str) -> str:
    """In a GRANT the name of a database is a pattern: `a_b` would be `axb` too."""
    return re.sub(r"([_%\\])", r"\\\1", database)


def granted(lines: Iterable[str]) -> Dict[str, Set[str]]:
    """Of SHOW GRANTS: privileges by the pattern of a database's name, and those on all databases by `*`."""
    found: Dict[str, Set[str]] = {}
    for line in lines:
        match = re.match(r"GRANT (.+) ON (\*|`(?:[^`]|``)+`)\.\* TO ", line)
        if match:
            privileges = found.setdefault(match[2].strip("`").replace("``", "`"), set())
            privileges.update(match[1].split(", "), {GRANT_OPTION} if line.endswith("WITH GRANT OPTION") else ())
    return found


def more_than_declared(has: Dict[str, Set[str]]) -> Optional[str]:
    """What somebody gave to a user that no declaration gives."""
    above = sorted(has.get("*", set()) - HARMLESS)
    own = [name for name in SERVERS_OWN if name in has]
    return f"{', '.join(above)} on *.*" if above else f"rights on {own[0]}" if own else None


class Users:
    def __init__(self, sql: Any, mariadb: bool) -> None:
        """`sql`: rows(), change() and accepts(). Each change goes through the whole group, so none is sent without need."""
        self.sql, self.mariadb = sql, mariadb
        # Passwords that the server has taken, by user.
        self.proven: Dict[str, str] = {}
        self.problems: List[Json] = []

    def keep(self, declared: Declared) -> List[Json]:
        """What is not as declared now, and why. Each part stands for itself: one that fails stops no other."""
        self.problems = list(declared.problems)
        present = {row[0] for row in self.sql.rows("SELECT schema_name FROM information_schema.schemata")}
        for name in (item["name"] for item in declared.databases if item["name"] not in present):
            self.attempt(f"database {name}", lambda name=name: self.sql.change(f"CREATE DATABASE IF NOT EXISTS {quoted(name)}"))
        for role in declared.roles:
            self.attempt(f"user {role['role']}", lambda role=role: self.keep_role(role, declared))
        return self.problems

    def attempt(self, what: str, work: Callable[[], Any]) -> None:
        try:
            work()
        except SqlError as problem:
            if not problem.of_statement():
                raise
            self.problems.append({"what": what, "why": str(problem)})

    def keep_role(self, role: Json, declared: Declared) -> None:
        name, in_use = role["role"], declared.login_of(role)
        has = {login: self.grants_of(login) for login in [name, *role.get("logins", [])]}
        untouchable = {login: more for login, grants in has.items() if (more := more_than_declared(grants or {}))}
        self.problems += [{"what": f"user {login}", "why": f"it exists with {more}, and is not touched"} for login, more in untouchable.items()]
        if untouchable:
            return
        # An old look may have seen a Secret that was changed since.
        if has[in_use] is None or time.monotonic() - declared.at < STALE_S:
            self.attempt(f"password of {name}", lambda: self.ensure_user(in_use, declared.passwords[name], has[in_use] is not None))
        for login, grants in has.items():
            if grants is None and login != in_use:
                self.create_locked(login)
            self.ensure_limit(login, role.get("connectionLimit"))
            self.ensure_grants(login, role, declared.databases, grants or {})

    def exists(self, name: str) -> bool:
        return bool(self.sql.rows("SELECT 1 FROM mysql.user WHERE User = %s AND Host = '%%'", (name,)))

    def grants_of(self, name: str) -> Optional[Dict[str, Set[str]]]:
        """None: there is no such user."""
        if not self.exists(name):
            return None
        return granted(row[0] for row in self.sql.rows(f"SHOW GRANTS FOR {account(name)}"))

    def ensure_own(self, name: str, password: str, grants: List[str]) -> None:
        """A user of the cluster itself."""
        there = self.exists(name)
        self.ensure_user(name, password, there)
        for grant in [] if there else grants:
            self.sql.change(f"GRANT {grant} TO {account(name)}")

    def ensure_user(self, name: str, password: str, there: bool) -> None:
        if there and self.logs_in(name, password):
            return
        if there:
            self.set_password(name, password)
        else:
            self.sql.change(f"CREATE USER IF NOT EXISTS {account(name)} IDENTIFIED {self.proof(password)}")

    def proof(self, password: str) -> str:
        """MariaDB takes a hash, so that no log ever shows the password."""
        return f"VIA mysql_native_password USING {text(native_hash(password))}" if self.mariadb else f"BY {text(password)}"

    def set_password(self, name: str, password: str) -> None:
        # It may have been locked by a recovery, or as one of two that take turns.
        self.sql.change(f"ALTER USER {account(name)} IDENTIFIED {self.proof(password)} ACCOUNT UNLOCK")

    def create_locked(self, name: str) -> None:
        """Its turn comes with a rotation."""
        self.sql.change(f"CREATE USER IF NOT EXISTS {account(name)} IDENTIFIED {self.proof(random_password())} ACCOUNT LOCK")

    def usable(self, name: str) -> bool:
        """It is there and may log in."""
        told = "JSON_VALUE(Priv, '$.account_locked') FROM mysql.global_priv" if self.mariadb else "account_locked FROM mysql.user"
        rows = self.sql.rows(f"SELECT {told} WHERE User = %s AND Host = '%%'", (name,))
        return bool(rows) and str(rows[0][0]).upper() not in ("1", "TRUE", "Y")

    def logs_in(self, name: str, password: str) -> bool:
        """MySQL salts what it keeps of a password, so that it has to be tried; once for each."""
        if self.mariadb:
            return self.sql.rows("SELECT authentication_string FROM mysql.user WHERE User = %s AND Host = '%%'", (name,)) == [(native_hash(password),)]
        if self.proven.get(name) != password:
            if not self.sql.accepts(name, password):
                return False
            self.proven[name] = password
        return True

    def ensure_limit(self, name: str, wanted: Optional[int]) -> None:
        if wanted is None:
            return
        rows = self.sql.rows("SELECT max_user_connections FROM mysql.user WHERE User = %s AND Host = '%%'", (name,))
        if rows and int(rows[0][0]) != wanted:
            self.sql.change(f"ALTER USER {account(name)} WITH MAX_USER_CONNECTIONS {wanted:d}")

    def ensure_grants(self, login: str, role: Json, databases: List[Json], has: Dict[str, Set[str]]) -> None:
        """Of what is owned everything; of the others what is declared."""
        to, owned = account(login), [item["name"] for item in databases if item["owner"] == role["role"]]
        wanted = {name: ALL for name in owned}
        for grant in role.get("grants", []):
            wanted.setdefault(grant["database"], grant["privileges"])
        for name, privileges in wanted.items():
            found = has.get(pattern_of(name), set())
            if ALL not in found and not set(privileges.split(", ")) <= found:
                self.sql.change(f"GRANT {privileges} ON {quoted(pattern_of(name))}.* TO {to}")
        # As clusters gave it once; it fits other databases too.
        for name in (name for name in owned if pattern_of(name) != name and has.get(name) == {ALL}):
            self.sql.change(f"REVOKE {ALL} ON {quoted(name)}.* FROM {to}")


def account(name: str) -> str:
    return f"{text(name)}@'%'"
