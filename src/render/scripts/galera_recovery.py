#!/usr/bin/env python3
"""Recovers a Galera cluster's data from its archive: which backup, which transactions, and a server to replay them on.

  galera_recovery.py restore FOLDER   makes a data directory as galera.json asks for (`recovery`)

The plan is pure and comes first. Until it is clear that the target can be reached, nothing is made.
"""
from __future__ import annotations

import calendar
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import binlog_events as binlog
from binlog_events import seq
from galera_archive import OWNER, Archive, ArchiveError, Json, Part, open_archive, read_config
from galera_sql import Sql, SqlError, quoted, text
from galera_tools import Remote, Tools, option_text, stream_name, write_private
from kube import Api, NotYet, utc, value_in


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


def chain(files: List[BinlogFile], base: binlog.Position, domain: binlog.Domain) -> Tuple[List[BinlogFile], int]:
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


def group_domain(archive: Archive, backups: List[Json]) -> binlog.Domain:
    """Of the group's own transactions. MySQL's is the group's state; MariaDB's domain has most of them, and those of single
    members stand beside it."""
    position = binlog.parse_position(backups[-1]["gtid"])
    if any(isinstance(domain, str) for domain in position):
        return str((archive.read_json(OWNER) or {}).get("uuid", ""))
    return max(position.values(), key=lambda gtid: gtid.seq).domain if position else 0


def place_of(domain: binlog.Domain, at: int) -> str:
    return f"{domain}:{at}" if isinstance(domain, str) else f"{domain}-{at}"


class Window(NamedTuple):
    starts: int
    ends: int
    oldest: Json
    gap_after: Optional[str]


def windows(backups: List[Json], parts: List[Part], state: Json, domain: binlog.Domain) -> List[Window]:
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
        found.append(Window(starts, ends, backup, None if whole else place_of(domain, at)))
    return found


def choose_backup(backups: List[Json], target: Target) -> Json:
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
        wanted = [backup for backup in backups if not binlog.covers(binlog.parse_position(backup["gtid"]), gtid)]
    for skipped in target.skip:
        gtid = binlog.parse_gtid(skipped)
        wanted = [backup for backup in wanted if not binlog.covers(binlog.parse_position(backup["gtid"]), gtid)]
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
            if binlog.covers(self.position, transaction.gtid):
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


def check_reachable(backup: Json, window: Window, target: Target, position: binlog.Position, domain: binlog.Domain) -> None:
    """Before anything is made: what lies behind the end of the archive is not known."""
    if target.kind == "time" and seconds(target.value) > window.ends:
        gap = f"; what follows {window.gap_after} is missing" if window.gap_after else ""
        raise NotPossible(f"the archive goes from {utc(window.starts)} to {utc(window.ends)} after backup {backup['label']}{gap}, "
                          f"and the target is {target.value}")
    for wanted in ([target.value] if target.kind in ("gtid", "before") else []) + list(target.skip):
        gtid = binlog.parse_gtid(wanted)
        if gtid.domain == domain and gtid.seq > seq(position, domain):
            raise NotPossible(f"transaction {wanted} is not in the archive, which goes from {backup['gtid']} to {place_of(domain, seq(position, domain))}")


# ---- execution

# Of another server: its group state and its own binary log.
FOREIGN = ("grastate.dat", "gvwstate.dat", "galera.cache", "auto.cnf")
FOREIGN_PREFIXES = ("binlog.", "mariadb_backup_", "xtrabackup_", "donor_galera_info", "backup-my.cnf")


def fetch_backup(archive: Archive, backup: Json, folder: str, tools: Tools) -> None:
    """Into an empty folder, prepared: a data directory that a server can start on."""
    os.makedirs(folder, mode=0o750)
    programs = tools.programs
    with tempfile.TemporaryDirectory(dir=tools.scratch()) as unpacking:
        reader = archive.open_read(f"backups/{backup['label']}/{stream_name(tools.config['engine'])}")
        writer = tools.start([programs.unpack, "-x", "-C", folder], unpacking, stdin=True)
        unpacker = subprocess.Popen(["zstd", "-dq"], stdin=reader.stdout, stdout=writer.stdin)
        reader.stdout.close()
        writer.stdin.close()
        codes = [process.wait() for process in (writer, unpacker, reader)]
        if any(codes):
            names = f"{os.path.basename(programs.unpack)}, zstd, rclone"
            raise OSError(f"backup {backup['label']} could not be read ({names}: {codes}): {writer.errors()[-300:].strip()}")
    with tempfile.TemporaryDirectory(dir=tools.scratch()) as preparing:
        tools.run([programs.backup, "--no-defaults", "--prepare", f"--target-dir={folder}"], preparing)
    for name in os.listdir(folder):
        if name in FOREIGN or name.startswith(FOREIGN_PREFIXES):
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


