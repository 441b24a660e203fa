#!/usr/bin/env python3
"""Recovers a Galera cluster's data from its archive: which backup, which transactions, and a server to replay them on.

  galera_recovery.py restore FOLDER   makes a data directory as galera.json asks for (`recovery`)

The plan is pure and comes first. Until it is clear that the target can be reached, nothing is made.
"""
from __future__ import annotations

import calendar
import os
import shutil
import subprocess
import sys
import time
from typing import Dict, List, NamedTuple, Optional, Tuple

import binlog_events as binlog
from galera_archive import Archive, ArchiveError, Json, Part, open_archive, read_config
from member import NotYet


class NotPossible(Exception):
    """The target cannot be reached; the text gives the window."""


class Target(NamedTuple):
    """`latest`, `backup`, `time` (up to and with this second), `gtid` (with it), `before` (up to it, without it)."""
    kind: str
    value: str = ""
    skip: Tuple[str, ...] = ()


class BinlogFile(NamedTuple):
    member: str
    file: str
    parts: List[Part]

    def before(self) -> binlog.Position:
        return self.parts[0].before

    def after(self) -> binlog.Position:
        return self.parts[-1].after


def seconds(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def whole_files(parts: List[Part]) -> List[BinlogFile]:
    """Parts of one file that follow each other from its beginning."""
    folders: Dict[Tuple[str, str], List[Part]] = {}
    for part in parts:
        folders.setdefault((part.member, part.file), []).append(part)
    files = []
    for (member, file), found in folders.items():
        chain: List[Part] = []
        end = 0
        # Of two parts from one place the longer one holds the other.
        for part in sorted(found, key=lambda each: (each.start, -each.end)):
            if part.start == end:
                chain.append(part)
                end = part.end
        if chain:
            files.append(BinlogFile(member, file, chain))
    return files


def seq(position: binlog.Position, domain: int) -> int:
    return position[domain].seq if domain in position else 0


def chain(files: List[BinlogFile], base: binlog.Position, domain: int) -> Tuple[List[BinlogFile], int]:
    """Files that lead from a position on without a gap, and how far."""
    found: List[BinlogFile] = []
    at = seq(base, domain)
    left = list(files)
    while True:
        fitting = [file for file in left if seq(file.before(), domain) <= at < seq(file.after(), domain)]
        if not fitting:
            return found, at
        best = max(fitting, key=lambda file: seq(file.after(), domain))
        found.append(best)
        left.remove(best)
        at = seq(best.after(), domain)


def group_domain(backups: List[Json]) -> int:
    """The domain of the group's own transactions has most of them; those of single members stand beside it."""
    position = binlog.parse_position(backups[-1]["gtid"])
    return max(position.values(), key=lambda gtid: gtid.seq).domain if position else 0


class Window(NamedTuple):
    starts: int
    ends: int
    oldest: Json
    gap_after: Optional[str]


def windows(backups: List[Json], parts: List[Part], state: Json, domain: int) -> List[Window]:
    """For each backup, how far it can be replayed."""
    files = whole_files(parts)
    found = []
    for backup in backups:
        used, at = chain(files, binlog.parse_position(backup["gtid"]), domain)
        archived = seq(binlog.parse_position(state.get("position", "")), domain)
        starts = seconds(backup["endedAt"])
        committed = max([starts, *(part.committed for file in used for part in file.parts)])
        whole = at >= archived
        ends = max(committed, int(state.get("upTo", 0))) if whole else committed
        found.append(Window(starts, ends, backup, None if whole else f"{domain}-{at}"))
    return found


def choose_backup(backups: List[Json], target: Target, domain: int) -> Json:
    """The newest one that does not go past the target."""
    if not backups:
        raise NotPossible("the archive holds no backup")
    if target.kind in ("latest", ""):
        wanted = backups
    elif target.kind == "backup":
        wanted = [backup for backup in backups if backup["label"] == target.value]
    elif target.kind == "time":
        wanted = [backup for backup in backups if seconds(backup["endedAt"]) <= seconds(target.value)]
    else:
        gtid = binlog.parse_gtid(target.value)
        wanted = [backup for backup in backups if seq(binlog.parse_position(backup["gtid"]), gtid.domain) < gtid.seq]
    for skipped in target.skip:
        gtid = binlog.parse_gtid(skipped)
        wanted = [backup for backup in wanted if seq(binlog.parse_position(backup["gtid"]), gtid.domain) < gtid.seq]
    if not wanted:
        names = ", ".join(f"{backup['label']} (until {backup['endedAt']}, {backup['gtid']})" for backup in backups)
        raise NotPossible(f"no backup ends before {target.kind} {target.value} {' '.join(target.skip)}; there are {names}")
    return max(wanted, key=lambda backup: backup["endedAt"])


class Range(NamedTuple):
    """A stretch of a file that is replayed."""
    start: int
    end: int


class Replay:
    """Goes through the files in their order, and says which stretches count. Ends by itself at the target."""

    def __init__(self, base: binlog.Position, target: Target) -> None:
        self.position, self.target, self.done, self.met = base, target, False, target.kind in ("latest", "backup", "time", "")
        self.skipped: List[str] = []
        self.last: Optional[binlog.Transaction] = None

    def ranges(self, transactions: List[binlog.Transaction]) -> List[Range]:
        found: List[Range] = []
        for transaction in transactions:
            if self.done:
                break
            if seq(self.position, transaction.gtid.domain) >= transaction.gtid.seq:
                continue
            if self.stops_before(transaction):
                self.done = True
                break
            self.position = binlog.advance(self.position, transaction.gtid)
            if str(transaction.gtid) in self.target.skip:
                self.skipped.append(str(transaction.gtid))
            else:
                self.last = transaction
                if found and found[-1].end == transaction.start:
                    found[-1] = Range(found[-1].start, transaction.end)
                else:
                    found.append(Range(transaction.start, transaction.end))
            if self.target.kind == "gtid" and str(transaction.gtid) == self.target.value:
                self.done = self.met = True
        return found

    def stops_before(self, transaction: binlog.Transaction) -> bool:
        if self.target.kind == "time":
            return transaction.committed > seconds(self.target.value)
        if self.target.kind == "before" and str(transaction.gtid) == self.target.value:
            self.met = True
            return True
        return False


def check_reachable(backup: Json, window: Window, target: Target, position: binlog.Position, domain: int) -> None:
    """Before anything is made: what lies behind the end of the archive is not known."""
    if target.kind == "time" and seconds(target.value) > window.ends:
        gap = f"; what follows {window.gap_after} is missing" if window.gap_after else ""
        raise NotPossible(f"the archive goes from {text_of(window.starts)} to {text_of(window.ends)} after backup {backup['label']}{gap}, "
                          f"and the target is {target.value}")
    for wanted in ([target.value] if target.kind in ("gtid", "before") else []) + list(target.skip):
        gtid = binlog.parse_gtid(wanted)
        if gtid.domain == domain and gtid.seq > seq(position, domain):
            raise NotPossible(f"transaction {wanted} is not in the archive, which goes from {backup['gtid']} to {domain}-{seq(position, domain)}")


def text_of(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


# ---- execution

def fetch_backup(archive: Archive, backup: Json, folder: str) -> None:
    """Into an empty folder, prepared: a data directory that a server can start on."""
    os.makedirs(folder, mode=0o750)
    reader = archive.open_read(f"backups/{backup['label']}/base.mbs.zst")
    unpacker = subprocess.Popen(["zstd", "-dq"], stdin=reader.stdout, stdout=subprocess.PIPE)
    writer = subprocess.Popen(["mbstream", "-x", "-C", folder], stdin=unpacker.stdout)
    reader.stdout.close()
    unpacker.stdout.close()
    codes = [process.wait() for process in (writer, unpacker, reader)]
    if any(codes):
        raise OSError(f"backup {backup['label']} could not be read (mbstream, zstd, rclone: {codes})")
    done = subprocess.run(["mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={folder}"], capture_output=True, check=False)
    if done.returncode:
        raise OSError(f"backup {backup['label']} could not be prepared: {done.stderr.decode(errors='replace')[-500:]}")
    # Of another server: its group state and its own binary log.
    for name in os.listdir(folder):
        if name in ("grastate.dat", "gvwstate.dat", "galera.cache") or name.startswith(("binlog.", "mariadb_backup_", "donor_galera_info", "backup-my.cnf")):
            os.unlink(f"{folder}/{name}")


def fetch_file(archive: Archive, file: BinlogFile, path: str) -> None:
    with open(path, "wb") as whole:
        for part in file.parts:
            reader = archive.open_read(part.path)
            unpacker = subprocess.Popen(["zstd", "-dq"], stdin=reader.stdout, stdout=whole)
            reader.stdout.close()
            if unpacker.wait() or reader.wait():
                raise OSError(f"{part.path} could not be read")
            if whole.seek(0, 2) != part.end:
                raise OSError(f"{part.path} holds another number of bytes than its name says")


class Plan(NamedTuple):
    backup: Json
    files: List[BinlogFile]
    replay: Replay


def plan_recovery(archive: Archive, target: Target) -> Plan:
    backups, parts = archive.backups(), archive.parts()
    state = archive.read_json("binlogs/state.json") or {}
    domain = group_domain(backups) if backups else 0
    backup = choose_backup(backups, target, domain)
    base = binlog.parse_position(backup["gtid"])
    files, at = chain(whole_files(parts), base, domain)
    (window,) = windows([backup], parts, state, domain)
    check_reachable(backup, window, target, {domain: binlog.Gtid(domain, 0, at)}, domain)
    return Plan(backup, [] if target.kind == "backup" else files, Replay(base, target))


# A crash of this server only means that all of it is done again.
OFFLINE = ["--no-defaults", "--skip-networking", "--wsrep-on=OFF", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0",
           "--skip-slave-start", "--event-scheduler=DISABLED"]


class OfflineServer:
    """A server on a folder, that nobody but this process reaches."""

    def __init__(self, folder: str, run: str) -> None:
        self.socket = f"{run}/recovery.sock"
        self.log_file = f"{run}/recovery.log"
        self.process = subprocess.Popen(["mariadbd", *OFFLINE, f"--datadir={folder}", f"--socket={self.socket}", f"--pid-file={run}/recovery.pid",
                                         f"--log-error={self.log_file}"], stdin=subprocess.DEVNULL)

    def client(self, *more: str) -> List[str]:
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=mysql", "--binary-mode", *more]

    def wait(self) -> None:
        while subprocess.run(self.client("-e", "SELECT 1"), capture_output=True, check=False).returncode:
            if self.process.poll() is not None:
                raise OSError(f"the server did not start on the backup: {tail(self.log_file)}")
            time.sleep(0.2)

    def run(self, *statements: str) -> None:
        subprocess.run(self.client(), input=";\n".join(statements).encode(), check=True)

    def rows(self, query: str) -> List[List[str]]:
        done = subprocess.run(self.client("-N", "-B", "-e", query), capture_output=True, check=True)
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


OTHERS = "SELECT User, QUOTE(User), QUOTE(Host) FROM mysql.user WHERE is_role = 'N'"
# MariaDB's own, and the one of the member's script.
SYSTEM_USERS = {"", "mysql", "root", "mariadb.sys"}


def declared_users(config: Json) -> List[str]:
    """The new cluster gives them passwords of its own."""
    return [user["name"] for user in config["users"]] + [owner["role"] for owner in config["owners"]]


def lock_statements(users: List[List[str]], declared: List[str]) -> List[str]:
    """Whoever had a password of the old cluster and is not declared here cannot log in."""
    return [f"ALTER USER {user}@{host} ACCOUNT LOCK" for name, user, host in users if name not in SYSTEM_USERS and name not in declared]


def tail(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return " / ".join(line for line in file.read().splitlines() if "ERROR" in line)[-500:]


def restore(config: Json, folder: str) -> Json:
    """A data directory up to the target, for the first member of a new cluster."""
    wanted, run = config["recovery"], config["run"]
    archive = open_archive(wanted["repository"], run)
    target = Target(wanted["target"]["kind"], wanted["target"]["value"], tuple(wanted["target"]["skip"]))
    plan = plan_recovery(archive, target)
    print(f"recovers backup {plan.backup['label']} (until {plan.backup['endedAt']}) and {len(plan.files)} files of the binary log", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    fetch_backup(archive, plan.backup, folder)
    server = OfflineServer(folder, run)
    try:
        server.wait()
        replay(archive, plan.files, plan.replay, server.client(), config["volume"])
        if not plan.replay.met or set(plan.replay.skipped) != set(target.skip):
            raise NotPossible(f"{target.value} {' '.join(target.skip)} was not met in the archive; it ended with {binlog.render_position(plan.replay.position)}")
        # Who takes the writes and which bootstraps there were is the old cluster's.
        server.run("DROP DATABASE IF EXISTS everest")
        if not wanted["keepPasswords"]:
            server.run(*lock_statements(server.rows(OTHERS), declared_users(config)))
    finally:
        server.stop()
    return {"backup": plan.backup["label"], "position": binlog.render_position(plan.replay.position), "at": int(time.time())}


def replay(archive: Archive, files: List[BinlogFile], plan: Replay, client: List[str], folder: str) -> int:
    """Sends what counts to a server that nobody else uses; returns the number of stretches."""
    process = subprocess.Popen(client, stdin=subprocess.PIPE)
    count = 0
    for index, file in enumerate(files):
        if plan.done:
            break
        path = f"{folder}/replay.{index:06d}"
        fetch_file(archive, file, path)
        for stretch in plan.ranges(binlog.scan(path).transactions):
            count += 1
            # The binary log of the new cluster begins with what it is given later.
            command = ["mariadb-binlog", "--no-defaults", "--disable-log-bin", f"--start-position={stretch.start}",
                       f"--stop-position={stretch.end}", path]
            done = subprocess.run(command, stdout=process.stdin, check=False)
            if done.returncode:
                process.kill()
                raise OSError(f"mariadb-binlog ended with {done.returncode} on {file.member}/{file.file}")
        os.unlink(path)
    process.stdin.close()
    if process.wait():
        raise OSError(f"the server did not take a transaction (client ended with {process.returncode})")
    return count


def main(arguments: List[str]) -> int:
    if len(arguments) != 2 or arguments[0] != "restore":
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(restore(read_config(), arguments[1]), flush=True)
        return 0
    except (NotPossible, NotYet, ArchiveError, OSError, subprocess.CalledProcessError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
