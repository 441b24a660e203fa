#!/usr/bin/env python3
"""Follows one member's binary log, as a replica would, and sends what is new to the archive.

It never makes a member change to a new file. When its source is gone it goes on with another one, by GTID: from the file
that holds what comes next. Where no file of any member holds it, that is a gap, and it is written down as one.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import binlog_events as binlog
from galera_archive import Archive, ArchiveError, Json, Part, check_owner, open_archive, part_name, read_config, repository_of
from galera_tools import Remote, option_text, programs_of, write_private
from kube import Api, Conflict, NotYet, value_in

LOOK_S = 0.5
# A part is sent when it is so large, or when its first transaction has waited for the interval.
PART_BYTES = 16 << 20
# So much may wait on the collector's own volume while the storage is away; the member keeps the rest.
WAITING_BYTES = 1 << 30
# A member that lacks what is archived already is behind, or has another history.
BEHIND_S = 60.0
STATE = "binlogs/state.json"
# Then the Pod's container begins anew, with what Secrets hold by then.
TRIES = 8


class Source(NamedTuple):
    member: str
    file: str


class Choice(NamedTuple):
    """The file to go on with, what is lost before it, and whose numbers count."""
    file: str
    gap: Optional[Json]
    domain: binlog.Domain = 0


def choose_file(files: List[Tuple[str, binlog.Position]], archived: binlog.Position, domain: binlog.Domain) -> Choice:
    """`files`: names with the positions before them, oldest first. Only the group's domain is the same on all members."""
    have = archived[domain].seq if domain in archived else None
    if have is None:
        return Choice(files[0][0], None)
    fitting = [name for name, begins in files if domain not in begins or begins[domain].seq <= have]
    if fitting:
        return Choice(fitting[-1], None)
    first, begins = files[0]
    return Choice(first, {"after": str(archived[domain]), "before": str(begins[domain])})


def is_behind(newest: binlog.Position, archived: binlog.Position, domain: binlog.Domain) -> bool:
    return domain in archived and (domain not in newest or newest[domain].seq < archived[domain].seq)


class Follower:
    """The files that the follower's program writes, and how far they are sent."""

    def __init__(self, folder: str, source: Source, archived: binlog.Position, domain: binlog.Domain = 0) -> None:
        self.folder, self.source, self.file, self.domain = folder, source, source.file, domain
        self.sent, self.scanned, self.created = 0, 0, 0
        self.pending: List[binlog.Transaction] = []
        self.before: binlog.Position = {}
        self.position: binlog.Position = {}
        self.archived = archived
        self.waiting_since: Optional[float] = None
        self.ended = False

    def path(self) -> str:
        return f"{self.folder}/{self.file}"

    def look(self) -> None:
        """What is new in the file."""
        if not os.path.exists(self.path()):
            return
        found = binlog.scan(self.path(), self.scanned)
        if self.scanned == 0 and found.end > 0:
            self.created, self.before, self.position = found.created, found.begins, found.begins
        if found.end > self.scanned and self.waiting_since is None:
            self.waiting_since = time.monotonic()
        self.scanned, self.ended = max(found.end, self.scanned), self.ended or found.ended
        self.pending += found.transactions
        for transaction in found.transactions:
            self.position = binlog.advance(self.position, transaction.gtid)

    def due(self, interval: float) -> bool:
        if self.scanned <= self.sent or not self.pending:
            return False
        waited = time.monotonic() - (self.waiting_since or time.monotonic())
        return self.ended or self.scanned - self.sent >= PART_BYTES or waited >= interval

    def part(self) -> Part:
        """All whole transactions that were not sent."""
        folder = f"{self.file}-{self.created}"
        times = [transaction.committed for transaction in self.pending] or [self.created]
        before, after = self.named(self.before), self.named(self.position)
        part = Part(self.source.member, folder, self.sent, self.scanned, before, after, min(times), max(times), "")
        return part._replace(path=f"binlogs/{part.member}/{part.file}/{part_name(part)}")

    def named(self, position: binlog.Position) -> binlog.Position:
        """What stands in a name. Of MySQL's intervals the last number of the group: all members go through those in one
        order, and a name has room for no more."""
        if not isinstance(self.domain, str):
            return position
        return {self.domain: binlog.Gtid(self.domain, 0, position[self.domain].seq)} if self.domain in position else {}

    def was_sent(self) -> None:
        self.sent, self.pending, self.before, self.waiting_since = self.scanned, [], self.position, None
        self.archived = binlog.merged(self.archived, self.position)

    def next_file(self) -> Optional[str]:
        names = sorted(name for name in os.listdir(self.folder) if re.fullmatch(r".+\.\d{6,}", name))
        later = [name for name in names if name > self.file]
        return later[0] if later else None

    def go_on(self) -> bool:
        """To the next file, when this one is complete and sent."""
        following = self.next_file()
        if following is None or not self.ended and self.scanned < os.path.getsize(self.path()):
            return False
        if self.scanned > self.sent and self.pending:
            return False
        os.unlink(self.path())
        self.file, self.sent, self.scanned, self.created, self.ended = following, 0, 0, 0, False
        self.before, self.position, self.pending, self.waiting_since = {}, {}, [], None
        return True


