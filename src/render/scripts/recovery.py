#!/usr/bin/env python3
"""Brings a member's data back from backups and archive. It comes in a ConfigMap beside member.py, which starts it.

  recovery.py start      no member has data: see whether the target can be reached, then become Patroni
  recovery.py check      whether the target can be reached, for people; changes nothing
  recovery.py replace    a restore in place: no member runs a server; data are set aside, or put back
  recovery.py accept     for people: the data that were set aside on this volume are removed
  recovery.py restore    Patroni's bootstrap command: the backup that the recovery begins with
  recovery.py accompany PID    beside a recovery: wakes Patroni at its end; at a pause it promotes, or begins anew, as declared
  recovery.py prepare-source   pgBackRest's configuration for the cluster that a standby cluster follows

All run with the configuration of the repository that is read (member.py RECOVERY); the cluster's own is not touched.
Nothing is made before the look has shown that the target can be reached: PostgreSQL itself would only find out at the
end of the archive, and Patroni would then begin again for ever.
"""
from __future__ import annotations

import bz2
import ctypes
import gzip
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from typing import Callable, Collection, Dict, List, NamedTuple, Optional, Tuple

import member
import snapshot
from member import Api, Json, NotYet, pgbackrest

#: What the look before a recovery has settled.
PLAN = "plan.json"
#: What the VolumeSnapshot says of itself, where the recovery begins with one.
SNAPSHOT = "snapshot.json"
#: How many files of the archive are looked through for its last transaction, from the newest on.
FILES_LOOKED_AT = 64
#: Of a recovery that Patroni has given up; more tries would end alike.
ATTEMPTS = 3
#: Room beside the backup: WAL that is replayed, and what PostgreSQL writes meanwhile.
SPARE_BYTES = 256 * 1024 * 1024
#: Between two members that could begin, so that one does and the others see it.
APART_S = 3.0
#: Between two looks at the declaration while the data are looked at, at the end of a recovery, and for a leader.
LOOK_S, END_LOOK_S, LEADER_LOOK_S = 2.0, 0.2, 0.5
#: Until a member that begins has said so: it starts a script for that.
SAID_S = 10.0
#: Well below the kubelet's patience with a container that does not answer at Patroni's port, one hour.
WITHOUT_PATRONI_S = 1200.0
#: A backup says in whole seconds when it ended.
SECOND = timedelta(seconds=1)


# ---- the archive

class Segment(NamedTuple):
    timeline: int
    number: int