class Listing(NamedTuple):
    """What lies in an archive, read once."""
    backups: List[Json]
    parts: List[Part]
    state: Json
    domain: binlog.Domain


def list_archive(archive: Archive) -> Listing:
    backups = archive.backups()
    return Listing(backups, archive.parts(), archive.read_json("binlogs/state.json") or {}, group_domain(archive, backups) if backups else 0)


class Plan(NamedTuple):
    backup: Json
    files: List[BinlogFile]
    replay: Replay
    window: Window


def plan_recovery(archive: Archive, target: Target) -> Plan:
    return plan_of(list_archive(archive), target)


def plan_of(listing: Listing, target: Target) -> Plan:
    backups, parts, state, domain = listing
    backup = choose_backup(backups, target)
    base = binlog.parse_position(backup["gtid"])
    files, at = chain(whole_files(parts), base, domain)
    (window,) = windows([backup], parts, state, domain)
    check_reachable(backup, window, target, binlog.advance({}, binlog.Gtid(domain, 0, at)), domain)
    return Plan(backup, [] if target.kind == "backup" else files, Replay(base, target), window)


# A crash of this server only means that all of it is done again.
OFFLINE = ["--no-defaults", "--skip-networking", "--wsrep-on=OFF", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0",
           "--event-scheduler=DISABLED"]


