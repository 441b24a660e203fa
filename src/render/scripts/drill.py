#!/usr/bin/env python3
"""Restores a cluster from its repository into a throwaway volume and looks whether everything is there.

  drill.py    reads drill.json beside it and tells what it does, line by line, to the reporter at EVEREST_REPORT

It runs in the image of a member, in a Pod of its own. It has no right in Kubernetes, no network but the storage, and
writes nothing there: PostgreSQL does not archive, and of pgBackRest only `info`, `restore` and `archive-get` are run.
"""
from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional

from drill_tools import Failure, Json, Reporter, check_access, describe, run_drill

LOOK_S, STOP_LIMIT_S, LOG_LINES = 0.2, 60.0, 12


class Choice(NamedTuple):
    """Which backup is restored, and up to where: the end of the archive where there is no position."""
    backup: Json
    lsn: Optional[str]


# ---- positions in the write-ahead log

def lsn_number(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(number: int) -> str:
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def segment_size(backups: List[Json]) -> Optional[int]:
    """pgBackRest tells positions and names of segments, not their size: of the powers of two one fits both."""
    for backup in backups:
        low, number = lsn_number(backup["lsn"]["start"]) & 0xFFFFFFFF, int(backup["archive"]["start"][16:24], 16)
        fitting = [1 << power for power in range(20, 31) if low >> power == number]
        if len(fitting) == 1:
            return fitting[0]
    return None


def segment_start(name: str, size: int) -> int:
    return (int(name[8:16], 16) << 32) + int(name[16:24], 16) * size


def segment_name(timeline: int, number: int, size: int) -> str:
    return f"{timeline:08X}{number >> 32:08X}{(number & 0xFFFFFFFF) // size:08X}"


# ---- which backup

def current_stanza(stanzas: List[Json], key: int) -> Json:
    """Backups and archive of the newest database in the repository, oldest backup first; damaged ones do not count."""
    stanza = stanzas[0] if stanzas else {}
    databases = [item["id"] for item in stanza.get("db", []) if item["repo-key"] == key]
    current = max(databases, default=0)
    def own(item: Json) -> bool:
        return item["database"]["id"] == current and item["database"]["repo-key"] == key
    return {"backups": [item for item in stanza.get("backup", []) if own(item) and item.get("error") is False],
            "archive": next((item for item in stanza.get("archive", []) if own(item)), {})}


def choose(stanza: Json, target: str, pick: random.Random) -> Choice:
    backups = stanza["backups"]
    if not backups:
        raise Failure("no-backup", "")
    newest = Choice(backups[-1], None)
    size, last = segment_size(backups), stanza["archive"].get("max")
    if target == "newest" or size is None or not last:
        return newest
    # Up to the beginning of the last segment: in it there is a record at which recovery can stop.
    first, end = lsn_number(backups[0]["lsn"]["stop"]), segment_start(last, size)
    if end <= first:
        return newest
    lsn = pick.randint(first, end)
    return Choice([item for item in backups if lsn_number(item["lsn"]["stop"]) <= lsn][-1], lsn_text(lsn))


# ---- the drill

class Drill:
    def __init__(self, order: Json, reporter: Reporter) -> None:
        self.order, self.reporter = order, reporter
        self.end = time.monotonic() + order["deadlineSeconds"]
        self.data = order["dataDirectory"]
        self.log = os.path.join(os.path.dirname(self.data), "drill.log")
        self.facts: Json = {"startedAt": time.time(), "checks": [], "failures": []}
        self.server: Optional[subprocess.Popen[bytes]] = None

    def run(self) -> Json:
        try:
            check_access(self.order["needs"])
            self.restore()
            self.recover()
            self.look_inside()
            self.check_pages()
        except Failure as failure:
            self.facts["failures"].append(failure.fact)
        finally:
            self.stop()
            shutil.rmtree(self.data, ignore_errors=True)
        self.facts["endedAt"] = time.time()
        return self.facts

    def command(self, stage: str, arguments: List[str], good: int = 0) -> str:
        """Standard output; what is printed also goes to the log of the Pod."""
        try:
            done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                  timeout=max(1.0, self.end - time.monotonic()))
        except subprocess.TimeoutExpired as problem:
            raise Failure("deadline", f"{stage}: {(problem.stdout or b'').decode(errors='replace')}") from problem
        text = done.stdout.decode(errors="replace")
        if done.returncode != good:
            print(text, flush=True)
            raise Failure(stage, text, done.returncode)
        return text

    def pgbackrest(self, stage: str, *arguments: str) -> str:
        return self.command(stage, ["pgbackrest", f"--stanza={self.order['stanza']}", f"--repo={self.order['repository']}", *arguments])

    def program(self, name: str) -> str:
        return os.path.join(self.order["binDirectory"], name)

    # -- restore

    def restore(self) -> None:
        started = time.monotonic()
        for attempt in (1, 2):
            self.reporter.step("repository", f"reading {self.order['storage']}")
            self.choice = choose(self.stanza(), self.order["target"], random.SystemRandom())
            label = self.choice.backup["label"]
            self.facts.update(backup=label, lsn=self.choice.lsn)
            self.reporter.step("restore", f"restoring {label}, up to {self.choice.lsn or 'the end of the archive'}")
            try:
                self.restore_backup(label)
                break
            except Failure:
                # Retention may have taken it away meanwhile, which is no fault.
                if attempt == 2 or any(item["label"] == label for item in self.stanza()["backups"]):
                    raise
                shutil.rmtree(self.data, ignore_errors=True)
        self.facts["restoreSeconds"] = time.monotonic() - started

    def stanza(self) -> Json:
        text = self.pgbackrest("repository", "--output=json", "--log-level-console=off", "info")
        stanzas = json.loads(text)
        repo = next((item for stanza in stanzas for item in stanza["repo"] if item["key"] == self.order["repository"]), None)
        # It ends with 0 on errors too; 1 and 2 mean that nothing is there yet.
        if repo and repo["status"]["code"] not in (0, 1, 2):
            raise Failure("repository", repo["status"]["message"])
        return current_stanza(stanzas, self.order["repository"])

    def restore_backup(self, label: str) -> None:
        os.makedirs(self.data, mode=0o700)
        self.pgbackrest("restore", f"--set={label}", "--type=default", "--archive-mode=off", "--no-link-all",
                        f"--tablespace-map-all={os.path.dirname(self.data)}/tablespaces", f"--pg1-path={self.data}", "restore")

    # -- recovery

    def recover(self) -> None:
        self.reporter.step("replay", "replaying the write-ahead log")
        started = time.monotonic()
        self.start()
        while not self.takes_connections():
            self.check_running("replay")
            time.sleep(LOOK_S)
        self.facts.update(replaySeconds=time.monotonic() - started, recoveredAt=time.time())
        with self.connect("postgres") as database:
            self.facts["recovered"] = self.recovered(database)
            self.facts["sizeBytes"] = int(value(database, "SELECT sum(pg_database_size(oid)) FROM pg_database"))

    def start(self) -> None:
        self.facts["hasChecksums"] = self.control("Data page checksum version") != "0"
        hba = "/tmp/drill-hba.conf"
        with open(hba, "w", encoding="utf-8") as file:
            file.write(f"local all {self.order['superuser']} peer\n")
        settings = {
            "archive_mode": "off", "listen_addresses": "", "unix_socket_directories": self.order["socketDirectory"],
            "hba_file": hba, "ssl": "off", "logging_collector": "off", "log_destination": "stderr",
            "shared_buffers": f"{self.order['sharedBuffersMiB']}MB", "huge_pages": "off",
            # Nothing of a copy may reach out: no subscription, no standby to wait for, no primary to follow.
            "max_logical_replication_workers": "0", "synchronous_standby_names": "", "primary_conninfo": "",
            "autovacuum": "off", "hot_standby": "off",
            "restore_command": f"sh {self.order['archiveScript']} get %f %p", "recovery_end_command": "",
            **self.settings_of_primary(), **self.targets(),
        }
        options = [part for name, text in settings.items() for part in ("-c", f"{name}={text}")]
        with open(self.log, "wb") as log:
            self.server = subprocess.Popen([self.program("postgres"), "-D", self.data, *options], stdout=log, stderr=log)

    def targets(self) -> Dict[str, str]:
        """Written out, since a clone's own target may stand in its files. PostgreSQL wants the one that counts last."""
        unset = {f"recovery_target{kind}": "" for kind in ("", "_name", "_time", "_xid")}
        return {**unset, "recovery_target_timeline": "latest", "recovery_target_action": "promote",
                "recovery_target_inclusive": "on", "recovery_target_lsn": self.choice.lsn or ""}

    def settings_of_primary(self) -> Dict[str, str]:
        """Recovery needs them to be as large as they were there."""
        names = {"max_connections": "max_connections", "max_worker_processes": "max_worker_processes",
                 "max_wal_senders": "max_wal_senders", "max_prepared_transactions": "max_prepared_xacts",
                 "max_locks_per_transaction": "max_locks_per_xact"}
        return {setting: self.control(f"{name} setting") for setting, name in names.items()}

    def control(self, field: str) -> str:
        text = self.command("replay", [self.program("pg_controldata"), "-D", self.data])
        found = re.search(rf"^{re.escape(field)}: *(.*)$", text, re.MULTILINE)
        if not found:
            raise Failure("replay", f"pg_controldata does not tell {field}")
        return found[1]

    def takes_connections(self) -> bool:
        try:
            with self.connect("postgres") as database:
                return value(database, "SELECT pg_is_in_recovery()") is False
        except driver().OperationalError:
            return False

    def check_running(self, stage: str) -> None:
        code = self.server.poll() if self.server else None
        if code is not None:
            raise Failure(stage, self.said(), code)
        if time.monotonic() > self.end:
            raise Failure("deadline", f"{stage}: {self.said()}")

    def said(self) -> str:
        """The last lines of the server that matter, or the last ones."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        telling = [line for line in lines if re.search(r"FATAL|PANIC|ERROR|HINT|DETAIL|everest:", line)]
        print("\n".join(lines[-LOG_LINES:]), flush=True)
        return "\n".join((telling or lines)[-LOG_LINES:])

    def recovered(self, database: Any) -> Json:
        """How far it came; both functions keep the last value of the recovery."""
        lsn = value(database, "SELECT pg_last_wal_replay_lsn()::text") or self.choice.backup["lsn"]["stop"]
        at = value(database, "SELECT extract(epoch FROM pg_last_xact_replay_timestamp())::float8")
        size = int(value(database, "SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"))
        timeline = self.parent_timeline()
        # The position is behind the last record: at the boundary that record is in the segment before.
        return {"lsn": lsn, "timeline": timeline, "wal": segment_name(timeline, max(0, lsn_number(lsn) - 1), size),
                **({} if at is None else {"lastCommitAt": at})}

    def parent_timeline(self) -> int:
        """The timeline that was replayed last: promotion began another one, whose history names it."""
        histories = sorted(name for name in os.listdir(f"{self.data}/pg_wal") if re.match(r"[0-9A-F]{8}\.history$", name))
        with open(f"{self.data}/pg_wal/{histories[-1]}", encoding="utf-8") as file:
            return int([line.split("\t") for line in file.read().splitlines() if re.match(r"\d", line)][-1][0])

    # -- what is in it

    def look_inside(self) -> None:
        self.reporter.step("checks", "asking the SQL checks")
        for check in self.order["checks"]:
            self.facts["checks"].append({"name": check["name"], **self.ask(check)})
        self.reporter.step("amcheck", "looking at tables and indexes with pg_amcheck")
        try:
            self.command("amcheck", [self.program("pg_amcheck"), "--all", "--install-missing", "--heapallindexed", "--jobs=2",
                                     "--no-password", f"--host={self.order['socketDirectory']}", f"--username={self.order['superuser']}"])
            self.facts["amcheck"] = "passed"
        except Failure as failure:
            self.check_running("amcheck")
            self.facts["failures"].append(failure.fact)

    def ask(self, check: Json) -> Json:
        """Good is one row with one column that is true."""
        try:
            with self.connect(check["database"]) as database:
                left = max(1, int((self.end - time.monotonic()) * 1000))
                cursor = database.cursor()
                cursor.execute(f"SET statement_timeout = {min(left, 2**31 - 1)}")
                cursor.execute(check["sql"])
                rows = cursor.fetchmany(3) if cursor.description else []
        except driver().Error as problem:
            self.check_running("checks")
            return {"passed": False, "got": " ".join(str(problem).split())[:300]}
        return {"passed": rows == [(True,)], "got": describe(rows)}

    def check_pages(self) -> None:
        """Every page of the copy, by a server that is down."""
        self.stop()
        if not self.facts["hasChecksums"]:
            self.facts["checksums"] = "off"
            return
        self.reporter.step("checksums", "looking at the checksums of all pages")
        try:
            self.command("checksums", [self.program("pg_checksums"), "--check", "-D", self.data])
            self.facts["checksums"] = "passed"
        except Failure as failure:
            self.facts["failures"].append(failure.fact)

    def connect(self, name: str) -> Any:
        connection = driver().connect(host=self.order["socketDirectory"], user=self.order["superuser"], dbname=name, connect_timeout=5)
        connection.autocommit = True
        return Closing(connection)

    def stop(self) -> None:
        """Cleanly, since checksums are looked at in a clean copy only; a server that hangs is ended."""
        if not self.server or self.server.poll() is not None:
            return
        self.server.send_signal(signal.SIGINT)
        try:
            self.server.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait()


class Closing:
    """psycopg2's own context ends a transaction and leaves the connection open."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __enter__(self) -> Any:
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def driver() -> Any:
    try:
        import psycopg
        return psycopg
    except ImportError:
        import psycopg2
        return psycopg2


def value(database: Any, query: str) -> Any:
    cursor = database.cursor()
    cursor.execute(query)
    return cursor.fetchone()[0]


if __name__ == "__main__":
    sys.exit(run_drill(Drill))
