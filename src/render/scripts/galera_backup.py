#!/usr/bin/env python3
"""One backup of a Galera member, from inside of it: mariadb-backup, compressed, encrypted and sent as one stream.

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
from typing import Any, Dict, IO, List, Optional

import binlog_events as binlog
import galera_recovery as recovery
from galera_archive import Archive, ArchiveError, Json, Part, check_owner, open_archive, parse_part, read_config
from member import NotYet

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
            try:
                self.sink.close()
            except OSError:
                self.broken = True


def now_text(seconds: Optional[float] = None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


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
        """`sql`: rows() and change(); `place`: member, dataDirectory, socket, user, level."""
        self.archive, self.sql, self.place = archive, sql, place

    def make(self, schedule: str) -> Json:
        started = time.time()
        label = time.strftime("%Y%m%d-%H%M%SF", time.gmtime(started))
        path = f"backups/{label}/base.mbs.zst"
        with tempfile.TemporaryDirectory() as notes:
            streamed, stored = self.stream(path, notes)
            told = read_info(f"{notes}/lsn")
        if self.archive.sizes().get(path) != stored:
            raise Failed(f"the archive holds another number of bytes of {path} than were sent ({stored})")
        backup = {
            "label": label, "type": "full", "schedule": schedule, "member": self.place["member"],
            "startedAt": now_text(started), "endedAt": now_text(), "sizeBytes": streamed, "storedBytes": stored,
            **told,
        }
        # The last word: without it nobody takes the stream for a backup.
        self.archive.write_json(f"backups/{label}/backup.json", backup)
        return backup

    def stream(self, path: str, notes: str) -> "tuple[int, int]":
        data, socket = self.place["dataDirectory"], self.place["socket"]
        log = open(f"{notes}/log", "w+b")
        reader = subprocess.Popen(
            ["mariadb-backup", "--no-defaults", "--backup", "--galera-info", "--stream=mbstream", f"--user={self.place['user']}",
             f"--socket={socket}", f"--datadir={data}", f"--target-dir={notes}/target", f"--extra-lsndir={notes}/lsn"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        packer = subprocess.Popen(["zstd", "-q", f"-{self.place['level']}", "-T1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sender = self.archive.open_write(path, None, folder_size(data))
        streamed = Counter(reader.stdout, packer.stdin)
        stored = Counter(packer.stdout, sender.stdin)
        codes = {}
        for name, process in (("mariadb-backup", reader), ("zstd", packer), ("rclone", sender)):
            codes[name] = process.wait()
        streamed.join()
        stored.join()
        sender.errors.seek(0)
        problems = {"mariadb-backup": last_lines(log), "rclone": sender.errors.read().decode(errors="replace").strip()[-500:], "zstd": ""}
        # Who ends first ends the others; the one that failed by itself is told.
        for name in ("rclone", "mariadb-backup", "zstd"):
            if codes[name] > 0:
                raise Failed(f"{name} ended with {codes[name]}: {problems[name]}")
        if any(codes.values()) or streamed.broken or stored.broken:
            raise Failed(f"the stream was cut ({codes})")
        return streamed.bytes, stored.bytes

    def desync(self, on: bool) -> None:
        self.sql.change(f"SET GLOBAL wsrep_desync = {'ON' if on else 'OFF'}")


def last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|failed", line, re.IGNORECASE)]
    return " / ".join((errors or lines)[-3:])[-500:]


def read_info(folder: str) -> Json:
    """What mariadb-backup notes about itself: the position to which the copy goes."""
    names = [name for name in ("mariadb_backup_info", "xtrabackup_info") if os.path.exists(f"{folder}/{name}")]
    if not names:
        raise Failed("mariadb-backup left no information about its copy")
    with open(f"{folder}/{names[0]}", encoding="utf-8") as file:
        text = file.read()
    place = re.search(r"^binlog_pos = filename '([^']*)', position '(\d+)'(?:, GTID of the last change '([^']*)')?", text, re.MULTILINE)
    server = re.search(r"^server_version = (\S+)", text, re.MULTILINE)
    return {
        "serverVersion": server[1] if server else "",
        "binlog": {"file": place[1], "position": int(place[2])} if place else None,
        "gtid": place[3] if place and place[3] else "",
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
        covered = all(gtid.seq <= seq_in(base, gtid.domain) for gtid in after.values() if gtid.domain in base)
        followed = any(all(seq_in(begin, domain) >= after[domain].seq for domain in base if domain in after) for begin in begins)
        if base and covered and followed:
            gone.append(folder)
    return sorted(gone)


def seq_in(position: binlog.Position, domain: int) -> int:
    return position[domain].seq if domain in position else 0


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
    backups = archive.backups()
    state = archive.read_json("binlogs/state.json") or {}
    found = recovery.windows(backups, archive.parts(), state, recovery.group_domain(backups)) if backups else []
    replays = [{"label": each.oldest["label"], "starts": each.starts, "ends": each.ends,
                **({"gapAfter": each.gap_after} if each.gap_after else {})} for each in found]
    return {"backups": backups, "replays": replays}


def make_backup(config: Json, archive: Archive, repository: Json, schedule: str) -> Json:
    from galera_server import Sql
    sql = Sql(config, 30.0)
    uuid = own_state()["position"]["uuid"]
    check_owner(archive, uuid)
    user = "mysql" if config["engine"] == "mariadb" else "root"
    backup = Backup(archive, sql, {
        "member": config["member"], "dataDirectory": f"{config['volume']}/data", "socket": f"{config['run']}/mysqld.sock",
        "user": user, "level": repository["level"],
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
    repository = config["archive"]["repository"]
    try:
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