class Collector:
    def __init__(self, archive: Archive, config: Json, connect: Callable[[str], Any], archive_of: Optional[Callable[[str], Archive]] = None) -> None:
        """`config`: members (name, host), folder, interval, login (arguments of mariadb-binlog); `connect`: SQL to a host;
        `archive_of`: where a group with that state archives, if not always in the same place."""
        self.archive, self.config, self.connect = archive, config, connect
        self.archive_of = archive_of
        self.state: Json = {}
        self.stopping = False
        self.beat = time.monotonic()

    def log(self, text: str) -> None:
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}", flush=True)

    def run(self) -> int:
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))
        failures = 0
        while not self.stopping:
            try:
                self.state = self.archive.read_json(STATE) or {}
                self.follow(self.pick())
                failures = 0
            except (ArchiveError, OSError, ValueError, LookupError, NoSource) as problem:
                self.log(f"{type(problem).__name__}: {problem}")
                failures += 1
            if failures >= TRIES:
                return 1
            self.pause(min(0.5 * 2 ** failures, 15.0))
        return 0

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping:
            self.beat = time.monotonic()
            time.sleep(0.1)

    # ---- the source

    def archived(self) -> binlog.Position:
        return binlog.parse_position(self.state.get("position", ""))

    def pick(self) -> Tuple[Json, Choice]:
        """The member that was followed before, where it can be; else the first that can."""
        before, problems = self.state.get("member"), []
        for member in sorted(self.config["members"], key=lambda each: each["name"] != before):
            try:
                sql = self.connect(member["host"])
                try:
                    return member, self.look_at(sql, member)
                finally:
                    sql.close()
            except Exception as problem:  # pylint: disable=broad-except -- of a driver or of a member: the next one is asked
                problems.append(f"{member['name']}: {problem}")
        raise NoSource("; ".join(problems) or "there is no member")

    def turn_to(self, uuid: str) -> None:
        archive = self.archive_of(uuid) if self.archive_of else self.archive
        if archive is not self.archive:
            self.archive, self.state = archive, archive.read_json(STATE) or {}

    def look_at(self, sql: Any, member: Json) -> Choice:
        found = dict(sql.rows("SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_local_state', 'wsrep_cluster_status', 'wsrep_cluster_state_uuid')"))
        state, primary, uuid = (found.get(f"wsrep_{name}") for name in ("local_state", "cluster_status", "cluster_state_uuid"))
        if primary != "Primary" or state not in ("2", "4"):
            raise NoSource(f"is in state {state} of a {primary} component")
        self.turn_to(uuid)
        check_owner(self.archive, uuid)
        domain = self.domain(sql, uuid)
        self.wait_for(sql, domain)
        files = [(row[0], self.begins(sql, row[0])) for row in sql.rows("SHOW BINARY LOGS")]
        choice = choose_file(files, self.archived(), domain)._replace(domain=domain)
        if choice.gap:
            self.note_gap({**choice.gap, "member": member["name"]})
        self.log(f"follows {member['name']} from {choice.file} on; archived so far: {self.state.get('position') or 'nothing'}")
        return choice

    def mariadb(self) -> bool:
        return self.config["engine"] == "mariadb"

    def domain(self, sql: Any, uuid: str) -> binlog.Domain:
        """MySQL's transactions of the group bear the group's own uuid."""
        if not self.mariadb():
            return uuid
        ((domain,),) = sql.rows("SELECT @@GLOBAL.wsrep_gtid_domain_id")
        return int(domain)

    def begins(self, sql: Any, file: str) -> binlog.Position:
        """The server reads it from the list at the beginning of the file."""
        if self.mariadb():
            ((text,),) = sql.rows("SELECT BINLOG_GTID_POS(%s, 4)", (file,))
            if text:
                return binlog.parse_position(text)
        for row in sql.rows(f"SHOW BINLOG EVENTS IN '{file}' LIMIT 3"):
            if row[2] in ("Gtid_list", "Previous_gtids"):
                return binlog.parse_position(row[5].strip("[]"))
        return {}

    def wait_for(self, sql: Any, domain: binlog.Domain) -> None:
        """Members apply one after the other; one that does not get there has another history."""
        end = time.monotonic() + BEHIND_S
        while True:
            ((text,),) = sql.rows(f"SELECT @@GLOBAL.{'gtid_binlog_pos' if self.mariadb() else 'gtid_executed'}")
            newest = binlog.parse_position(text)
            if not is_behind(newest, self.archived(), domain):
                return
            if time.monotonic() > end or self.stopping:
                raise NoSource(f"ends with {text}, and {self.state.get('position')} is archived already")
            self.pause(LOOK_S)

    def note_gap(self, gap: Json) -> None:
        """Backups before it can be restored, and not replayed past it."""
        self.log(f"GAP: no member has what comes after {gap['after']}; the archive goes on after {gap['before']}")
        self.archive.write_json(f"gaps/{int(time.time())}.json", {**gap, "at": int(time.time())})
        self.state["position"] = binlog.render_position(binlog.merged(self.archived(), binlog.parse_position(gap["before"])))
        self.state["gap"] = gap

    # ---- following

    def follow(self, picked: Tuple[Json, Choice]) -> None:
        member, choice = picked
        folder = f"{self.config['folder']}/{member['name']}"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        follower = Follower(folder, Source(member["name"], choice.file), self.archived(), choice.domain)
        reader = self.read(member, choice.file, folder)
        try:
            while not self.stopping:
                self.beat = time.monotonic()
                ended = reader.poll() is not None
                self.step(follower)
                if ended and not follower.go_on():
                    break
                if self.is_full(folder):
                    raise OSError("the storage does not take what waits; the member keeps the rest")
                self.pause(LOOK_S)
            self.send(follower, 0.0)
        finally:
            reader.end()
        if not self.stopping:
            raise NoSource(f"{member['name']} has ended the stream: {read_tail(f'{folder}.log')}")

    def read(self, member: Json, file: str, folder: str) -> Any:
        number = f"--{'stop-never-slave-server-id' if self.mariadb() else 'connection-server-id'}={self.config['serverId']}"
        command = [self.config["program"], *self.config["login"], f"--host={member['host']}", "--read-from-remote-server", "--raw", "--stop-never",
                   number, f"--result-file={folder}/", file]
        if not self.mariadb():
            return Remote(["bash", "-c", 'exec > "$0" 2>&1; exec "$@"', f"{folder}.log", *command], self.config["runner"])
        with open(f"{folder}.log", "wb") as log:
            return Following(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_full(self, folder: str) -> bool:
        return sum(os.path.getsize(f"{folder}/{name}") for name in os.listdir(folder)) > WAITING_BYTES

    def step(self, follower: Follower) -> None:
        follower.look()
        self.send(follower, self.config["interval"])
        while follower.go_on():
            follower.look()

    def send(self, follower: Follower, interval: float) -> None:
        if follower.due(interval):
            part = follower.part()
            self.upload(follower.path(), part)
            follower.was_sent()
            self.tell(follower)
        elif not follower.pending and time.time() - self.state.get("upTo", 0) > max(30.0, self.config["interval"]):
            # Nothing was written; that is known up to now.
            self.tell(follower)

    def upload(self, path: str, part: Part) -> None:
        process = self.archive.open_write(part.path, None, part.end)
        packer = subprocess.Popen(["zstd", "-q", "-3", "-T1"], stdin=subprocess.PIPE, stdout=process.stdin)
        process.stdin.close()
        with open(path, "rb") as file:
            file.seek(part.start)
            left = part.end - part.start
            while left > 0:
                block = file.read(min(1 << 20, left))
                packer.stdin.write(block)
                left -= len(block)
        packer.stdin.close()
        codes = packer.wait(), process.wait()
        if any(codes):
            process.errors.seek(0)
            raise ArchiveError(f"{part.path} was not sent {codes}: {process.errors.read().decode(errors='replace').strip()[-300:]}")

    def tell(self, follower: Follower) -> None:
        position = binlog.merged(self.archived(), follower.archived)
        self.state = {
            **self.state, "position": binlog.render_position(position), "member": follower.source.member, "file": follower.file,
            "upTo": int(time.time() - LOOK_S * 4),
        }
        self.archive.write_json(STATE, self.state)


class NoSource(Exception):
    """No member can be followed now."""


class Following(subprocess.Popen):
    """As a program in another container is ended."""

    def end(self) -> None:
        self.kill()
        self.wait()


def read_tail(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return " / ".join(file.read().splitlines()[-2:])[-300:]
    except OSError:
        return ""


# ---- as the process of a Pod

class RemoteSql:
    """SQL to a member, over TLS."""

    def __init__(self, host: str, login: Json) -> None:
        import pymysql
        context = ssl.create_default_context(cafile=login["ca"])
        # Authorities that openssl makes without further ado say nothing about the use of their key.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self.connection = pymysql.connect(host=host, user=login["user"], password=login["password"], ssl=context, autocommit=True,
                                          connect_timeout=5, read_timeout=30, write_timeout=30)

    def rows(self, statement: str, values: Any = None) -> List[Tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def close(self) -> None:
        self.connection.close()


def settings(config: Json, folder: str, login: Json) -> Json:
    """The password stands in a file of its own: a command line can be read by others."""
    verify = "ssl-verify-server-cert" if config["engine"] == "mariadb" else "ssl-mode=VERIFY_IDENTITY"
    write_private(f"{folder}/login.cnf", f"[client]\nuser={login['user']}\npassword={option_text(login['password'])}\nssl-ca={login['ca']}\n{verify}\n")
    members = [{"name": name, "host": f"{name}-0.{config['peersDomain']}"} for name in config["members"]]
    return {
        "engine": config["engine"], "program": programs_of(config).binlog, "runner": folder, "members": members, "folder": f"{folder}/files",
        "interval": config["archive"]["intervalSeconds"], "login": [f"--defaults-file={folder}/login.cnf"],
        "serverId": str(config["archive"]["serverId"]),
    }


def main() -> int:
    """Begins anew with what Secrets hold by then, when the storage refuses."""
    config, folder = read_config(), os.environ["EVEREST_COLLECTOR_DIR"]
    os.makedirs(f"{folder}/files", exist_ok=True)
    Remote.clear(folder, lambda: None)
    while True:
        try:
            archive = open_archive(config["archive"]["repository"], folder, makes_pass=True)
            password = value_in(Api.in_cluster(), "secrets", config["credentials"]["secret"], "backup")
            break
        except (NotYet, Conflict, ArchiveError) as problem:
            print(problem, flush=True)
            time.sleep(5.0)
    login = {"user": "everest_backup", "password": password, "ca": f"{os.environ['EVEREST_TLS_DIR']}/ca.crt"}
    source = f"{folder}/source"
    os.makedirs(source, exist_ok=True)

    def archive_of(uuid: str) -> Archive:
        repository = repository_of(config, uuid, source)
        return archive if repository == config["archive"]["repository"] else open_archive(repository, source)

    return Collector(archive, settings(config, folder, login), lambda host: RemoteSql(host, login), archive_of).run()


if __name__ == "__main__":
    sys.exit(main())
