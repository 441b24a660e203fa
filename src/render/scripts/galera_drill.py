#!/usr/bin/env python3
"""Restores a Galera cluster from its archive into a throwaway volume and looks whether everything is there.

  galera_drill.py    reads drill.json beside it and tells what it does to the reporter at EVEREST_REPORT

It runs in the image of a member's script, in a Pod of its own; the vendor's server and programs in containers beside it. It has no right in Kubernetes, no network but the storage, and
only reads there. It recovers by the same plan and the same programs as a new cluster does (galera_recovery.py).
"""
from __future__ import annotations

import glob
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from typing import Any, List

from drill_tools import Failure, Json, Reporter, check_access, describe, need_value, run_drill
from galera_archive import Archive, ArchiveError, read_config
from galera_recovery import (
    Listing, NotPossible, Plan, Target, fetch_backup, list_archive, plan_of, replay, seconds, start_offline, tail, windows,
)
from galera_sql import SqlError
from galera_tools import Tools, is_dead
from kube import random_password, utc
import binlog_events as binlog

TABLES = ("SELECT CONCAT('`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(TABLE_NAME, '`', '``'), '`') FROM information_schema.TABLES "
          "WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema')")
# Files of InnoDB that have pages, and how innochecksum is to look at them. Pages 64 to 191 of the system tablespace are
# MariaDB's doublewrite buffer, which holds what was written to other places; MySQL's innochecksum leaves them out by itself.
PAGES = (("--end-page=63", ("ibdata1",)), ("--start-page=192", ("ibdata1",)), ("--start-page=0", ("ibdata[!1]*", "undo*", "*.ibd", "*/*.ibd")))
# By one process for many files, since each start in the vendor's container takes a while. The last line names the file.
LOOK_AT_PAGES = 'for path; do innochecksum "$0" "$path" || { code=$?; echo "in $path"; exit "$code"; }; done'
FILES_AT_ONCE = 500
# The vendor's image may have to be pulled first.
START_LIMIT_S = 600.0
DYING_S, LOOK_S = 10.0, 0.1


def random_target(listing: Listing, pick: random.Random) -> Target:
    """A second between the end of the oldest backup and the end of the archive."""
    found = windows(*listing)
    return Target("time", utc(pick.randint(int(found[0].starts), max(int(window.ends) for window in found))))


