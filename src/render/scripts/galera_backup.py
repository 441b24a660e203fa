#!/usr/bin/env python3
"""One backup of a Galera member, from inside of it: mariadb-backup or xtrabackup, compressed, encrypted and sent as one stream.

  galera_backup.py backup SCHEDULE   makes a full backup; prints what it does
  galera_backup.py place             whether this member is in step and whether it takes the writes, as JSON
  galera_backup.py info              what is in the archive, as JSON on one line

Nothing is copied on the volume. The member is out of flow control (wsrep_desync) meanwhile, so that it slows nobody down.
The last line of `backup` is JSON. Exit code 0 means that the archive holds a new, whole backup.
"""
from __future__ import annotations

import calendar
import fcntl
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, IO, List

import binlog_events as binlog
import galera_recovery as recovery
from galera_archive import Archive, ArchiveError, Json, Part, check_owner, open_archive, parse_part, read_config, repository_of
from galera_tools import Tools, option_text, stream_name, write_private
from kube import Api, NotYet, utc, value_in

BLOCK = 1 << 20
DAY_S = 86400
# No backup takes so long: the Job's deadline is at most a month, and its default a day.
TORN_S = 32 * DAY_S


class Failed(Exception):
    """No backup was made; the text says why."""


class Counter(threading.Thread):
    """Hands a stream on, and counts: a stream that was cut must not look like a backup."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.source, self.sink, self.bytes, self.broken = source, sink, 0, False
        self.start()

    def run(self) -> None:
        try:
            while True:
                block = self.source.read(BLOCK)
                if not block:
                    return
                self.sink.write(block)
                self.bytes += len(block)
        except OSError:
            self.broken = True
        finally:
            # Whoever writes into what nobody reads any more must not wait for ever.
            for end in (self.sink, self.source):
                try:
                    end.close()
                except OSError:
                    self.broken = True


def folder_size(folder: str) -> int:
    total = 0
    for base, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(base, name)).st_size
            except FileNotFoundError:
                continue
    return total


class Backup:
    def __init__(self, archive: Archive, sql: Any, place: Json) -> None:
        """`sql`: rows() and change(); `place`: tools, member, dataDirectory, login (arguments), level."""
        self.archive, self.sql, self.place = archive, sql, place
        self.tools: Tools = place["tools"]

    def make(self, schedule: str) -> Json:
        started = time.time()
        label = time.strftime("%Y%m%d-%H%M%SF", time.gmtime(started))
        path = f"backups/{label}/{stream_name(self.tools.config['engine'])}"
        with tempfile.TemporaryDirectory(dir=self.tools.scratch()) as notes:
            streamed, stored = self.stream(path, notes)
            told = read_info(f"{notes}/lsn")
        if self.archive.sizes().get(path) != stored:
            raise Failed(f"the archive holds another number of bytes of {path} than were sent ({stored})")
        backup = {
            "label": label, "type": "full", "schedule": schedule, "member": self.place["member"],
            "startedAt": utc(started), "endedAt": utc(), "sizeBytes": streamed, "storedBytes": stored,
            **told,
        }
        # The last word: without it nobody takes the stream for a backup.
        self.archive.write_json(f"backups/{label}/backup.json", backup)
        return backup

    def stream(self, path: str, notes: str) -> "tuple[int, int]":
        reader = self.tools.start(self.command(notes), notes, stdout=True)
        packer = subprocess.Popen(["zstd", "-q", f"-{self.place['level']}", "-T1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sender = self.archive.open_write(path, None, folder_size(self.place["dataDirectory"]))
        streamed = Counter(reader.stdout, packer.stdin)
        stored = Counter(packer.stdout, sender.stdin)
        codes = {}
        copier = os.path.basename(self.tools.programs.backup)
        for name, process in ((copier, reader), ("zstd", packer), ("rclone", sender)):
            codes[name] = process.wait()
        streamed.join()
        stored.join()
        sender.errors.seek(0)
        problems = {copier: last_lines(reader.errors()), "rclone": sender.errors.read().decode(errors="replace").strip()[-500:], "zstd": ""}
        # Who ends first ends the others; the one that failed by itself is told.
        for name in ("rclone", copier, "zstd"):
            if codes[name] > 0:
                raise Failed(f"{name} ended with {codes[name]}: {problems[name]}")
        if any(codes.values()) or streamed.broken or stored.broken:
            raise Failed(f"the stream was cut ({codes})")
        return streamed.bytes, stored.bytes

    def command(self, notes: str) -> List[str]:
        kind = "--stream=mbstream" if self.tools.mariadb else "--stream=xbstream"
        # Of a stream nothing but what is read twice lies on a disk; the vendor's program wants a place for it.
        own = [] if self.tools.mariadb else [f"--tmpdir={notes}"]
        login, *more = self.place["login"]
        return [self.tools.programs.backup, login, "--backup", "--galera-info", kind, *more, f"--datadir={self.place['dataDirectory']}",
                f"--target-dir={notes}/target", f"--extra-lsndir={notes}/lsn", *own]

    def desync(self, on: bool) -> None:
        self.sql.change(f"SET GLOBAL wsrep_desync = {'ON' if on else 'OFF'}")


def last_lines(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|failed", line, re.IGNORECASE)]
    return " / ".join((errors or lines)[-3:])[-500:]


def read_info(folder: str) -> Json:
    """What the program notes about itself: the position to which the copy goes."""
    names = [name for name in ("mariadb_backup_info", "xtrabackup_info") if os.path.exists(f"{folder}/{name}")]
    if not names:
        raise Failed("the backup's program left no information about its copy")
    with open(f"{folder}/{names[0]}", encoding="utf-8") as file:
        text = file.read()
    place = re.search(r"^binlog_pos = filename '([^']*)', position '(\d+)'(?:, GTID of the last change '([^']*)')?", text, re.MULTILINE)
    server = re.search(r"^server_version = (\S+)", text, re.MULTILINE)
    return {
        "serverVersion": server[1] if server else "",
        "binlog": {"file": place[1], "position": int(place[2])} if place else None,
        # MySQL writes each uuid of it on a line of its own.
        "gtid": re.sub(r"\s", "", place[3]) if place and place[3] else "",
    }


def made_at(label: str) -> int:
    """A label is the time at which the backup began."""
    return calendar.timegm(time.strptime(label, "%Y%m%d-%H%M%SF"))


def removable(labels: List[str], retention: Json, now: float) -> List[str]:
    """What the retention gives up. The newest backup always stays, and with days the one that begins the window."""
    if retention["type"] == "count":
        return sorted(labels)[:-max(1, retention["amount"])]
    return sorted(label for label in labels if made_at(label) <= now - retention["amount"] * DAY_S)[:-1]


def expire(archive: Archive, retention: Json, now: float) -> Json:
    """Backups first, each from its word on, so that half a removal leaves no backup that looks whole."""
    paths = list(archive.sizes())
    whole = {path.split("/")[1] for path in paths if re.fullmatch(r"backups/[^/]+/backup\.json", path)}
    gone = removable(sorted(whole), retention, now)
    for label in gone:
        archive.remove(f"backups/{label}/backup.json")
    # What a backup that runs has sent so far has no word yet.
    torn = {path.split("/")[1] for path in paths if path.startswith("backups/")} - whole
    for label in [*gone, *(label for label in torn if made_at(label) < now - TORN_S)]:
        archive.remove(f"backups/{label}/")
    kept = sorted(whole - set(gone))
    oldest = archive.read_json(f"backups/{kept[0]}/backup.json") if kept else None
    parts = [part for part in map(parse_part, paths) if part]
    spent = spent_folders(parts, binlog.parse_position(oldest["gtid"])) if oldest else []
    for folder in spent:
        archive.remove(f"{folder}/")
    return {"backups": gone, "binlogs": len(spent)}


def spent_folders(parts: List[Part], base: binlog.Position) -> List[str]:
    """A file goes when all that is in it is in the oldest backup too, and when another one has begun behind it: to the last
    one of all, parts may still come, and without its beginning they would be worth nothing."""
    folders: Dict[str, List[Part]] = {}
    for part in parts:
        folders.setdefault(os.path.dirname(part.path), []).append(part)
    begins = [part.before for part in parts if part.start == 0]
    gone = []
    for folder, found in folders.items():
        after = max(found, key=lambda part: part.end).after
        # Of MySQL's uuids the name holds the group's alone; MariaDB's other domains are those of single members.
        counted = [domain for domain in after if isinstance(domain, str) or domain in base]
        covered = bool(counted) and all(after[domain].seq <= binlog.seq(base, domain) for domain in counted)
        followed = any(all(binlog.seq(begin, domain) >= after[domain].seq for domain in counted) for begin in begins)
        if base and covered and followed:
            gone.append(folder)
    return sorted(gone)


# ---- as a command, in a member

def own_state(timeout: float = 5.0) -> Json:
    """What the member says of itself (galera_http.py)."""
    connection = http.client.HTTPConnection("127.0.0.1", 9200, timeout=timeout)
    try:
        connection.request("GET", "/state")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def place_of(state: Json) -> Json:
    wsrep, writer = state.get("wsrep") or {}, state.get("writer") or {}
    synced = wsrep.get("clusterStatus") == "Primary" and wsrep.get("localState") in (2, 4) and bool(wsrep.get("ready"))
    return {"member": state["member"], "synced": synced, "writer": writer.get("member") == state["member"]}


def info(archive: Archive) -> Json:
    """Backups with how far each can be replayed; a gap ends a replay."""
    listing = recovery.list_archive(archive)
    replays = [{"label": each.oldest["label"], "starts": each.starts, "ends": each.ends,
                **({"gapAfter": each.gap_after} if each.gap_after else {})} for each in recovery.windows(*listing)]
    return {"backups": listing.backups, "replays": replays}


def login_of(config: Json, sql: Any) -> List[str]:
    """Arguments by which a program logs in, the first one being that about files of options. The vendor's server knows no
    login by the account of the system; its password stands in a file, since a command line can be read by others."""
    place = [f"--socket={config['run']}/mysqld.sock"]
    if config["engine"] == "mariadb":
        return ["--no-defaults", "--user=mysql", *place]
    sql.password = value_in(Api.in_cluster(), "secrets", config["credentials"]["secret"], "root")
    path = write_private(f"{config['run']}/backup.cnf", f"[xtrabackup]\nuser=root\npassword={option_text(sql.password)}\n")
    return [f"--defaults-file={path}", *place]


def make_backup(config: Json, archive: Archive, repository: Json, schedule: str) -> Json:
    from galera_sql import Sql
    sql = Sql(config, 30.0)
    uuid = own_state()["position"]["uuid"]
    check_owner(archive, uuid)
    backup = Backup(archive, sql, {
        "tools": Tools(config), "member": config["member"], "dataDirectory": f"{config['volume']}/data", "login": login_of(config, sql),
        "level": repository["level"],
    })
    alone = len((own_state().get("wsrep") or {}).get("members", [])) <= 1
    if not alone:
        backup.desync(True)
    try:
        return backup.make(schedule)
    finally:
        if not alone:
            backup.desync(False)


def locked(config: Json) -> Any:
    """Held as long as the process lives."""
    lock = open(f"{config['run']}/backup.lock", "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        raise Failed("another backup runs in this member") from problem
    return lock


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: List[str]) -> int:
    config = read_config()
    if arguments == ["place"]:
        say(json.dumps(place_of(own_state())))
        return 0
    try:
        repository = repository_of(config, own_state()["position"]["uuid"], tempfile.mkdtemp(dir=config["run"]))
        archive = open_archive(repository, tempfile.mkdtemp(dir=config["run"]))
        if arguments == ["info"]:
            say(json.dumps(info(archive)))
            return 0
        if len(arguments) != 2 or arguments[0] != "backup":
            print(__doc__, file=sys.stderr)
            return 2
        with locked(config):
            say(f"backup to {repository['storage']}")
            made = make_backup(config, archive, repository, arguments[1])
            say(f"{made['label']}: {made['sizeBytes']} bytes, {made['storedBytes']} in the archive, up to {made['gtid']}")
            removed = expire(archive, repository["retention"], time.time())
            say(f"removed by the retention: {len(removed['backups'])} backups, {removed['binlogs']} files of the binary log")
        say(json.dumps(made))
        return 0
    except (Failed, ArchiveError, NotYet, OSError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