class OfflineMariaDb:
    """A server on a folder, that nobody but this process reaches."""

    OTHERS = "SELECT User, QUOTE(User), QUOTE(Host) FROM mysql.user WHERE is_role = 'N'"

    def __init__(self, folder: str, config: Json, *more: str) -> None:
        self.socket = f"{config['run']}/recovery.sock"
        self.log_file = f"{config['run']}/recovery.log"
        self.process = subprocess.Popen(
            ["mariadbd", *OFFLINE, "--skip-slave-start", f"--datadir={folder}", f"--socket={self.socket}", f"--pid-file={config['run']}/recovery.pid",
             f"--log-error={self.log_file}", *more], stdin=subprocess.DEVNULL)
        self.replayer: Any = None

    def client(self, *more: str) -> List[str]:
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=mysql", "--binary-mode", *more]

    def wait(self) -> None:
        while subprocess.run(self.client("-e", "SELECT 1"), capture_output=True, check=False).returncode:
            if self.process.poll() is not None:
                raise OSError(f"the server did not start on the backup: {tail(self.log_file)}")
            time.sleep(0.2)

    def run(self, *statements: str) -> None:
        subprocess.run(self.client(), input=";\n".join(statements).encode(), check=True)

    def rows(self, query: str, database: str = "mysql") -> List[List[str]]:
        done = subprocess.run(self.client("-N", "-B", "-D", database, "-e", query), capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            number = re.search(r"^ERROR (\d+)", said, re.MULTILINE)
            raise SqlError(said, int(number[1]) if number else 0)
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def replay(self, path: str, stretch: Range) -> None:
        """All stretches by one client."""
        self.replayer = self.replayer or subprocess.Popen(self.client(), stdin=subprocess.PIPE)
        # The binary log of the new cluster begins with what it is given later.
        done = subprocess.run(["mariadb-binlog", "--no-defaults", "--disable-log-bin", *places_of(stretch), path], stdout=self.replayer.stdin, check=False)
        if done.returncode:
            self.replayer.kill()
            raise OSError(f"mariadb-binlog ended with {done.returncode}")

    def finish(self) -> None:
        if self.replayer is None:
            return
        self.replayer.stdin.close()
        if self.replayer.wait():
            raise OSError(f"the server did not take a transaction (client ended with {self.replayer.returncode})")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


# A statement may go through a whole table, and a server that dies ends its connections.
STATEMENT_S = 86400.0


class OfflineMySql:
    """The same with the vendor's image: server and programs run in its containers, and SQL goes through the socket."""

    # A role is a user that is locked.
    OTHERS = "SELECT User, QUOTE(User), QUOTE(Host) FROM mysql.user WHERE account_locked = 'N'"

    def __init__(self, folder: str, config: Json, password: str, *more: str) -> None:
        self.tools, self.place = Tools(config), f"{config['run']}/recovery"
        os.makedirs(self.place, exist_ok=True)
        self.log_file = f"{self.place}/server.log"
        # The data know the old cluster's password only.
        self.script = write_private(f"{self.place}/init.sql", f"ALTER USER root@localhost IDENTIFIED BY {text(password)};\n")
        login = f"[client]\nuser=root\npassword={option_text(password)}\nsocket={self.place}/mysqld.sock\n"
        self.login = write_private(f"{self.place}/client.cnf", login)
        self.sql = Sql({**config, "run": self.place}, STATEMENT_S)
        self.sql.password = password
        self.process = Remote(
            [self.tools.programs.server, *OFFLINE, "--wsrep-provider=none", "--pxc-strict-mode=DISABLED", "--gtid-mode=ON", "--enforce-gtid-consistency=ON",
             "--skip-replica-start", "--mysqlx=OFF", "--secure-file-priv=NULL", f"--init-file={self.script}", f"--datadir={folder}", f"--socket={self.place}/mysqld.sock",
             f"--pid-file={self.place}/mysqld.pid", f"--log-error={self.log_file}", *more], config["run"])

    def wait(self) -> None:
        while True:
            try:
                self.sql.rows("SELECT 1")
                os.unlink(self.script)
                return
            except SqlError:
                if self.process.poll() is not None:
                    raise OSError(f"the server did not start on the backup: {tail(self.log_file)}") from None
                time.sleep(0.2)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.sql.change(statement)

    def rows(self, query: str, database: str = "mysql") -> List[List[str]]:
        """Values as MariaDB's client writes them."""
        self.sql.change(f"USE {quoted(database)}")
        return [["NULL" if value is None else str(value) for value in row] for row in self.sql.rows(query)]

    def replay(self, path: str, stretch: Range) -> None:
        """GTIDs stay as they were. A stretch says by itself what it needs of the session, so each has a client of its own."""
        programs = self.tools.programs
        with tempfile.TemporaryDirectory(dir=self.tools.scratch()) as folder:
            script = 'set -o pipefail; client="$0"; shift; "$@" | mysql --defaults-file="$client" --binary-mode'
            command = [programs.binlog, "--no-defaults", *places_of(stretch), path]
            self.tools.run(["bash", "-c", script, self.login, "replay", *command], folder)

    def finish(self) -> None:
        """Each stretch has waited for its own end."""

    def stop(self) -> None:
        self.sql.close()
        self.process.terminate()
        while self.process.poll() is None:
            time.sleep(0.2)


def start_offline(folder: str, config: Json, password: str, *more: str) -> Any:
    """`password`: root's from now on, where the engine has one."""
    return OfflineMariaDb(folder, config, *more) if config["engine"] == "mariadb" else OfflineMySql(folder, config, password, *more)


def places_of(stretch: Range) -> List[str]:
    return [f"--start-position={stretch.start}", f"--stop-position={stretch.end}"]


# The servers' own, and the one of the member's script.
SYSTEM_USERS = {"", "mysql", "root", "mariadb.sys"}


def root_password(config: Json) -> str:
    """The new cluster's; MariaDB's script logs in without one."""
    return "" if config["engine"] == "mariadb" else value_in(Api.in_cluster(), "secrets", config["credentials"]["secret"], "root")


def declared_users(config: Json) -> List[str]:
    """The new cluster gives them passwords of its own."""
    return [user["name"] for user in config["users"]] + [role["role"] for role in [*config["owners"], *config.get("roles", [])]]


def lock_statements(users: List[List[str]], declared: List[str]) -> List[str]:
    """Whoever had a password of the old cluster and is not declared here cannot log in."""
    return [f"ALTER USER {user}@{host} ACCOUNT LOCK" for name, user, host in users
            if name not in SYSTEM_USERS and not name.startswith("mysql.") and name not in declared]


def tail(path: str) -> str:
    if not os.path.exists(path):
        return ""
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
    fetch_backup(archive, plan.backup, folder, Tools(config))
    server = start_offline(folder, config, root_password(config))
    try:
        server.wait()
        replay(archive, plan.files, plan.replay, server, config["volume"])
        if not plan.replay.met or set(plan.replay.skipped) != set(target.skip):
            raise NotPossible(f"{target.value} {' '.join(target.skip)} was not met in the archive; it ended with {binlog.render_position(plan.replay.position)}")
        # Who takes the writes and which bootstraps there were is the old cluster's.
        server.run("DROP DATABASE IF EXISTS everest")
        if not wanted["keepPasswords"]:
            server.run(*lock_statements(server.rows(server.OTHERS), declared_users(config)))
    finally:
        server.stop()
    return {"backup": plan.backup["label"], "position": binlog.render_position(plan.replay.position), "at": int(time.time())}


def replay(archive: Archive, files: List[BinlogFile], plan: Replay, server: Any, folder: str) -> int:
    """Sends what counts to a server that nobody else uses; returns the number of stretches."""
    count = 0
    for index, file in enumerate(files):
        if plan.done:
            break
        path = f"{folder}/replay.{index:06d}"
        fetch_file(archive, file, path)
        for stretch in plan.ranges(binlog.scan(path).transactions):
            count += 1
            try:
                server.replay(path, stretch)
            except OSError as problem:
                raise OSError(f"{problem} on {file.member}/{file.file}") from problem
        os.unlink(path)
    server.finish()
    return count


def main(arguments: List[str]) -> int:
    if len(arguments) != 2 or arguments[0] != "restore":
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(restore(read_config(), arguments[1]), flush=True)
        return 0
    except (NotPossible, NotYet, ArchiveError, SqlError, OSError, subprocess.CalledProcessError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