class Drill:
    def __init__(self, order: Json, reporter: Reporter) -> None:
        self.order, self.reporter, self.config = order, reporter, read_config()
        self.folder = f"{self.config['volume']}/data"
        self.stage = "access"
        self.facts: Json = {"startedAt": time.time(), "checks": [], "failures": []}
        self.server: Any = None
        self.tools = Tools(self.config)
        signal.signal(signal.SIGALRM, self.too_late)
        signal.alarm(int(order["deadlineSeconds"]))

    def run(self) -> Json:
        try:
            check_access(self.order["needs"])
            self.await_vendor()
            self.recover(self.restore())
            self.look_inside()
            self.check_pages()
        except Failure as failure:
            self.facts["failures"].append(failure.fact)
        except (ArchiveError, NotPossible, OSError, SqlError) as problem:
            self.facts["failures"].append(self.failed(problem).fact)
        finally:
            signal.alarm(0)  # what is known by now must not be lost to it while the server stops
            self.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
        self.facts["endedAt"] = time.time()
        return self.facts

    def step(self, stage: str, text: str) -> None:
        self.stage = stage
        self.reporter.step(stage, text)

    def too_late(self, *_: object) -> None:
        if self.server:
            self.server.process.kill()
        raise Failure("deadline", self.stage)

    def failed(self, problem: Exception) -> Failure:
        # A server that has ended says more than the connection to it.
        said = tail(self.server.log_file) if self.server and self.server_ended(problem) else ""
        if any(map(is_dead, self.tools.containers())):
            return Failure("died", f"a container of the server's image, during {self.stage}: {problem}")
        return Failure(self.stage, str(problem) if said in str(problem) else f"{problem}: {said}")

    def server_ended(self, problem: Exception) -> bool:
        """A server that dies takes a moment longer than its connections."""
        lost = isinstance(problem, SqlError) and not problem.of_statement()
        end = time.monotonic() + (DYING_S if lost else 0.0)
        while self.server.process.poll() is None and time.monotonic() < end:
            time.sleep(LOOK_S)
        return self.server.process.poll() is not None

    def await_vendor(self) -> None:
        try:
            self.tools.wait_until_there(START_LIMIT_S)
        except OSError as problem:
            raise Failure("not-started", str(problem)) from problem

    # ---- restore

    def open_archive(self) -> Archive:
        values = {need["option"]: need_value(need) or "" for need in self.order["needs"]}
        return Archive(self.order["repository"], values, self.config["run"])

    def restore(self) -> Plan:
        started = time.monotonic()
        archive = self.archive = self.open_archive()
        for attempt in (1, 2):
            plan = self.plan(archive)
            label = plan.backup["label"]
            self.facts["backup"] = label
            self.step("restore", f"restoring {label} (until {plan.backup['endedAt']})")
            try:
                fetch_backup(archive, plan.backup, self.folder, self.tools)
                break
            except OSError:
                # Retention may have taken it away meanwhile, which is no fault.
                if attempt == 2 or any(item["label"] == label for item in archive.backups()):
                    raise
                shutil.rmtree(self.folder, ignore_errors=True)
        self.facts["restoreSeconds"] = time.monotonic() - started
        return plan

    def plan(self, archive: Archive) -> Plan:
        self.step("repository", f"reading {self.order['storage']}")
        self.facts["recoveredAt"] = time.time()
        listing = list_archive(archive)
        if not listing.backups:
            raise Failure("no-backup", "")
        target = random_target(listing, random.SystemRandom()) if self.order["target"] == "random" else Target("latest")
        try:
            plan = plan_of(listing, target)
        except NotPossible as problem:
            raise Failure("gap", str(problem)) from problem
        if plan.window.gap_after and target.kind == "latest":
            raise Failure("gap", f"what follows {plan.window.gap_after} is missing, and the collector had sent it")
        return plan

    # ---- recovery

    def recover(self, plan: Plan) -> None:
        self.step("replay", f"replaying {len(plan.files)} files of the binary log")
        started = time.monotonic()
        self.server = start_offline(self.folder, self.config, random_password(), f"--innodb-buffer-pool-size={self.order['bufferPoolMiB']}M")
        self.server.wait()
        replay(self.archive, plan.files, plan.replay, self.server, self.config["volume"])
        target = plan.replay.target
        up_to = seconds(target.value) if target.kind == "time" else plan.window.ends
        self.facts.update(replaySeconds=time.monotonic() - started, sizeBytes=size_of(self.folder),
                          recovered={"gtid": binlog.render_position(plan.replay.position), "upTo": up_to})

    # ---- what is in it

    def look_inside(self) -> None:
        self.step("checks", "asking the SQL checks")
        for check in self.order["checks"]:
            self.facts["checks"].append({"name": check["name"], **self.ask(check)})
        self.step("tables", "looking at all tables and their indexes with CHECK TABLE")
        bad = [line for (table,) in self.rows(TABLES) for line in self.check(table)]
        if bad:
            self.facts["failures"].append(Failure("tables", "; ".join(bad)).fact)
        else:
            self.facts["tables"] = "passed"

    def rows(self, query: str, database: str = "mysql") -> List[List[str]]:
        return self.server.rows(query, database)

    def check(self, table: str) -> List[str]:
        """What is wrong with it; an engine that cannot be looked at says so in a note."""
        return [" ".join(row) for row in self.rows(f"CHECK TABLE {table} EXTENDED")
                if row[2] in ("error", "warning") or (row[2] == "status" and row[3] not in ("OK", "Table is already up to date"))]

    def ask(self, check: Json) -> Json:
        """Good is one row with one column that is true, which is 1 here."""
        try:
            rows = self.rows(check["sql"], check["database"])
        except SqlError as problem:
            if self.server_ended(problem):
                raise
            return {"passed": False, "got": " ".join(str(problem).split())[:300]}
        return {"passed": rows == [["1"]], "got": describe(rows)}

    def check_pages(self) -> None:
        """Every page of the copy, by a server that is down."""
        self.stop()
        self.step("pages", "looking at the checksums of all pages")
        for pages, patterns in PAGES:
            paths = [path for pattern in patterns for path in sorted(glob.glob(f"{self.folder}/{pattern}"))]
            for begin in range(0, len(paths), FILES_AT_ONCE):
                self.look_at_pages(pages, paths[begin:begin + FILES_AT_ONCE])
        self.facts["checksums"] = "passed"

    def look_at_pages(self, pages: str, paths: List[str]) -> None:
        with tempfile.TemporaryDirectory(dir=self.tools.scratch()) as folder:
            program = self.tools.start(["bash", "-c", LOOK_AT_PAGES, pages, *paths], folder)
            code = program.wait()
            if code:
                raise Failure("pages", program.errors().replace(f"{self.folder}/", ""), code)

    def stop(self) -> None:
        if self.server and self.server.process.poll() is None:
            self.server.stop()


def size_of(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)


if __name__ == "__main__":
    sys.exit(run_drill(Drill))
