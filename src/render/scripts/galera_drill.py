#!/usr/bin/env python3
"""Restores a MariaDB cluster from its archive into a throwaway volume and looks whether everything is there.

  galera_drill.py    reads drill.json beside it and tells what it does to the reporter at EVEREST_REPORT

It runs in the image of a member, in a Pod of its own. It has no right in Kubernetes, no network but the storage, and
only reads there. It recovers by the same plan and the same programs as a new cluster does (galera_recovery.py).
"""
from __future__ import annotations

import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import List, Optional

from drill_tools import Failure, Json, Reporter, check_access, describe, need_value, run_drill
from galera_archive import Archive, ArchiveError, read_config
from galera_recovery import NotPossible, OfflineMariaDb, Plan, Target, fetch_backup, group_domain, plan_recovery, replay, seconds, windows
from galera_tools import Tools
from kube import utc
import binlog_events as binlog

TABLES = ("SELECT CONCAT('`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(TABLE_NAME, '`', '``'), '`') FROM information_schema.TABLES "
          "WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema')")
# Files of InnoDB that have pages, and how innochecksum is to look at them. Pages 64 to 191 of the system tablespace are the
# doublewrite buffer, which holds what was written to other places.
PAGES = (("ibdata1", "--end-page=63"), ("ibdata1", "--start-page=192"), ("ibdata[!1]*", "--start-page=0"), ("undo*", "--start-page=0"),
         ("*/*.ibd", "--start-page=0"))


def random_target(archive: Archive, pick: random.Random) -> Target:
    """A second between the end of the oldest backup and the end of the archive."""
    backups = archive.backups()
    found = windows(backups, archive.parts(), archive.read_json("binlogs/state.json") or {}, group_domain(archive, backups))
    return Target("time", utc(pick.randint(int(found[0].starts), max(int(window.ends) for window in found))))


class Drill:
    def __init__(self, order: Json, reporter: Reporter) -> None:
        self.order, self.reporter, self.config = order, reporter, read_config()
        self.folder = f"{self.config['volume']}/data"
        self.stage = "access"
        self.facts: Json = {"startedAt": time.time(), "checks": [], "failures": []}
        self.server: Optional[OfflineMariaDb] = None
        signal.signal(signal.SIGALRM, self.too_late)
        signal.alarm(int(order["deadlineSeconds"]))

    def run(self) -> Json:
        try:
            check_access(self.order["needs"])
            self.recover(self.restore())
            self.look_inside()
            self.check_pages()
        except Failure as failure:
            self.facts["failures"].append(failure.fact)
        except (ArchiveError, NotPossible, OSError, subprocess.CalledProcessError) as problem:
            self.facts["failures"].append(self.failed(problem).fact)
        finally:
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
        said = (getattr(problem, "stderr", None) or b"").decode(errors="replace")
        return Failure(self.stage, f"{problem} {said}".strip())

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
                fetch_backup(archive, plan.backup, self.folder, Tools(self.config))
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
        if not archive.backups():
            raise Failure("no-backup", "")
        target = random_target(archive, random.SystemRandom()) if self.order["target"] == "random" else Target("latest")
        try:
            plan = plan_recovery(archive, target)
        except NotPossible as problem:
            raise Failure("gap", str(problem)) from problem
        if plan.window.gap_after and target.kind == "latest":
            raise Failure("gap", f"what follows {plan.window.gap_after} is missing, and the collector had sent it")
        return plan

    # ---- recovery

    def recover(self, plan: Plan) -> None:
        self.step("replay", f"replaying {len(plan.files)} files of the binary log")
        started = time.monotonic()
        self.server = OfflineMariaDb(self.folder, self.config, f"--innodb-buffer-pool-size={self.order['bufferPoolMiB']}M")
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
        assert self.server
        return self.server.rows(query, database)

    def check(self, table: str) -> List[str]:
        """What is wrong with it; an engine that cannot be looked at says so in a note."""
        return [" ".join(row) for row in self.rows(f"CHECK TABLE {table} EXTENDED")
                if row[2] in ("error", "warning") or (row[2] == "status" and row[3] not in ("OK", "Table is already up to date"))]

    def ask(self, check: Json) -> Json:
        """Good is one row with one column that is true, which is 1 here."""
        try:
            rows = self.rows(check["sql"], check["database"])
        except subprocess.CalledProcessError as problem:
            if self.server and self.server.process.poll() is not None:
                raise
            return {"passed": False, "got": " ".join(problem.stderr.decode(errors="replace").split())[:300]}
        return {"passed": rows == [["1"]], "got": describe(rows)}

    def check_pages(self) -> None:
        """Every page of the copy, by a server that is down."""
        self.stop()
        self.step("pages", "looking at the checksums of all pages")
        for path, pages in [(path, pages) for pattern, pages in PAGES for path in sorted(glob.glob(f"{self.folder}/{pattern}"))]:
            done = subprocess.run(["innochecksum", pages, path], capture_output=True, check=False)
            if done.returncode:
                raise Failure("pages", f"{os.path.relpath(path, self.folder)}: {(done.stdout + done.stderr).decode(errors='replace')}", done.returncode)
        self.facts["checksums"] = "passed"

    def stop(self) -> None:
        if self.server and self.server.process.poll() is None:
            self.server.stop()


def size_of(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)


if __name__ == "__main__":
    sys.exit(run_drill(Drill))