class Archive:
    """The WAL files of one database, along the way to one timeline."""

    def __init__(self, names: Collection[str], segment_bytes: int, timeline: int, history: str) -> None:
        self.names, self.segment_bytes, self.timeline = names, segment_bytes, timeline
        #: Where timelines before this one ended.
        self.switches = {int(line[0]): self.lsn(line[1]) for line in
                         (text.split() for text in history.splitlines()) if len(line) > 1 and line[0].isdigit()}
        self.ends = [(earlier, place // segment_bytes) for earlier, place in self.switches.items()]

    @staticmethod
    def lsn(text: str) -> int:
        high, low = text.split("/")
        return int(high, 16) << 32 | int(low, 16)

    def number(self, name: str) -> int:
        per_log = 0x1_0000_0000 // self.segment_bytes
        return int(name[8:16], 16) * per_log + int(name[16:24], 16)

    def at(self, number: int) -> Segment:
        """Which timeline's file of this number leads to the target's timeline."""
        return Segment(next((timeline for timeline, end in self.ends if number < end), self.timeline), number)

    def name(self, segment: Segment) -> str:
        per_log = 0x1_0000_0000 // self.segment_bytes
        return f"{segment.timeline:08X}{segment.number // per_log:08X}{segment.number % per_log:08X}"

    def has(self, number: int) -> bool:
        return self.name(self.at(number)) in self.names

    def is_on(self, name: str) -> bool:
        return self.name(self.at(self.number(name))) == name

    def leads_on_from(self, name: str, lsn: str) -> bool:
        """Whether this place of the file is on the way. Where a timeline ended, the next one has a copy of the file up to there."""
        timeline = int(name[:8], 16)
        return self.lsn(lsn) <= self.switches.get(timeline, 0 if timeline != self.timeline else float("inf"))

    def last_from(self, first: int) -> int:
        """The last number that WAL goes on to without a gap; before `first` when that is missing."""
        while self.has(first):
            first += 1
        return first - 1


def file_paths(listing: str) -> Dict[str, str]:
    """Of whole WAL files, by name."""
    return {found[2]: found[1] for found in re.finditer(r"^((?:.*/)?([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?)$", listing, re.MULTILINE)}


def timelines_in(listing: str) -> List[int]:
    return [int(name, 16) for name in re.findall(r"(?:^|/)([0-9A-F]{8})\.history$", listing, re.MULTILINE)]


class Stream(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer, which look alike."""
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t)]


def unpack_zstd(packed: bytes) -> bytes:
    """By the library that pgBackRest itself is linked with: Python has none for it before 3.14."""
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.POINTER(Stream), ctypes.POINTER(Stream)]
    context, chunk, parts = library.ZSTD_createDStream(), ctypes.create_string_buffer(1 << 20), []
    source = Stream(ctypes.cast(ctypes.c_char_p(packed), ctypes.c_void_p), len(packed), 0)
    try:
        while True:
            target = Stream(ctypes.cast(chunk, ctypes.c_void_p), len(chunk), 0)
            if library.ZSTD_isError(library.ZSTD_decompressStream(context, ctypes.byref(target), ctypes.byref(source))):
                raise NotYet("a WAL file of the archive is damaged: it cannot be unpacked; waiting.")
            parts.append(chunk.raw[:target.position])
            if target.position < len(chunk) and source.position == len(packed):
                return b"".join(parts)
    finally:
        library.ZSTD_freeDStream(ctypes.c_void_p(context))


UNPACK: Dict[str, Callable[[bytes], bytes]] = {"": bytes, ".zst": unpack_zstd, ".gz": gzip.decompress, ".bz2": bz2.decompress}


class Wal:
    """Files of the archive, fetched to be looked into. `archive-get` would want a control file, and there are no data yet."""

    def __init__(self, archive_folder: str, paths: Dict[str, str], folder: str, bin_directory: str) -> None:
        self.archive_folder, self.paths, self.folder, self.bin_directory = archive_folder, paths, folder, bin_directory

    def fetch(self, name: str) -> str:
        stored = f"{self.archive_folder}/{self.paths[name]}"
        suffix = os.path.splitext(stored)[1]
        if suffix not in UNPACK:
            raise NotYet(f"the archive is packed by {suffix[1:]}, which cannot be looked into here; waiting.")
        path = f"{self.folder}/{name}"
        with open(path, "wb") as file:
            file.write(UNPACK[suffix](member.pgbackrest_bytes(["repo-get", stored])))
        return path

    def size(self, name: str) -> int:
        path = self.fetch(name)
        try:
            return os.path.getsize(path)
        finally:
            os.remove(path)

    def last_transaction(self, name: str) -> Optional[datetime]:
        """When the last transaction of the file ended."""
        path = self.fetch(name)
        try:
            # It ends with a complaint where the next file would be needed.
            done = subprocess.run([f"{self.bin_directory}/pg_waldump", "--rmgr=Transaction", path], env={**os.environ, "TZ": "UTC"},
                                  capture_output=True, check=False)
        finally:
            os.remove(path)
        times = re.findall(rb"desc: (?:COMMIT|ABORT)\w* .*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) UTC", done.stdout)
        return max((datetime.fromisoformat(f"{text.decode()}+00:00") for text in times), default=None)


def read_archive(wal: Wal, listing: str, timeline: Optional[int]) -> Archive:
    names = wal.paths.keys()
    if not names:
        raise NotYet("there is no WAL in the archive, so no backup can be made consistent; waiting.")
    newest = max([*timelines_in(listing), *(int(name[:8], 16) for name in names)])
    wanted = timeline or newest
    if wanted > 1 and wanted not in timelines_in(listing):
        raise NotYet(f"timeline {wanted} is not in the archive, whose newest is {newest}; correct the target, waiting.")
    history = pgbackrest(["repo-get", f"{wal.archive_folder}/{wanted:08X}.history"]) if wanted > 1 else ""
    return Archive(names, wal.size(max(names)), wanted, history)


# ---- which backup, and whether the target can be reached

class Plan(NamedTuple):
    backup: str
    size: int


class Usable(NamedTuple):
    """A backup from which WAL goes on."""
    label: str
    size: int
    stopped: datetime
    lsn: int
    architecture: str  # "" where nobody has noted it
    last: int  # number of the last WAL file that goes on without a gap


def usable_backups(stanza: Json, database: int, archive: Archive) -> List[Usable]:
    """Oldest first."""
    found = []
    for item in stanza["backup"]:
        first, last = item["archive"]["start"], item["archive"]["stop"]
        if item.get("error") is not False or item["database"]["id"] != database or not (first and archive.is_on(first)):
            continue
        # A failover may have left its end behind: then no server gets from there to the target's timeline.
        if not archive.leads_on_from(last, item["lsn"]["stop"]):
            continue
        reached = archive.last_from(archive.number(first))
        if reached >= archive.number(last):
            architecture = (item.get("annotation") or {}).get(member.ARCHITECTURE, "")
            stopped = datetime.fromtimestamp(item["timestamp"]["stop"], timezone.utc) + SECOND
            found.append(Usable(item["label"], item["info"]["size"], stopped, archive.lsn(item["lsn"]["stop"]), architecture, reached))
    return sorted(found, key=lambda backup: backup.stopped)


def usable_snapshot(facts: Json, system: str, archive: Archive, storage: str) -> Usable:
    """A VolumeSnapshot in place of the backups; its log is in the archive as theirs is, if nothing has removed it."""
    name, first, timeline = facts["name"], facts["startWal"], archive.timeline
    if str(facts["system"]) != system:
        raise NotYet(f"the snapshot {name} is of the cluster {facts['system']}, and {storage} holds the archive of {system}: name the storage of the "
                     "former; waiting.")
    if not all(archive.leads_on_from(facts[f"{end}Wal"], facts[f"{end}Lsn"]) for end in ("start", "stop")):
        raise NotYet(f"the snapshot {name} holds log up to {facts['stopLsn']} that is not on the way to timeline {timeline} of {storage}: a failover has "
                     "left it behind. Name another snapshot, or recover from a backup; waiting.")
    reached = archive.last_from(archive.lsn(facts["startLsn"]) // archive.segment_bytes)
    if reached < archive.number(facts["stopWal"]):
        raise NotYet(f"the log of the snapshot {name} is not in {storage}: {first} to {facts['stopWal']} are needed. The retention of full backups "
                     "removes what is older than the oldest of them. Name a newer snapshot, or recover from a backup; waiting.")
    return Usable(name, 0, datetime.fromisoformat(facts["stoppedAt"].replace("Z", "+00:00")), archive.lsn(facts["stopLsn"]), facts["architecture"], reached)


def show(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


class Look:
    """What one look into the repository has shown."""

    def __init__(self, storage: str, archive: Archive, wal: Wal, backups: List[Usable]) -> None:
        self.storage, self.archive, self.wal, self.backups = storage, archive, wal, backups

    def end(self) -> Optional[datetime]:
        """The end of the last transaction in the archive that can be replayed; None where none is found."""
        for number in range(self.backups[-1].last, self.backups[-1].last - FILES_LOOKED_AT, -1):
            if not self.archive.has(number):
                return None
            found = self.wal.last_transaction(self.archive.name(self.archive.at(number)))
            if found:
                return found
        return None

    def window(self, end: Optional[datetime]) -> str:
        until = f"the last transaction in the archive, {show(end)}" if end else f"the end of the newest backup, {show(self.backups[-1].stopped)}"
        return f"The window of {self.storage} goes from {show(self.backups[0].stopped)} to {until}"

    def choose(self, goal: Json) -> Usable:
        kinds: Dict[str, Callable[[Json], Usable]] = {"latest": lambda _: self.backups[-1], "time": self.for_time, "lsn": self.for_lsn}
        return kinds.get(goal["type"], self.for_later)(goal)

    def for_time(self, goal: Json) -> Usable:
        at, end = datetime.fromisoformat(goal["value"]), self.end()
        before = [backup for backup in self.backups if backup.stopped <= at]
        if not before:
            raise NotYet(f"{show(at)} is before the end of the first backup. {self.window(end)}. Correct the target, or name a cluster "
                         "whose backups go back further; waiting.")
        # PostgreSQL stops at the first transaction behind the target: without one it would fail at the end of the archive.
        if end is None or not (end > at or (goal["exclusive"] and end == at)):
            future = " lies in the future and" if at > datetime.now(timezone.utc) else ""
            raise NotYet(f"{show(at)}{future} is not before the last transaction in the archive. {self.window(end)}. If that cluster still "
                         "writes, its archive gets there; else declare an earlier time, or the latest; waiting.")
        return before[-1]

    def for_lsn(self, goal: Json) -> Usable:
        at = self.archive.lsn(goal["value"])
        before = [backup for backup in self.backups if backup.lsn <= at]
        end = (self.backups[-1].last + 1) * self.archive.segment_bytes
        if before and at < end:
            return before[-1]
        raise NotYet(f"{goal['value']} is not in the window of {self.storage}, which goes from {lsn_text(self.backups[0].lsn)} to {lsn_text(end)}. "
                     "Correct the target; waiting.")

    def for_later(self, goal: Json) -> Usable:
        """The archive does not tell when a transaction was, or a restore point: without a hint the oldest backup is right."""
        if not goal.get("after"):
            return self.backups[0]
        after = datetime.fromisoformat(goal["after"])
        before = [backup for backup in self.backups if backup.stopped <= after]
        if before:
            return before[-1]
        raise NotYet(f"no backup ended before {show(after)}. {self.window(self.end())}. Correct `after`; waiting.")


def lsn_text(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def version_fits(stanza: Json, major: str, storage: str) -> int:
    """The newest database of the repository; its number."""
    newest = max(stanza["db"], key=lambda item: item["id"])
    if newest["version"] != major:
        raise NotYet(f"{storage} holds PostgreSQL {newest['version']}, and this cluster is {major}: declare version {newest['version']}, "
                     "and upgrade afterwards; waiting.")
    return newest["id"]


def look(cluster: Json, recovery: Json, folder: str, facts: Optional[Json] = None) -> Look:
    """`facts`: of the VolumeSnapshot that stands for all backups; then there need not be any."""
    storage, name = recovery["repository"]["storage"], recovery["stanza"]
    stanza = json.loads(pgbackrest([f"--stanza={name}", "--output=json", "info"]))[0]
    own = stanza["repo"][0]["status"] if stanza.get("repo") else stanza["status"]
    if own["code"] not in ((0, 2) if facts else (0,)):
        reason = {1: "nothing is there", 2: "there is no backup", 3: "a part is missing"}.get(own["code"], own["message"])
        raise NotYet(f"{storage} has nothing to recover from: {member.first_line(reason.encode())}. Check the name of the cluster, its "
                     "namespace and the prefix of the storage; waiting.")
    database = version_fits(stanza, cluster["major"], storage)
    archive_id = next((item["id"] for item in stanza["archive"] if item["database"]["id"] == database), f"{cluster['major']}-{database}")
    archive_folder = f"archive/{name}/{archive_id}"
    listing = pgbackrest(["--recurse", "repo-ls", archive_folder])
    wal = Wal(archive_folder, file_paths(listing), folder, cluster["binDirectory"])
    archive = read_archive(wal, listing, recovery["goal"].get("timeline"))
    if facts:
        system = next(str(item["system-id"]) for item in stanza["db"] if item["id"] == database)
        return Look(f"the snapshot {facts['name']} with {storage}", archive, wal, [usable_snapshot(facts, system, archive, storage)])
    backups = usable_backups(stanza, database, archive)
    if not backups:
        raise NotYet(f"no backup of {storage} can be restored: none is undamaged with the WAL that it needs; waiting.")
    return Look(storage, archive, wal, backups)


def has_room(cluster: Json, size: int) -> None:
    volume = os.statvfs(os.path.dirname(cluster["dataDirectory"]))
    free = volume.f_bavail * volume.f_frsize
    if free < size + SPARE_BYTES:
        raise NotYet(f"the backup has {size >> 20} MiB, and the volume of {os.environ['HOSTNAME']} has room for {free >> 20} MiB, of which "
                     f"{SPARE_BYTES >> 20} are kept free: declare a larger storage.size; waiting.")


def make_plan(cluster: Json, recovery: Json, facts: Optional[Json] = None) -> Plan:
    with tempfile.TemporaryDirectory() as folder:
        chosen = look(cluster, recovery, folder, facts).choose(recovery["goal"])
    if chosen.architecture not in ("", platform.machine()):
        raise NotYet(f"the backup {chosen.label} was made on {chosen.architecture}, and this node is {platform.machine()}, which cannot read "
                     "its files: place the members on nodes like the old ones; waiting.")
    has_room(cluster, chosen.size)
    return Plan(chosen.label, chosen.size)


# ---- pgBackRest and Patroni

def write_source(cluster: Json, api: Api, recovery: Json) -> None:
    """pgBackRest's configuration for the repository that is read; in memory, since it names secrets."""
    repository, key = recovery["repository"], recovery["repository"]["key"]
    files = {f"repo{key}-{item['option']}": f"{member.BACKUP_DIR}/repo{key}-{item['option']}" for item in repository["files"]}
    options = {**recovery["options"], **files, "archive-async": "y", "process-max": "2", "log-level-file": "off", "log-level-console": "warn",
               "spool-path": f"{os.path.dirname(cluster['dataDirectory'])}/{member.RECOVERY_SPOOL}"}
    place = {"pg1-path": cluster["dataDirectory"], "pg1-socket-path": cluster["socketDirectory"], "pg1-user": member.roles_of(cluster)["superuser"]}
    text = "".join(f"[{name}]\n" + "".join(f"{option}={value}\n" for option, value in values.items())
                   for name, values in (("global", options), (recovery["stanza"], place)))
    member.write_private(os.path.basename(member.RECOVERY["PGBACKREST_CONFIG"]), text)
    access = member.repository_values(api, repository)
    member.write_settings({**access, **member.settle_pass(api, repository)})


def recovery_conf(goal: Json, pause: bool) -> Json:
    """What PostgreSQL is told. Without a target it goes to the end of the archive. Patroni waits for the end of a pause."""
    names = {"time": "recovery_target_time", "lsn": "recovery_target_lsn", "xid": "recovery_target_xid", "name": "recovery_target_name"}
    target = {names[goal["type"]]: goal["value"]} if goal["type"] in names else {}
    exclusive = {"recovery_target_inclusive": "off"} if goal["exclusive"] else {}
    return {"restore_command": f"{with_source()} sh {member.CONFIG_DIR}/pgbackrest.sh get %f %p", **target, **exclusive,
            "recovery_target_timeline": str(goal.get("timeline") or "latest"), "recovery_target_action": "pause" if pause else "promote"}


def with_source() -> str:
    return "env " + " ".join(f"{name}={value}" for name, value in member.RECOVERY.items())


def patroni_folder(recovery: Json) -> str:
    """Patroni's own files, and one more: without data this member restores instead of making an empty cluster."""
    folder = f"{member.BACKUP_DIR}/patroni"
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(f"{member.CONFIG_DIR}/patroni"):
        link = f"{folder}/{name}"
        if not os.path.lexists(link):
            os.symlink(f"{member.CONFIG_DIR}/patroni/{name}", link)
    recover = {"command": f"{with_source()} python3 {member.CONFIG_DIR}/recovery.py restore", "no_params": True,
               "recovery_conf": recovery_conf(recovery["goal"], recovery["pauseAtTarget"])}
    member.write_private("patroni/90-recovery.yml", json.dumps({"bootstrap": {"method": "recover", "recover": recover}}))
    return folder


# ---- in place

def holding(cluster: Json, api: Api) -> List[str]:
    """Pods whose running container has told that it holds for this replacement: it runs no server."""
    told = {pod["metadata"]["name"]: (pod, json.loads((pod["metadata"].get("annotations") or {}).get(member.HOLDS) or "[null, \"\"]"))
            for pod in member.pods_of(cluster, api)}
    return [name for name, (pod, (what, at)) in told.items() if what == cluster["replacement"] and member.is_of_this_life(pod, at)]


def hold(cluster: Json, api: Api) -> None:
    """With how new the data are that it will have. Before a recovery that is none: nothing of the old cluster is to lead."""
    now, data = member.utc(), os.path.basename(cluster["dataDirectory"])
    history = member.History(0, False)
    if cluster["replacement"]["putBack"]:
        history = member.History.on_disk(f"{member.kept_folder(cluster)}/{data}")
    notes = {member.HOLDS: json.dumps([cluster["replacement"], now]), member.HISTORY: json.dumps([*history, now])}
    member.patiently(lambda: api.call("PATCH", f"pods/{os.environ['HOSTNAME']}", {"metadata": {"annotations": notes}}))


def forget_cluster(cluster: Json, api: Api) -> None:
    """What Patroni knows of the old members' lease and history; its configuration stays. The note comes last."""
    for suffix in ("leader", "sync", "failover", "config"):
        path = f"configmaps/{cluster['name']}-{suffix}"
        found = api.call("GET", path)
        annotations = (found or {}).get("metadata", {}).get("annotations") or {}
        changes = {key: None for key in annotations if suffix != "config" or key in ("initialize", "history")}
        if suffix == "config":
            changes[member.REPLACED] = json.dumps(cluster["replacement"])
        if found and changes:
            api.call("PATCH", path, {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"], "annotations": changes}})


def move(cluster: Json, source: Callable[[str], str], target: Callable[[str], str]) -> None:
    """All of a server's files on this volume, the data last: until they have moved, it is all done again."""
    data = os.path.basename(cluster["dataDirectory"])
    for name in ("spool", "archive-waiting", data):
        if os.path.exists(source(name)) and not os.path.exists(target(name)):
            os.rename(source(name), target(name))


def set_aside(cluster: Json, kind: str = "before") -> None:
    """The folder gets its final name at the end: by it a volume has been through the restore."""
    folder, staged = member.kept_folder(cluster, kind), member.kept_folder(cluster, f"{kind}-moving")
    os.makedirs(staged, mode=0o700, exist_ok=True)
    move(cluster, lambda name: member.beside(cluster, name), lambda name: f"{staged}/{name}")
    os.rename(staged, folder)
    member.log(f"the data are set aside in {folder}")


def put_back(cluster: Json) -> None:
    folder, returning = member.kept_folder(cluster), member.kept_folder(cluster, "returning")
    if not os.path.exists(member.kept_folder(cluster, "rejected")):
        set_aside(cluster, "rejected")
    # Of the restore, where it had not come to its end: with the note the old data would be taken for its leftovers.
    if member.unfinished(cluster):
        member.end_recovery(cluster)
    move(cluster, lambda name: f"{folder}/{name}", lambda name: member.beside(cluster, name))
    os.rename(folder, returning)
    os.rmdir(returning)
    member.log("the data from before the restore are back")


def may_move(cluster: Json, api: Api) -> None:
    """The first member goes when nobody runs a server; the others when it has taken over, or may hear who does."""
    first, own = cluster["members"][0], os.environ["HOSTNAME"]
    if member.is_forgotten(cluster, api):
        if own == first or cluster["replacement"]["putBack"] or member.leader_of(cluster, api):
            return
        raise NotYet(f"a restore in place is declared; waiting for {first} to bring the data.")
    held = holding(cluster, api)
    missing = [name for name in cluster["members"] if name not in held]
    if own != first or missing:
        raise NotYet(f"a restore in place is declared; waiting for {', '.join(missing) or first} to stop: delete all Pods of the cluster at once.")
    if cluster["replacement"]["putBack"] and not any(history.timeline for history in member.histories_of(cluster, api).values()):
        raise NotYet("no member has data from before the restore, so there is no way back; take putBack() out of the manifest, waiting.")
    forget_cluster(cluster, api)


def replace(cluster: Json, api: Api) -> int:
    hold(cluster, api)
    if not cluster["replacement"]["putBack"] and os.environ["HOSTNAME"] == cluster["members"][0]:
        member.patiently(lambda: check_apart(cluster, api))
    member.patiently(lambda: may_move(cluster, api))
    if cluster["replacement"]["putBack"]:
        put_back(cluster)
    else:
        set_aside(cluster)
    os.execvp("python3", ["python3", f"{member.CONFIG_DIR}/member.py", "start"])
    raise AssertionError("exec never returns")


def check_apart(cluster: Json, api: Api) -> None:
    """With the source's configuration in a process of its own, which has changed nothing when it ends."""
    command = ["python3", f"{member.CONFIG_DIR}/recovery.py", "check"]
    done = subprocess.run(command, env={**os.environ, **member.RECOVERY}, capture_output=True, check=False)
    if done.returncode != 0:
        problem = NotYet(member.first_line(done.stderr).replace("everest: ", "") or "the target cannot be looked at; waiting.")
        tell(api, str(problem))
        raise problem
    tell(api, None)


# ---- subcommands

def has_begun(cluster: Json, api: Api) -> bool:
    """A member is at work on the first data, or there is a cluster already: this one only waits to be a standby."""
    return "initialize" in config_of(cluster, api)[1] or bool(member.leader_of(cluster, api))


def config_of(cluster: Json, api: Api) -> Tuple[Json, Json]:
    """What Patroni keeps of the cluster: the object's metadata, and its annotations."""
    metadata = (api.call("GET", f"configmaps/{cluster['name']}-config") or {}).get("metadata", {})
    return metadata, metadata.get("annotations") or {}


def note_recovering(cluster: Json, api: Api) -> bool:
    """Patroni has just written that somebody brings the first data; by whom, it does not say. False: it is gone again."""
    metadata, annotations = config_of(cluster, api)
    if annotations.get("initialize") == "":
        changes = {"resourceVersion": metadata["resourceVersion"], "annotations": {member.RECOVERS: os.environ["HOSTNAME"]}}
        api.call("PATCH", f"configmaps/{metadata['name']}", {"metadata": changes})
    return annotations.get("initialize") == ""


def give_up_turn(cluster: Json, api: Api) -> None:
    """A container that died in its recovery has left Patroni's mark, behind which all members would wait for ever."""
    metadata, annotations = config_of(cluster, api)
    if annotations.get("initialize") != "" or annotations.get(member.RECOVERS) != os.environ["HOSTNAME"]:
        return
    # Another member that has just begun will say so meanwhile, and this change then comes too late.
    time.sleep(SAID_S)
    changes = {"resourceVersion": metadata["resourceVersion"], "annotations": {"initialize": None, member.RECOVERS: None}}
    api.call("PATCH", f"configmaps/{metadata['name']}", {"metadata": changes})
    member.log("the recovery that this member had begun did not come to its end; beginning anew")


def wait_for_leader(cluster: Json, api: Api) -> None:
    """While another member brings the data Patroni would only wait too, and take processor time from what is waited for."""
    def brings() -> bool:
        return config_of(cluster, api)[1].get("initialize") == "" and not member.leader_of(cluster, api)

    end = time.monotonic() + WITHOUT_PATRONI_S
    while member.patiently(brings) and time.monotonic() < end:
        time.sleep(LEADER_LOOK_S)


def tell(api: Api, problem: Optional[str], **more: bool) -> None:
    """On the Pod, for the agent's status; the log has it too."""
    text = None if problem is None else json.dumps({"at": member.utc(), "problem": problem.replace("; waiting.", "."), **more})
    member.once(lambda: api.call("PATCH", f"pods/{os.environ['HOSTNAME']}", {"metadata": {"annotations": {member.WAITING: text}}}))


def keep_plan(cluster: Json, api: Api, recovery: Json) -> None:
    """What was seen is kept for the restore, which follows within seconds."""
    write_source(cluster, api, recovery)
    facts = snapshot.facts_of(cluster, api) if recovery.get("snapshot") else None
    plan = make_plan(cluster, recovery, facts)
    if facts:
        member.write_private(SNAPSHOT, json.dumps(facts))
    member.write_private(PLAN, json.dumps(plan._asdict()))
    source = f"snapshot {plan.backup} and the archive" if facts else f"backup {plan.backup} ({plan.size >> 20} MiB)"
    member.log(f"the target can be reached from the {source} of {recovery['repository']['storage']}")


def restart_if_declared_anew(cluster: Json) -> None:
    """While nothing has begun, what Git says by now counts: the file is brought by the kubelet, the Pod stays."""
    if json.loads(member.read(f"{member.CONFIG_DIR}/cluster.json")).get("recovery") == cluster.get("recovery"):
        return
    member.log("another recovery is declared; looking anew")
    # As this container was begun: with the cluster's own repository.
    os.environ.update({name: os.environ.pop(f"EVEREST_OWN_{name}") for name in member.RECOVERY})
    os.execvp("python3", ["python3", f"{member.CONFIG_DIR}/member.py", "start"])


def check(cluster: Json, api: Api, recovery: Json) -> None:
    if has_begun(cluster, api):
        return
    restart_if_declared_anew(cluster)
    try:
        tried = member.unfinished(cluster)
        if tried and tried["goal"] == recovery["goal"] and tried["attempts"] >= ATTEMPTS:
            raise NotYet(f"the recovery has failed {ATTEMPTS} times; `kubectl logs --previous` has PostgreSQL's reason. Declare another target; waiting.")
        keep_plan(cluster, api, recovery)
    except NotYet as problem:
        tell(api, str(problem))
        raise


def look_only(cluster: Json, api: Api) -> int:
    if "recovery" not in cluster:
        print("everest: no recovery is declared.", file=sys.stderr)
        return 2
    os.environ.update(member.RECOVERY)
    member.BACKUP_DIR = member.RECOVERY["PGBACKREST_CONFIG_INCLUDE_PATH"]
    os.makedirs(member.BACKUP_DIR, mode=0o700, exist_ok=True)
    return 0 if member.once(lambda: keep_plan(cluster, api, cluster["recovery"])) else 1


def look_ahead(cluster: Json, goal: Json) -> int:
    """In the repository that the cluster has now, before anything is declared."""
    if not cluster.get("backup"):
        print("everest: the cluster has no backups.", file=sys.stderr)
        return 2
    repository = cluster["backup"]["repositories"][0]
    os.environ["PGBACKREST_REPO"] = str(repository["key"])
    recovery = {"repository": repository, "stanza": cluster["backup"]["stanza"], "goal": {"exclusive": False, **goal}}

    def tell_plan() -> None:
        plan = make_plan(cluster, recovery)
        print(f"{goal.get('value') or 'the end of the archive'} can be reached from the backup {plan.backup} ({plan.size >> 20} MiB) of {repository['storage']}.")

    return 0 if member.once(tell_plan) else 1


def state(cluster: Json, api: Api) -> int:
    kinds = [kind for kind in ("before", "rejected", "accepted") if cluster.get("replacement") and os.path.exists(member.kept_folder(cluster, kind))]
    print(json.dumps({"replacement": cluster.get("replacement"), "waits": member.replacement_waits(cluster), "kept": kinds}))
    return 0


def accept(cluster: Json, api: Api) -> int:
    """The one place that removes data: asked for by name, and only beside a server that has its own.

    What stays says that this volume has been through the restore, which may still be declared.
    """
    if not cluster.get("replacement") or not member.has_data(cluster) or member.unfinished(cluster) or member.replacement_waits(cluster):
        print("everest: there is no restore in place that is done, so nothing is removed.", file=sys.stderr)
        return 1
    os.makedirs(member.kept_folder(cluster, "accepted"), mode=0o700, exist_ok=True)
    for kind in ("before", "rejected"):
        folder = member.kept_folder(cluster, kind)
        if os.path.exists(folder):
            member.log(f"removing {folder}")
            shutil.rmtree(folder)
    return 0


def start(cluster: Json, api: Api) -> int:
    recovery = cluster["recovery"]
    turn = cluster["members"].index(os.environ["HOSTNAME"])
    if turn > 0 and recovery.get("snapshot"):
        # It says what is in the way also where the first member's volume could not be made.
        member.patiently(lambda: check(cluster, api, recovery))
        tell(api, None)
    if turn > 0 and (cluster.get("replacement") or recovery.get("snapshot")):
        member.waits_until(lambda: has_begun(cluster, api), float("inf"))
    member.patiently(lambda: give_up_turn(cluster, api))
    member.waits_until(lambda: has_begun(cluster, api), turn * APART_S)
    member.patiently(lambda: check(cluster, api, recovery))
    tell(api, None)
    wait_for_leader(cluster, api)
    folder = patroni_folder(recovery)
    # What Patroni starts belongs to the cluster's own repository again.
    os.environ.update({name: os.environ.pop(f"EVEREST_OWN_{name}") for name in member.RECOVERY})
    os.execvp("patroni", ["patroni", folder])
    raise AssertionError("exec never returns")


def restore(cluster: Json, api: Api) -> int:
    """A member that has waited for another one to begin, and begins now, has not looked yet."""
    recovery, path = cluster["recovery"], f"{member.BACKUP_DIR}/{PLAN}"
    if recovery.get("snapshot") and not snapshot.brings(cluster):
        member.log(f"the first data come with the volume of {cluster['members'][0]}; this member waits")
        return 1
    if not os.path.exists(path) and not member.once(lambda: keep_plan(cluster, api, recovery)):
        return 1
    plan = Plan(**json.loads(member.read(path)))
    member.begin_recovery(cluster, recovery["goal"])
    member.log(f"restoring the backup {plan.backup}")
    if not member.patiently(lambda: note_recovering(cluster, api)):
        member.log("the mark by which this member brings the first data is gone; beginning anew")
        return 1
    # Of a session of its own, since Patroni ends its commands with everything below them.
    subprocess.Popen([sys.executable, __file__, "accompany", str(os.getppid())], start_new_session=True)
    if recovery.get("snapshot"):
        snapshot.place(cluster, json.loads(member.read(f"{member.BACKUP_DIR}/{SNAPSHOT}")), recovery["goal"])
        return 0
    wal = cluster.get("walDirectory")
    if wal:
        shutil.rmtree(wal, ignore_errors=True)
    links = [f"--link-map=pg_wal={wal}"] if wal else []
    os.makedirs(cluster["dataDirectory"], mode=0o700, exist_ok=True)
    os.execvp("pgbackrest", ["pgbackrest", f"--stanza={recovery['stanza']}", f"--set={plan.backup}", "--type=none", *links, "restore"])
    raise AssertionError("exec never returns")


# ---- beside the recovery

def has_ended(cluster: Json) -> bool:
    """Patroni makes the file when the backup is there; PostgreSQL removes it when it has come to the end of the replay."""
    if not member.has_data(cluster) or os.path.exists(f"{cluster['dataDirectory']}/recovery.signal"):
        return False
    try:
        with member.Database(cluster) as server:
            return not server.value("SELECT pg_is_in_recovery()")
    except member.driver().Error:
        return False


def wake_patroni(cluster: Json, api: Api) -> None:
    """It looks once in each `loop_wait`, 10 s, whether the recovery has ended; any change of its lease's object wakes it."""
    metadata = {"name": f"{cluster['name']}-leader", "annotations": {member.RECOVERED: member.utc()}}
    if api.call("PATCH", f"configmaps/{metadata['name']}", {"metadata": metadata}) is None:
        # As Patroni makes it, which finds it by these.
        metadata["labels"] = member.member_labels(cluster)
        api.call("POST", "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def accompany(cluster: Json, api: Api, patroni: int) -> int:
    """Until the recovery has ended, or Patroni has. Meanwhile the declaration may promote the data, or move the target."""
    recovery, said, looked = cluster["recovery"], False, 0.0
    while os.path.exists(f"/proc/{patroni}"):
        if has_ended(cluster):
            member.once(lambda: wake_patroni(cluster, api))
            break
        if recovery["pauseAtTarget"] and time.monotonic() - looked >= LOOK_S:
            state, looked = replay_state(cluster), time.monotonic()
            said = obey(word(json.loads(member.read(f"{member.CONFIG_DIR}/cluster.json")), recovery, state), cluster, api, (state, said, patroni))
        time.sleep(END_LOOK_S)
    if said:
        tell(api, None)
    return 0


# ---- a look at the data before they are writable

def replay_state(cluster: Json) -> Optional[Json]:
    """Where the replay stands, once there is something to read; None before that, and behind its end."""
    try:
        with member.Database(cluster) as server:
            text = server.value("SELECT json_build_object('paused', pg_get_wal_replay_pause_state() = 'paused', 'lsn', pg_last_wal_replay_lsn(), "
                                "'at', pg_last_xact_replay_timestamp()) WHERE pg_is_in_recovery()")
    except member.driver().Error:
        return None
    return text if isinstance(text, dict) or text is None else json.loads(text)


def word(cluster: Json, recovery: Json, state: Optional[Json]) -> str:
    """`leave` (another moment is declared, so all begins anew), `promote`, `look`, or `wait`."""
    declared = cluster.get("recovery") or {}
    if declared.get("goal") != recovery["goal"] or (cluster.get("replacement") or {}).get("putBack"):
        return "leave"
    if not (state and state["paused"]):
        return "wait"
    return "look" if declared["pauseAtTarget"] else "promote"


def obey(told: str, cluster: Json, api: Api, seen: Tuple[Optional[Json], bool, int]) -> bool:
    """Whether it was said that the data can be looked at."""
    state, said, patroni = seen
    if told == "leave":
        member.log("another moment is declared: the data that were restored are given up, and it begins anew")
        os.kill(patroni, signal.SIGTERM)
    if told == "promote":
        member.log("promoting the data that were looked at")
        with member.Database(cluster) as server:
            server.run("SELECT pg_wal_replay_resume()")
    if told != "look" or said or state is None:
        return said
    text = (f"the data are at the target, {state['lsn']}, last transaction {state['at']}, and can be read: kubectl exec {os.environ['HOSTNAME']} "
            "-c postgres -- psql. Take pauseAtTarget out of the manifest to promote them, or declare another target")
    member.log(text)
    tell(api, f"{text}.", atTarget=True)
    return True


def prepare_source(cluster: Json, api: Api) -> int:
    return 0 if member.once(lambda: write_source(cluster, api, cluster["standby"])) else 1


def main(arguments: List[str]) -> int:
    commands: Dict[str, Callable[[Json, Api], int]] = {
        "start": start, "restore": restore, "check": look_only, "replace": replace, "accept": accept,
        "prepare-source": prepare_source, "state": state,
    }
    more: Dict[str, Callable[[Json, str], int]] = {
        "accompany": lambda cluster, patroni: accompany(cluster, Api.in_cluster(), int(patroni)),
        "look": lambda cluster, goal: look_ahead(cluster, json.loads(goal)),
    }
    if not arguments or arguments[0] not in (*commands, *more) or (arguments[0] in more) != (len(arguments) == 2):
        print(__doc__, file=sys.stderr)
        return 2
    cluster = json.loads(member.read(f"{member.CONFIG_DIR}/cluster.json"))
    if arguments[0] in more:
        return more[arguments[0]](cluster, arguments[1])
    return commands[arguments[0]](cluster, Api.in_cluster())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
